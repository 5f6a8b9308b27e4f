"""How records of the network collections look: addresses, firewalls, load balancers, networks, subnets, interfaces."""

from __future__ import annotations

from typing import Any

from deltacloud.models import (
    Address,
    Firewall,
    FirewallRule,
    Listener,
    LoadBalancer,
    Network,
    NetworkInterface,
    RuleSource,
    Subnet,
)
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
from deltacloud_gateway.representations.xml import Element


def address(record: Address, view: View) -> Shape:
    """Describe an address; it can be given to an instance, or taken from the one that has it."""
    used_by = record.instance_id
    change = "associate" if used_by is None else "disassociate"
    state = Part(
        "associated",
        json=lambda: {"associated": used_by is not None, **({} if used_by is None else {"instance_id": used_by})},
    )
    holder = reference("instance", view, "instances", used_by)
    parts = (
        text("ip", record.id, json=None),
        actions(possible(view, "addresses", record.id, "destroy", change)),
        Part(holder.label, xml=holder.xml, html=holder.html, is_column=True),
        state,
    )
    return Shape("address", record.id, view.url("addresses", record.id), parts)


def firewall(record: Firewall, view: View) -> Shape:
    """Describe a firewall with its rules. In the list each link repeats an id and adding a rule has another rel."""
    parts = (
        actions(_firewall_actions(record, view)),
        text("name", record.name, cdata=True),
        text("description", record.description, cdata=True),
        text("owner_id", record.owner_id),
        _rules(record, view),
    )
    return Shape("firewall", record.id, view.url("firewalls", record.id), parts)


def _firewall_actions(record: Firewall, view: View) -> list[Action]:
    rel = "add_rule" if view.is_index else "update"
    return [
        Action(
            rel=rel if each.rel == "rules" else each.rel,
            method=each.method,
            url=each.url,
            operation=each.operation,
            id=record.id if view.is_index else None,
        )
        for each in possible(view, "firewalls", record.id, "destroy", "rules")
    ]


def _rules(record: Firewall, view: View) -> Part:
    return Part(
        "rules",
        xml=lambda: (Element("rules", children=[_rule(each, record, view) for each in record.rules], layout="block"),),
        json=lambda: {"rules": [_rule_object(each) for each in record.rules]},
        html=lambda: tuple(_rule_text(each) for each in record.rules),
        is_column=True,
    )


def _rule(rule: FirewallRule, record: Firewall, view: View) -> Element:
    url = view.url("firewalls", record.id, rule.id)
    remove = Action(rel="destroy", method="delete", url=url, id=rule.id if view.is_index else None)
    offered = [remove.element()] if view.can("destroy_firewall_rule") else []
    fields = ("allow_protocol", "port_from", "port_to", "direction", "rule_action", "log_rule")
    return Element(
        "rule",
        {"href": None if view.is_index else url, "id": rule.id},
        children=[
            Element("actions", children=offered, layout="block"),
            *(Element(name, text=getattr(rule, name)) for name in fields),
            Element(
                "sources", children=[Element("source", _source(s, xml=True)) for s in rule.sources], layout="block"
            ),
        ],
    )


def _source(source: RuleSource, *, xml: bool) -> dict[str, str | None]:
    if source.type == "group":
        fields = {"type": source.type, "name": source.id, "owner": source.owner}
    else:
        fields = {"type": source.type, "family": source.family, "address": source.id, "prefix": source.prefix}
    return fields if xml else {name: value for name, value in fields.items() if value is not None}


