"""What every figure may use: a broker, a folder, and a line of progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from harness.broker import Broker
from harness.fleet import Fleet
from harness.session_broker import Leader, session_broker

QUIET = {"DELTACLOUD_LOG_LEVEL": "warning"}


class Bench:
    """The place of one run. A context manager: at its end everything it started is gone."""

    def __init__(self) -> None:
        self._leader = Leader()
        self._began = time.monotonic()
        self._folders = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leader.close()

    @property
    def broker(self) -> Broker:
        """The run's RabbitMQ, started when it is first asked for."""
        return session_broker(self._leader.folder)

    def folder(self) -> Path:
        """Return a new, empty folder."""
        self._folders += 1
        folder = self._leader.folder / f"figure-{self._folders}"
        folder.mkdir()
        return folder

    @contextmanager
    def fleet(self, *, providers: dict[str, Any] | None = None, env: dict[str, str] | None = None) -> Iterator[Fleet]:
        """Give a fleet of services on a virtual host of its own; none is started yet."""
        with (
            self.broker.new_vhost() as vhost,
            Fleet(self.broker.url(vhost), self.folder(), providers=providers, env=QUIET | (env or {})) as fleet,
        ):
            yield fleet

    def say(self, text: str) -> None:
        """Tell whoever watches how far it is."""
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)
