"""Reading a blob: the store's bytes and the headers that belong to them, passed on as they come."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from urllib.parse import quote

import aiohttp
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from deltacloud.catalogue.check import shown
from deltacloud.errors import NotFound, ProviderError
from deltacloud.logging import get_logger
from deltacloud.metrics import TRANSFERRED_BYTES
from deltacloud.models import Blob, Transfer
from deltacloud_gateway.blobs.store import opened
from deltacloud_gateway.exchange import Exchange
from deltacloud_gateway.headers import latin

CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range")
PASSED_ON = (
    "Accept-Ranges",
    "Cache-Control",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Expires",
    "Last-Modified",
)
DEFAULT_TYPE = "application/octet-stream"
_UNTYPED = {"", "binary/octet-stream"}
_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`|~-]+")
_LOG = get_logger()
_DOWN = TRANSFERRED_BYTES.labels("down")


async def download(exchange: Exchange) -> Response:
    """Answer ``GET …/content``: 200, 206 or 304 as the store decides by the client's range and conditions.

    Raises:
        DeltacloudError: what the driver or the store raised before the first byte.
    """
    if exchange.request.method == "HEAD":
        return await _head(exchange)
    bucket_id, blob_id = exchange.path_parameters["bucket_id"], exchange.path_parameters["id"]
    asked = exchange.request.headers
    conditions = {name: asked[name] for name in CONDITIONS if name in asked}
    silence_s = max(1.0, exchange.deadline.remaining_s)
    transfer: Transfer = await exchange.call(
        "download_blob", bucket_id=bucket_id, id=blob_id, range=asked.get("Range"), conditions=conditions or None
    )
    store = await exchange.resources.get("store", opened)
    stack = AsyncExitStack()
    try:
        answer = await stack.enter_async_context(store.send(transfer, silence_s=silence_s))
    except NotFound as error:
        raise NotFound(f"There is no blob {shown(blob_id)} in bucket {shown(bucket_id)}.") from error
    try:
        return _Stream(answer, blob_id, stack, exchange.request_id)
    except BaseException:  # whoever would close it has not come to be
        await stack.aclose()
        raise


async def _head(exchange: Exchange) -> Response:
    """Answer HEAD from the blob's record: the permission to read is not one to ask for headers alone."""
    blob: Blob = await exchange.call("get_blob", **exchange.path_parameters)
    headers = {"Content-Type": _content_type(blob.content_type), "Content-Disposition": disposition(blob.id)}
    if blob.content_length is not None:
        headers["Content-Length"] = str(blob.content_length)
    if blob.etag:
        headers["ETag"] = f'"{blob.etag}"'
    return Response(headers=_sendable(headers))


class _Stream(StreamingResponse):
    """A store's answer on its way to the client, as fast as the client reads it."""

    def __init__(self, answer: aiohttp.ClientResponse, blob_id: str, stack: AsyncExitStack, request_id: str) -> None:
        is_unchanged = answer.status == HTTPStatus.NOT_MODIFIED
        headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        if not is_unchanged:
            headers["Content-Type"] = _content_type(answer.headers.get("Content-Type"))
            headers["Content-Disposition"] = disposition(blob_id)
        super().__init__(_bytes(answer), status_code=answer.status, headers=_sendable(headers))
        self._stack = stack
        self._request_id = request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._stack.aclose()

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except ProviderError as error:
            # Without the last message the server breaks the connection off: it must not look like the blob's end.
            _LOG.warning("blob broken off", request_id=self._request_id, detail=error.message)


async def _bytes(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the bytes.

    Raises:
        ProviderError: they ended before their end.
    """
    try:
        async for chunk in answer.content.iter_any():
            _DOWN.inc(len(chunk))
            yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ProviderError(f"The store broke off inside a blob ({type(error).__name__}).") from error


def disposition(blob_id: str) -> str:
    """Return ``Content-Disposition`` that makes a browser save the blob under its id. Source: RFC 6266."""
    if _TOKEN.fullmatch(blob_id):
        return f"attachment; filename={blob_id}"
    plain = "".join(each if " " <= each <= "~" and each not in '"\\%/' else "_" for each in blob_id)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(blob_id, safe='')}"


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """Return headers as they can be sent, whatever the store keeps in them."""
    return {name: latin(value) for name, value in headers.items()}


def _content_type(value: str | None) -> str:
    return DEFAULT_TYPE if value is None or value in _UNTYPED else value
