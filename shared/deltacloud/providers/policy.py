"""Which URLs a client may name as a provider: a URL of a stranger's choice is a way into the operator's network.

The operator lists patterns, ``scheme://host[:port]``; without a port the scheme's own is meant. The host is

- a name, in which ``*`` stands for one or more characters of one label: ``*.cloud.example`` is ``a.cloud.example`` and
  neither ``a.b.cloud.example`` nor ``cloud.example``; ``*`` alone is refused;
- an address or a CIDR block (``10.20.0.0/16``, ``[fd12::]/32``).

A URL is allowed when scheme and port fit and **every** address its host has is allowed: because a name pattern fits the
host, or a block holds the address. Guarded addresses (:mod:`deltacloud.providers.ranges`: loopback, link-local,
metadata, unspecified, multicast, and IPv6 addresses that hide private ones) need a block that lies wholly inside their
range: ``http://127.0.0.1:5000`` opens loopback, ``http://0.0.0.0/0:5000``, a name, or ``localhost`` do not.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence

import msgspec

from deltacloud.errors import ForbiddenProvider, Unavailable, UnknownProvider
from deltacloud.providers import origin as origins
from deltacloud.providers.origin import Address, Origin
from deltacloud.providers.ranges import Network, guard_of, lies_in, plain

HostResolver = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host name, in order of preference; raises :class:`OSError` if there are none."""

_PATTERN = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.*-]+|\[[0-9a-f:.]+/\d{1,3}\])(?:/(?P<bits>\d{1,3}))?"
    r"(?::(?P<port>\d{1,5}))?",
    re.ASCII | re.IGNORECASE,
)


