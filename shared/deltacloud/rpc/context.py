"""What travels with every call beside its parameters."""

from __future__ import annotations

import re

import msgspec

from deltacloud.errors import InvalidParameters

PROTOCOL_VERSION = 1

_REQUEST_ID = re.compile(r"[ -~]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def usable_request_id(text: str | None) -> str | None:
    """Return the text where it may identify a call, as 1 to 128 printable ASCII characters do, else ``None``."""
    return text if text is not None and _REQUEST_ID.fullmatch(text) else None


class CarriedCredentials(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Credentials on the wire: ``sealed`` under ``key_id``, or ``user`` and ``password`` where plain ones are allowed.

    ``sealed`` is base64 of an X25519 sealed box (see :mod:`deltacloud.rpc.seal`).
    """

    user: str | None = None
    password: str | None = None
    sealed: str | None = None
    key_id: str | None = None

    def __repr__(self) -> str:
        """Hide everything."""
        return "CarriedCredentials(…)"


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who calls, for which provider, until when.

    ``deadline`` is Unix seconds; absent, a worker counts its default from the arrival. ``idempotency_key`` makes a
    repeated create answer with what the first made. ``traceparent`` is W3C trace context.
    """

    version: int = PROTOCOL_VERSION
    provider: str | None = None
    credentials: CarriedCredentials | None = None
    request_id: str = ""
    deadline: float | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None

    @property
    def trace_id(self) -> str | None:
        """The id of the trace the call belongs to; ``None`` where ``traceparent`` is absent or malformed."""
        found = _TRACEPARENT.fullmatch(self.traceparent or "")
        return found[1] if found else None

    @classmethod
    def from_wire(cls, value: object) -> Context:
        """Return the context of a decoded JSON object; unknown fields are skipped.

        Raises:
            InvalidParameters: it is not a context; the text never repeats it, since it may hold credentials.
        """
        try:
            context = msgspec.convert(value if value is not None else {}, cls)
        except msgspec.ValidationError:
            raise InvalidParameters(
                "The call's context is malformed. It is an object with provider, credentials, request_id, deadline"
                " (Unix seconds), idempotency_key, traceparent; all are optional."
            ) from None
        if context.version != PROTOCOL_VERSION:
            raise InvalidParameters(f"Protocol version {context.version} is not spoken here; use {PROTOCOL_VERSION}.")
        return context
