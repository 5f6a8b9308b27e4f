"""Realms and hardware profiles: fixed, nothing of them is stored."""

from __future__ import annotations

from deltacloud.catalogue.check import shown
from deltacloud.drivers import Session
from deltacloud.errors import NotFound
from deltacloud.models import HardwareProfile, HardwareProperty, Realm
from deltacloud_compute.drivers.mock import convert
from deltacloud_compute.drivers.mock.base import MockOperations
from deltacloud_compute.drivers.mock.errors import REALM_HOOKS

REALMS = (Realm(id="us", name="United States"), Realm(id="eu", name="Europe"))
UNITS = {"cpu": "count", "memory": "MB", "storage": "GB", "architecture": "label"}


def _fixed(name: str, value: float | str) -> HardwareProperty:
    return HardwareProperty(id=name, kind="fixed", value=value, unit=UNITS[name])


def _range(name: str, first: int, last: int, default: int) -> HardwareProperty:
    return HardwareProperty(id=name, kind="range", value=default, unit=UNITS[name], first=first, last=last)


def _enum(name: str, *entries: int) -> HardwareProperty:
    return HardwareProperty(id=name, kind="enum", value=entries[0], unit=UNITS[name], entries=entries)


def _profile(id: str, *properties: HardwareProperty) -> HardwareProfile:
    return HardwareProfile(id=id, name=id, properties=properties)


PROFILES = (
    _profile(
        "m1-small", _fixed("cpu", 1), _fixed("memory", 1740.8), _fixed("storage", 160), _fixed("architecture", "i386")
    ),
    _profile(
        "m1-large",
        _range("cpu", 1, 6, default=1),
        _range("memory", 7680, 15360, default=10240),
        _enum("storage", 850, 1024),
        _fixed("architecture", "x86_64"),
    ),
    _profile(
        "m1-xlarge",
        _fixed("cpu", 4),
        _range("memory", 12288, 32768, default=12288),
        _enum("storage", 1024, 2048, 4096),
        _fixed("architecture", "x86_64"),
    ),
    _profile("opaque"),
)


class RealmOperations(MockOperations):
    """Realms and hardware profiles."""

    def list_realms(self, session: Session, id: str | None = None) -> list[Realm]:
        """Return the realms. Raises what the hook ids ask for."""
        if id is None:
            return list(REALMS)
        _raise_hook(id)
        return [realm for realm in REALMS if realm.id == id]

    def get_realm(self, session: Session, id: str) -> Realm:
        """Return a realm. Raises not_found, or what the hook ids ask for."""
        _raise_hook(id)
        for realm in REALMS:
            if realm.id == id:
                return realm
        raise NotFound(f"There is no realm {shown(id)}.")

    def list_hardware_profiles(
        self,
        session: Session,
        architecture: str | None = None,
    ) -> list[HardwareProfile]:
        """Return the profiles, of one architecture if it is named."""
        return [each for each in PROFILES if architecture is None or convert.has_architecture(each, architecture)]

    def get_hardware_profile(self, session: Session, id: str) -> HardwareProfile:
        """Return a profile. Raises not_found."""
        for profile in PROFILES:
            if profile.id == id:
                return profile
        raise NotFound(f"There is no hardware profile {shown(id)}.")


def _raise_hook(id: str) -> None:
    if id in REALM_HOOKS:
        error, message = REALM_HOOKS[id]
        raise error(message)
