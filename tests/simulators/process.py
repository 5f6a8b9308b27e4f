"""Start a simulator as a process of its own, and stop it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.control import Control

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0


class SimulatorDidNotStartError(Exception):
    """The simulator ended, or said nothing, before it was ready."""


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator at work. Leaving it as a context manager stops it."""

    url: str
    pid: int
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def control(self) -> Control:
        """Its control endpoint."""
        return Control(self.url)

    def stop(self) -> int:
        """End the process and give its exit code. Safe to repeat."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(name: str, *options: str) -> Running:
    """Start ``python -m simulators.<name>`` on a free port and wait until it serves.

    It also ends when this process dies, however that happens. Raises SimulatorDidNotStartError.
    """
    here = str(Path(__file__).resolve().parent.parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-m", f"simulators.{name}", "--port", "0", "--until-eof", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    running = Running(url="", pid=process.pid, process=process)
    line = _first_line(process)
    if not line:
        code = running.stop()
        raise SimulatorDidNotStartError(f"simulators.{name} did not get ready (exit code {code})")
    return Running(url=json.loads(line)["url"], pid=process.pid, process=process)


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    if process.stdout is None:
        return b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if selector.select(START_TIMEOUT_S) else b""
