"""Ports on loopback that no other test on this machine is given, in whatever process it runs."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below Linux's range for outgoing connections, so that a port stays free between two starts of its server.
_CANDIDATES = range(20_000, 32_000)
_ORDER = random.SystemRandom()  # pytest-randomly gives every xdist worker the same seed
_taken: set[int] = set()
_book: list[int] = []


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, reserved until this process ends.

    Raises RuntimeError when thousands of tries found none.
    """
    for _ in _CANDIDATES:
        port = _ORDER.choice(_CANDIDATES)
        if port not in _taken and _reserve(port) and not _is_in_use(port):
            _taken.add(port)
            return port
    raise RuntimeError(f"no free port between {_CANDIDATES.start} and {_CANDIDATES.stop}")


def _reserve(port: int) -> bool:
    """Lock the byte numbered `port` in a file all test processes of this user share."""
    if not _book:
        path = Path(tempfile.gettempdir()) / f"deltacloud-test-ports-{os.getuid()}"
        _book.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        fcntl.lockf(_book[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _is_in_use(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
