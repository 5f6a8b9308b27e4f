"""Pure functions from what the mock cloud keeps to what callers see, and to what it keeps next."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import msgspec

from deltacloud.drivers import StateMachine
from deltacloud.errors import Conflict, InvalidParameters
from deltacloud.models import HardwareProfile, Image, Instance, InstanceAddress, VolumeMount

INITIAL_STATES = {"": "RUNNING", "STARTED": "RUNNING"}
FIRST_ADDRESS = "192.168.0.1"


def offered(instance: Instance, states: StateMachine | None) -> Instance:
    """Return the instance with the actions that its state allows."""
    actions = states.actions(instance.state) if states else ()
    return msgspec.structs.replace(instance, actions=actions)


def host_address(instance: Instance, side: str) -> tuple[InstanceAddress, ...]:
    """Return the name an instance is given on one side, ``public`` or ``private``."""
    return (InstanceAddress(id=f"{instance.image_id}.{instance.id}.{side}.com", type="hostname"),)


def without_volume(instance: Instance, volume_id: str) -> Instance:
    """Return the instance without the volume."""
    mounts = tuple(mount for mount in instance.storage_volumes if mount.id != volume_id)
    return msgspec.structs.replace(instance, storage_volumes=mounts)


def with_volume(instance: Instance, volume_id: str, device: str) -> Instance:
    """Return the instance with the volume as its last one."""
    mounts = (*instance.storage_volumes, VolumeMount(id=volume_id, device=device))
    return msgspec.structs.replace(instance, storage_volumes=mounts)


def image_with_profiles(image: Image, profiles: Collection[HardwareProfile]) -> Image:
    """Return the image with the ids of all profiles: in the mock cloud every image runs on each."""
    return msgspec.structs.replace(image, hardware_profiles=tuple(profile.id for profile in profiles))


def image_order(image: Image) -> tuple[str, str]:
    """Return the key by which images are sorted; a missing description comes first."""
    return image.owner_id or "", image.description or ""


def has_architecture(profile: HardwareProfile, architecture: str) -> bool:
    """Say whether a profile offers an architecture; one that does not tell offers none."""
    return any(each.id == "architecture" and architecture in {each.value, *each.entries} for each in profile.properties)


def free_instance_id(taken: Collection[str]) -> str:
    """Return ``inst<n>`` with the lowest free number."""
    return next(f"inst{number}" for number in range(len(taken) + 1) if f"inst{number}" not in taken)


def next_address(taken: Collection[str]) -> str:
    """Return the address after the highest one that is taken."""
    if not taken:
        return FIRST_ADDRESS
    return str(max(ipaddress.IPv4Address(each) for each in taken) + 1)


def address_block(text: str) -> str:
    """Return a block of addresses as it was written.

    Raises:
        InvalidParameters: it is no CIDR.
    """
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidParameters(
            "Parameter 'address_block' must be a CIDR, 10.1.0.0/16.", details={"parameter": "address_block"}
        ) from None
    return text


def free_address(block: str, taken: Collection[str], start: int) -> str:
    """Return an address of a block that is not taken, at or after a position that is taken modulo its size.

    The first and the last address are left out where the block has others.

    Raises:
        Conflict: all are taken.
    """
    network = ipaddress.ip_network(block, strict=False)
    first, count = (1, network.num_addresses - 2) if network.num_addresses > 2 else (0, network.num_addresses)  # noqa: PLR2004
    for step in range(min(count, len(taken) + 1)):
        found = str(network[first + (start + step) % count])
        if found not in taken:
            return found
    raise Conflict(f"All addresses of {block} are taken.")
