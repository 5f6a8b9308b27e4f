"""What a description of a record is made of: parts that know their XML, their JSON and their place on a page.

One description drives the three. Where the original's XML and JSON differ, the part says both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from deltacloud.catalogue import Operation
from deltacloud.models import DriverInfo
from deltacloud_gateway import urls
from deltacloud_gateway.representations.xml import Element, Value


class Link(msgspec.Struct, frozen=True):
    """A link on a page."""

    text: str
    url: str


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be done now.

    ``method`` is lower case; ``operation`` is what it runs; ``form`` is the page to fill in, where that is not the
    action's own URL; ``id`` is an attribute that links of firewalls have.
    """

    rel: str
    method: str
    url: str
    operation: Operation | None = None
    form: str | None = None
    id: str | None = None

    def element(self) -> Element:
        """Return the link element."""
        attributes = {"href": self.url, "method": self.method, "rel": self.rel, "id": self.id}
        return Element("link", attributes, layout="void")


Cell = str | Link | tuple[Any, ...] | None
"""What stands in a table's cell: a text, a link, or several of them."""


class Part:
    """One fact of a record. ``is_column`` puts it into tables of many records."""

    __slots__ = ("actions", "html", "is_column", "json", "label", "xml")

    def __init__(
        self,
        label: str,
        *,
        xml: Callable[[], Sequence[Element]] | None = None,
        json: Callable[[], Mapping[str, Any]] | None = None,
        html: Callable[[], Cell] | None = None,
        is_column: bool = False,
        actions: Sequence[Action] = (),
    ) -> None:
        self.label = label
        self.xml = xml
        self.json = json
        self.html = html
        self.is_column = is_column
        self.actions = actions


class Shape:
    """A record described: its element's name, which is its JSON key too, and its parts in the order of the XML.

    ``attributes`` are those of the element besides href and id. ``has_href_in_json`` is off for the one that lacks it.
    """

    __slots__ = ("attributes", "has_href_in_json", "has_prolog", "href", "id", "member", "parts")

    def __init__(
        self,
        member: str,
        id: str,
        href: str,
        parts: Sequence[Part],
        *,
        attributes: Mapping[str, Value] | None = None,
        has_prolog: bool = True,
        has_href_in_json: bool = True,
    ) -> None:
        self.member = member
        self.id = id
        self.href = href
        self.parts = parts
        self.attributes = attributes or {}
        self.has_prolog = has_prolog
        self.has_href_in_json = has_href_in_json

    def element(self) -> Element:
        """Return the record's element."""
        children = [element for part in self.parts if part.xml is not None for element in part.xml()]
        return Element(self.member, {"href": self.href, "id": self.id, **self.attributes}, children=children)

    def object(self) -> dict[str, Any]:
        """Return the record's JSON object."""
        found: dict[str, Any] = {"id": self.id}
        if self.has_href_in_json:
            found["href"] = self.href
        for part in self.parts:
            if part.json is not None:
                found.update(part.json())
        return found


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What a description must know besides the record: the driver, the API's URL, and whether it is one of many."""

    driver: DriverInfo
    base_url: str
    is_index: bool = False

    def url(self, *segments: str) -> str:
        """Return an absolute URL below the API."""
        return urls.join(self.base_url, *segments)

    def can(self, rpc: str) -> bool:
        """Whether the driver has the operation."""
        return rpc in self.driver.operations

    def has_feature(self, collection: str, name: str) -> bool:
        """Whether the driver declares the feature."""
        return any(each.collection == collection and each.name == name for each in self.driver.features)
