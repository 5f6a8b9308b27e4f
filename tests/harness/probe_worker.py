"""A compute worker with the probe cloud of drivers_for_tests, started by its own command as a process of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from harness import processes
from harness.processes import Process
from harness.waiting import wait_until

SERVICE = "compute.probe"
DRIVERS = Path(__file__).parents[1] / "drivers_for_tests"


class ProbeWorker:
    """The running worker; `notes` is what the probe cloud was asked, a line each."""

    def __init__(self, process: Process, notes: Path) -> None:
        self.process = process
        self._notes = notes

    @property
    def ops_url(self) -> str:
        """Where it serves health and metrics, as its log says."""
        found = re.search(r'"ops_port": (\d+)', self.process.log_text())
        assert found, "the worker has not said where its ops port is"
        return f"http://127.0.0.1:{found[1]}"

    @property
    def notes(self) -> list[str]:
        """What the probe cloud was asked so far."""
        return self._notes.read_text().splitlines() if self._notes.exists() else []

    @property
    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        return bool(self.get("/health/ready").status_code == requests.codes.ok)

    def get(self, path: str) -> requests.Response:
        """Ask the ops port."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy in the environment is not for loopback
            return session.get(self.ops_url + path, timeout=5)

    def wait_for_note(self, line: str) -> None:
        """Return when the probe cloud has noted the line."""
        wait_until(lambda: line in self.notes, f"the probe cloud to note '{line}'")

    def wait_until_ready(self, *, timeout_s: float = 15.0) -> None:
        """Return when the worker is ready."""
        wait_until(lambda: self.is_ready, "the worker to be ready", timeout_s=timeout_s)


@contextmanager
def probe_worker(
    url: str, folder: Path, *options: str, name: str = "worker", wait: bool = True, **environment: str
) -> Iterator[ProbeWorker]:
    """Run a worker on the broker at `url`; without `wait` it need not be ready yet when this returns."""
    command = [sys.executable, "-m", "deltacloud_compute", "--broker", url, "--drivers", "probe", *options]
    notes = folder / "notes"
    with processes.start(
        command,
        log=folder / f"{name}.log",
        env={"PYTHONPATH": str(DRIVERS), "PROBE_LOG": str(notes), **environment},
        until=processes.logs('"ops_port"'),
    ) as process:
        worker = ProbeWorker(process, notes)
        if wait:
            worker.wait_until_ready()
        yield worker
