"""The mock cloud's own refusals, with the statuses and first words that the original declared."""

from __future__ import annotations

from deltacloud.catalogue.check import shown
from deltacloud.errors import (
    BackendError,
    DeltacloudError,
    Forbidden,
    InvalidParameters,
    NotSupported,
    ProviderError,
    ProviderTimeout,
)

REALM_HOOKS: dict[str, tuple[type[DeltacloudError], str]] = {
    "500": (BackendError, "DeltacloudErrorMessage"),
    "501": (NotSupported, "NotImplementedMessage"),
    "502": (ProviderError, "ProviderErrorMessage"),
    "504": (ProviderTimeout, "ProviderTimeoutMessage"),
}
"""Asking for a realm of this id raises this error: the original's hook for the tests of clients."""


def key_exists() -> DeltacloudError:
    """Return the refusal of a key name that is taken."""
    return Forbidden("Key with same name already exists")


def address_in_use(address: str, instance_id: str | None) -> DeltacloudError:
    """Return the refusal to give away or release an address that an instance has."""
    return Forbidden(f"AddressInUse: {shown(address)} belongs to instance {shown(instance_id)}; disassociate it first.")


def address_not_in_use(address: str) -> DeltacloudError:
    """Return the refusal to disassociate a free address."""
    return Forbidden(f"AddressNotInUse: {shown(address)} belongs to no instance.")


def no_image_of(instance_id: str) -> DeltacloudError:
    """Return the refusal to make an image of an instance that does not allow it; status 500 as declared."""
    return BackendError(f"CreateImageNotSupported: instance {shown(instance_id)} does not allow it.")


def no_such_profile(profile_id: str) -> DeltacloudError:
    """Return the refusal of a hardware profile that does not exist, in the original's words."""
    return InvalidParameters(f"Hardware profile {shown(profile_id)} does not exists.")
