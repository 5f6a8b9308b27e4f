"""Addresses that nobody may name unless the operator wrote them down: this machine, its link, clouds' metadata."""

from __future__ import annotations

import ipaddress

from deltacloud.providers.origin import Address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

GUARDED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host (RFC 1122); Linux connects it to loopback
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "192.0.0.0/24",  # protocol assignments (RFC 6890); Oracle's older metadata
        "224.0.0.0/4",
        "240.0.0.0/4",  # reserved, and broadcast
        "100.100.100.200/32",  # Alibaba's metadata
        "168.63.129.16/32",  # Azure's host agent
        "::/128",
        "::1/128",
        "fe80::/10",
        "fec0::/10",  # site-local, given up by RFC 3879
        "ff00::/8",
        "fd00:ec2::/32",  # AWS' metadata and pod identity
        "fd20:ce::254/128",  # Google's metadata
        "fd00:c1::a9fe:a9fe/128",  # Oracle's metadata
        "fd00:42::42/128",  # Scaleway's metadata
        "2001::/32",  # Teredo: leads to an IPv4 address behind somebody's relay
        "64:ff9b:1::/48",  # NAT64 with a form of the network's own (RFC 8215)
    )
)
"""Reached only through a pattern that lies wholly inside one of them."""

PRIVATE = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""Guarded when an IPv6 address hides them; as they are, an operator's clouds live there."""

MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
EMBEDDING: tuple[tuple[ipaddress.IPv6Network, int], ...] = (
    (MAPPED, 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # stateless translation (RFC 7915)
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64 (RFC 6052)
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4 (RFC 3056)
    (ipaddress.IPv6Network("::/96"), 0),  # IPv4-compatible, given up by RFC 4291
)
"""IPv6 prefixes with an IPv4 address inside, and how many bits stand to its right."""


def plain(address: Address) -> Address:
    """Return an IPv4-mapped address as the IPv4 address it connects to, others as they are."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def guard_of(address: Address) -> Network | None:
    """Return the guarded range an address belongs to, or ``None`` for an ordinary one."""
    direct = next((network for network in GUARDED if address in network), None)
    if direct is not None or isinstance(address, ipaddress.IPv4Address):
        return direct
    for prefix, shift in EMBEDDING:
        if address in prefix:
            hidden = ipaddress.IPv4Address((int(address) >> shift) & 0xFFFF_FFFF)
            inner = next((network for network in (*GUARDED, *PRIVATE) if hidden in network), None)
            return inner if prefix is MAPPED else (prefix if inner is not None else None)
    return None


def lies_in(inner: Network, outer: Network) -> bool:
    """Return whether a network is a part of another, or the same; networks of two versions never are."""
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)
