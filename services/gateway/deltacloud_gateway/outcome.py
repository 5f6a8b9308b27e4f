"""From what an operation answered to its HTTP response: status, Location, redirects for people, blob attributes."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from deltacloud.models import Blob, CommandOutput, Instance, Key, Page, Record
from deltacloud_gateway.exchange import Exchange
from deltacloud_gateway.headers import metadata_headers
from deltacloud_gateway.negotiation import CONTENT_TYPES
from deltacloud_gateway.representations.documents import DESCRIBE

SHOWN_AT_ONCE = (Instance, Key, CommandOutput)
"""Records whose page is the answer to the form that made or changed them; a key's private part is told only then.
After all others a browser is redirected."""

LONG = 200
"""Records of a list that take some ten milliseconds to write."""


async def run(exchange: Exchange, parameters: dict[str, Any]) -> Response:
    """Run the operation and return its response.

    Raises:
        DeltacloudError: what the call raised.
        ClientGone: the client hung up meanwhile.
    """
    operation = exchange.operation
    result = await exchange.ask(operation.rpc, **parameters)
    if isinstance(result, Page):
        return await _list(exchange, result.items)
    if isinstance(result, Blob) and operation.status == HTTPStatus.NO_CONTENT:
        return Response(status_code=operation.status, headers=metadata_headers(result.user_metadata))
    if result is None:
        return _nothing(exchange)
    return _record(exchange, result)


async def _list(exchange: Exchange, items: list[Record]) -> Response:
    """Return a list; a long one is written down in a thread, since other requests should not wait for that."""
    if len(items) < LONG:
        return exchange.render(items)
    return await asyncio.to_thread(exchange.render, items)


def _record(exchange: Exchange, result: Record | list[Record]) -> Response:
    operation = exchange.operation
    if isinstance(result, list):
        return exchange.render(result)
    url = DESCRIBE[type(result)](result, exchange.view()).href
    changes = operation.http_method != "GET"
    if changes and exchange.format == "html" and not isinstance(result, SHOWN_AT_ONCE):
        return redirect(url)
    return exchange.render(result, headers={"Location": url} if operation.name == "create" else None)


def _nothing(exchange: Exchange) -> Response:
    operation = exchange.operation
    if exchange.format == "html":
        return redirect(_after(exchange))
    response = Response(status_code=operation.status)
    if operation.status != HTTPStatus.NO_CONTENT:
        response.headers["Content-Type"] = CONTENT_TYPES[exchange.format]
    return response


def _after(exchange: Exchange) -> str:
    """Return where a browser goes next: up from what was destroyed, to the member that was changed."""
    parts = exchange.operation.path.strip("/").split("/")
    parameters = exchange.path_parameters
    segments = [parameters[part[1:-1]] if part.startswith("{") else part for part in parts]
    return exchange.url(*segments[:-1])


def redirect(url: str) -> Response:
    """Return the redirect that follows a change made by a form."""
    response = Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": url})
    response.headers["Content-Type"] = CONTENT_TYPES["html"]
    return response
