"""The region: everything there is, and how it changes over time."""

from __future__ import annotations

import threading
import time
from itertools import count

import msgspec

from simulators.ec2.paging import PageLimits
from simulators.ec2.records import (
    ACCOUNT,
    GONE,
    NEXT_STATE,
    Group,
    Image,
    Instance,
    KeyPair,
    Launch,
    Reservation,
    Snapshot,
    State,
    Subnet,
    Zone,
    fixed_id,
    new_id,
)

DAY_S = 86_400.0
ZONE_LETTERS = "abcdef"


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What can be set when the simulator starts and while it runs. Durations are seconds.

    ``boot_seconds`` is how long a machine stays pending, stopping or shutting down. ``page_size`` caps the
    pages of every paged call. ``sparse_pages`` puts an empty page with a token before the first.
    ``terminated_seconds`` is how long a terminated machine is still shown. ``instance_limit`` counts
    machines that are not terminated.
    """

    boot_seconds: float = 0.3
    page_size: int | None = None
    sparse_pages: bool = False
    terminated_seconds: float = 3600.0
    instance_limit: int = 1000


class Region:
    """A region of one account with a default VPC. Hold ``lock`` while reading or changing it."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.lock = threading.RLock()
        self.numbers = count(1)
        self.vpc_id = fixed_id("vpc", name)
        self.zones = [
            Zone(name=f"{name}{letter}", id=f"{_short(name)}-az{place}", region=name)
            for place, letter in enumerate(ZONE_LETTERS, 1)
        ]
        self.subnets = {one.id: one for one in map(self._default_subnet, range(len(ZONE_LETTERS)))}
        self.zones += [
            Zone(
                name=f"{name}-lcl-{place}a",
                id=f"{_short(name)}-lcl{place}-az1",
                region=name,
                kind="local-zone",
                opt_in=opt_in,
            )
            for place, opt_in in enumerate(["opted-in", "not-opted-in"], 1)
        ]
        self.groups: dict[str, Group] = {}
        self.keys: dict[str, KeyPair] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.images: dict[str, Image] = {}
        self.reservations: dict[str, Reservation] = {}
        self.instances: dict[str, Instance] = {}
        self.tokens: dict[str, tuple[object, Reservation]] = {}
        self.default_group = self.add_group("default", "default VPC security group", self.vpc_id)
        self._moving: set[str] = set()

    @property
    def limits(self) -> PageLimits:
        """The limits on pages in force."""
        return PageLimits(size=self.settings.page_size, sparse=self.settings.sparse_pages)

    def settle(self) -> None:
        """Let the transitions that are due happen."""
        now = time.monotonic()
        for name in list(self._moving):
            instance = self.instances[name]
            if now >= instance.changed_at + self.settings.boot_seconds:
                self._moving.discard(name)
                instance.state = NEXT_STATE[instance.state]
                instance.changed_at = now

    def move(self, instance: Instance, state: State, reason: tuple[str, str] | None = None) -> None:
        """Put a machine into a state; one that does not last ends after ``boot_seconds``."""
        instance.state = state
        instance.changed_at = time.monotonic()
        instance.reason = reason
        self._moving.discard(instance.id)
        if state in NEXT_STATE:
            self._moving.add(instance.id)

    def is_shown(self, instance: Instance) -> bool:
        """Tell if the API still shows the machine."""
        if instance.state is not State.TERMINATED:
            return True
        return time.monotonic() < instance.changed_at + self.settings.terminated_seconds

    def live_count(self) -> int:
        """Count the machines that weigh on the limit."""
        return sum(instance.state not in GONE for instance in self.instances.values())

    def launch(self, launch: Launch, how_many: int, launched: float | None = None) -> Reservation:
        """Make machines of one reservation, pending."""
        reservation = Reservation(number=next(self.numbers), id=new_id("r"), instances=[])
        for index in range(how_many):
            instance = Instance(
                number=next(self.numbers),
                index=index,
                id=new_id("i"),
                reservation_id=reservation.id,
                launch=launch,
                launched=launched or time.time(),
                tags=dict(launch.tags),
            )
            reservation.instances.append(instance)
            self.instances[instance.id] = instance
            self.move(instance, State.PENDING)
        self.reservations[reservation.id] = reservation
        return reservation

    def add_group(self, name: str, description: str, vpc_id: str) -> Group:
        """Make a security group."""
        made = Group(number=next(self.numbers), id=new_id("sg"), name=name, description=description, vpc_id=vpc_id)
        self.groups[made.id] = made
        return made

    def add_snapshot(self, name: str, owner_id: str = ACCOUNT, owner_alias: str | None = None) -> Snapshot:
        """Make a snapshot of 8 GiB whose id follows from its name."""
        made = Snapshot(
            number=next(self.numbers),
            id=fixed_id("snap", name),
            volume_id=fixed_id("vol", name),
            size_gb=8,
            description=name,
            started=time.time() - DAY_S,
            owner_id=owner_id,
            owner_alias=owner_alias,
        )
        self.snapshots[made.id] = made
        return made

    def _default_subnet(self, place: int) -> Subnet:
        zone = self.zones[place]
        return Subnet(
            number=next(self.numbers),
            id=fixed_id("subnet", zone.name),
            zone=zone,
            vpc_id=self.vpc_id,
            cidr=f"172.31.{place * 16}.0/20",
        )


def _short(region: str) -> str:
    """Shorten a region's name as zone ids do: us-east-1 becomes use1."""
    continent, direction, number = region.split("-", 2)
    return f"{continent}{direction[0]}{number}"
