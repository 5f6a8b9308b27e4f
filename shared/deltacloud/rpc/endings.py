"""How a call ends when no answer came: one wording and one rule for both transports.

A read or an idempotent change may simply be repeated, so its caller hears of the time or of the broker. Of anything
else the caller hears that the outcome is unknown, unless it is certain that nothing was started.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deltacloud.catalogue import Operation
from deltacloud.errors import BrokerUnavailable, DeadlineExceeded, DeltacloudError, NoWorker, OutcomeUnknown, Overloaded
from deltacloud.rpc.context import Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.names import driver_of

RETRY_AFTER_S = 1.0
MAX_IN_FLIGHT = 500
"""Calls to one service that may be in hand; one slow cloud must not use up what the others need."""


def deadline_of(context: Context) -> Deadline:
    """Return the deadline a call must carry on a transport.

    Raises:
        DeadlineExceeded: it has passed.
        ValueError: the caller set none, which is a defect of the caller.
    """
    if context.deadline is None:
        raise ValueError("a call on a transport needs context.deadline")
    deadline = Deadline(context.deadline)
    if deadline.has_passed:
        raise DeadlineExceeded("The call's deadline had passed before it was sent; nothing was started.")
    return deadline


def no_worker(service: str) -> NoWorker:
    """Return the error for a service that nobody serves."""
    return NoWorker(
        f"No running worker serves {service}; nothing was started. Start one that loads it, or try again later.",
        retry_after_s=RETRY_AFTER_S,
    )


def overloaded(service: str, limit: int) -> Overloaded:
    """Return the error for a service that has as many calls in hand as are allowed."""
    return Overloaded(
        f"{limit} calls to {service} are in hand, as many as are allowed; nothing was started.",
        retry_after_s=RETRY_AFTER_S,
    )


def not_started(operation: Operation, service: str, why: str) -> DeadlineExceeded:
    """Return the error for a call that ran out of time before anybody could have taken it."""
    return DeadlineExceeded(f"{operation.rpc} of {service} ran out of time {why}; nothing was started.")


def unanswered(operation: Operation, service: str) -> DeltacloudError:
    """Return the error for a call that somebody may have taken, at its deadline."""
    if operation.effect in {"read", "idempotent"}:
        return DeadlineExceeded(
            f"{service} did not answer {operation.rpc} by the call's deadline. It may be repeated, with more time."
        )
    return _unknown(operation, f"{service} did not answer {operation.rpc} by the call's deadline")


def cut_off(operation: Operation, service: str) -> DeltacloudError:
    """Return the error for a call that was in hand when the broker was lost."""
    happened = f"The message broker was lost while {operation.rpc} of {service} was in hand"
    if operation.effect in {"read", "idempotent"}:
        return BrokerUnavailable(f"{happened}. It may be repeated.", retry_after_s=RETRY_AFTER_S)
    return _unknown(operation, happened)


def _unknown(operation: Operation, happened: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{happened}; whether it took place is unknown. Look at GET /api/{operation.collection} before repeating it."
    )


@contextmanager
def located(service: str, context: Context) -> Iterator[None]:
    """Fill in driver and provider in every error that leaves the block without them."""
    try:
        yield
    except DeltacloudError as error:
        driver = driver_of(service)
        if driver is not None:
            error.located(driver, context.provider)
        raise
