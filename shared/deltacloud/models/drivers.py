"""Records about drivers themselves: what a worker announces, what the registry pictures."""

from __future__ import annotations

import msgspec

from deltacloud.models.base import Record


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A way out of a state: by an action, or by itself (``action`` is ``None``)."""

    to: str
    action: str | None = None


class InstanceState(msgspec.Struct, frozen=True, kw_only=True):
    """A state of the driver's instances and the ways out of it, in order of declaration."""

    name: str
    transitions: tuple[Transition, ...] = ()


class FeatureDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue feature that a driver has, with this driver's constraints (``{"max_length": "50"}``)."""

    name: str
    collection: str
    constraints: dict[str, str] = {}


class CredentialLabels(msgspec.Struct, frozen=True, kw_only=True):
    """What to paste into the user and password fields for this cloud, in the cloud's words."""

    username: str
    password: str


class ProviderInfo(Record, frozen=True, kw_only=True):
    """A provider as clients see it. ``entrypoints`` maps a kind (``compute``, ``s3``) to an address; no secrets."""

    entrypoints: dict[str, str] = {}


class DriverInfo(Record, frozen=True, kw_only=True):
    """What a driver is and can do. ``id`` is its name in headers (``ec2``), ``name`` its title (``EC2``).

    ``services`` are the RPC services that serve it (``compute.ec2``, ``storage.ec2``); ``operations`` are RPC method
    names over all of them. ``lists_providers`` means that the provider list can be asked of the cloud.
    ``default_provider`` is used when the caller names none.
    """

    name: str
    services: tuple[str, ...] = ()
    operations: frozenset[str] = frozenset()
    features: tuple[FeatureDeclaration, ...] = ()
    states: tuple[InstanceState, ...] = ()
    credentials: CredentialLabels | None = None
    providers: tuple[ProviderInfo, ...] = ()
    default_provider: str | None = None
    lists_providers: bool = False
    anonymous_operations: frozenset[str] = frozenset()
