"""docs/performance.md: prose that stays, and tables between markers that each run writes anew."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import ROOT

DOCUMENT = ROOT / "docs/performance.md"


def write(tables: dict[str, str], document: Path = DOCUMENT) -> None:
    """Put each text between the markers ``<!-- begin <name> -->`` and ``<!-- end <name> -->``.

    Raises:
        LookupError: the document has no such markers.
    """
    text = document.read_text(encoding="utf-8")
    for name, table in tables.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        pattern = re.compile(f"({re.escape(begin)}).*?({re.escape(end)})", re.DOTALL)
        if not pattern.search(text):
            raise LookupError(f"{document.name} has no place for '{name}': {begin} … {end}")
        text = pattern.sub(lambda found, table=table: f"{found[1]}\n{table}\n{found[2]}", text)  # type: ignore[misc]
    document.write_text(text, encoding="utf-8")
