"""The kinds of parts that most descriptions are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deltacloud import catalogue
from deltacloud_gateway.representations.shape import Action, Link, Part, View
from deltacloud_gateway.representations.xml import Element, Layout, Value


def text(
    name: str,
    value: Value,
    *,
    json: str | None = "",
    if_set: bool = False,
    cdata: bool = False,
    layout: Layout = "line",
    in_xml: bool = True,
) -> Part:
    """Return a part that is an element with text and a JSON value.

    Args:
        name: the element's name.
        value: the value; ``None`` makes an empty element and ``null``.
        json: the key in JSON if it is another name; ``None`` leaves it out there.
        if_set: leave the element out for ``None``; the JSON keeps its ``null``.
        cdata: write the text in CDATA.
        layout: how the element is written.
        in_xml: whether there is an element at all.
    """
    key = name if json == "" else json
    shown = in_xml and not (if_set and value is None)
    content = "" if value is None and layout == "block" else value
    return Part(
        name.replace("_", " "),
        xml=(lambda: (Element(name, text=content, cdata=cdata, layout=layout),)) if shown else None,
        json=(lambda: {key: value}) if key is not None else None,
        html=lambda: None if value is None else str(value),
        is_column=True,
    )


def reference(name: str, view: View, collection: str, id: str | None, **extra: Value) -> Part:
    """Return a part that points at one other record: an element with href and id, in JSON an object with its rel.

    Without an id there is no element and the JSON says ``null``. ``extra`` are further attributes of the element.
    """
    if id is None:
        return Part(name.replace("_", " "), json=lambda: {name: None})
    url = view.url(collection, id)
    return Part(
        name.replace("_", " "),
        xml=lambda: (Element(name, {"href": url, "id": id, **extra}),),
        json=lambda: {name: {"href": url, "id": id, "rel": name}},
        html=lambda: Link(id, url),
        is_column=True,
    )


def references(
    name: str,
    member: str,
    view: View,
    ids: Sequence[str] | None,
    *,
    layout: Layout = "inline",
    xml_rel: str | None = None,
    json_rel: str | None = "",
    json_if_unknown: bool = False,
) -> Part:
    """Return a part that points at several records of the collection ``name``; nothing where they are not known.

    Args:
        name: the element's name, the JSON key and the collection.
        member: the name of each.
        view: the view.
        ids: their ids, ``None`` when the driver does not tell.
        layout: how the element is written.
        xml_rel: the rel attribute of each in XML.
        json_rel: the rel of each in JSON if it is not the member's name; ``None`` leaves it out.
        json_if_unknown: in JSON an empty list stands for not known.
    """
    label = name.replace("_", " ")
    if ids is None:
        return Part(label, json=(lambda: {name: []}) if json_if_unknown else None)
    rel = member if json_rel == "" else json_rel
    return Part(
        label,
        xml=lambda: (
            Element(
                name,
                children=[Element(member, {"href": view.url(name, each), "id": each, "rel": xml_rel}) for each in ids],
                layout=layout,
            ),
        ),
        json=lambda: {name: [linked(view, name, each, rel) for each in ids]},
        html=lambda: tuple(Link(each, view.url(name, each)) for each in ids),
    )


def linked(view: View, collection: str, id: str, rel: str | None = None) -> dict[str, Any]:
    """Return the JSON object that points at a record."""
    return {"id": id, "href": view.url(collection, id), **({"rel": rel} if rel else {})}


def action(view: View, collection: str, id: str, name: str, rel: str | None = None) -> Action:
    """Return the action that an operation of the catalogue offers on a record."""
    operation = catalogue.collection(collection).operation(name)
    segments = (collection, id) if name == "destroy" else (collection, id, name)
    method = "post" if operation.http_method is None else operation.http_method.lower()
    return Action(rel=rel or name, method=method, url=view.url(*segments), operation=operation)


def possible(view: View, collection: str, id: str, *names: str) -> list[Action]:
    """Return the named actions that the driver has."""
    found = (action(view, collection, id, name) for name in names)
    return [each for each in found if each.operation is not None and view.can(each.operation.rpc)]


def actions(offered: Sequence[Action], *, json: str = "", if_any: bool = False) -> Part:
    """Return the part with the links of what can be done now.

    Args:
        offered: the actions.
        json: ``""`` leaves them out of JSON, ``"plain"`` gives href and rel, ``"method"`` the method too.
        if_any: leave the element out when there is none.
    """
    keys = {"plain": ("href", "rel"), "method": ("href", "rel", "method")}.get(json)
    return Part(
        "actions",
        xml=None
        if if_any and not offered
        else lambda: (Element("actions", children=[each.element() for each in offered], layout="block"),),
        json=None
        if keys is None
        else lambda: {"actions": [{key: _fields(each)[key] for key in keys} for each in offered]},
        actions=offered,
    )


def _fields(each: Action) -> dict[str, str]:
    return {"href": each.url, "rel": each.rel, "method": each.method}
