"""EC2's errors that mean something special here, beside the table all AWS drivers share."""

from __future__ import annotations

from deltacloud.errors import DeltacloudError, InvalidParameters, NotFound, ProviderError

CODES: dict[str, type[DeltacloudError]] = {
    "InvalidInstanceID*": NotFound,
    "InvalidAMIID*": NotFound,
    "UnsupportedOperation": InvalidParameters,
}
"""An id that cannot exist is not found, as the original had it. What is unsupported is so for this very machine
(a root device that cannot be stopped), not for the cloud."""

PROFILE_CODES: dict[str, type[DeltacloudError]] = {"InvalidInstanceType": NotFound}
"""While hardware profiles are looked up: elsewhere an unknown type is a wrong parameter."""


def not_of_its_protocol(key: str) -> DeltacloudError:
    """Return the error for an answer without the one thing it is asked for, as a proxy's page is."""
    return ProviderError(f"The cloud's answer is not of its protocol: it has no {key}.")
