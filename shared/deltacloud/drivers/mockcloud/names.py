"""Ids that clients choose, ids that the cloud makes, and times as texts."""

from __future__ import annotations

import itertools
import time

from deltacloud.catalogue.check import shown
from deltacloud.drivers.mockcloud.records import Changes
from deltacloud.errors import InvalidParameters
from deltacloud.models import Record


def check_name(name: str, parameter: str = "name") -> str:
    """Return a name that may become an id and so a part of URLs.

    Raises:
        InvalidParameters: it is empty, a relative path, or holds a slash or a control character.
    """
    if name in {"", ".", ".."} or "/" in name or not name.isprintable():
        raise InvalidParameters(
            f"Parameter '{parameter}' must be a name without slashes and control characters, not {shown(name)}.",
            details={"parameter": parameter},
        )
    return name


def fresh_id(changes: Changes, kind: type[Record], prefix: str) -> str:
    """Return ``<prefix><Unix seconds>``, with a counter behind it from the second one of a second on."""
    wanted = f"{prefix}{int(time.time())}"
    numbered = (f"{wanted}_{count}" for count in itertools.count(1))
    return next(each for each in itertools.chain((wanted,), numbered) if changes.find(kind, each) is None)


def now_text() -> str:
    """Return the local time as the mock cloud shows it: ``2020-01-01 10:00:00 +0000``."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
