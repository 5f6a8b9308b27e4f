"""Records of the compute collections: realms, hardware profiles, images, instances, keys, metrics."""

from __future__ import annotations

from typing import Literal

from deltacloud.models.base import Record


class Realm(Record, frozen=True, kw_only=True):
    """A place where resources live. ``limit`` is free text of the cloud, ``None`` for unlimited."""

    name: str
    state: str = "AVAILABLE"
    limit: str | None = None


PropertyValue = int | float | str


class HardwareProperty(Record, frozen=True, kw_only=True):
    """One property of a hardware profile; ``id`` is its name (cpu, memory, storage, architecture, root_type).

    ``value`` is the default. ``first`` and ``last`` bound a range; ``entries`` lists an enumeration.
    Units: cpu ``count``, memory ``MB``, storage ``GB``, architecture ``label``.
    """

    kind: Literal["fixed", "range", "enum"]
    value: PropertyValue
    unit: str | None = None
    first: PropertyValue | None = None
    last: PropertyValue | None = None
    entries: tuple[PropertyValue, ...] = ()


class HardwareProfile(Record, frozen=True, kw_only=True):
    """A size of machine. No properties at all means the cloud does not tell ("opaque")."""

    name: str
    properties: tuple[HardwareProperty, ...] = ()


class Image(Record, frozen=True, kw_only=True):
    """A template instances are made from. ``root_type``: ``transient`` or ``persistent``.

    ``hardware_profiles`` are ids, ``None`` when the driver does not say. ``creation_time`` is the cloud's text.
    """

    name: str | None = None
    description: str | None = None
    owner_id: str | None = None
    architecture: str | None = None
    state: str | None = None
    creation_time: str | None = None
    root_type: str = "transient"
    hardware_profiles: tuple[str, ...] | None = None


class InstanceAddress(Record, frozen=True, kw_only=True):
    """An address of an instance; ``id`` is the address itself. ``port`` only for ``vnc``."""

    type: Literal["ipv4", "ipv6", "hostname", "mac", "vnc", "unavailable"] = "ipv4"
    port: int | None = None


class VolumeMount(Record, frozen=True, kw_only=True):
    """A volume on an instance; ``id`` is the volume's."""

    device: str | None = None


class Authentication(Record, frozen=True, kw_only=True):
    """How to log in to an instance; ``id`` is the key's name, empty for a password."""

    username: str | None = None
    password: str | None = None
    error: str | None = None

    def __repr__(self) -> str:
        """Hide the password."""
        return f"Authentication(id={self.id!r}, username={self.username!r})"


class Instance(Record, frozen=True, kw_only=True):
    """A machine.

    ``state`` is upper case (PENDING RUNNING STOPPING STOPPED FINISH ERROR or the driver's own leftovers).
    ``actions`` are those the state allows now, by name. ``hardware_overrides`` maps memory, storage, architecture,
    cpu to the text given at creation. ``firewalls`` and ``network_interfaces`` are ids, ``None`` when the driver
    does not tell. ``can_create_image`` offers images made from it.
    """

    name: str | None = None
    owner_id: str | None = None
    image_id: str | None = None
    realm_id: str | None = None
    hardware_profile_id: str | None = None
    hardware_overrides: dict[str, str] = {}
    state: str = "PENDING"
    actions: tuple[str, ...] = ()
    can_create_image: bool = False
    launch_time: str | None = None
    public_addresses: tuple[InstanceAddress, ...] = ()
    private_addresses: tuple[InstanceAddress, ...] = ()
    firewalls: tuple[str, ...] | None = None
    storage_volumes: tuple[VolumeMount, ...] = ()
    network_interfaces: tuple[str, ...] | None = None
    authentication: Authentication | None = None


class CommandOutput(Record, frozen=True, kw_only=True):
    """What a command run on an instance printed; ``id`` is the instance's."""

    command: str
    output: str
    public_address: str | None = None


class Key(Record, frozen=True, kw_only=True):
    """A credential for instances. ``credential_type`` ``key`` has fingerprint and pem, ``password`` the other two.

    ``pem`` is the private key and known only when it was just made (or, on mock, always).
    """

    credential_type: Literal["key", "password"] = "key"
    fingerprint: str | None = None
    pem: str | None = None
    username: str | None = None
    password: str | None = None
    state: str | None = None

    def __repr__(self) -> str:
        """Hide the secrets."""
        return f"Key(id={self.id!r}, credential_type={self.credential_type!r})"


class MetricSample(Record, frozen=True, kw_only=True):
    """One sample; ``id`` is its Unix time in seconds. Values are texts or numbers as the cloud gives them."""

    minimum: float | int | None = None
    maximum: float | int | None = None
    average: float | int | None = None
    unit: str | None = None


class MetricProperty(Record, frozen=True, kw_only=True):
    """One measured quantity; ``id`` is its name (cpuUtilization, …). ``samples`` is ``None`` in lists."""

    samples: tuple[MetricSample, ...] | None = None


class Metric(Record, frozen=True, kw_only=True):
    """What is measured of one entity (an instance, usually). ``entity`` is its display name."""

    entity: str | None = None
    properties: tuple[MetricProperty, ...] = ()
