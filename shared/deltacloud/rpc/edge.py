"""The edge of an operation: where a call is counted, timed and logged, and where a defect becomes an answer.

Every host runs a call through :func:`run`: the worker behind RabbitMQ and the threads of one process alike.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from typing import Any, Protocol

from deltacloud import metrics
from deltacloud.errors import BackendError, DeltacloudError
from deltacloud.logging import get_logger
from deltacloud.rpc.context import Context
from deltacloud.rpc.envelope import decode_call, encode_error, encode_result
from deltacloud.rpc.names import driver_of, find_operation

OK = "ok"
UNKNOWN = "unknown"
_LOG = get_logger()


class Callee(Protocol):
    """What answers the calls to one service: a :class:`~deltacloud.rpc.dispatch.Dispatcher`, or the registry."""

    @property
    def service(self) -> str:
        """The RPC service: ``compute.<driver>``, ``storage.<driver>`` or ``registry``."""
        ...

    def call(
        self, method: str, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool = False
    ) -> Any:
        """Return what the operation answers, or raise a :class:`~deltacloud.errors.DeltacloudError`."""
        ...


def run(
    callee: Callee, method: str, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool = False
) -> Any:
    """Run one call: count, time and log it, and return what it answers.

    Raises:
        DeltacloudError: what the operation raised. Any other exception is a defect: it is logged here with where it
            was raised, without its text (which may repeat arguments), and becomes ``backend_error``.
    """
    operation = _label(callee.service, method)
    in_flight = metrics.CALLS_IN_FLIGHT.labels(callee.service)
    in_flight.inc()
    code, begin = BackendError.code, time.perf_counter()
    try:
        result = callee.call(method, context, parameters, is_redelivered=is_redelivered)
        code = OK
    except DeltacloudError as error:
        code = error.code
        raise
    except Exception as error:  # noqa: BLE001 - the edge: a defect of one call must not end its host
        raise _defect(callee.service, operation, context, error) from None
    else:
        return result
    finally:
        seconds = time.perf_counter() - begin
        in_flight.dec()
        metrics.CALLS.labels(callee.service, operation, code).inc()
        metrics.CALL_SECONDS.labels(callee.service, operation).observe(seconds)
        tell = _LOG.debug if code == OK else _LOG.info
        tell(
            "call answered",
            request_id=context.request_id,
            trace_id=context.trace_id,
            service=callee.service,
            driver=driver_of(callee.service),
            operation=operation,
            code=code,
            seconds=round(seconds, 6),
        )


def answer(callee: Callee, method: str, body: bytes, *, is_redelivered: bool = False) -> bytes:
    """Return the body of the reply to the body of a call: the result, or the error; never raises for a call."""
    try:
        context, parameters = decode_call(body)
        result = run(callee, method, context, parameters, is_redelivered=is_redelivered)
    except DeltacloudError as error:
        return encode_error(error)
    try:
        return encode_result(result)
    except (TypeError, ValueError, RecursionError) as error:
        return encode_error(_defect(callee.service, _label(callee.service, method), context, error))


def _label(service: str, method: str) -> str:
    """Return the method if the catalogue has it, so that callers cannot invent names in metrics and logs."""
    return method if find_operation(service, method) is not None else UNKNOWN


def _defect(service: str, operation: str, context: Context, error: Exception) -> BackendError:
    _LOG.error(
        "operation failed unexpectedly",
        request_id=context.request_id,
        service=service,
        operation=operation,
        error=type(error).__name__,
        raised_at=[
            f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ],
    )
    return BackendError(
        f"{operation} failed unexpectedly; the log of {service} has the details"
        f" under request id '{context.request_id or 'none'}'.",
        driver=driver_of(service),
        provider=context.provider,
    )
