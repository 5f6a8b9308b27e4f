"""An ASGI application asked without a server: one request, one answer."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from lxml import etree


class Answer(msgspec.Struct, frozen=True):
    """What came back: header names are lower case; of a name sent twice the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)

    @property
    def xml(self) -> etree._Element:
        """The body read as XML."""
        return etree.fromstring(self.body)


def ask(
    app: Any,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = b"",
    *,
    timeout_s: float = 30.0,
) -> Answer:
    """Send one request and return the answer.

    Args:
        app: the application.
        method: the HTTP method.
        target: path and query as they stand in the request line.
        headers: as they are sent; there is no `Host` unless it is among them.
        body: the body, text as UTF-8.
        timeout_s: when to give up.
    """
    return asyncio.run(asyncio.wait_for(ask_async(app, method, target, headers, body), timeout_s))


async def ask_async(
    app: Any, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | str = b""
) -> Answer:
    """Send one request from a running loop; see `ask`."""
    path, _, query = target.partition("?")
    raw = body.encode() if isinstance(body, str) else body
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "server": ("127.0.0.1", 3001),
        "client": ("127.0.0.1", 50_000),
    }
    incoming = [{"type": "http.request", "body": raw, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        if incoming:
            return incoming.pop()
        return await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return Answer(
        status=start["status"],
        headers={name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]},
        body=b"".join(message.get("body", b"") for message in sent[1:]),
    )
