"""The headers that every answer gets."""

from __future__ import annotations

import hashlib
from email.utils import formatdate
from http import HTTPStatus

from starlette.responses import Response

from deltacloud.catalogue import API_VERSION
from deltacloud_gateway.correlation import REQUEST_ID
from deltacloud_gateway.selection import DRIVER_HEADER, PROVIDER_HEADER, Selection

SERVER = f"Apache-Deltacloud/{API_VERSION}"
HTML_HEADERS = {
    "X-XSS-Protection": "1; mode=block",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'self'"
    ),
}
CACHE_CONTROL = "max-age=0, private, must-revalidate"
METADATA_HEADER = "X-Deltacloud-Blobmeta-"


def finish(
    response: Response,
    *,
    request_id: str,
    selection: Selection | None = None,
    backend_s: float | None = None,
    is_head: bool = False,
) -> None:
    """Add the common headers to an answer, in place."""
    headers = response.headers
    headers["Server"] = SERVER
    headers.setdefault("Date", formatdate(usegmt=True))
    headers[REQUEST_ID] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    if selection is not None:
        headers[DRIVER_HEADER] = latin(selection.driver)
        if selection.provider:
            headers[PROVIDER_HEADER] = latin(selection.provider)
    if backend_s is not None:
        headers["X-Backend-Runtime"] = f"{backend_s:.6f}"
    if headers.get("content-type", "").startswith("text/html"):
        for name, value in HTML_HEADERS.items():
            headers.setdefault(name, value)
    body = getattr(response, "body", b"")
    if selection is not None and body and response.status_code in {HTTPStatus.OK, HTTPStatus.CREATED} and not is_head:
        headers.setdefault("ETag", etag(body))
        headers.setdefault("Cache-Control", CACHE_CONTROL)


def etag(body: bytes) -> str:
    """Return the quoted MD5 of a body."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def metadata_headers(metadata: dict[str, str]) -> dict[str, str]:
    """Return a blob's attributes as headers; a name that no header can have is left out."""
    return {
        METADATA_HEADER + name: latin(value)
        for name, value in metadata.items()
        if name.isascii() and all(character.isalnum() or character in "!#$%&'*+-.^_`|~" for character in name)
    }


def latin(value: str) -> str:
    """Return a text as it can stand in a header: UTF-8 bytes, control characters as spaces.

    Bytes that were none when they came in (``surrogateescape``) go out as they came; what is no character is ``?``.
    """
    printable = "".join(character if character >= " " and character != "\x7f" else " " for character in value)
    try:
        return printable.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError:
        return printable.encode("utf-8", "replace").decode("latin-1")
