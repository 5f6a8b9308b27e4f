"""The live picture, made of what workers say and what the operator wrote. Nothing is stored; nothing can be lost.

Replicas that hear the same workers show the same picture: nothing in it depends on the order or the time in which a
replica heard them, but for drivers whose workers are gone, which a replica remembers, and learns from the others.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from deltacloud.catalogue import rpc_operations
from deltacloud.catalogue.check import check
from deltacloud.errors import Unavailable, UnknownMethod
from deltacloud.logging import get_logger
from deltacloud.models import DriverInfo
from deltacloud.providers.picture import Announcement, Picture, SealingKey
from deltacloud.rpc.context import Context
from deltacloud_registry.merge import merge
from deltacloud_registry.providers_file import OperatorProviders

SILENT_S = 15.0
"""Seconds after which a worker that was not heard of counts as gone; workers announce themselves every 5."""

_LOG = get_logger()


class _Heard(msgspec.Struct):
    announcement: Announcement
    at: float


class Registry:
    """Knows the drivers and who serves them; answers RPC as the service ``registry``. Safe for threads.

    Args:
        operator: the providers file.
        on_change: told each new picture, from the thread that caused it, one at a time.
        silent_s: seconds after which :meth:`sweep` takes a silent worker for gone.
        clock: monotonic seconds.
        wall_clock: Unix seconds.
    """

    service = "registry"

    def __init__(
        self,
        operator: OperatorProviders | None = None,
        *,
        on_change: Callable[[Picture], None] | None = None,
        silent_s: float = SILENT_S,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._operator = operator or OperatorProviders()
        self.on_change = on_change
        self._silent_s = silent_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.RLock()
        self._heard: dict[tuple[str, str], _Heard] = {}
        self._known: dict[str, DriverInfo] = {}
        self._learned: dict[str, DriverInfo] = {}
        self._operations = rpc_operations("registry")
        self.is_gathering = False
        self._picture = self._drawn(version=1)

    def announce(self, announcement: Announcement) -> None:
        """Take in what a worker says of one of its services."""
        if announcement.service not in announcement.driver.services:
            _LOG.warning("announcement ignored: it is not of its driver", worker=announcement.worker)
            return
        key = (announcement.service, announcement.worker)
        with self._lock:
            before = self._heard.pop(key, None)
            if not announcement.leaving:
                self._heard[key] = _Heard(announcement, self._clock())
                if before is not None and before.announcement == announcement:
                    return
            self._known.setdefault(announcement.service, announcement.driver)
            self._redraw()

    def learn(self, picture: Picture) -> None:
        """Remember the drivers another replica has seen, so that both go on showing those whose workers are gone."""
        with self._lock:
            if picture.drivers != self._learned:
                self._learned = {**self._learned, **picture.drivers}
                self._redraw()

    def use(self, operator: OperatorProviders) -> None:
        """Replace what the providers file said."""
        with self._lock:
            self._operator = operator
            self._redraw()

    def sweep(self) -> None:
        """Forget the workers that have fallen silent. To be called often, but not while nothing can be heard."""
        with self._lock:
            now = self._clock()
            silent = [key for key, heard in self._heard.items() if now - heard.at >= self._silent_s]
            for key in silent:
                del self._heard[key]
                _LOG.warning("worker not heard of", service=key[0], worker=key[1], silent_s=self._silent_s)
            if silent:
                self._redraw()

    def hear_again(self) -> None:
        """Give every worker a new start: until now, silence was ours."""
        with self._lock:
            for heard in self._heard.values():
                heard.at = self._clock()

    @property
    def picture(self) -> Picture:
        """The present picture, issued now."""
        with self._lock:
            return msgspec.structs.replace(self._picture, issued_at=self._wall_clock())

    def call(
        self, method: str, context: Context, parameters: Mapping[str, Any], is_redelivered: bool = False
    ) -> Picture:
        """Answer a call: ``get_picture`` is all there is, and it may be repeated.

        Raises:
            UnknownMethod: it is another one.
            InvalidParameters: it was given parameters.
            Unavailable: it has just started (``is_gathering``) and would show a picture with workers missing.
        """
        del context, is_redelivered
        operation = self._operations.get(method)
        if operation is None:
            raise UnknownMethod(f"registry has no method '{method[:80]}'; it has {', '.join(self._operations)}.")
        check(operation, parameters)
        if self.is_gathering:
            raise Unavailable("The registry has just started and is asking the workers; try again.", retry_after_s=1)
        return self.picture

    def _redraw(self) -> None:
        """Draw the picture anew and tell of it if it differs."""
        drawn = self._drawn(self._picture.version + 1)
        if _same(drawn, self._picture):
            return
        self._picture = drawn
        if self.on_change is not None:
            self.on_change(drawn)

    def _drawn(self, version: int) -> Picture:
        by_service: dict[str, list[Announcement]] = {}
        for (service, _), heard in sorted(self._heard.items(), key=lambda item: item[0]):
            by_service.setdefault(service, []).append(heard.announcement)
        self._known |= {service: _prevailing(said) for service, said in by_service.items()}
        return Picture(
            version=version,
            issued_at=self._wall_clock(),
            drivers=self._drivers(),
            alive={service: len(said) for service, said in by_service.items()},
            providers=self._operator.providers,
            allow=self._operator.allow,
            sealing_keys=_keys(each.announcement for each in self._heard.values()),
        )

    def _drivers(self) -> dict[str, DriverInfo]:
        found: dict[str, list[DriverInfo]] = {}
        for driver, info in self._learned.items():
            if not set(info.services) <= self._known.keys():
                found[driver] = [info]
        for _, info in sorted(self._known.items()):
            found.setdefault(info.id, []).append(info)
        return {driver: merge(infos) for driver, infos in sorted(found.items())}


def _prevailing(announcements: list[Announcement]) -> DriverInfo:
    """Return what most workers say of the driver; while an update rolls out they differ, and replicas must agree."""
    votes = Counter(msgspec.json.encode(said.driver, order="deterministic") for said in announcements)
    _, winner = max((count, encoded) for encoded, count in votes.items())
    return msgspec.json.decode(winner, type=DriverInfo)


def _keys(announcements: Iterable[Announcement]) -> tuple[SealingKey, ...]:
    """Return the workers' keys, the one to seal for first: what most can open, then what they themselves put first."""
    holders: Counter[SealingKey] = Counter()
    places: Counter[SealingKey] = Counter()
    for said in announcements:
        for place, key in enumerate(said.sealing_keys):
            holders[key] += 1
            places[key] += place
    return tuple(sorted(holders, key=lambda key: (-holders[key], places[key], key.id)))


def _same(one: Picture, other: Picture) -> bool:
    return msgspec.structs.replace(one, version=other.version, issued_at=other.issued_at) == other
