"""HTTP's conditions and ranges, as a store applies them. Source: RFC 9110, sections 13 and 14."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from deltacloud.errors import PreconditionFailed, RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def check_write(conditions: Mapping[str, str], etag: str | None) -> None:
    """Do nothing if a blob may be replaced.

    Args:
        conditions: ``if-match``, ``if-none-match``; other ones are of no effect on a write.
        etag: of the blob that is there, ``None`` when there is none.

    Raises:
        PreconditionFailed: a condition does not hold.
    """
    wanted, unwanted = conditions.get("if-match"), conditions.get("if-none-match")
    if wanted is not None and not _names(wanted, etag):
        raise PreconditionFailed("If-Match: the blob is not the one you know.")
    if unwanted is not None and _names(unwanted, etag):
        raise PreconditionFailed("If-None-Match: there is such a blob.")


def is_unchanged(conditions: Mapping[str, str], etag: str, modified: float) -> bool:
    """Return whether a reader has the blob already (304).

    Args:
        conditions: by lower-case name.
        etag: the blob's, unquoted.
        modified: when it was stored, Unix seconds.

    Raises:
        PreconditionFailed: the blob is not the one the reader wants.
    """
    wanted, since = conditions.get("if-match"), _moment(conditions.get("if-unmodified-since"))
    if (wanted is not None and not _names(wanted, etag)) or (
        wanted is None and since is not None and int(modified) > since
    ):
        raise PreconditionFailed("The blob is not the one you know.")
    unwanted = conditions.get("if-none-match")
    if unwanted is not None:
        return _names(unwanted, etag)
    since = _moment(conditions.get("if-modified-since"))
    return since is not None and int(modified) <= since


def byte_range(conditions: Mapping[str, str], size: int, etag: str) -> range | None:
    """Return the bytes a reader wants, ``None`` for all; what is not one well-formed range is ignored, as HTTP says.

    Raises:
        RangeNotSatisfiable: the range lies outside; ``details['size']`` is the blob's.
    """
    found = _RANGE.fullmatch(conditions.get("range", "").replace(" ", ""))
    expected = conditions.get("if-range")
    if found is None or found[0] == "bytes=-" or (expected is not None and not _names(expected, etag)):
        return None
    first, last = found.groups()
    if not first:
        wanted = range(max(0, size - int(last)), size)
    else:
        wanted = range(int(first), min(size, int(last) + 1) if last else size)
        if last and int(last) < int(first):
            return None
    if not wanted:
        raise RangeNotSatisfiable(f"The blob has {size} bytes.", details={"size": str(size)})
    return wanted


def _names(condition: str, etag: str | None) -> bool:
    if etag is None:
        return False
    listed = [each.strip().removeprefix("W/").strip('"') for each in condition.split(",")]
    return "*" in listed or etag in listed


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
