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
_is_plain = _PLAIN.fullmatch
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
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    return text if _is_plain(text) else _clean(text).translate(table)


def _clean(value: Value) -> str:
    return _ILLEGAL.sub("\ufffd", "" if value is None else str(value))


def _write(element: Element, indent: str, out: list[str]) -> None:
    name, layout, children = element.name, element.layout, element.children
    attributes = _attributes(element.attributes) if element.attributes else ""
    if layout == "void":
        out.append(f"<{name}{attributes} />")
        return
    text = cdata_section(element.text) if element.cdata else _escaped(element.text, _TEXT)
    if layout == "block":
        inner = f"{indent}  "
        out.append(f"<{name}{attributes}>" if element.text is None else f"<{name}{attributes}>\n{inner}{text}")
        for child in children:
            out.append(f"\n{inner}")
            _write(child, inner, out)
        out.append(f"\n{indent}</{name}>")
    elif children:
        out.append(f"<{name}{attributes}>{text}")
        for position, child in enumerate(children):
            if position:
                out.append(f"\n{indent}")
            _write(child, indent, out)
        out.append(f"</{name}>")
    else:
        out.append(f"<{name}{attributes}>{text}</{name}>")


def _attributes(attributes: Mapping[str, Value]) -> str:
    written = ""
    for name in sorted(attributes):
        value = attributes[name]
        if value is not None:
            written += f" {name}='{_escaped(value, _ATTRIBUTE)}'"
    return written
