"""Which representation answers a request: the original's rules, with its mistakes put right.

``format=`` decides alone. Otherwise ``Accept``: none means XML, ``*/*`` alone HTML, a higher ``q`` wins, and among
types of equal ``q`` the **last** one listed wins, as old clients expect. Parameters other than ``q`` are ignored,
``text/*`` and ``application/*`` are understood, and what cannot be read is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from deltacloud.errors import NotAcceptable

Format = Literal["xml", "json", "html", "png", "gv"]

FORMATS: tuple[Format, ...] = get_args(Format)
USUAL: tuple[Format, ...] = ("xml", "json", "html")
CONTENT_TYPES: dict[Format, str] = {
    "xml": "application/xml",
    "json": "application/json",
    "html": "text/html",
    "png": "image/png",
    "gv": "application/ghostscript",
}
"""The original's exact types, without a charset."""

_ACCEPTED: dict[str, Format] = {
    "application/xml": "xml",
    "text/xml": "xml",
    "application/json": "json",
    "application/xhtml+xml": "html",
    "text/html": "html",
    "image/png": "png",
    "application/ghostscript": "gv",
}
_WILDCARDS: dict[str, tuple[Format, ...]] = {
    "*/*": ("html", "xml", "json", "gv", "png"),
    "text/*": ("html", "xml"),
    "application/*": ("xml", "json", "gv"),
    "image/*": ("png",),
}


def negotiate(format_parameter: str | None, accept: str | None, offered: Sequence[Format] = USUAL) -> Format:
    """Return the format of the answer, one of those offered.

    Raises:
        NotAcceptable: nothing offered is asked for; the text says what is offered.
    """
    if format_parameter is not None:
        named = next((each for each in offered if each == format_parameter), None)
        if named is not None:
            return named
        raise _unacceptable(f"format={format_parameter[:20]}", offered)
    if accept is None or not accept.strip():
        return offered[0]
    best: tuple[float, int, Format] | None = None
    for position, (media_type, quality) in enumerate(_read(accept)):
        found = _match(media_type, offered)
        if found is not None and quality > 0 and (best is None or (quality, position) > best[:2]):
            best = (quality, position, found)
    if best is None:
        raise _unacceptable(f"Accept: {accept[:80]}", offered)
    return best[2]


def for_error(format_parameter: str | None, accept: str | None) -> Format:
    """Return the format of an error: what was asked for where that is possible, else XML."""
    try:
        return negotiate(format_parameter, accept)
    except NotAcceptable:
        return "xml"


def _match(media_type: str, offered: Sequence[Format]) -> Format | None:
    exact = _ACCEPTED.get(media_type)
    if exact is not None:
        return exact if exact in offered else None
    return next((each for each in _WILDCARDS.get(media_type, ()) if each in offered), None)


def _read(accept: str) -> list[tuple[str, float]]:
    return [read for element in accept.split(",") if (read := _read_one(element)) is not None]


def _read_one(element: str) -> tuple[str, float] | None:
    media_type, *parameters = (part.strip().lower() for part in element.split(";"))
    if media_type == "*":
        media_type = "*/*"
    if "/" not in media_type:
        return None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            quality = _quality(value.strip())
            return None if quality is None else (media_type, quality)
    return media_type, 1.0


def _quality(text: str) -> float | None:
    if not text or len(text) > 5 or text.strip("0123456789.") or text.count(".") > 1:  # noqa: PLR2004 - 0.123
        return None
    return min(float(f"0{text}0"), 1.0)


def _unacceptable(asked: str, offered: Sequence[Format]) -> NotAcceptable:
    printable = "".join(character if character.isprintable() else "?" for character in asked)
    return NotAcceptable(
        f"'{printable}' is not offered here; there is {', '.join(offered)}: "
        f"use format=… or Accept: {', '.join(CONTENT_TYPES[each] for each in offered)}."
    )
