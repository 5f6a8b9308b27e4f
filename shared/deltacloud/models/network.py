"""Records of the network collections: addresses, firewalls, load balancers, networks, subnets, interfaces."""

from __future__ import annotations

from typing import Literal

from deltacloud.models.base import Record


class Address(Record, frozen=True, kw_only=True):
    """A public address; ``id`` is the address. ``instance_id`` is set while it is associated."""

    instance_id: str | None = None


class RuleSource(Record, frozen=True, kw_only=True):
    """Where a rule lets traffic in from; ``id`` is the address, or the group's name."""

    type: Literal["address", "group"]
    family: str | None = None
    prefix: str | None = None
    owner: str | None = None


class FirewallRule(Record, frozen=True, kw_only=True):
    """One rule of a firewall. Ports are texts of numbers; ``allow_protocol`` is tcp, udp or icmp."""

    allow_protocol: str
    port_from: str | None = None
    port_to: str | None = None
    direction: str | None = "ingress"
    rule_action: str | None = None
    log_rule: str | None = None
    sources: tuple[RuleSource, ...] = ()


class Firewall(Record, frozen=True, kw_only=True):
    """A set of rules that instances are put into."""

    name: str | None = None
    description: str | None = None
    owner_id: str | None = None
    rules: tuple[FirewallRule, ...] = ()


class Listener(Record, frozen=True, kw_only=True):
    """One listener of a load balancer. Ports are numbers."""

    protocol: str
    load_balancer_port: int
    instance_port: int


class LoadBalancer(Record, frozen=True, kw_only=True):
    """A load balancer. ``realms`` and ``instances`` are ids, ``public_addresses`` names or addresses."""

    created_at: str | None = None
    realms: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] = ()
    instances: tuple[str, ...] = ()
    public_addresses: tuple[str, ...] = ()


class Network(Record, frozen=True, kw_only=True):
    """A network; ``address_blocks`` are CIDRs, ``subnets`` ids. States: UP, DOWN."""

    name: str | None = None
    state: str = "UP"
    address_blocks: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()


class Subnet(Record, frozen=True, kw_only=True):
    """A part of a network."""

    name: str | None = None
    network_id: str | None = None
    address_block: str | None = None
    state: str = "UP"
    type: str | None = None


class NetworkInterface(Record, frozen=True, kw_only=True):
    """A card of an instance. ``network_id`` is a subnet's id where the driver has subnets."""

    name: str | None = None
    instance_id: str | None = None
    network_id: str | None = None
    ip_address: str | None = None
