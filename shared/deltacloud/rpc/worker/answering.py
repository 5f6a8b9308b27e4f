"""From the bytes of a request to the bytes of its reply; nothing here knows a broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import eventlet
import msgspec

from deltacloud import metrics
from deltacloud.errors import BackendError, DeadlineExceeded, DeltacloudError, InvalidRequest, OutcomeUnknown, TooLarge
from deltacloud.logging import get_logger
from deltacloud.rpc import edge
from deltacloud.rpc.context import Context, usable_request_id
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.envelope import CONTENT_TYPE, decode_call, encode_error, encode_result
from deltacloud.rpc.names import driver_of, find_operation

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Longest request and longest reply; RabbitMQ 4 takes no longer ones by default."""

GRACE_S = 0.5
"""How long past its deadline a call may still end by itself before it is ended."""

LONGEST_S = 3600.0
"""Longest time a call may run, whatever deadline its caller names; RabbitMQ waits no longer than half of it."""

_LOG = get_logger()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it arrived. ``arrived_at`` is Unix seconds."""

    method: str
    body: bytes
    content_type: str | None
    arrived_at: float
    correlation_id: str | None = None
    traceparent: str | None = None
    is_redelivered: bool = False


class Answerer:
    """Answers the requests to one service.

    Args:
        callee: what answers the calls.
        deadline_s: seconds a call may take when its caller names no deadline, counted from its arrival.
    """

    def __init__(self, callee: edge.Callee, *, deadline_s: float) -> None:
        self.service = callee.service
        self._callee = _Bounded(callee)
        self._deadline_s = deadline_s

    def answer(self, request: Request) -> bytes:
        """Return the reply; whatever is wrong with the request or the call is told in it, and nothing is raised."""
        try:
            context, parameters = self._read(request)
        except DeltacloudError as error:
            metrics.CALLS.labels(self.service, edge.UNKNOWN, error.code).inc()
            _LOG.warning("a message is not a call", service=self.service, code=error.code, detail=error.message)
            return encode_error(error)
        try:
            result = edge.run(self._callee, request.method, context, parameters, is_redelivered=request.is_redelivered)
        except DeltacloudError as error:
            return encode_error(error)
        return self._encode(result, request, context)

    def _read(self, request: Request) -> tuple[Context, dict[str, Any]]:
        if len(request.body) > MAX_MESSAGE_BYTES:
            raise TooLarge(f"The message is longer than {MAX_MESSAGE_BYTES} bytes.")
        if (request.content_type or "").partition(";")[0].strip().lower() != CONTENT_TYPE:
            raise InvalidRequest(f"The message's content_type must be {CONTENT_TYPE}.")
        context, parameters = decode_call(request.body)
        return self._complete(context, request), parameters

    def _complete(self, context: Context, request: Request) -> Context:
        missing: dict[str, Any] = {}
        if context.deadline is None:
            missing["deadline"] = request.arrived_at + self._deadline_s
        if context.traceparent is None and request.traceparent is not None:
            missing["traceparent"] = request.traceparent
        if usable_request_id(context.request_id) is None:
            missing["request_id"] = usable_request_id(request.correlation_id) or ""
        return msgspec.structs.replace(context, **missing) if missing else context

    def _encode(self, result: Any, request: Request, context: Context) -> bytes:
        try:
            reply = encode_result(result)
        except (TypeError, ValueError, RecursionError) as error:
            problem = f"cannot be encoded ({type(error).__name__})"
        else:
            if len(reply) <= MAX_MESSAGE_BYTES:
                return reply
            problem = f"is longer than {MAX_MESSAGE_BYTES} bytes"
        _LOG.error("reply dropped", service=self.service, request_id=context.request_id, problem=problem)
        return encode_error(
            BackendError(f"The answer to {request.method[:80]} {problem}.", driver=driver_of(self.service))
        )


class _Bounded:
    """A callee whose calls start before their deadline or not at all, and end soon after it."""

    def __init__(self, callee: edge.Callee) -> None:
        self.service = callee.service
        self._callee = callee

    def call(
        self, method: str, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool = False
    ) -> Any:
        deadline = Deadline(context.deadline or 0.0)
        if deadline.has_passed and not is_redelivered:  # what was handed out before may have been started
            late = DeadlineExceeded("The call's deadline had passed when a worker took it; nothing was started.")
            raise late.located(driver_of(self.service) or "", context.provider)
        limit = eventlet.Timeout(min(deadline.remaining_s, LONGEST_S) + GRACE_S)
        try:
            return self._callee.call(method, context, parameters, is_redelivered=is_redelivered)
        except eventlet.Timeout as caught:
            if caught is not limit:
                raise
            raise self._overrun(method, context) from None
        finally:
            limit.cancel()

    def _overrun(self, method: str, context: Context) -> DeltacloudError:
        operation = find_operation(self.service, method)
        if operation is None or operation.effect == "read":
            error: DeltacloudError = DeadlineExceeded(f"{method[:80]} was still running at its deadline and was ended.")
        else:
            error = OutcomeUnknown(
                f"{operation.rpc} was still running at its deadline and was ended; whether it happened is unknown."
                f" Look at GET /api/{operation.collection} before repeating it."
            )
        return error.located(driver_of(self.service) or "", context.provider)
