"""A store that does what it is told, mostly wrong: one TCP server, a behaviour for each test."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket, bytes], None]
"""Gets a connection and the head of the request that came over it."""


class LyingStore:
    """Accepts connections until the test ends, by TLS where ``tls`` is set.

    ``heads`` are the requests' heads; ``sent`` and ``ended`` are for behaviours.
    """

    def __init__(self) -> None:
        self.behaviour: Behaviour = lambda connection, head: None
        self.heads: list[bytes] = []
        self.sent = 0
        self.ended = threading.Event()
        self.tls: ssl.SSLContext | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._listener.close()

    def answers(self, raw: bytes) -> None:
        """Answer every request with these bytes and close."""
        self.behaviour = lambda connection, _: connection.sendall(raw)

    def streams(self, connection: socket.socket, _: bytes) -> None:
        """Behave as a store with a blob of a tebibyte: send until the other side goes away."""
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                self.sent += connection.send(b"x" * 65536)
        self.ended.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), self._secured(accepted) as connection:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.heads.append(head)
            self.behaviour(connection, head)

    def _secured(self, accepted: socket.socket) -> socket.socket:
        if self.tls is None:
            return accepted
        with accepted:
            return self.tls.wrap_socket(accepted, server_side=True)


@contextlib.contextmanager
def lying_store() -> Iterator[LyingStore]:
    """Yield a store."""
    store = LyingStore()
    try:
        yield store
    finally:
        store.close()
