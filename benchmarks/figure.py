"""What a figure is: measured rows, a verdict for each that has a target, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table. ``target`` is what to reach, in words; ``is_met`` is ``None`` where there is none."""

    measure: str
    cells: tuple[str, ...]
    target: str = ""
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        """The target and whether it was reached."""
        if self.is_met is None:
            return self.target
        return f"{self.target}: {'reached' if self.is_met else '**missed**'}"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one benchmark: a heading for each column behind the first, rows, and how it was taken."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    how: str

    def table(self) -> str:
        """Return the table, in Markdown."""
        lines = [_line("", *self.columns, "to reach"), _line(*["---"] * (len(self.columns) + 2))]
        lines += [_line(row.measure, *row.cells, row.verdict) for row in self.rows]
        return "\n".join([*lines, "", self.how])


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest of the values that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return percentile(values, 50)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
