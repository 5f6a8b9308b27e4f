"""A whole fleet on one virtual host: gateway, registry and workers, each a process of its own with a log of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec
import requests

from harness import processes
from harness.ports import free_port
from harness.processes import Process
from harness.waiting import wait_until

READY_TIMEOUT_S = 40.0
MOCK_USER, MOCK_PASSWORD = "mockuser", "mockpassword"


class Member:
    """One process of a fleet; `url` is where it tells its health and its metrics."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    def __repr__(self) -> str:
        return f"<Member {self.process.name} at {self.url}>"

    @property
    def is_ready(self) -> bool:
        """Whether it says that it can work."""
        return processes.is_answering(f"{self.url}/health/ready")

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels, 0 without any."""
        total = 0.0
        for line in self.metrics().splitlines():
            sample = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if sample and all(f'{label}="{value}"' in (sample[1] or "") for label, value in labels.items()):
                total += float(sample[2])
        return total

    def metrics(self) -> str:
        """Return its page of metrics."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy in the environment is not for loopback
            return session.get(f"{self.url}/metrics", timeout=5).text

    def freeze(self) -> None:
        """Stop it where it stands, connections open, until :meth:`thaw`."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze it for the length of a block."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()


class Http:
    """A caller of the gateway. `headers` go with every request; threads may share it."""

    def __init__(self, url: str, *, user: str = MOCK_USER, password: str = MOCK_PASSWORD, **headers: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy in the environment is not for loopback
        self._session.auth = (user, password)
        self._session.headers.update({"Accept": "application/json"})
        self._session.headers.update({f"X-Deltacloud-{name.title()}": value for name, value in headers.items()})

    def request(
        self,
        method: str,
        path: str,
        form: dict[str, str] | None = None,
        *,
        deadline_s: float | None = None,
        key: str | None = None,
    ) -> requests.Response:
        """Send a request to `/api/<path>` and return its answer, whatever the status."""
        headers = {}
        if deadline_s is not None:
            headers["X-Deltacloud-Deadline"] = str(deadline_s)
        if key is not None:
            headers["Idempotency-Key"] = key
        return self._session.request(method, f"{self.url}/api/{path}", data=form, headers=headers, timeout=90)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET `/api/<path>`."""
        return self.request("GET", path, **options)

    def post(self, path: str, form: dict[str, str] | None = None, **options: Any) -> requests.Response:
        """POST a form to `/api/<path>`."""
        return self.request("POST", path, form, **options)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class Fleet:
    """Starts services on one virtual host; a context manager that kills them all at its end.

    Args:
        broker: the virtual host's AMQP URL.
        folder: where logs, keys and the mock cloud's data are.
        providers: the operator's providers, as the registry's file has them.
        env: settings of every process.
    """

    def __init__(
        self, broker: str, folder: Path, *, providers: dict[str, Any] | None = None, env: dict[str, str] | None = None
    ) -> None:
        self.broker = broker
        self.vhost = urlsplit(broker).path.removeprefix("/")
        self.folder = folder
        self.mock_folder = folder / "mock"
        self.mock_folder.mkdir()
        self.members: list[Member] = []
        self._providers = folder / "providers.yaml"
        self._providers.write_text(json.dumps({"providers": providers or {}}))
        self._env = {
            "DELTACLOUD_BROKER": broker,
            "DELTACLOUD_LOG_LEVEL": "debug",
            "DELTACLOUD_MOCK_STORAGE": str(self.mock_folder),
            "DELTACLOUD_SEALING_KEY_FILE": str(folder / "sealing.key"),
            **(env or {}),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            member.process.kill9()

    def registry(self, **env: str) -> Member:
        """Start a registry, without waiting for it."""
        return self.start("deltacloud_registry", "--providers", str(self._providers), **env)

    def compute(self, drivers: str = "mock", **env: str) -> Member:
        """Start a compute worker, without waiting for it."""
        return self.start("deltacloud_compute", "--drivers", drivers, **env)

    def storage(self, drivers: str = "mock", **env: str) -> Member:
        """Start a storage worker, without waiting for it."""
        return self.start("deltacloud_storage", "--drivers", drivers, **env)

    def gateway(self, **env: str) -> Member:
        """Start a gateway, without waiting for it."""
        port = free_port()
        return self._start("deltacloud_gateway", port, ["-r", "127.0.0.1", "-p", str(port)], env)

    def start(self, package: str, *options: str, **env: str) -> Member:
        """Start a service that has a port for operators, without waiting for it."""
        port = free_port()
        return self._start(package, port, ["--ops-port", str(port), *options], env)

    def _start(self, package: str, port: int, options: list[str], env: dict[str, str]) -> Member:
        log = self.folder / f"{package}-{len(self.members)}.log"
        command = [sys.executable, "-m", package, *options]
        process = processes.start(command, log=log, env={**self._env, **env})
        member = Member(process, f"http://127.0.0.1:{port}")
        self.members.append(member)
        return member

    def faults(self, text: str) -> None:
        """Let this go wrong in the mock cloud from now on; nothing for an empty text."""
        draft = self.mock_folder / "faults.draft"
        draft.write_text(text)
        draft.replace(self.mock_folder / "faults.json")

    def log_text(self) -> str:
        """Return everything all members have logged."""
        return "".join(member.process.log_text() for member in self.members)


def ready(*members: Member) -> None:
    """Return when all members are ready. Raises as `Process.wait_until`, with the log's end."""
    for member in members:
        member.process.wait_until(lambda _, each=member: each.is_ready, timeout_s=READY_TIMEOUT_S)  # type: ignore[misc]


def knows(http: Http, *drivers: str) -> None:
    """Return when the gateway knows the drivers and has keys to seal credentials for."""

    def has_all() -> bool:
        answer = http.get("drivers")
        if answer.status_code != requests.codes.ok:
            return False
        return set(drivers) <= set(re.findall(r"\w+", answer.text))

    wait_until(has_all, f"the gateway to know {', '.join(drivers)}", timeout_s=READY_TIMEOUT_S)


class Timed(msgspec.Struct, frozen=True):
    """An answer and the seconds it took."""

    answer: requests.Response
    seconds: float


def timed(send: Callable[[], requests.Response]) -> Timed:
    """Send a request and measure it from outside."""
    begin = time.perf_counter()
    return Timed(send(), time.perf_counter() - begin)
