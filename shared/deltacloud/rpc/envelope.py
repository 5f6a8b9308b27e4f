"""The bytes of calls and replies: nameko's JSON, with our context in and our error codes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from deltacloud import catalogue
from deltacloud.errors import BackendError, DeltacloudError, ErrorRecord, InvalidRequest, ProviderError
from deltacloud.models import Page
from deltacloud.rpc.context import Context

EXCHANGE = "nameko-rpc"
CONTENT_TYPE = "application/json"


class Call(msgspec.Struct, frozen=True):
    """A call as nameko writes it."""

    args: list[Any] = []
    kwargs: dict[str, Any] = {}


class ErrorReply(ErrorRecord, frozen=True, kw_only=True):
    """An error as nameko's callers expect it, plus our fields. ``exc_type`` is our code; there is no Python path."""

    exc_type: str
    exc_path: str = ""
    exc_args: list[str] = []
    value: str = ""


class Reply(msgspec.Struct, frozen=True):
    """A reply as nameko writes it: one of the two is null."""

    result: Any = None
    error: ErrorReply | None = None


class RawReply(msgspec.Struct, frozen=True):
    """A reply whose result is decoded later, when its type is known."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, Any] | None = None


_ENCODER = msgspec.json.Encoder()
_CALLS = msgspec.json.Decoder(Call)
_REPLIES = msgspec.json.Decoder(RawReply)
_RESULTS: dict[str, msgspec.json.Decoder[Any]] = {}


def encode_call(context: Context, parameters: Mapping[str, Any]) -> bytes:
    """Return the body of a call."""
    return _ENCODER.encode({"args": [], "kwargs": {"context": context, **parameters}})


def decode_call(body: bytes) -> tuple[Context, dict[str, Any]]:
    """Return a call's context and its parameters.

    Raises:
        InvalidRequest: the body is not a call; the text never repeats it.
    """
    try:
        call = _CALLS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest('The message is not a call: send JSON {"args": [], "kwargs": {…}}.') from None
    if call.args:
        raise InvalidRequest("Parameters are given by name: args must be empty.")
    parameters = dict(call.kwargs)
    return Context.from_wire(parameters.pop("context", None)), parameters


def encode_result(result: Any) -> bytes:
    """Return the body of a reply with a result."""
    return _ENCODER.encode(Reply(result=result))


def encode_error(error: DeltacloudError) -> bytes:
    """Return the body of a reply with an error."""
    record = error.to_record()
    reply = ErrorReply(
        exc_type=record.code,
        exc_args=[record.message],
        value=record.message,
        **{name: getattr(record, name) for name in record.__struct_fields__},
    )
    return _ENCODER.encode(Reply(error=reply))


def decode_reply(operation: catalogue.Operation, body: bytes) -> Any:
    """Return the typed result of a reply.

    Raises:
        DeltacloudError: what the reply reports; ``backend_error`` when the reply cannot be read.
    """
    try:
        reply = _REPLIES.decode(body)
        if reply.error is None:
            return _decoder(operation).decode(reply.result)
    except msgspec.DecodeError:
        raise BackendError(f"The worker's reply to {operation.rpc} cannot be read.") from None
    raise _error(reply.error)


def _decoder(operation: catalogue.Operation) -> msgspec.json.Decoder[Any]:
    found = _RESULTS.get(operation.rpc)
    if found is None:
        result: Any = operation.result if operation.result is not None else Any
        if operation.may_answer_several:
            result = result | list[result]
        found = msgspec.json.Decoder(Page[result] if operation.is_list else result)
        _RESULTS[operation.rpc] = found
    return found


def _error(fields: dict[str, Any]) -> DeltacloudError:
    try:
        return DeltacloudError.from_record(msgspec.convert(fields, ErrorRecord))
    except msgspec.ValidationError:
        return ProviderError("A service answered with an error that is not of this protocol.")
