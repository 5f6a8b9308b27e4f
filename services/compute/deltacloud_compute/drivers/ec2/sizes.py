"""The hardware profiles the original knew, which keep their meaning when the cloud no longer lists them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from deltacloud.models import HardwareProfile, HardwareProperty, PropertyValue

UNITS = {"cpu": "count", "memory": "MB", "storage": "GB", "architecture": "label"}
_BOTH = ("i386", "x86_64")
_SIZES: dict[str, tuple[float, float, float, tuple[str, ...]]] = {
    "t1.micro": (1, 613, 160, _BOTH),
    "m1.small": (1, 1740.8, 160, _BOTH),
    "m1.medium": (2, 3840.0, 410, _BOTH),
    "m1.large": (4, 7680.0, 850, ("x86_64",)),
    "m1.xlarge": (8, 15360, 1690, ("x86_64",)),
    "c1.medium": (5, 1740.8, 350, _BOTH),
    "c1.xlarge": (20, 7168, 1690, ("x86_64",)),
    "m2.xlarge": (6.5, 17510.4, 420, ("x86_64",)),
    "m2.2xlarge": (13, 35020.8, 850, ("x86_64",)),
    "m2.4xlarge": (26, 70041.6, 1690, ("x86_64",)),
}
_NEEDS_PERSISTENT_ROOT = "t1.micro"


@lru_cache(maxsize=4096)
def fixed(name: str, value: PropertyValue) -> HardwareProperty:
    """Return a property that cannot be chosen; equal ones are one object, since a region has a thousand profiles."""
    return HardwareProperty(id=name, kind="fixed", value=value, unit=UNITS.get(name))


@lru_cache(maxsize=64)
def architectures(names: tuple[str, ...]) -> HardwareProperty:
    """Return the property of the architectures, of which the first is the default."""
    if len(names) == 1:
        return fixed("architecture", names[0])
    kind: Literal["enum"] = "enum"
    return HardwareProperty(
        id="architecture", kind=kind, value=names[0], unit=UNITS["architecture"], entries=tuple(names)
    )


def _profile(id: str, cpu: float, memory: float, storage: float, names: tuple[str, ...]) -> HardwareProfile:
    root = (fixed("root_type", "persistent"),) if id == _NEEDS_PERSISTENT_ROOT else ()
    return HardwareProfile(
        id=id,
        name=id,
        properties=(
            fixed("cpu", cpu),
            fixed("memory", memory),
            fixed("storage", storage),
            architectures(names),
            *root,
        ),
    )


ORIGINAL = {id: _profile(id, *size) for id, size in _SIZES.items()}
"""By id: EC2 compute units, MB, GB, architectures as the original had them."""


@lru_cache(maxsize=64)
def profiles_for(architecture: str | None, *, is_persistent: bool) -> tuple[str, ...] | None:
    """Return which of the original's profiles run an image, ``None`` where none of them does."""
    fitting = (id for id, (_, _, _, names) in _SIZES.items() if architecture in names)
    return tuple(id for id in fitting if is_persistent or id != _NEEDS_PERSISTENT_ROOT) or None
