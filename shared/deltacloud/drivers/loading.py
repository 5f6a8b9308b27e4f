"""Finding drivers: entry points, so that a third party's ``pip install`` adds a cloud."""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint, entry_points

from deltacloud import catalogue
from deltacloud.drivers.base import Driver
from deltacloud.errors import UnknownDriver

GROUPS = {"compute": "deltacloud.compute_drivers", "storage": "deltacloud.storage_drivers"}


class BrokenDriver(Exception):
    """A driver that cannot be loaded: its text says which, why, and what to do."""


def available(service: str) -> dict[str, EntryPoint]:
    """Return the installed drivers of a service by name, without importing them."""
    found = entry_points(group=GROUPS[service])
    return {entry.name: entry for entry in sorted(found, key=lambda entry: entry.name)}


def load(service: str, names: list[str] | None = None) -> list[Driver]:
    """Load the named drivers of a service, or all that are installed.

    Raises:
        UnknownDriver: a name is not installed.
        BrokenDriver: one cannot be imported, or does not fit the catalogue.
    """
    installed = available(service)
    for name in names or ():
        if name not in installed:
            raise UnknownDriver(
                f"No {service} driver '{name}' is installed; installed: {', '.join(installed) or 'none'}.", driver=name
            )
    return [_load(installed[name]) for name in (names or installed)]


def _load(entry: EntryPoint) -> Driver:
    try:
        cls = entry.load()
    except ImportError as error:
        extra = f"; try: pip install '{entry.dist.name}[{entry.name}]'" if entry.dist else ""
        raise BrokenDriver(f"Driver '{entry.name}' ({entry.value}) cannot be imported: {error}{extra}") from error
    verify(cls)
    if cls.id != entry.name:
        raise BrokenDriver(f"Driver '{entry.name}' ({entry.value}) calls itself '{cls.id}'; the names must agree.")
    driver: Driver = cls()
    return driver


def verify(cls: type[Driver]) -> None:
    """Check a driver class against the catalogue.

    Raises:
        BrokenDriver: a method takes a parameter the catalogue does not know, misses a required one, or a declared
            feature, anonymous or provable operation does not exist.
    """
    if not (inspect.isclass(cls) and issubclass(cls, Driver)):
        raise BrokenDriver(f"{cls!r} is not a subclass of deltacloud.drivers.Driver.")
    operations = catalogue.rpc_operations(cls.service)
    for name in cls.operations():
        _verify_method(cls, operations[name])
    for name in cls.anonymous_operations | cls.provable_operations:
        if name not in operations:
            raise BrokenDriver(f"{cls.__name__} names an operation that does not exist: {name}.")
    known = {(feature.collection, feature.name) for feature in catalogue.FEATURES}
    for feature in cls.features:
        if (feature.collection, feature.name) not in known:
            raise BrokenDriver(f"{cls.__name__} declares an unknown feature: {feature.collection} {feature.name}.")


def _verify_method(cls: type[Driver], operation: catalogue.Operation) -> None:
    where = f"{cls.__name__}.{operation.rpc}"
    parameters = list(inspect.signature(getattr(cls, operation.rpc)).parameters.values())[2:]
    accepted = {each.name for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD}
    declared = {each.name for each in operation.parameters}
    unknown = accepted - declared
    if unknown:
        raise BrokenDriver(f"{where} takes {', '.join(sorted(unknown))}, which the catalogue does not declare.")
    takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    missing = set(operation.required) - accepted
    if missing and not takes_all:
        raise BrokenDriver(f"{where} does not take {', '.join(sorted(missing))}, which is required.")
    needed = {each.name for each in parameters if each.default is inspect.Parameter.empty and each.name in accepted}
    if needed - set(operation.required):
        raise BrokenDriver(f"{where} needs {', '.join(sorted(needed - set(operation.required)))}; make it optional.")
