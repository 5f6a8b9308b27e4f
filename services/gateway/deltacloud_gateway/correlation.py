"""What ties a request to its calls and log lines: request id, idempotency key, trace context, deadline."""

from __future__ import annotations

import re
import secrets
import uuid

import msgspec
from starlette.datastructures import Headers

from deltacloud.errors import InvalidRequest
from deltacloud.rpc.deadline import Deadline
from deltacloud_gateway.settings import GatewaySettings

REQUEST_ID = "X-Request-Id"
IDEMPOTENCY_KEY = "Idempotency-Key"
DEADLINE = "X-Deltacloud-Deadline"
TRACEPARENT = "traceparent"

_TOKEN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


class Correlation(msgspec.Struct, frozen=True, kw_only=True):
    """The four, as they go on with every call of one request."""

    request_id: str
    idempotency_key: str
    traceparent: str
    deadline: Deadline


def request_id(headers: Headers) -> str:
    """Return the caller's request id if it is 1 to 128 printable ASCII characters, else a fresh one."""
    given = headers.get(REQUEST_ID)
    return given if given is not None and _TOKEN.fullmatch(given) else str(uuid.uuid4())


def correlate(settings: GatewaySettings, headers: Headers, *, id: str) -> Correlation:
    """Read the headers of a request.

    Raises:
        InvalidRequest: the idempotency key or the deadline is malformed.
    """
    return Correlation(
        request_id=id,
        idempotency_key=_idempotency_key(headers),
        traceparent=_traceparent(headers.get(TRACEPARENT)),
        deadline=_deadline(settings, headers.get(DEADLINE)),
    )


def _idempotency_key(headers: Headers) -> str:
    given = headers.get(IDEMPOTENCY_KEY)
    if given is None:
        return str(uuid.uuid4())
    if not _TOKEN.fullmatch(given):
        raise InvalidRequest(f"{IDEMPOTENCY_KEY} must be 1 to 128 printable ASCII characters.")
    return given


def _traceparent(given: str | None) -> str:
    """Pass a valid W3C trace context on; begin a new trace otherwise."""
    if given is not None and _TRACEPARENT.fullmatch(given):
        return given
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def _deadline(settings: GatewaySettings, given: str | None) -> Deadline:
    if given is None:
        return Deadline.after(settings.deadline_s)
    text = given.strip()
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII) or float(text) == 0:
        raise InvalidRequest(f"{DEADLINE} must be a number of seconds greater than 0; it may only shorten the usual.")
    return Deadline.after(min(float(text), settings.deadline_s))
