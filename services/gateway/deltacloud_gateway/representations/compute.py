"""How records of the compute collections look: realms, profiles, images, instances, keys, metrics."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from deltacloud.models import (
    CommandOutput,
    HardwareProfile,
    HardwareProperty,
    Image,
    Instance,
    InstanceAddress,
    Key,
    Metric,
    MetricProperty,
    MetricSample,
    Realm,
)
from deltacloud_gateway import urls
from deltacloud_gateway.representations.parts import (
    action,
    actions,
    linked,
    possible,
    reference,
    references,
    text,
)
from deltacloud_gateway.representations.shape import Action, Link, Part, Shape, View
from deltacloud_gateway.representations.xml import Element, Layout, name_of

OVERRIDES = {"memory": "MB", "storage": "GB", "architecture": "label", "cpu": "count"}
"""The properties an instance can override, in order, with their units."""


def realm(record: Realm, view: View) -> Shape:
    """Describe a realm; an unlimited one has no limit element."""
    unlimited = record.limit is None
    limit = Part(
        "limit",
        xml=None if unlimited else lambda: (Element("limit", text=record.limit, cdata=True),),
        json=lambda: {"limit": "unlimited" if unlimited else record.limit},
        html=lambda: "unlimited" if unlimited else record.limit,
        is_column=True,
    )
    parts = (text("name", record.name), text("state", record.state), limit)
    return Shape("realm", record.id, view.url("realms", record.id), parts)


def hardware_profile(record: HardwareProfile, view: View) -> Shape:
    """Describe a hardware profile; JSON gives each property's default alone."""
    properties = Part(
        "properties",
        xml=lambda: [_property(each, view) for each in record.properties],
        json=(lambda: {"properties": {each.id: str(each.value) for each in record.properties}})
        if record.properties
        else None,
        html=lambda: tuple(_property_text(each) for each in record.properties),
        is_column=True,
    )
    parts = (text("id", record.id, json=None), text("name", record.name), properties)
    return Shape("hardware_profile", record.id, view.url("hardware_profiles", record.id), parts)


def profile_order(record: HardwareProfile) -> tuple[bool, float, float]:
    """Return the sort key of the XML list: by cpu and memory, those that lack one of them last."""
    sizes = {each.id: each.value for each in record.properties}
    cpu, memory = sizes.get("cpu"), sizes.get("memory")
    if not isinstance(cpu, int | float) or not isinstance(memory, int | float):
        return True, 0, 0
    return False, cpu, memory


def _property(each: HardwareProperty, view: View) -> Element:
    attributes = {"kind": each.kind, "name": each.id, "unit": each.unit, "value": each.value}
    if each.kind == "fixed":
        return Element("property", attributes, layout="void")
    parameter = {"href": view.url("instances"), "method": "post", "name": f"hwp_{each.id}", "operation": "create"}
    if each.kind == "range":
        choice = Element("range", {"first": each.first, "last": each.last}, layout="void")
    else:
        entries = [Element("entry", {"value": entry}, layout="void") for entry in each.entries]
        choice = Element("enum", children=entries, layout="block")
    return Element("property", attributes, children=[Element("param", parameter, layout="void"), choice])


def _property_text(each: HardwareProperty) -> str:
    unit = "" if each.unit in {None, "label"} else f" {each.unit}"
    if each.kind == "range":
        return f"{each.id}: {each.value}{unit} ({each.first} to {each.last})"
    if each.kind == "enum":
        return f"{each.id}: {each.value}{unit} (of {', '.join(map(str, each.entries))})"
    return f"{each.id}: {each.value}{unit}"


def image(record: Image, view: View) -> Shape:
    """Describe an image."""
    create = Action(
        rel="create_instance",
        method="post",
        url=view.url("instances") + urls.matrix("image_id", record.id),
        form=f"{view.url('instances', 'new')}?{urlencode({'image_id': record.id})}",
    )
    destroy = [
        Action(rel="destroy_image", method=each.method, url=each.url, operation=each.operation)
        for each in possible(view, "images", record.id, "destroy")
    ]
    parts = (
        text("name", record.name),
        text("description", record.description),
        text("owner_id", record.owner_id, json="owner"),
        text("architecture", record.architecture),
        text("state", record.state, if_set=True),
        text("creation_time", record.creation_time, if_set=True),
        references(
            "hardware_profiles",
            "hardware_profile",
            view,
            record.hardware_profiles,
            layout="block",
            xml_rel="hardware_profile",
            json_if_unknown=True,
        ),
        text("root_type", record.root_type),
        actions([create, *destroy]),
    )
    return Shape("image", record.id, view.url("images", record.id), parts)


