"""Where we answer otherwise than the original on purpose: for each exchange the aspects that differ, and why.

Reasons cite the section and number of the wire reference's list of known bugs (§15.1), or say why.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """Aspects in which an answer differs from the recorded one, and the reason."""

    aspects: frozenset[str]
    reason: str


ACCEPTED: dict[tuple[str, str], Difference] = {}
