"""A front before a server: it passes bytes on until it is told to be a busy, silent or lying cloud."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

SLOW_S = 1.0
CHUNK = 65_536
BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
REFUSAL = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
)
GARBAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: 9\r\n\r\n\x00\xff<<not a"
)


class Front:
    """Serves at `url` what the server at `target` serves; `during(kind)` says what goes wrong meanwhile."""

    def __init__(self, target: str) -> None:
        split = urlsplit(target)
        self._target = (split.hostname, split.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._fault: str | None = None
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def during(self, kind: str) -> Iterator[None]:
        """Misbehave so within the block."""
        self._fault = kind
        try:
            yield
        finally:
            self._fault = None

    def close(self) -> None:
        """End everything."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server, contextlib.suppress(OSError):
            self._open |= {client, server}
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
            while data := client.recv(CHUNK):
                if not self._pass(data, client, server):
                    break
        self._open -= {client, server}

    def _pass(self, data: bytes, client: socket.socket, server: socket.socket) -> bool:
        """Pass a request's bytes on, and say whether the connection goes on."""
        fault = self._fault
        if fault == "throttle_once":
            self._fault = None
        if fault in {"throttle", "throttle_once"}:
            client.sendall(REFUSAL % (len(BUSY), BUSY))
        elif fault == "garbage":
            client.sendall(GARBAGE)
        elif fault == "hang":
            client.recv(CHUNK)  # until the caller gives up
        elif fault != "close":
            time.sleep(SLOW_S if fault == "slow" else 0)
            server.sendall(data)
            return True
        return False

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK):
                if self._fault == "lost_answer":
                    break
                client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
