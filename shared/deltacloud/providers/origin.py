"""Reading a URL that a stranger wrote: one strict form, so that no two parsers can see two servers in it."""

from __future__ import annotations

import ipaddress
import re

import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 2048
MAX_HOST = 253
PORTS = {"http": 80, "https": 443}
"""The schemes there are, each with the port it means when none is written."""

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>(?:/[\x21-\x5b\x5d-\x7e]*)?)", re.IGNORECASE
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Origin(msgspec.Struct, frozen=True):
    """A server a URL points at. ``host`` is in lower case, without brackets and without a dot at its end."""

    scheme: str
    host: str
    port: int

    @property
    def address(self) -> Address | None:
        """The address, where the URL gives one instead of a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        """Write it as a URL."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"


def parse(url: str) -> Origin:
    """Return the server a URL points at.

    Stricter than RFC 3986, because what we check and what a library connects to must be the same server: http and
    https only, no user name, no backslash, no percent sign or foreign letters in the host (write ``xn--…``), addresses
    in their usual form only (``127.0.0.1``, neither ``2130706433`` nor ``0x7f.1``), a path before any query.

    Raises:
        ValueError: with the reason, which never repeats a part of the URL that may be secret.
    """
    if len(url) > MAX_URL:
        raise ValueError(f"it is longer than {MAX_URL} characters")
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("it is not a URL of printable ASCII, such as https://cloud.example:5000/v3")
    scheme = found["scheme"].lower()
    if scheme not in PORTS:
        raise ValueError("only http and https are spoken")
    if "@" in found["authority"]:
        raise ValueError("a user name has no place in it; credentials travel as HTTP basic authentication")
    authority = _AUTHORITY.fullmatch(found["authority"].lower())
    if authority is None:
        raise ValueError("its host is neither a name nor an address")
    return Origin(scheme, read_host(authority["host"]), read_port(authority["port"], scheme))


def read_port(text: str | None, scheme: str) -> int:
    """Return the port, the scheme's own if none is written.

    Raises:
        ValueError: it is not one from 1 to 65535.
    """
    if text is None:
        return PORTS[scheme]
    port = int(text)
    if not 1 <= port <= 65_535:  # noqa: PLR2004 - what a port is
        raise ValueError("a port is a number from 1 to 65535")
    return port


def read_host(text: str) -> str:
    """Return a host in its one form: an address as :mod:`ipaddress` writes it, or a name in lower case.

    Raises:
        ValueError: it is neither, or an address in another form than the usual one.
    """
    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError:
            raise ValueError("what stands in brackets is no IPv6 address") from None
    host = text.removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError("an IPv4 address is written as four decimal numbers, such as 192.0.2.10") from None
    if len(host) > MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("its host is not a valid name")
    return host


def bracketed(host: str) -> str:
    """Return the host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
