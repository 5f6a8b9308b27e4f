"""Moving bytes as the gateway does: by the transfer alone, with a plain HTTP client."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from deltacloud.drivers import StorageDriver
from deltacloud.models import Transfer

TIMEOUT_S = 30.0
CHUNK = 65_536


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A store's answer; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(transfer: Transfer, body: bytes = b"") -> Answer:
    """Send a transfer and return the answer, whatever its status.

    It is sent as it is written, to the addresses it names, with no header of our own but ``Host`` and
    ``Content-Length``.
    """
    with contextlib.closing(_connection(transfer)) as connection:
        _send(connection, transfer, body)
        answer = connection.getresponse()
        content = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(status=answer.status, headers=headers, body=content)


def send_cut_off(transfer: Transfer, body: bytes) -> None:
    """Send fewer bytes than the transfer is for, then nothing more; return when the store has given up too."""
    with contextlib.closing(_connection(transfer)) as connection:
        _send(connection, transfer, body)
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_WR)
            while connection.sock.recv(CHUNK):
                pass


def _send(connection: http.client.HTTPConnection, transfer: Transfer, body: bytes) -> None:
    split = urlsplit(transfer.url)
    where = f"{split.path or '/'}{'?' + split.query if split.query else ''}"
    connection.putrequest(transfer.method, where, skip_accept_encoding=True)
    headers = {name.lower(): value for name, value in transfer.headers.items() if name.lower() != "host"}
    has_body = transfer.method in {"PUT", "POST"}
    if has_body:
        headers.setdefault("content-length", str(len(body)))
    for name, value in headers.items():
        connection.putheader(name, value.encode("latin-1"))
    connection.endheaders(body if has_body else None)


def is_accepted(transfer: Transfer, answer: Answer) -> bool:
    """Say whether the store did what the transfer was for."""
    return answer.status in transfer.accept_statuses


def move(transfer: Transfer, body: bytes = b"") -> Answer:
    """Send a transfer that must be accepted, and return the answer."""
    answer = send(transfer, body)
    assert is_accepted(transfer, answer), f"the store answered {answer.status}: {answer.body[:200]!r}"
    return answer


@contextlib.contextmanager
def bytes_served(driver: StorageDriver) -> Iterator[None]:
    """Serve the bytes of a store that has no HTTP of its own, as its host would; for others do nothing."""
    app = driver.bytes_app()
    if app is None:
        yield
        return
    server = make_server("127.0.0.1", 0, app, server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        driver.bytes_at(f"http://127.0.0.1:{server.server_port}")
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _connection(transfer: Transfer) -> http.client.HTTPConnection:
    split = urlsplit(transfer.url)
    host = split.hostname or ""
    if split.scheme == "https":
        context = ssl.create_default_context(cadata=transfer.ca_pem)
        connection: Any = http.client.HTTPSConnection(host, split.port or 443, timeout=TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, split.port or 80, timeout=TIMEOUT_S)
    if transfer.addresses:
        address = transfer.addresses[0]
        connection._create_connection = lambda where, *more, **options: socket.create_connection(  # noqa: SLF001
            (address, where[1]), *more, **options
        )
    checked: http.client.HTTPConnection = connection
    return checked


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing: URLs carry tickets."""
