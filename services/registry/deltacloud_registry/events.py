"""The registry on the broker: hears workers and its replicas, broadcasts the picture, re-reads the providers file."""

from __future__ import annotations

import time

import msgspec

from deltacloud.logging import get_logger
from deltacloud.providers.picture import Announcement, Picture
from deltacloud.rpc.names import REGISTRY_ASKED, REGISTRY_PICTURE, WORKER_ANNOUNCED
from deltacloud.rpc.worker.events import EventBus
from deltacloud_registry.providers_file import ProvidersFileError, read
from deltacloud_registry.registry import Registry
from deltacloud_registry.settings import RegistrySettings

TICK_S = 0.1
"""Seconds within which changes share one broadcast: a worker announces all its services at once."""

_LOG = get_logger()


class RegistryEvents:
    """A companion of the registry's host.

    After its start, and after the broker was away, a registry asks everybody to announce themselves, and says nothing
    for ``gather_s``: a picture with workers missing would make gateways refuse calls that could be served.

    Args:
        registry: what hears the workers; its changes are broadcast.
        settings: the process's settings; ``broker`` is set.
        worker: unique name of this process.
    """

    def __init__(self, registry: Registry, settings: RegistrySettings, *, worker: str) -> None:
        if settings.broker is None:
            raise ValueError("a registry needs a broker")
        self._registry = registry
        self._settings = settings
        self._gathered_at = float("inf")
        self._broadcast_at = 0.0
        registry.is_gathering = True
        registry.on_change = self._changed
        self._bus = EventBus(
            settings.broker,
            worker=worker,
            topics={WORKER_ANNOUNCED: self._hear_worker, REGISTRY_PICTURE: self._hear_replica},
            on_connected=self._ask,
        )

    @property
    def problem(self) -> str | None:
        """Why the picture cannot be relied on now, or ``None``."""
        return self._bus.problem or ("still asking the workers" if self._registry.is_gathering else None)

    def start(self) -> None:
        """Connect, listen and speak from now on."""
        self._bus.start()
        self._bus.every(TICK_S, self._tick)

    def leave(self) -> None:
        """Go on: the picture is needed until the last call is answered."""

    def stop(self) -> None:
        """Say nothing any more."""
        self._bus.stop()

    def read_again(self) -> None:
        """Read the providers file again; a mistake is logged, and what was read before stays."""
        path = self._settings.providers
        if path is None:
            _LOG.warning("nothing to read again: no providers file is set")
            return
        try:
            self._registry.use(read(path))
        except ProvidersFileError as error:
            _LOG.error("providers file kept as it was", reason=str(error))
        else:
            _LOG.info("providers file read again", path=str(path))

    def _changed(self, _: Picture) -> None:
        self._broadcast_at = 0.0

    def _ask(self) -> None:
        self._registry.is_gathering = True
        self._gathered_at = time.monotonic() + self._settings.gather_s
        self._registry.hear_again()
        self._bus.publish(REGISTRY_ASKED, b"")

    def _hear_worker(self, body: bytes) -> None:
        self._registry.announce(msgspec.json.decode(body, type=Announcement))

    def _hear_replica(self, body: bytes) -> None:
        self._registry.learn(msgspec.json.decode(body, type=Picture))

    def _tick(self) -> None:
        now = time.monotonic()
        if self._bus.problem is not None or now < self._gathered_at:
            return
        if self._registry.is_gathering:
            self._registry.is_gathering = False
            self._broadcast_at = now
        self._registry.sweep()
        if now >= self._broadcast_at:
            self._broadcast_at = now + self._settings.picture_every_s
            self._bus.publish(REGISTRY_PICTURE, msgspec.json.encode(self._registry.picture))
