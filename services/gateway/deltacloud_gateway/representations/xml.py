"""A small XML writer with the original's shape: sorted attributes in single quotes, its breaks, its empty elements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

PROLOG = "<?xml version='1.0' encoding='utf-8' ?>\n"

Layout = Literal["line", "block", "inline", "void"]
"""``line``: text beside the tags, ``<x></x>`` when empty; ``block``: each child on a line of its own, also when there
is none; ``inline``: children right between the tags; ``void``: ``<x />``."""

_PLAIN = re.compile(r"[^&<>'\"\x00-\x1f\x7f-\U0010ffff]*")
"""Text that can be written as it is; most is, and need not be looked at twice."""
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)

Value = str | int | float | None


class Element:
    """An element: attributes that are ``None`` are left out, text or children inside.

    ``cdata`` puts the text in a CDATA section. A name that XML does not allow is a mistake of the caller's.
    """

    __slots__ = ("attributes", "cdata", "children", "layout", "name", "text")

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, Value] | None = None,
        *,
        text: Value = None,
        children: Sequence[Element] = (),
        layout: Layout | None = None,
        cdata: bool = False,
    ) -> None:
        self.name = name
        self.attributes = attributes or {}
        self.text = text
        self.children = children
        self.layout: Layout = layout or ("block" if children else "line")
        self.cdata = cdata


def document(root: Element, *, prolog: bool) -> bytes:
    """Return the document's bytes, UTF-8."""
    out = [PROLOG] if prolog else []
    _write(root, "", out)
    out.append("\n")
    return "".join(out).encode()


def escape(value: Value) -> str:
    """Return a value as element text; characters that XML cannot hold become U+FFFD."""
    return _escaped(value, _TEXT)


def name_of(text: str) -> str:
    """Return a text as an element's name: what XML does not allow there becomes ``_``."""
    name = re.sub(r"[^\w.-]", "_", text, flags=re.ASCII) or "_"
    return name if name[0].isalpha() or name[0] == "_" else f"_{name}"


def cdata_section(value: Value) -> str:
    """Return a value in CDATA; an end mark inside it is split over two sections."""
    return f"<![CDATA[{_clean(value).replace(']]>', ']]]]><![CDATA[>')}]]>"


def _escaped(value: Value, table: dict[int, str]) -> str:
    text = "" if value is None else str(value)
    return text if _PLAIN.fullmatch(text) else _clean(text).translate(table)


def _clean(value: Value) -> str:
    return _ILLEGAL.sub("\ufffd", "" if value is None else str(value))


def _write(element: Element, indent: str, out: list[str]) -> None:
    out.append(f"<{element.name}{_attributes(element.attributes)}")
    if element.layout == "void":
        out.append(" />")
        return
    text = cdata_section(element.text) if element.cdata else escape(element.text)
    if element.layout == "block":
        inner = f"{indent}  "
        out.append(">" if element.text is None else f">\n{inner}{text}")
        for child in element.children:
            out.append(f"\n{inner}")
            _write(child, inner, out)
        out.append(f"\n{indent}")
    else:
        out.append(f">{text}")
        for position, child in enumerate(element.children):
            if position:
                out.append(f"\n{indent}")
            _write(child, indent, out)
    out.append(f"</{element.name}>")


def _attributes(attributes: Mapping[str, Value]) -> str:
    return "".join(
        f" {name}='{_escaped(attributes[name], _ATTRIBUTE)}'"
        for name in sorted(attributes)
        if attributes[name] is not None
    )
