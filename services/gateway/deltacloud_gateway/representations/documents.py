"""Whole answers: one record, a list of them, or something of its own, in each of the formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from deltacloud import catalogue
from deltacloud.errors import NotAcceptable
from deltacloud.models import (
    Address,
    Blob,
    Bucket,
    CommandOutput,
    Firewall,
    HardwareProfile,
    Image,
    Instance,
    Key,
    LoadBalancer,
    Metric,
    Network,
    NetworkInterface,
    Realm,
    Record,
    StorageSnapshot,
    StorageVolume,
    Subnet,
)
from deltacloud_gateway.negotiation import Format
from deltacloud_gateway.representations import compute, network, storage, xml
from deltacloud_gateway.representations.shape import Action, Shape, View
from deltacloud_gateway.routing import has_form

DESCRIBE: dict[type[Record], Callable[[Any, View], Shape]] = {
    Address: network.address,
    Blob: storage.blob,
    Bucket: storage.bucket,
    CommandOutput: compute.command_output,
    Firewall: network.firewall,
    HardwareProfile: compute.hardware_profile,
    Image: compute.image,
    Instance: compute.instance,
    Key: compute.key,
    LoadBalancer: network.load_balancer,
    Metric: compute.metric,
    Network: network.network,
    NetworkInterface: network.network_interface,
    Realm: compute.realm,
    StorageSnapshot: storage.storage_snapshot,
    StorageVolume: storage.storage_volume,
    Subnet: network.subnet,
}
"""How each record is described."""

XML_ORDER: dict[type[Record], Callable[[Any], Any]] = {HardwareProfile: compute.profile_order}
"""Lists whose order in XML is not the driver's."""

_JSON = msgspec.json.Encoder()


class Page(msgspec.Struct, frozen=True):
    """A page: the name of its template and what it shows."""

    template: str
    title: str
    values: Mapping[str, Any]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An answer before it is written down; each format is made only when it is asked for."""

    xml: Callable[[], bytes] | None = None
    json: Callable[[], Any] | None = None
    page: Callable[[], Page] | None = None
    others: Mapping[Format, Callable[[], bytes]] = {}

    def write(self, format: Format) -> bytes | Page:
        """Return the bytes in a format, or the page where it is HTML.

        Raises:
            NotAcceptable: the answer has no such form.
        """
        if format == "xml" and self.xml is not None:
            return self.xml()
        if format == "json" and self.json is not None:
            return _JSON.encode(self.json())
        if format == "html" and self.page is not None:
            return self.page()
        if format in self.others:
            return self.others[format]()
        raise NotAcceptable(f"There is no {format} of this.")


def member(record: Record, view: View, *, wraps_json: bool = True) -> Document:
    """Return the document of one record. Without ``wraps_json`` its JSON is the bare object."""
    shape = DESCRIBE[type(record)](record, view)
    return Document(
        xml=lambda: xml.document(shape.element(), prolog=shape.has_prolog),
        json=lambda: {shape.member: shape.object()} if wraps_json else shape.object(),
        page=lambda: Page("member.html", f"{shape.member.replace('_', ' ')} {shape.id}", {"shape": shape}),
    )


def many(collection: str, records: Sequence[Record], view: View) -> Document:
    """Return the document of a list of records."""

    def shapes(order: Callable[[Any], Any] | None = None) -> list[Shape]:
        listed = sorted(records, key=order) if order is not None else records
        return [DESCRIBE[type(record)](record, view) for record in listed]

    def write_xml() -> bytes:
        order = XML_ORDER.get(type(records[0])) if records else None
        root = xml.Element(collection, children=[shape.element() for shape in shapes(order)], layout="block")
        return xml.document(root, prolog=True)

    return Document(
        xml=write_xml,
        json=lambda: {collection: [shape.object() for shape in shapes()]},
        page=lambda: Page(
            "list.html", collection.replace("_", " "), {"table": table(shapes()), "offered": offered(collection, view)}
        ),
    )


def offered(collection: str, view: View) -> list[Action]:
    """Return what can be done with a collection as a whole: making another."""
    found = catalogue.collection(collection)
    create = next((each for each in found.operations if each.name == "create"), None)
    if create is None or not view.can(create.rpc):
        return []
    url = view.url(collection)
    return [
        Action(
            rel=create.rpc, method="post", url=url, operation=create, form=f"{url}/new" if has_form(create) else None
        )
    ]


def table(shapes: Sequence[Shape]) -> dict[str, Any]:
    """Return the columns and rows of a page's table; each row is the record's shape and its cells by label."""
    columns = list(dict.fromkeys(part.label for shape in shapes for part in shape.parts if part.is_column))
    rows = [
        (shape, {part.label: part.html() for part in shape.parts if part.is_column and part.html is not None})
        for shape in shapes
    ]
    has_actions = any(part.actions for shape in shapes for part in shape.parts)
    return {"columns": columns, "rows": rows, "has_actions": has_actions}
