"""The picture: the one versioned document that registry replicas broadcast and everybody else keeps in memory."""

from __future__ import annotations

import msgspec

from deltacloud.models import DriverInfo


class ProviderEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A provider of the operator's file, trusted as written.

    ``endpoint`` serves every native service, ``endpoints`` one each (``ec2``, ``s3``, …). ``ca_pem`` is the text of
    the private CA. ``options`` are the driver's own further settings; nothing here is a secret.
    """

    name: str
    endpoint: str | None = None
    endpoints: dict[str, str] = {}
    region: str | None = None
    ca_pem: str | None = None
    options: dict[str, str] = {}


class SealingKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that credentials can be sealed for. ``public`` is base64 of 32 bytes (X25519)."""

    id: str
    public: str


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of one service it serves, every few seconds and when a registry asks.

    ``worker`` is unique to the process. ``leaving`` is said once, at the end.
    """

    service: str
    worker: str
    driver: DriverInfo
    sealing_keys: tuple[SealingKey, ...] = ()
    leaving: bool = False


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Drivers seen, services alive, providers, policy, sealing keys.

    ``drivers`` merges what the compute and storage workers of one driver announced and keeps drivers whose workers
    are gone; ``alive`` counts workers by service (``compute.ec2``). ``allow`` are the URL patterns clients may name.
    ``version`` grows with every change of one registry; ``issued_at`` is Unix seconds.
    """

    version: int = 0
    issued_at: float = 0.0
    drivers: dict[str, DriverInfo] = {}
    alive: dict[str, int] = {}
    providers: dict[str, dict[str, ProviderEntry]] = {}
    allow: tuple[str, ...] = ()
    sealing_keys: tuple[SealingKey, ...] = ()
