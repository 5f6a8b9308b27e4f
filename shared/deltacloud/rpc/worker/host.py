"""A process that serves calls from RabbitMQ until it is told to stop."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol
from wsgiref.types import WSGIApplication

import eventlet
from eventlet import patcher
from nameko.runners import ServiceRunner

from deltacloud.collector import settle
from deltacloud.logging import get_logger
from deltacloud.rpc.edge import Callee
from deltacloud.rpc.worker.calls import service_class
from deltacloud.rpc.worker.ops import OpsServer
from deltacloud.rpc.worker.settings import HostSettings

logging.getLogger("nameko").setLevel(logging.ERROR)  # it warns of connections it ends at the end

LAST_S = 2.0
"""Seconds after ``drain_s`` in which a process that cannot end in good order is ended."""

_LOG = get_logger()


class Companion(Protocol):
    """Something that lives as long as the host: the announcer, the registry's events."""

    @property
    def problem(self) -> str | None:
        """Why the process is not ready because of it, or ``None``."""
        ...

    def start(self) -> None:
        """Begin."""
        ...

    def leave(self) -> None:
        """The process takes nothing new from now on."""
        ...

    def stop(self) -> None:
        """The calls in hand are finished; end."""
        ...


def worker_name() -> str:
    """Return a name for this process that no other has."""
    return f"{socket.gethostname()[:64]}-{secrets.token_hex(6)}"


class WorkerHost:
    """Serves each callee from a queue of its own, one nameko container each.

    Args:
        callees: what answers the calls: dispatchers, or the registry.
        settings: the process's settings; ``broker`` is set.
        worker: unique name of this process.
        companions: started before the calls, told to leave before the consumers are cancelled.
        apps: further WSGI applications of the ops port, by prefix.
        on_hangup: called at SIGHUP, which otherwise ends the process.

    Raises:
        OSError: the ops port cannot be had.
    """

    def __init__(
        self,
        callees: Sequence[Callee],
        settings: HostSettings,
        *,
        worker: str,
        companions: Sequence[Companion] = (),
        apps: Mapping[str, WSGIApplication] | None = None,
        on_hangup: Callable[[], None] | None = None,
    ) -> None:
        if settings.broker is None:
            raise ValueError("a worker needs a broker")
        self._settings = settings
        self._companions = companions
        self._on_hangup = on_hangup
        self._ops = OpsServer(settings.ops_host, settings.ops_port, problems=self.problems, apps=apps)
        self._runner = ServiceRunner({"AMQP_URI": settings.broker, "max_workers": settings.max_workers})
        self.services = tuple(callee.service for callee in callees)
        for callee in callees:
            self._runner.add_service(
                service_class(callee, broker=settings.broker, worker=worker, deadline_s=settings.deadline_s)
            )

    @property
    def ops_port(self) -> int:
        """The port of health and metrics."""
        return self._ops.port

    def problems(self) -> list[str]:
        """Return why calls cannot be answered now; nothing when they can."""
        links = {
            f"{container.service_name}": entrypoint.link.problem
            for container in self._runner.containers
            for entrypoint in container.entrypoints
        }
        for companion in self._companions:
            links[type(companion).__name__.lower()] = companion.problem
        return [f"{name}: {problem}" for name, problem in links.items() if problem is not None]

    def start(self) -> None:
        """Start everything and return; what needs the broker begins when it is there."""
        self._ops.start()
        for companion in self._companions:
            companion.start()
        self._runner.start()
        _LOG.info("serving", services=self.services, ops_host=self._settings.ops_host, ops_port=self.ops_port)

    def stop(self) -> None:
        """Take nothing new, give the calls in hand ``drain_s`` seconds, and close."""
        for companion in self._companions:
            companion.leave()
        finished = False
        with eventlet.Timeout(self._settings.drain_s, exception=False):
            self._runner.stop()
            finished = True
        if not finished:
            _LOG.warning("stopped with calls in hand; the broker hands them to other workers")
        for companion in self._companions:
            companion.stop()
        self._ops.stop()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then stop, within ``drain_s`` and two seconds whatever happens."""
        settle()
        signals = _Signals({signal.SIGTERM, signal.SIGINT} | ({signal.SIGHUP} if self._on_hangup else set()))
        self.start()
        while (number := signals.wait()) == signal.SIGHUP and self._on_hangup is not None:
            self._on_hangup()
        _LOG.info("stopping", signal=signal.Signals(number).name)
        _end_after(self._settings.drain_s + LAST_S)
        eventlet.spawn(_end_at_second, signals)
        self.stop()
        _LOG.info("stopped")


class _Signals:
    """Signals as something a green thread can wait for: noticed at once, also when nothing else happens."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def wait(self) -> int:
        """Return the number of the next signal."""
        return self._reader.recv(1)[0]


def _end_at_second(signals: _Signals) -> None:
    signals.wait()
    os._exit(0)


def _end_after(seconds: float) -> None:
    """End the process by a real thread, which runs also when the green ones are stuck."""
    threading = patcher.original("threading")
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
