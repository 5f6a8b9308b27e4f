"""The broker of a whole test session: one for all xdist workers, gone when the session is, however it ends.

The process that leads the session (pytest itself, or the controller of the xdist workers) holds a lock on a file in
the session's folder for as long as it lives. The first test that needs a broker starts a keeper, this module run as a
program, which starts the broker and then waits for that lock: it gets it when the leader has ended, kill -9 included.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness import processes, rabbitmq
from harness.broker import Address, Broker, named_in_environment
from harness.requirements import docker_answers
from harness.waiting import wait_until

IMAGE = "rabbitmq:3-management"
_START_TIMEOUT_S = 110.0
_keepers: list["subprocess.Popen[bytes]"] = []


class Leader:
    """The session's leader: makes its folder, keeps the broker alive, and ends both."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="deltacloud-tests-"))
        self._alive = _open(self.folder / "leader.lock")
        fcntl.flock(self._alive, fcntl.LOCK_EX)

    def close(self) -> None:
        """End the broker, wait until it is gone, and remove the folder."""
        os.close(self._alive)
        if (self.folder / "keeper.lock").exists():
            with _locked(self.folder / "keeper.lock"):
                pass
        for keeper in _keepers:
            keeper.wait()
        shutil.rmtree(self.folder)


def session_broker(folder: Path) -> Broker:
    """Return the broker named in the environment, else the one of this session, which the first caller starts.

    Raises RuntimeError with the log when it does not start.
    """
    if named := named_in_environment():
        return Broker(named)
    state = folder / "broker.json"
    with _locked(folder / "start.lock"):
        if not state.exists():
            _start_keeper(folder, state)
    return Broker(msgspec.json.decode(state.read_bytes(), type=Address))


def _start_keeper(folder: Path, state: Path) -> None:
    log = folder / "keeper.log"
    with log.open("ab") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "harness.session_broker", folder],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the leader
        )
    _keepers.append(keeper)
    wait_until(lambda: state.exists() or keeper.poll() is not None, "the session's broker", timeout_s=_START_TIMEOUT_S)
    if not state.exists():
        raise RuntimeError(f"the session's broker did not start:\n{log.read_text(errors='replace')}")


@contextmanager
def _running_broker(folder: Path) -> Iterator[Address]:
    if rabbitmq.server_script() is not None:
        with rabbitmq.PrivateNode(folder) as node:
            yield node.broker.address
    elif docker_answers():
        from harness import container  # noqa: PLC0415 - the Docker SDK is for those who have no package

        with container.running_broker(IMAGE) as address:
            yield address
    else:
        raise RuntimeError("neither rabbitmq-server nor a Docker engine is here")


def _keep(folder: Path) -> None:
    """Run a broker until the session's leader is gone."""
    with _locked(folder / "keeper.lock"):
        with _running_broker(folder / "broker") as address:
            unfinished = folder / "broker.json.new"
            unfinished.write_bytes(msgspec.json.encode(address))
            unfinished.rename(folder / "broker.json")
            with _locked(folder / "leader.lock"):
                pass
        processes.end_all()
        shutil.rmtree(folder / "broker", ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock on a file; the kernel gives it back when a holder dies."""
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
