"""Requests that another site makes a browser send: they come with the person's login, and without the person's will.

A browser says with each request where it comes from: ``Sec-Fetch-Site``, and ``Origin`` where something may change.
Callers that are no browsers send neither, and pass. Sources: Fetch Metadata (W3C), RFC 6454.
"""

from __future__ import annotations

from starlette.requests import Request

from deltacloud.errors import Forbidden
from deltacloud.providers import origin as origins

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN_SITES = frozenset({"cross-site", "same-site"})


def refuse_foreign(request: Request, base_url: str) -> None:
    """Do nothing unless a page of another site has a browser change something here.

    Args:
        request: the request.
        base_url: the API's absolute URL as the client sees it.

    Raises:
        Forbidden: it does.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site", "").strip().lower()
    if site in FOREIGN_SITES:
        raise Forbidden(f"A page of another site may not change anything here (Sec-Fetch-Site: {site}).")
    origin = request.headers.get("origin")
    if origin is not None and not _is_same(origin.strip(), base_url):
        raise Forbidden(
            "A page of another site may not change anything here: Origin is not where the request was sent."
            " A proxy in between must pass the Host on, or send X-Forwarded-Host and X-Forwarded-Proto."
        )


def _is_same(origin: str, base_url: str) -> bool:
    try:
        return origins.parse(origin) == origins.parse(base_url)
    except ValueError:  # such as Origin: null
        return False
