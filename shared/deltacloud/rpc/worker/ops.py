"""The operator's port of a worker process: health, metrics, and what else a service serves by HTTP."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import eventlet
import msgspec
from eventlet import wsgi
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

SLOWEST_S = 60.0
LONGEST_URL = 8192
MOST_REQUESTS = 1000

Problems = Callable[[], list[str]]
"""Why the process is not ready; empty when it is."""


class OpsServer:
    """Serves ``/health/live``, ``/health/ready`` and ``/metrics``, and further WSGI applications by prefix.

    Args:
        host: address to listen at.
        port: port to listen at; 0 picks a free one.
        problems: asked for readiness.
        apps: applications by the prefix of their paths (``/transfers``), which becomes their ``SCRIPT_NAME``. They
            bound bodies themselves; what stands here reads none.

    Raises:
        OSError: the port cannot be had.
    """

    def __init__(
        self, host: str, port: int, *, problems: Problems, apps: Mapping[str, WSGIApplication] | None = None
    ) -> None:
        self._problems = problems
        self._apps = dict(apps or {})
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = eventlet.listen((host, port), family=family)
        self.port: int = self._socket.getsockname()[1]

    def start(self) -> None:
        """Serve in green threads."""
        eventlet.spawn(
            wsgi.server,
            self._socket,
            self._app,
            log=logging.getLogger(__name__),
            log_output=False,
            max_size=MOST_REQUESTS,
            url_length_limit=LONGEST_URL,
            debug=False,
            socket_timeout=SLOWEST_S,
        )

    def stop(self) -> None:
        """Accept no more connections."""
        self._socket.close()

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for prefix, app in self._apps.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                shifted = {**environ, "SCRIPT_NAME": prefix, "PATH_INFO": path[len(prefix) :]}
                return app(shifted, start_response)
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return _answer(start_response, HTTPStatus.METHOD_NOT_ALLOWED, b"GET only\n", "text/plain")
        return self._own(path, start_response)

    def _own(self, path: str, start_response: StartResponse) -> Iterable[bytes]:
        if path == "/health/live":
            return _json(start_response, HTTPStatus.OK, {"live": True})
        if path == "/health/ready":
            problems = self._problems()
            status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
            return _json(start_response, status, {"ready": not problems, "problems": problems})
        if path == "/metrics":
            return _answer(start_response, HTTPStatus.OK, generate_latest(), CONTENT_TYPE_LATEST)
        return _answer(start_response, HTTPStatus.NOT_FOUND, b"try /health/ready or /metrics\n", "text/plain")


def _json(start_response: StartResponse, status: HTTPStatus, content: dict[str, Any]) -> Iterable[bytes]:
    return _answer(start_response, status, msgspec.json.encode(content), "application/json")


def _answer(start_response: StartResponse, status: HTTPStatus, body: bytes, content_type: str) -> Iterable[bytes]:
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
