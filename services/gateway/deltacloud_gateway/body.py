"""Request bodies, bounded in size and in the patience with a slow sender."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from deltacloud.errors import InvalidRequest, RequestTimedOut, TooLarge


def declared_length(request: Request) -> int | None:
    """Return ``Content-Length`` in bytes, ``None`` when there is none.

    Raises:
        InvalidRequest: it is not a number.
    """
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidRequest("Content-Length must be a whole number of bytes.")
    return int(text)


async def chunks(request: Request, *, silence_s: float) -> AsyncIterator[bytes]:
    """Yield the body as it arrives; nothing is kept.

    Raises:
        RequestTimedOut: the client was silent for ``silence_s`` seconds.
        InvalidRequest: the body ended before its declared length.
    """
    expected, received = declared_length(request), 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(silence_s):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise RequestTimedOut(f"The body stopped: nothing came for {silence_s:g} seconds.") from None
        except ClientDisconnect:
            raise InvalidRequest("The body was cut short.") from None
        if chunk is None:
            break
        received += len(chunk)
        if chunk:
            yield chunk
    if expected is not None and received != expected:
        raise InvalidRequest(f"The body was cut short: {received} of {expected} bytes arrived.")


async def read(request: Request, *, limit: int, silence_s: float, total_s: float) -> bytes:
    """Return the whole body.

    Raises:
        TooLarge: it is longer than ``limit`` bytes.
        RequestTimedOut: silent for ``silence_s``, or not complete after ``total_s`` seconds.
        InvalidRequest: it was cut short.
    """
    declared = declared_length(request)
    if declared is not None and declared > limit:
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(total_s):
            async for chunk in chunks(request, silence_s=silence_s):
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                parts.append(chunk)
    except TimeoutError:
        raise RequestTimedOut(f"The body was not complete after {total_s:g} seconds.") from None
    return b"".join(parts)


def too_large(limit: int) -> TooLarge:
    """Return the error for a body of more than ``limit`` bytes."""
    return TooLarge(f"{HTTPStatus(413).phrase}: the body may have {limit} bytes.")
