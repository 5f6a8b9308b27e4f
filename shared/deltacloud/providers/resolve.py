"""From the provider a caller named to where the call goes: the operator's list, the driver's own, or an allowed URL."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from deltacloud.drivers.base import Driver
from deltacloud.drivers.session import ProviderTarget
from deltacloud.errors import ForbiddenProvider, Unavailable, UnknownProvider
from deltacloud.providers import origin as origins
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Picture, ProviderEntry
from deltacloud.providers.policy import HostResolver, Policy, system_addresses

KEPT_S = 30.0
"""Seconds for which a checked URL is not looked up again: calls cost no DNS, and native clients are reused."""
KEPT = 256
_SHOWN = 100


class ProviderResolver:
    """Resolves providers by the present picture; one serves all drivers of a process, from many threads.

    Args:
        holder: keeps the picture.
        resolve: finds a name's addresses.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        holder: PictureHolder,
        *,
        resolve: HostResolver = system_addresses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holder = holder
        self._resolve = resolve
        self._clock = clock
        self._lock = threading.Lock()
        self._allow: tuple[str, ...] = ()
        self._checked: dict[tuple[str, str], tuple[float, ProviderTarget]] = {}

    def __call__(self, driver: Driver, provider: str | None) -> ProviderTarget:
        """Return where to go.

        ``None`` is the driver's default. A name is looked for, without case, in the operator's list, which is trusted
        as written, then among the driver's own. A URL is let through by the operator's policy alone, and its target
        says which addresses may be connected to.

        Raises:
            UnknownProvider: no such provider; the text lists those there are.
            ForbiddenProvider: the URL, or an address it leads to, is not allowed.
            Unavailable: the operator's list has not arrived yet, or the DNS does not answer.
        """
        name = (provider or "").strip() or driver.default_provider
        if not name:
            return ProviderTarget()
        picture = self._holder.current
        entry = operator_entry(picture, driver.id, name)
        if entry is not None:
            return _trusted(entry)
        for known in driver.providers:
            if known.id.casefold() == name.casefold():
                return ProviderTarget(name=known.id)
        if driver.takes_urls and looks_like_address(name):
            return self._untrusted(driver, name, picture)
        if driver.any_provider:
            return ProviderTarget(name=name)
        raise _unknown(driver, name, picture)

    def _untrusted(self, driver: Driver, name: str, picture: Picture) -> ProviderTarget:
        now = self._clock()
        with self._lock:
            if picture.allow != self._allow:
                self._checked.clear()
                self._allow = picture.allow
            kept_until, target = self._checked.get((driver.id, name), (0.0, None))
        if target is not None and now < kept_until:
            return target
        target = check_target(driver.target(name), Policy(picture.allow, resolve=self._resolve), picture.allow)
        with self._lock:
            while len(self._checked) >= KEPT:
                del self._checked[next(iter(self._checked))]
            if picture.allow == self._allow:
                self._checked[driver.id, name] = (now + KEPT_S, target)
        return target


def check_target(target: ProviderTarget, policy: Policy, allow: tuple[str, ...]) -> ProviderTarget:
    """Return the target with the addresses its endpoints may be reached at, marked as not trusted.

    Raises:
        ForbiddenProvider: it names no endpoint, or one that is not allowed.
        UnknownProvider: an endpoint's host does not exist.
        Unavailable: the DNS does not answer.
    """
    addresses: dict[str, tuple[str, ...]] = {}
    for url in endpoint_urls(target):
        found = policy.check(url)
        host = origins.parse(url).host
        addresses[host] = tuple(each for each in addresses.get(host, found) if each in found)
    if not addresses or not all(addresses.values()):
        raise ForbiddenProvider("The provider names no address that passed the operator's policy.")
    return msgspec.structs.replace(target, is_trusted=False, addresses=addresses, allow=allow)


def endpoint_urls(target: ProviderTarget) -> tuple[str, ...]:
    """Return the URLs of a target's endpoints."""
    single = () if target.endpoint is None else (target.endpoint,)
    return (*single, *target.endpoints.values())


def operator_entry(picture: Picture, driver: str, name: str) -> ProviderEntry | None:
    """Return the operator's provider of that name, compared without case."""
    entries: Mapping[str, ProviderEntry] = picture.providers.get(driver, {})
    wanted = name.casefold()
    return next((entry for entry in entries.values() if entry.name.casefold() == wanted), None)


def looks_like_address(text: str) -> bool:
    """Return whether a provider is meant as a URL or a host rather than as a name from a list."""
    return any(mark in text for mark in (":", "/", ".", "="))


def precheck(picture: Picture, driver: str, provider: str | None) -> None:
    """Refuse a provider URL early, as far as that needs neither the driver nor the DNS; a gateway's first look.

    What is no plain URL (a name, or a driver's own notation of several) is left to the worker, which checks everything.

    Raises:
        ForbiddenProvider: the URL is malformed, or no pattern can allow it.
    """
    if provider is None or "://" not in provider or ";" in provider or picture.issued_at == 0:
        return
    if operator_entry(picture, driver, provider) is None:
        _policy(picture.allow).precheck(provider)


@functools.lru_cache(maxsize=4)
def _policy(allow: tuple[str, ...]) -> Policy:
    return Policy(allow)


def _trusted(entry: ProviderEntry) -> ProviderTarget:
    return ProviderTarget(
        name=entry.name,
        endpoint=entry.endpoint,
        endpoints=entry.endpoints,
        region=entry.region,
        ca_pem=entry.ca_pem,
        options=entry.options,
    )


def _unknown(driver: Driver, name: str, picture: Picture) -> UnknownProvider | Unavailable:
    if picture.issued_at == 0:
        return Unavailable("The list of providers has not arrived from the registry yet; try again.", retry_after_s=2)
    own = [entry.name for entry in picture.providers.get(driver.id, {}).values()]
    known = list(dict.fromkeys([*own, *(each.id for each in driver.providers)]))
    hint = "; a URL the operator allows is taken too" if driver.takes_urls else ""
    if "://" in name:
        return UnknownProvider(
            f"Driver '{driver.id}' takes no URL as a provider. It knows: {', '.join(known) or 'none'}.",
            provider="(a URL)",
        )
    return UnknownProvider(
        f"Driver '{driver.id}' has no provider {name[:_SHOWN]!r}. It knows: {', '.join(known) or 'none'}{hint}."
    )
