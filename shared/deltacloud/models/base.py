"""What every record shares."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record that crosses the wire as a JSON object. Unknown fields are skipped, new ones have defaults."""

    id: str


T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A list on the wire. ``next`` is the marker of the following page, ``None`` at the end."""

    items: list[T]
    next: str | None = None
