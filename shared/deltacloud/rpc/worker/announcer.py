"""What a worker tells the registries, and the picture it gets from them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deltacloud.drivers.base import Driver
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Announcement, Picture, SealingKey
from deltacloud.rpc.envelope import RawReply
from deltacloud.rpc.names import REGISTRY_ASKED, REGISTRY_PICTURE, WORKER_ANNOUNCED
from deltacloud.rpc.worker.events import EventBus

EVERY_S = 5.0


class Announcer:
    """Announces drivers at each connection, every five seconds, when asked, and at the end; keeps the picture fresh.

    A registry that is away stops nothing: the worker serves, with the picture it has.

    Args:
        broker: AMQP URL.
        worker: unique name of this process.
        drivers: what it serves.
        sealing_keys: public keys that callers may seal credentials for.
        holder: where the picture is kept.
    """

    def __init__(
        self,
        broker: str,
        *,
        worker: str,
        drivers: Sequence[Driver],
        sealing_keys: Sequence[SealingKey],
        holder: PictureHolder,
    ) -> None:
        self._announcements = [
            Announcement(
                service=driver.service_name(), worker=worker, driver=driver.info(), sealing_keys=tuple(sealing_keys)
            )
            for driver in drivers
        ]
        self._holder = holder
        self._bus = EventBus(
            broker,
            worker=worker,
            topics={REGISTRY_ASKED: lambda _: self._announce(), REGISTRY_PICTURE: self._keep},
            on_connected=self._begin,
        )
        self._is_leaving = False

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection, or ``None``."""
        return self._bus.problem

    def start(self) -> None:
        """Connect and announce from now on."""
        self._bus.start()
        self._bus.every(EVERY_S, self._repeat)

    def leave(self) -> None:
        """Say that this worker takes nothing new, so that nobody is sent here any more."""
        self._is_leaving = True
        self._announce()

    def stop(self) -> None:
        """Close the connection."""
        self._bus.stop()

    def _begin(self) -> None:
        self._announce()
        self._bus.call("registry", "get_picture", self._keep_answered)

    def _repeat(self) -> None:
        if not self._is_leaving:
            self._announce()

    def _announce(self) -> None:
        for announcement in self._announcements:
            said = msgspec.structs.replace(announcement, leaving=self._is_leaving)
            self._bus.publish(WORKER_ANNOUNCED, msgspec.json.encode(said))

    def _keep(self, body: bytes) -> None:
        self._holder.update(msgspec.json.decode(body, type=Picture))

    def _keep_answered(self, body: bytes) -> None:
        reply = msgspec.json.decode(body, type=RawReply)
        if reply.error is None:
            self._keep(bytes(reply.result))
