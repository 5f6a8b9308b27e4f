"""What ``/api/drivers`` shows: the drivers with the operator's providers before the built-in ones they override."""

from __future__ import annotations

import msgspec

from deltacloud.errors import UnknownDriver
from deltacloud.models import DriverInfo, ProviderInfo
from deltacloud.providers.picture import Picture, ProviderEntry


def shown_drivers(picture: Picture) -> tuple[DriverInfo, ...]:
    """Return all drivers by id, each as :func:`shown_driver` does."""
    return tuple(shown_driver(picture, driver) for driver in sorted(picture.drivers))


def shown_driver(picture: Picture, driver: str) -> DriverInfo:
    """Return a driver whose providers are those a caller can name.

    Raises:
        UnknownDriver: no worker ever announced it; the text lists those there are.
    """
    info = picture.drivers.get(driver)
    if info is None:
        raise UnknownDriver(
            f"There is no driver {driver[:100]!r}; there are: {', '.join(sorted(picture.drivers)) or 'none yet'}.",
            driver=driver[:100],
        )
    return msgspec.structs.replace(info, providers=shown_providers(picture, info))


def shown_providers(picture: Picture, info: DriverInfo) -> tuple[ProviderInfo, ...]:
    """Return the operator's providers, endpoints as entry points, then the built-in ones they do not override."""
    entries = picture.providers.get(info.id, {}).values()
    kinds = _kinds(info)
    taken = {entry.name.casefold() for entry in entries}
    built_in = (each for each in info.providers if each.id.casefold() not in taken)
    return (*(_shown(entry, kinds) for entry in entries), *built_in)


def _shown(entry: ProviderEntry, kinds: tuple[str, ...]) -> ProviderInfo:
    everywhere = {} if entry.endpoint is None else dict.fromkeys(kinds, entry.endpoint)
    return ProviderInfo(id=entry.name, entrypoints={**everywhere, **entry.endpoints})


def _kinds(info: DriverInfo) -> tuple[str, ...]:
    """Return the kinds of entry points this driver's own providers have; without any, the services it offers."""
    own = dict.fromkeys(kind for provider in info.providers for kind in provider.entrypoints)
    return tuple(own) or tuple(service.partition(".")[0] for service in info.services)
