"""Absolute URLs of the API, as its clients see them."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request

from deltacloud.errors import InvalidRequest

ROOT = "/api"
_SAFE = "!$&'()*+,:=@~"
_PLAIN = re.compile(r"[\w.:@-]*", re.ASCII)
"""Most ids, which need no quoting."""


def base_url(request: Request) -> str:
    """Return the API's URL, without a trailing slash, from ``X-Forwarded-Host`` and ``-Proto`` or ``Host``.

    Raises:
        InvalidRequest: the request names no host, or one that is none.
    """
    forwarded = request.headers.get("x-forwarded-host", "").split(",")[-1].strip()
    host = forwarded or request.headers.get("host", "")
    if not host:
        raise InvalidRequest("Unable to find HTTP Host header")
    if not all(character.isascii() and (character.isalnum() or character in "-._~[]:%") for character in host):
        raise InvalidRequest("The Host header is not a host name.")
    scheme = request.headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
    return f"{scheme if scheme in {'http', 'https'} else request.url.scheme}://{host}{ROOT}"


def join(base: str, *segments: str) -> str:
    """Return a URL below a base, each segment percent-encoded where it must be."""
    return "/".join((base, *map(_quoted, segments)))


def matrix(name: str, value: str) -> str:
    """Return a matrix parameter as the original appends it to a segment."""
    return f";{name}={_quoted(value)}"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)