def instance(record: Instance, view: View) -> Shape:
    """Describe an instance; most of its elements are there only when the driver told."""
    parts = (
        text("name", record.name, if_set=True),
        text("owner_id", record.owner_id, json="owner", if_set=True),
        reference("image", view, "images", record.image_id),
        reference("realm", view, "realms", record.realm_id),
        text("state", record.state),
        _profile_of(record, view),
        actions(_instance_actions(record, view), json="method"),
        text("launch_time", record.launch_time, json=None, if_set=True),
        _addresses("public_addresses", record.public_addresses),
        _addresses("private_addresses", record.private_addresses),
        references("firewalls", "firewall", view, record.firewalls),
        _volumes(record, view),
        _authentication(record, view),
        _interfaces(record, view),
        Part("", json=lambda: _optional(record)),
    )
    return Shape("instance", record.id, view.url("instances", record.id), parts)


def _optional(record: Instance) -> dict[str, Any]:
    created = {} if record.launch_time is None else {"create_time": record.launch_time}
    return {**created, **({"create_image": True} if record.can_create_image else {})}


def _instance_actions(record: Instance, view: View) -> list[Action]:
    offered = [action(view, "instances", record.id, name) for name in record.actions]
    for run in possible(view, "instances", record.id, "run"):
        url = run.url + urls.matrix("id", record.id)
        offered.append(Action(rel="run", method="post", url=url, operation=run.operation))
    if record.can_create_image:
        url = view.url("images") + urls.matrix("instance_id", record.id)
        form = f"{view.url('images', 'new')}?{urlencode({'instance_id': record.id})}"
        offered.append(Action(rel="create_image", method="post", url=url, form=form))
    return offered


def _profile_of(record: Instance, view: View) -> Part:
    profile = record.hardware_profile_id
    if profile is None:
        return Part("hardware profile", json=lambda: {"hardware_profile": None})
    url = view.url("hardware_profiles", profile)
    overrides = {name: record.hardware_overrides[name] for name in OVERRIDES if name in record.hardware_overrides}
    changed = [
        Element("property", {"kind": "fixed", "name": name, "unit": OVERRIDES[name], "value": value})
        for name, value in overrides.items()
    ]
    return Part(
        "hardware profile",
        xml=lambda: (Element("hardware_profile", {"href": url, "id": profile}, children=changed, layout="block"),),
        json=lambda: {
            "hardware_profile": {
                **linked(view, "hardware_profiles", profile, "hardware_profile"),
                "properties": overrides,
            }
        },
        html=lambda: (Link(profile, url), *(f"{name}: {value}" for name, value in overrides.items())),
        is_column=True,
    )


def _addresses(name: str, addresses: tuple[InstanceAddress, ...]) -> Part:
    def shown(each: InstanceAddress) -> str:
        return "" if each.type == "unavailable" else each.id

    def entry(each: InstanceAddress) -> dict[str, Any]:
        return {"address": shown(each), "type": each.type, **({} if each.port is None else {"port": each.port})}

    return Part(
        name.replace("_", " "),
        xml=lambda: (
            Element(
                name,
                children=[Element("address", {"type": a.type, "port": a.port}, text=shown(a)) for a in addresses],
                layout="inline",
            ),
        ),
        json=lambda: {name: [entry(each) for each in addresses]},
        html=lambda: tuple(shown(each) + (f":{each.port}" if each.port else "") for each in addresses),
        is_column=name == "public_addresses",
    )


def _volumes(record: Instance, view: View) -> Part:
    volumes = [(each.id, view.url("storage_volumes", each.id), each.device) for each in record.storage_volumes]
    return Part(
        "storage volumes",
        xml=lambda: (
            Element(
                "storage_volumes",
                children=[
                    Element("storage_volume", {"device": device, "href": url, "id": volume})
                    for volume, url, device in volumes
                ],
                layout="inline",
            ),
        ),
        json=lambda: {
            "storage_volumes": [linked(view, "storage_volumes", volume, "storage_volume") for volume, _, _ in volumes]
        },
        html=lambda: tuple(
            Link(volume if device is None else f"{volume} on {device}", url) for volume, url, device in volumes
        ),
    )


def _interfaces(record: Instance, view: View) -> Part:
    """Network interfaces stand in the XML alone."""
    part = references("network_interfaces", "network_interface", view, record.network_interfaces)
    return Part(part.label, xml=part.xml, html=part.html)


