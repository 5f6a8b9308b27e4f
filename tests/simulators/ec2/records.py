"""What a region is made of. Times of the calendar are seconds since 1970, ``…_at`` of the monotonic clock."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import Enum

from simulators.ec2.hardware import Hardware

ACCOUNT = "123456789012"
AMAZON = "137112412989"
ID_DIGITS = 17


class State(Enum):
    """A machine's state: its name and its code."""

    PENDING = ("pending", 0)
    RUNNING = ("running", 16)
    SHUTTING_DOWN = ("shutting-down", 32)
    TERMINATED = ("terminated", 48)
    STOPPING = ("stopping", 64)
    STOPPED = ("stopped", 80)

    @property
    def label(self) -> str:
        """The name on the wire."""
        return self.value[0]

    @property
    def code(self) -> int:
        """The number on the wire."""
        return self.value[1]


NEXT_STATE = {
    State.PENDING: State.RUNNING,
    State.STOPPING: State.STOPPED,
    State.SHUTTING_DOWN: State.TERMINATED,
}
GONE = frozenset({State.SHUTTING_DOWN, State.TERMINATED})


def new_id(prefix: str) -> str:
    """Make an id nobody has."""
    return f"{prefix}-{secrets.token_hex(ID_DIGITS)[:ID_DIGITS]}"


def fixed_id(prefix: str, name: str) -> str:
    """Make the id that a seeded resource of this name has in every run."""
    return f"{prefix}-{hashlib.sha256(name.encode()).hexdigest()[:ID_DIGITS]}"


@dataclass(slots=True, kw_only=True)
class Zone:
    """An availability zone or a local zone."""

    name: str
    id: str
    region: str
    kind: str = "availability-zone"
    opt_in: str = "opt-in-not-required"


@dataclass(slots=True, kw_only=True)
class Subnet:
    """The default subnet of a zone."""

    number: int
    id: str
    zone: Zone
    vpc_id: str
    cidr: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Group:
    """A security group; its rules are the two every new group has."""

    number: int
    id: str
    name: str
    description: str
    vpc_id: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class KeyPair:
    """A public key the account has registered."""

    number: int
    id: str
    name: str
    kind: str
    fingerprint: str
    created: float
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Snapshot:
    """A completed snapshot of a volume."""

    number: int
    id: str
    volume_id: str
    size_gb: int
    description: str
    started: float
    owner_id: str = ACCOUNT
    owner_alias: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Image:
    """A machine, kernel or ramdisk image."""

    number: int
    id: str
    name: str
    description: str
    created: float
    architecture: str = "x86_64"
    owner_id: str = AMAZON
    owner_alias: str | None = "amazon"
    kind: str = "machine"
    snapshot: Snapshot | None = None
    is_public: bool = True
    is_deprecated: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def root_device_type(self) -> str:
        """``ebs`` when the root disk is made from a snapshot, else ``instance-store``."""
        return "ebs" if self.snapshot else "instance-store"

    @property
    def virtualization(self) -> str:
        """Only instance-store images are as old as to be paravirtual."""
        return "hvm" if self.snapshot else "paravirtual"


ROOT_DEVICE = "/dev/xvda"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A volume every machine of a launch gets."""

    name: str
    size_gb: int
    snapshot_id: str | None
    is_deleted_on_termination: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What all machines of a reservation have in common."""

    image: Image
    hardware: Hardware
    subnet: Subnet
    groups: tuple[Group, ...]
    key_name: str | None
    user_data: bytes
    is_monitored: bool
    client_token: str
    tags: dict[str, str]
    devices: tuple[Device, ...]


@dataclass(slots=True, kw_only=True)
class Instance:
    """A machine."""

    number: int
    index: int
    id: str
    reservation_id: str
    launch: Launch
    launched: float
    tags: dict[str, str]
    state: State = State.PENDING
    changed_at: float = 0.0
    reason: tuple[str, str] | None = None

    @property
    def private_address(self) -> str:
        """Its address inside the VPC."""
        return f"172.31.{self.number // 250 % 250}.{self.number % 250 + 4}"

    @property
    def public_address(self) -> str | None:
        """Its address outside: only a running machine has one."""
        if self.state is not State.RUNNING:
            return None
        return f"198.18.{self.number // 250 % 250}.{self.number % 250 + 4}"


@dataclass(slots=True, kw_only=True)
class Reservation:
    """The machines one call of RunInstances made."""

    number: int
    id: str
    instances: list[Instance]
