"""EC2's errors that mean something special here, beside the table all AWS drivers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deltacloud.errors import DeltacloudError, InvalidParameters, NotFound, OutcomeUnknown, ProviderError

CODES: dict[str, type[DeltacloudError]] = {
    "InvalidInstanceID*": NotFound,
    "InvalidAMIID*": NotFound,
    "UnsupportedOperation": InvalidParameters,
}
"""An id that cannot exist is not found, as the original had it. What is unsupported is so for this very machine
(a root device that cannot be stopped), not for the cloud."""

PROFILE_CODES: dict[str, type[DeltacloudError]] = {"InvalidInstanceType": NotFound}
"""While hardware profiles are looked up: elsewhere an unknown type is a wrong parameter."""


@contextmanager
def unless_answered(call: str) -> Iterator[None]:
    """Tell that nobody knows whether a call had its effect, when it was sent and no answer came.

    Raises:
        OutcomeUnknown: botocore gave up waiting, all its repetitions included.
    """
    from botocore.exceptions import ConnectionClosedError, ReadTimeoutError  # noqa: PLC0415 - imports are slow

    try:
        yield
    except (ConnectionClosedError, ReadTimeoutError):
        raise OutcomeUnknown(
            f"The cloud did not answer {call}; it may have happened. Repeat it with the same Idempotency-Key,"
            " or list the instances before making others."
        ) from None


def not_of_its_protocol(key: str) -> DeltacloudError:
    """Return the error for an answer without the one thing it is asked for, as a proxy's page is."""
    return ProviderError(f"The cloud's answer is not of its protocol: it has no {key}.")