def _authentication(record: Instance, view: View) -> Part:
    by_key = view.has_feature("instances", "authentication_key")
    if not by_key and not view.has_feature("instances", "authentication_password"):
        return Part("authentication")
    kind = "key" if by_key else "password"
    known = _login(record)
    return Part(
        "authentication",
        xml=lambda: (Element("authentication", {"type": kind}, children=_logins(record), layout="block"),),
        json=lambda: {
            **({"authentication_type": "key"} if by_key else {}),
            **({"authentication": known} if known else {}),
        },
        html=lambda: known.get("keyname") or known.get("user"),
    )


def _login(record: Instance) -> dict[str, str | None]:
    found = record.authentication
    if found is None or found.error is not None:
        return {}
    if found.password is not None:
        return {"user": found.username, "password": found.password}
    return {"keyname": found.id}


def _logins(record: Instance) -> list[Element]:
    found = record.authentication
    if found is None:
        return []
    if found.error is not None:
        return [Element("error", text=found.error)]
    logins = []
    if found.password is not None:
        secret = Element("password", text=found.password, cdata=True)
        logins.append(Element("login", children=[Element("username", text=found.username), secret]))
    if found.id or found.password is None:
        logins.append(Element("login", children=[Element("keyname", text=found.id)]))
    return logins


def command_output(record: CommandOutput, view: View) -> Shape:
    """Describe what a command printed: an instance element of another kind, without a prolog."""
    parts = (
        text("public_address", record.public_address, layout="block"),
        text("command", record.command, layout="block"),
        text("output", record.output),
    )
    url = view.url("instances", record.id)
    return Shape("instance", record.id, url, parts, has_prolog=False, has_href_in_json=False)


def key(record: Key, view: View) -> Shape:
    """Describe a key."""
    is_key = record.credential_type == "key"
    parts = [text("name", record.id, json=None), actions(possible(view, "keys", record.id, "destroy"))]
    if is_key:
        parts += [
            _if_known("fingerprint", record.fingerprint, "fingerprint"),
            _if_known("pem", record.pem, "pem_rsa_key"),
        ]
    parts += [
        text("username", record.username, cdata=True, in_xml=not is_key),
        text("password", record.password, cdata=True, in_xml=not is_key),
        text("state", record.state),
        Part("credential type", json=lambda: {"credential_type": record.credential_type}),
    ]
    url = view.url("keys", record.id)
    return Shape("key", record.id, url, parts, attributes={"type": record.credential_type})


def _if_known(name: str, value: str | None, json: str) -> Part:
    if value is None:
        return Part(name)
    is_pem = name == "pem"
    layout: Layout = "block" if is_pem else "line"
    return Part(
        name,
        xml=lambda: (Element(name, text=value, cdata=is_pem, layout=layout),),
        json=lambda: {json: value},
        html=lambda: value,
        is_column=not is_pem,
    )


def metric(record: Metric, view: View) -> Shape:
    """Describe what is measured of one entity; each property is an element of its own name."""
    properties = Part(
        "properties",
        xml=lambda: (Element("properties", children=[_measured(each) for each in record.properties], layout="block"),),
        json=lambda: {"properties": [{"name": each.id, "values": _values(each)} for each in record.properties]},
        html=lambda: tuple(_measured_text(each) for each in record.properties),
    )
    parts = (text("entity", record.id if record.entity is None else record.entity), properties)
    return Shape("metric", record.id, view.url("metrics", record.id), parts)


def _measured(each: MetricProperty) -> Element:
    samples = [
        Element(
            "sample",
            children=[Element("property", {"name": name, "value": value}) for name, value in _sample(sample).items()],
        )
        for sample in each.samples or ()
    ]
    return Element(name_of(each.id), children=samples, layout="inline")


def _values(each: MetricProperty) -> list[dict[str, Any]] | None:
    return None if each.samples is None else [_sample(sample) for sample in each.samples]


def _sample(sample: MetricSample) -> dict[str, Any]:
    timestamp = int(sample.id) if sample.id.isdecimal() else sample.id
    fields = {"minimum": sample.minimum, "maximum": sample.maximum, "average": sample.average}
    known = {name: value for name, value in fields.items() if value is not None}
    return {**known, "timestamp": timestamp, **({} if sample.unit is None else {"unit": sample.unit})}


def _measured_text(each: MetricProperty) -> str:
    if not each.samples:
        return each.id
    latest = each.samples[0]
    return f"{each.id}: {latest.average} {latest.unit or ''} on average, {latest.minimum} to {latest.maximum}"
