"""How long a cloud asks its callers to wait: the ``Retry-After`` header (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re

LONGEST_S = 3600.0
"""More than an hour is not worth passing on: whoever waits that long asks again sooner."""

_SECONDS = re.compile(r"[0-9]+")


def parse(text: str | None) -> float | None:
    """Return the seconds to wait, at most :data:`LONGEST_S`; None where the text is no whole number of seconds.

    The header may also hold a date; clouds that throttle do not send one, so it counts as nothing said.
    """
    stripped = (text or "").strip()
    return min(float(stripped), LONGEST_S) if _SECONDS.fullmatch(stripped) else None
