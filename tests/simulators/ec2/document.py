"""Answers as the XML of the EC2 query API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from simulators.ec2.errors import ApiError

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

Value = str | int | float | bool | None | Mapping[str, "Value"] | Sequence["Value"]
Fields = Mapping[str, Value]


def response(action: str, request_id: str, fields: Fields) -> bytes:
    """Render the answer to an action that went well. None is left out, a list is a set of items."""
    parts = [DECLARATION, f'<{action}Response xmlns="{NAMESPACE}"><requestId>{request_id}</requestId>']
    for name, value in fields.items():
        _render(name, value, parts)
    parts.append(f"</{action}Response>")
    return "".join(parts).encode()


def failure(error: ApiError, request_id: str) -> bytes:
    """Render an error."""
    return (
        f"{DECLARATION}<Response><Errors><Error><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    ).encode()


def timestamp(seconds: float) -> str:
    """Write a time (seconds since 1970) as EC2 does, in milliseconds UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + "000Z"


def tag_set(tags: Mapping[str, str]) -> Value:
    """Write tags as a set of key and value."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def _render(name: str, value: Value, parts: list[str]) -> None:
    if value is None:
        return
    if isinstance(value, str):
        parts.append(f"<{name}>{escape(value)}</{name}>")
    elif isinstance(value, bool):
        parts.append(f"<{name}>{str(value).lower()}</{name}>")
    elif isinstance(value, int | float):
        parts.append(f"<{name}>{value}</{name}>")
    elif isinstance(value, Mapping):
        parts.append(f"<{name}>")
        for key, inner in value.items():
            _render(key, inner, parts)
        parts.append(f"</{name}>")
    else:
        parts.append(f"<{name}>")
        for inner in value:
            _render("item", inner, parts)
        parts.append(f"</{name}>")
