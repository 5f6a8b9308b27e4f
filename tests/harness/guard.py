"""End what a test process started, however that process itself ends.

Run as a program by `harness.processes`. It reads process groups from standard input, `+<group>` when one starts
and `-<group>` when one is over, and at the end of input (its parent has ended, perhaps by kill -9) kills the rest.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Follow standard input to its end, then kill every group still in the book."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