def _rule_object(rule: FirewallRule) -> dict[str, Any]:
    fields = {
        "id": rule.id,
        "allow_protocol": rule.allow_protocol,
        "port_from": rule.port_from,
        "port_to": rule.port_to,
        "sources": [_source(each, xml=False) for each in rule.sources],
        "direction": rule.direction,
        "rule_action": rule.rule_action,
        "log_rule": rule.log_rule,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _rule_text(rule: FirewallRule) -> str:
    sources = ", ".join(each.id + (f"/{each.prefix}" if each.prefix else "") for each in rule.sources)
    return f"{rule.allow_protocol} {rule.port_from} to {rule.port_to} from {sources or 'nowhere'}"


def load_balancer(record: LoadBalancer, view: View) -> Shape:
    """Describe a load balancer; it has no name element."""
    url = view.url("load_balancers", record.id)
    first_realm = reference("realm", view, "realms", record.realms[0] if record.realms else None)
    realms = references("realms", "realm", view, record.realms)
    parts = (
        actions(possible(view, "load_balancers", record.id, "destroy", "register")),
        Part(
            "public addresses",
            xml=lambda: (
                Element(
                    "public_addresses",
                    children=[Element("address", text=each) for each in record.public_addresses],
                    layout="block",
                ),
            ),
            json=lambda: {"public_addresses": list(record.public_addresses)},
            html=lambda: record.public_addresses,
            is_column=True,
        ),
        text("created_at", record.created_at),
        Part("realms", xml=first_realm.xml, json=realms.json, html=realms.html, is_column=True),
        _listeners(record),
        _balanced(record, view),
    )
    return Shape("load_balancer", record.id, url, parts)


def _listeners(record: LoadBalancer) -> Part:
    def element(each: Listener) -> Element:
        ports = ("load_balancer_port", "instance_port")
        children = [Element(name, text=getattr(each, name)) for name in ports]
        return Element("listener", {"protocol": each.protocol}, children=children)

    return Part(
        "listeners",
        xml=lambda: (Element("listeners", children=[element(each) for each in record.listeners], layout="block"),),
        json=lambda: {
            "listeners": [
                {
                    "id": each.id,
                    "protocol": each.protocol,
                    "load_balancer_port": each.load_balancer_port,
                    "instance_port": each.instance_port,
                }
                for each in record.listeners
            ]
        },
        html=lambda: tuple(
            f"{each.protocol} {each.load_balancer_port} → {each.instance_port}" for each in record.listeners
        ),
    )


def _balanced(record: LoadBalancer, view: View) -> Part:
    leave = action(view, "load_balancers", record.id, "unregister").element()
    return Part(
        "instances",
        xml=lambda: (
            Element(
                "instances",
                children=[
                    Element("instance", {"href": view.url("instances", each), "id": each}, children=[leave])
                    for each in record.instances
                ],
                layout="block",
            ),
        ),
        json=lambda: {"instances": [linked(view, "instances", each, "instance") for each in record.instances]},
        html=lambda: tuple(Link(each, view.url("instances", each)) for each in record.instances),
    )


def network(record: Network, view: View) -> Shape:
    """Describe a network."""
    blocks = Part(
        "address blocks",
        xml=lambda: (
            Element(
                "address_blocks",
                children=[Element("address_block", text=each) for each in record.address_blocks],
                layout="block",
            ),
        ),
        json=lambda: {"address_blocks": list(record.address_blocks)},
        html=lambda: record.address_blocks,
        is_column=True,
    )
    parts = (
        text("name", record.name),
        text("state", record.state),
        blocks,
        references("subnets", "subnet", view, record.subnets, layout="block", json_rel=None),
        actions(possible(view, "networks", record.id, "destroy")),
    )
    return Shape("network", record.id, view.url("networks", record.id), parts)


def subnet(record: Subnet, view: View) -> Shape:
    """Describe a subnet; its network is a bare id in XML."""
    owner = record.network_id
    network_part = Part(
        "network",
        xml=lambda: (Element("network", text=owner or "", layout="block"),),
        json=lambda: {"network": None if owner is None else linked(view, "networks", owner)},
        html=lambda: None if owner is None else Link(owner, view.url("networks", owner)),
        is_column=True,
    )
    parts = (
        text("name", record.name),
        text("state", record.state),
        text("address_block", record.address_block, layout="block"),
        network_part,
        text("type", record.type, in_xml=False),
        actions(possible(view, "subnets", record.id, "destroy")),
    )
    return Shape("subnet", record.id, view.url("subnets", record.id), parts)


def network_interface(record: NetworkInterface, view: View) -> Shape:
    """Describe a network interface; it is in a subnet where the driver has subnets."""
    where = ("subnets", "subnet") if view.can("list_subnets") else ("networks", "network")
    parts = (
        text("name", record.name),
        text("ip_address", record.ip_address),
        _attached("network", view, record.network_id, where, "networks"),
        _attached("instance", view, record.instance_id, ("instances", None), "instances"),
        actions(possible(view, "network_interfaces", record.id, "destroy")),
    )
    return Shape("network_interface", record.id, view.url("network_interfaces", record.id), parts)


def _attached(
    name: str,
    view: View,
    id: str | None,
    where: tuple[str, str | None],
    json_collection: str,
) -> Part:
    """A reference whose element repeats the id as text; JSON always points into one collection."""
    if id is None:
        return Part(name, json=lambda: {name: None})
    url = view.url(where[0], id)
    return Part(
        name,
        xml=lambda: (Element(name, {"href": url, "id": id, "rel": where[1]}, text=id),),
        json=lambda: {name: linked(view, json_collection, id)},
        html=lambda: Link(id, url),
        is_column=True,
    )
