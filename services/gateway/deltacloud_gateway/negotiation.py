"""Which representation answers a request: the original's rules, with its mistakes put right."""

from __future__ import annotations

from typing import Literal

Format = Literal["xml", "json", "html", "png", "gv"]
