"""An S3 store that keeps nothing: it counts what it is sent and gives zeros, as fast as loopback takes them.

It speaks just enough: PUT of objects and parts, GET, HEAD, POST ``?uploads`` and ``?uploadId``. The length of what it
gives is the first number in the object's name (``zeros-1073741824``). Signatures are not looked at. Arguments: the port
and how many MiB a second pass at most in all, 0 for as many as can.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from email.utils import formatdate
from http import HTTPStatus

ZEROS = memoryview(bytes(256 * 1024))
BUFFER = 256 * 1024
LEAST_S = 0.001
LAG_S = 0.02
"""How much time a sender may make up for that did not run for a while, as the buffers of a network allow."""
_ETAG = '"00000000000000000000000000000000"'
_STARTED = (
    '<?xml version="1.0"?><InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>'
)
_FINISHED = f'<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>{_ETAG}</ETag></CompleteMultipartUploadResult>'


class Pace:
    """Lets so many bytes a second pass, over all connections; any number for a rate of 0."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next = 0.0

    def debt_s(self, count: int) -> float:
        """Count bytes that pass and return for how long nothing more may."""
        if not self._rate:
            return 0.0
        now = time.perf_counter()
        self._next = max(self._next, now - LAG_S) + count / self._rate
        return self._next - now


class Connection(asyncio.BufferedProtocol):
    """One connection: requests one after the other, bodies read into one buffer and dropped."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._head = b""
        self._method = self._target = ""
        self._body: _Body | None = None
        self._loop = asyncio.get_running_loop()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=4 * BUFFER)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to."""
        del sizehint
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self._take(nbytes)
        if (debt_s := self._pace.debt_s(nbytes)) > LEAST_S:
            self._transport.pause_reading()
            self._loop.call_later(debt_s, self._resume)

    def _resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _take(self, nbytes: int) -> None:
        data = self._view[:nbytes]
        if self._body is None:
            self._head += bytes(data)
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            data = memoryview(self._head[end + 4 :])
            self._begin(self._head[:end].decode("latin-1"))
            self._head = b""
        if self._body is not None and self._body.took(data):
            self._body = None
            self._answer()

    def pause_writing(self) -> None:
        """Wait."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._can_write.set()

    def _begin(self, head: str) -> None:
        self._method, self._target, _ = head.split("\r\n", 1)[0].split(" ", 2)
        headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): *(.*?)\r?$", head, re.MULTILINE)}
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self._body = _Body(None if is_chunked else int(headers.get("content-length", "0")))

    def _answer(self) -> None:
        if self._method == "PUT":
            self._send("", ETag=_ETAG)
        elif self._method == "POST":
            self._send(_STARTED if self._target.endswith(("uploads", "uploads=")) else _FINISHED)
        else:
            found = re.search(r"\d+", self._target.rpartition("/")[2])
            size = int(found[0]) if found else 0
            self._send_head(size, ETag=_ETAG, **{"Last-Modified": formatdate(usegmt=True)})
            if self._method == "GET":
                task = self._loop.create_task(self._give(size))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _send(self, body: str, **headers: str) -> None:
        self._send_head(len(body), **headers)
        self._transport.write(body.encode())

    def _send_head(self, length: int, **headers: str) -> None:
        lines = [f"{name}: {value}" for name, value in {"Content-Length": str(length), **headers}.items()]
        head = "\r\n".join([f"HTTP/1.1 {HTTPStatus.OK.value} OK", *lines, "", ""])
        self._transport.write(head.encode())

    async def _give(self, size: int) -> None:
        while size and not self._transport.is_closing():
            piece = ZEROS[: min(size, len(ZEROS))]
            self._transport.write(piece)
            size -= len(piece)
            await self._can_write.wait()
            if (debt_s := self._pace.debt_s(len(piece))) > LEAST_S:
                await asyncio.sleep(debt_s)


class _Body:
    """Counts a body's bytes; of a chunked one reads just enough to know its end."""

    def __init__(self, length: int | None) -> None:
        self._left = length or 0
        self._is_chunked = length is None
        self._line = b""
        self._is_last = False

    def took(self, data: memoryview) -> bool:
        """Take bytes and return whether the body is complete."""
        if not self._is_chunked:
            self._left -= len(data)
            return self._left <= 0
        while data:
            if self._left:
                skipped = min(self._left, len(data))
                self._left -= skipped
                data = data[skipped:]
                continue
            end = bytes(data[:64]).find(b"\n")
            self._line += bytes(data[: end + 1 or 64])
            data = data[end + 1 or 64 :]
            if end >= 0:
                if self._ended(self._line.strip()):
                    return True
                self._line = b""
        return False

    def _ended(self, line: bytes) -> bool:
        """Take a line between chunks: a size, the empty line after a chunk, or the end."""
        if not line:
            return self._is_last
        size = int(line.split(b";")[0], 16)
        self._left, self._is_last = size, size == 0
        return False


async def main(port: str, mib_per_s: str) -> None:
    """Serve until the process is ended."""
    pace = Pace(float(mib_per_s) * 1024 * 1024)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(pace), "127.0.0.1", int(port))
    print("serving", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
