"""An HTTP client of blobs that sends and reads in pieces, and can break every promise a header makes."""

import base64
import contextlib
import hashlib
import http.client
import itertools
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

PIECE = 64 * 1024
BLOCK = bytes(range(256)) * (PIECE // 256)


class Answer(msgspec.Struct, frozen=True):
    """What came back; header names are lower case. ``digest`` is the body's SHA-256, ``body`` its first mebibyte."""

    status: int
    headers: dict[str, str]
    body: bytes
    digest: str
    size: int

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return msgspec.json.decode(self.body)


class BlobClient:
    """Talks to a gateway as one caller of one driver.

    Args:
        port: the gateway's, on loopback.
        user: the user.
        password: the password.
        headers: sent with every request, such as the driver's and the provider's name.
    """

    def __init__(self, port: int, user: str, password: str, headers: Mapping[str, str] | None = None) -> None:
        self.port = port
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}", "Accept": "application/json", **(headers or {})}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read the answer. A body that is no bytes is chunked, unless Content-Length is given.

        Raises http.client.IncompleteRead when the answer ends before its end.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            given = {**self._headers, **(headers or {})}
            chunked = body is not None and not isinstance(body, bytes) and "Content-Length" not in given
            if chunked:
                given["Transfer-Encoding"] = "chunked"
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an answer may come before the body's end
                connection.request(method, _target(path), body=body, headers=given, encode_chunked=chunked)
            return _read(connection.getresponse())
        finally:
            connection.close()

    def promise(self, method: str, path: str, headers: Mapping[str, str], sent: bytes) -> socket.socket:
        """Send a request's head and these bytes; return the open connection, with whatever is still owed."""
        lines = {"Host": "127.0.0.1", **self._headers, **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(f"{method} /api/buckets/{path} HTTP/1.1\r\n{head}\r\n".encode() + sent)
        return connection


def _target(path: str) -> str:
    return f"/api/buckets/{path}" if path and not path.startswith("?") else f"/api/buckets{path}"


def data(size: int) -> Iterator[bytes]:
    """Yield so many bytes in pieces."""
    for left in range(size, 0, -PIECE):
        yield BLOCK[: min(left, PIECE)]


def digest(pieces: Iterable[bytes]) -> str:
    """Return the SHA-256 of bytes in pieces."""
    made = hashlib.sha256()
    for piece in pieces:
        made.update(piece)
    return made.hexdigest()


def chunk(piece: bytes) -> bytes:
    """Return a piece in HTTP's chunked framing."""
    return f"{len(piece):X}\r\n".encode() + piece + b"\r\n"


def status_of(connection: socket.socket) -> int | None:
    """Return the status that comes over a connection, ``None`` when it ends without one."""
    received = b""
    with connection:
        while b"\r\n" not in received:
            piece = connection.recv(PIECE)
            if not piece:
                return None
            received += piece
    return int(received.split()[1])


def multipart(parts: Iterable[tuple[str, bytes | Iterable[bytes], str | None]]) -> Iterator[bytes]:
    """Yield a multipart form with the boundary ``BB``: names, contents, and the types of those that are files."""
    for name, content, content_type in parts:
        kind = f'; filename="f"\r\nContent-Type: {content_type}' if content_type is not None else ""
        yield f'--BB\r\nContent-Disposition: form-data; name="{name}"{kind}\r\n\r\n'.encode()
        yield from [content] if isinstance(content, bytes) else content
        yield b"\r\n"
    yield b"--BB--\r\n"


def _read(response: http.client.HTTPResponse) -> Answer:
    made, size, kept = hashlib.sha256(), 0, bytearray()
    for piece in iter(lambda: response.read(PIECE), b""):
        made.update(piece)
        size += len(piece)
        if len(kept) < 1024 * 1024:
            kept += piece
    if response.length:
        raise http.client.IncompleteRead(bytes(kept), response.length)
    names = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, names, bytes(kept), made.hexdigest(), size)


def cut(pieces: Iterable[bytes], count: int) -> bytes:
    """Return the first pieces as one text of bytes, each in chunked framing."""
    return b"".join(chunk(piece) for piece in itertools.islice(pieces, count))
