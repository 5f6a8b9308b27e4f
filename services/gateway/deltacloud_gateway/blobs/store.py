"""The HTTP client that moves bytes to and from stores, as a transfer says and no other way.

No redirect is followed, no proxy or cookie used, nothing decompressed. Time bounds silence, not the whole: a large blob
may take hours as long as its bytes keep moving.
"""

from __future__ import annotations

import asyncio
import functools
import io
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from deltacloud import retry_after
from deltacloud.errors import (
    BY_CODE,
    AuthenticationFailed,
    Conflict,
    DeadlineExceeded,
    DeltacloudError,
    Forbidden,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    ProviderError,
    ProviderTimeout,
    RangeNotSatisfiable,
    Throttled,
    TooLarge,
    Unavailable,
)
from deltacloud.models import Transfer

CONNECT_S = 10.0
ABANDONED_MS = 120_000
READ_BUFFER = 256 * 1024
ERROR_LIMIT = 64 * 1024
"""Bytes of a refusal that are looked at."""
RETRY_AFTER_S = 1.0

Body = AsyncIterator[bytes] | bytes | bytearray | None

_STATUSES: dict[int, type[DeltacloudError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    411: InvalidRequest,
    412: PreconditionFailed,
    413: TooLarge,
    416: RangeNotSatisfiable,
    429: Throttled,
    503: Unavailable,
    504: ProviderTimeout,
}
_TEXTS: dict[type[DeltacloudError], str] = {
    AuthenticationFailed: "The store does not take these credentials.",
    Forbidden: "The store does not allow this.",
    NotFound: "There is no such blob or bucket.",
    PreconditionFailed: "A condition of the request does not hold for the blob as it is now.",
    RangeNotSatisfiable: "The range lies outside the blob.",
}
_SKIPPED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Store:
    """Sends transfers.

    Bodies at hand go over kept-open connections, and once more if such a one turns out dead; a stream cannot be sent
    twice, so it gets a new connection.

    Args:
        kept: the client that keeps connections.
        fresh: the client that does not.
    """

    def __init__(self, kept: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> None:
        self._kept = kept
        self._fresh = fresh

    @asynccontextmanager
    async def send(
        self, transfer: Transfer, *, silence_s: float, body: Body = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a transfer and give the store's answer, whose body is unread.

        Args:
            transfer: what to send.
            silence_s: seconds without a byte in either direction after which it is given up.
            body: the bytes, or where they come from; what that raises is raised here and cuts the request short.

        Raises:
            DeltacloudError: what the store's refusal means; ``provider_error`` when it cannot be reached,
                ``provider_timeout`` when it falls silent.
        """
        if transfer.expires_at < time.time():
            raise DeadlineExceeded("The permission to move these bytes expired before it was used.")
        response = await self._answer(transfer, silence_s, body)
        try:
            if response.status not in transfer.accept_statuses:
                raise await _refusal(response, transfer)
            yield response
        finally:
            response.release()

    async def _answer(self, transfer: Transfer, silence_s: float, body: Body) -> aiohttp.ClientResponse:
        feed = _Feed(body, silence_s)
        session = self._fresh if isinstance(body, AsyncIterator) else self._kept
        try:
            async with asyncio.timeout(silence_s) as feed.patience:
                return await _request(session, transfer, feed, silence_s)
        except TimeoutError as error:
            if feed.failure is not None:
                raise feed.failure from None
            raise ProviderTimeout(f"The store fell silent for {silence_s:g} s.") from error
        except (aiohttp.ClientError, OSError) as error:
            if feed.failure is not None:
                raise feed.failure from None
            raise ProviderError(f"The store cannot be reached or broke off ({type(error).__name__}).") from error


class _Feed:
    """A body on its way: each piece renews the patience, and what its source raised is remembered."""

    def __init__(self, body: Body, silence_s: float) -> None:
        self._body = body
        self._silence_s = silence_s
        self.patience: asyncio.Timeout | None = None
        self.failure: BaseException | None = None

    def data(self) -> Any:
        if isinstance(self._body, AsyncIterator):
            return self._stream(self._body)
        if self._body is not None and len(self._body) > READ_BUFFER:
            return _Whole(self._body, self._renew)
        return io.BytesIO(self._body) if self._body is not None else None

    async def _stream(self, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in source:
                self._renew()
                yield piece
                self._renew()
        except Exception as error:  # whatever the source raised, _answer raises it again instead of aiohttp's word
            self.failure = error
            raise

    def _renew(self) -> None:
        if self.patience is not None and not self.patience.expired():
            self.patience.reschedule(asyncio.get_running_loop().time() + self._silence_s)


class _Whole(aiohttp.payload.Payload):
    """A body at hand as the client takes one without copying it; it can be sent again from its beginning."""

    def __init__(self, body: bytes | bytearray, renew: Callable[[], None]) -> None:
        super().__init__(body)
        self._size = len(body)
        self._renew = renew

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return it as text, which the client's base class asks for."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: aiohttp.abc.AbstractStreamWriter) -> None:
        """Send it piece by piece."""
        view = memoryview(self._value)
        for start in range(0, len(view), READ_BUFFER):
            await writer.write(view[start : start + READ_BUFFER])
            self._renew()


@asynccontextmanager
async def opened() -> AsyncIterator[Store]:
    """Open a store client; closes its connections at the end."""
    async with _session(keeps=True) as kept, _session(keeps=False) as fresh:
        yield Store(kept, fresh)


def _session(*, keeps: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=not keeps, socket_factory=_socket),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=READ_BUFFER,
        skip_auto_headers=_SKIPPED,
    )


def _socket(address: tuple[Any, ...]) -> socket.socket:
    """Make a socket that the kernel gives up when the store stops taking bytes, even after we have left it."""
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ABANDONED_MS)
    return made


async def _request(
    session: aiohttp.ClientSession, transfer: Transfer, feed: _Feed, silence_s: float
) -> aiohttp.ClientResponse:
    url = URL(transfer.url, encoded=True)  # as it was signed
    options: dict[str, Any] = {
        "allow_redirects": False,
        "ssl": _tls(transfer.ca_pem) if transfer.ca_pem is not None else True,
        "timeout": aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s),
    }
    if not transfer.addresses:
        return await session.request(transfer.method, url, headers=transfer.headers, data=feed.data(), **options)
    headers = {"Host": url.raw_authority, **transfer.headers}
    options["server_hostname"] = url.raw_host
    for address in transfer.addresses[:-1]:
        try:
            pinned = url.with_host(address)
            return await session.request(transfer.method, pinned, headers=headers, data=feed.data(), **options)
        except aiohttp.ClientConnectorError:
            continue  # nothing was sent yet
    pinned = url.with_host(transfer.addresses[-1])
    return await session.request(transfer.method, pinned, headers=headers, data=feed.data(), **options)


@functools.lru_cache(maxsize=32)
def _tls(ca_pem: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca_pem)


async def _refusal(response: aiohttp.ClientResponse, transfer: Transfer) -> DeltacloudError:
    try:
        text = (await response.content.read(ERROR_LIMIT)).decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError):
        text = ""
    code = next((code for word, code in transfer.errors.items() if word in text), None)
    cls = BY_CODE[code] if code in BY_CODE else _STATUSES.get(response.status, ProviderError)
    if 300 <= response.status < 400:  # noqa: PLR2004 - HTTP's redirections
        return ProviderError(
            f"The store wants the request elsewhere ({response.status}), which is not followed;"
            " name the provider that holds the bucket."
        )
    error = cls(_TEXTS.get(cls, f"The store answered {response.status}."))
    if isinstance(error, Unavailable):
        told = retry_after.parse(response.headers.get("Retry-After"))
        error.retry_after_s = RETRY_AFTER_S if told is None else told
    return error
