"""docs/rpc.md as its readers use it: the worked calls to copy from it."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
URL = "amqp://guest:guest@127.0.0.1:5672/"


def worked_calls(language: str) -> dict[str, str]:
    """Return the code blocks of a language by the heading they stand under."""
    found: dict[str, str] = {}
    for section in re.split(r"^### ", (DOCS / "rpc.md").read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0]
        for block in re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            assert title not in found, f"two blocks under {title!r}"
            found[title] = block
    return found


PYTHON = worked_calls("python")
NODE = worked_calls("javascript")
