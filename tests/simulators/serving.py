"""The HTTP side every simulator shares: plain requests in, plain replies out, a thread per connection."""

from __future__ import annotations

import json
import os
import signal
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import cast

MAX_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; header names are in lower case, repeated headers are joined with commas."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer, or what is left of it after a fault.

    ``truncate`` announces the whole body and sends half of it; ``close`` ends the connection with no answer;
    ``trickle_s`` is the pause before each byte of the body.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
    truncate: bool = False
    close: bool = False
    trickle_s: float = 0.0


Application = Callable[[Request], Reply]


def json_reply(value: object, status: int = 200) -> Reply:
    """Answer with a JSON document."""
    return Reply(status=status, body=json.dumps(value).encode(), content_type="application/json")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, application: Application) -> None:
        self.application = application
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # With Nagle's algorithm the tail of an answer waits for the delayed ack of what went before: 40 ms.
    disable_nagle_algorithm = True

    def do_any(self) -> None:
        """Hand any request to the application and send back what it answers."""
        body = self._body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): ",".join(self.headers.get_all(name, [])) for name in set(self.headers.keys())}
        request = Request(method=self.command, path=path, query=query, headers=headers, body=body)
        try:
            reply = cast("_Server", self.server).application(request)
        # The edge of the process: a defect of the simulator must be loud, and must not end the connection.
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            reply = Reply(status=500, body=b"the simulator failed; see its standard error")
        self._send(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._send(Reply(status=400, body=b"a Content-Length of at most 4 MiB is needed"))
            return None
        return self.rfile.read(int(length))

    def _send(self, reply: Reply) -> None:
        if reply.close:
            self.close_connection = True
            return
        lines = [
            f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('Unknown',))[0]}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]
        body = b"" if self.command == "HEAD" else reply.body
        if reply.truncate:
            self.close_connection = True
            body = body[: len(body) // 2]
        try:
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
            if reply.trickle_s:
                self._trickle(head, body, reply.trickle_s)
            else:
                self.wfile.write(head + body)
        except OSError:
            self.close_connection = True

    def _trickle(self, head: bytes, body: bytes, pause_s: float) -> None:
        self.wfile.write(head)
        for byte in body:
            time.sleep(pause_s)
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the control endpoint counts the calls."""


def serve(application: Application, port: int, stopping: threading.Event, *, until_eof: bool) -> None:
    """Serve on 127.0.0.1 until SIGTERM, SIGINT or, with ``until_eof``, the end of standard input.

    Prints ``{"url": …, "port": …}`` on one line once connections are accepted. ``stopping`` is set at the
    end, so that answers held back by a fault wake up.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if until_eof:
        threading.Thread(target=_set_at_end_of_input, args=(stopping,), daemon=True).start()
    with _Server(port, application) as server:
        bound = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{bound}", "port": bound}) + "\n")
        sys.stdout.flush()
        stopping.wait()
        server.shutdown()


def _set_at_end_of_input(stopping: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopping.set()