def system_addresses(host: str, port: int) -> list[str]:
    """Return a name's addresses as the system resolves them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the allow list; either ``name`` or ``network`` is set."""

    scheme: str
    port: int
    name: re.Pattern[str] | None = None
    network: Network | None = None

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern.

        Raises:
            ValueError: with the reason.
        """
        found = _PATTERN.fullmatch(text)
        if found is None:
            raise ValueError(
                "a pattern is scheme://host[:port], such as https://*.cloud.example:5000; no path, no user"
            )
        scheme, host = found["scheme"].lower(), found["host"].lower()
        if scheme not in origins.PORTS:
            raise ValueError("only http and https are spoken")
        port = origins.read_port(found["port"], scheme)
        network = _network(host, found["bits"])
        if network is not None:
            return cls(scheme=scheme, port=port, network=network)
        return cls(scheme=scheme, port=port, name=_name(host))

    def reaches(self, origin: Origin) -> bool:
        """Return whether scheme and port fit."""
        return self.scheme == origin.scheme and self.port == origin.port

    def names(self, origin: Origin) -> bool:
        """Return whether this is a name pattern that fits the host."""
        return self.name is not None and origin.address is None and self.name.fullmatch(origin.host) is not None

    def holds(self, address: Address, guard: Network | None) -> bool:
        """Return whether this is a block with the address in it, written down for its guarded range if it has one."""
        if self.network is None or address not in self.network:
            return False
        return guard is None or lies_in(self.network, guard)


class Policy:
    """The operator's allow list, applied to URLs that clients name.

    Args:
        allow: patterns, as in the module's description.
        resolve: finds a name's addresses; called once a check.

    Raises:
        ValueError: a pattern is none; the text says which and why.
    """

    def __init__(self, allow: Sequence[str], *, resolve: HostResolver = system_addresses) -> None:
        self._patterns = tuple(_read(text) for text in allow)
        self._resolve = resolve

    def precheck(self, url: str) -> None:
        """Refuse what can be refused without asking the DNS.

        Raises:
            ForbiddenProvider: the URL is malformed, or no pattern can allow it.
        """
        self._candidates(_origin(url))

    def check(self, url: str) -> tuple[str, ...]:
        """Return the addresses to connect to, and to no others, for this URL.

        Raises:
            ForbiddenProvider: the URL is malformed, or an address of its host is not allowed.
            UnknownProvider: the operator allows the name, and it has no address.
            Unavailable: the DNS gave no answer; it may later.
        """
        origin = _origin(url)
        patterns = self._candidates(origin)
        is_named = any(pattern.names(origin) for pattern in patterns)
        allowed = []
        for text in self._addresses(origin, is_named=is_named):
            address = _address(text, origin)
            self._check_address(origin, address, patterns, is_named=is_named)
            allowed.append(plain(address))
        return _stable(allowed)

    def _candidates(self, origin: Origin) -> list[Pattern]:
        fitting = [pattern for pattern in self._patterns if pattern.reaches(origin)]
        address = origin.address
        if address is not None:
            self._check_address(origin, address, fitting, is_named=False)
        elif not any(pattern.network is not None or pattern.names(origin) for pattern in fitting):
            raise _forbidden(origin)
        return fitting

    @staticmethod
    def _check_address(origin: Origin, address: Address, patterns: list[Pattern], *, is_named: bool) -> None:
        guard = guard_of(plain(address)) or guard_of(address)
        if is_named and guard is None:
            return
        if not any(pattern.holds(plain(address), guard) for pattern in patterns):
            raise _forbidden(origin)

    def _addresses(self, origin: Origin, *, is_named: bool) -> Sequence[str]:
        if origin.address is not None:
            return (origin.host,)
        try:
            found = self._resolve(origin.host, origin.port)
        except OSError as error:
            raise _unresolved(origin, error, is_named=is_named) from None
        if not found:
            raise _unresolved(origin, OSError(), is_named=is_named)
        return found


def _read(text: str) -> Pattern:
    try:
        return Pattern.parse(text)
    except ValueError as error:
        raise ValueError(f"allow pattern '{text}': {error}") from None


def _network(host: str, bits: str | None) -> Network | None:
    inner = host.removeprefix("[").removesuffix("]")
    if not host.startswith("["):
        last = inner.rsplit(".", 1)[-1]
        if not last.isdecimal():
            if bits is not None:
                raise ValueError("a pattern ends at the port: no path")
            return None
    try:
        network = ipaddress.ip_network(inner if bits is None else f"{inner}/{bits}")
    except ValueError as error:
        raise ValueError(f"not an address or CIDR block: {error}") from None
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is not None:
        raise ValueError("write IPv4 addresses as such, not as IPv6")
    return network


def _name(host: str) -> re.Pattern[str]:
    labels = host.removesuffix(".").split(".")
    if labels[-1].strip("*") == "":
        raise ValueError("the last label of a host may not be '*' alone; name the domain")
    origins.read_host(host.replace("*", "a"))
    return re.compile(r"\.".join(re.escape(label).replace(r"\*", "[a-z0-9_-]+") for label in labels))


def _origin(url: str) -> Origin:
    try:
        return origins.parse(url)
    except ValueError as error:
        raise ForbiddenProvider(f"The provider's URL cannot be used: {error}.", provider="(a malformed URL)") from None


def _address(text: str, origin: Origin) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise _forbidden(origin) from None


def _forbidden(origin: Origin) -> ForbiddenProvider:
    return ForbiddenProvider(
        f"The operator does not allow {origin} as a provider; nothing was sent to it. "
        "Name one of the configured providers, or ask the operator to allow it in the providers file.",
        provider=str(origin),
    )


def _unresolved(origin: Origin, error: OSError, *, is_named: bool) -> ForbiddenProvider | UnknownProvider | Unavailable:
    """Tell apart nothing for names the operator did not list, so that nobody explores the operator's DNS through us."""
    if not is_named:
        return _forbidden(origin)
    if error.errno == socket.EAI_AGAIN:
        return Unavailable(
            f"The address of {origin.host} cannot be looked up now; try again.", provider=str(origin), retry_after_s=5
        )
    return UnknownProvider(f"There is no host {origin.host}; check the provider's URL.", provider=str(origin))


def _stable(addresses: Sequence[Address]) -> tuple[str, ...]:
    """Keep the resolver's preference between IPv4 and IPv6, and sort within each, so that equal answers are equal."""
    versions = list(dict.fromkeys(address.version for address in addresses))
    return tuple(
        str(each) for each in sorted(set(addresses), key=lambda each: (versions.index(each.version), int(each)))
    )
