"""firewalls: rules about what may reach instances."""

from deltacloud.catalogue.build import ID, Builder, need, text
from deltacloud.catalogue.model import Parameter
from deltacloud.models import Firewall

RULE_ID = Parameter(name="rule_id", required=True, in_path=True, max_length=2048, description="The rule's id")

COLLECTION = (
    Builder("firewalls", "firewall", Firewall)
    .index(description="List the firewalls with their rules.")
    .show(description="Show one firewall.")
    .create(
        need("name", "The firewall's name", max_length=255),
        need("description", "What it is for", max_length=255),
        description="Make a firewall without rules.",
    )
    .destroy(capability="delete_firewall", description="Destroy a firewall.")
    .other(
        "rules",
        "POST",
        "/firewalls/{id}/rules",
        ID,
        need("protocol", "Protocol", choices=("tcp", "udp", "icmp"), allow_empty=False),
        need("port_from", "First port (ICMP: type)", type="integer", minimum=-1, maximum=65_535),
        need("port_to", "Last port (ICMP: code)", type="integer", minimum=-1, maximum=65_535),
        text("ip_addresses", "Sources, CIDR", type="list", numbered=("ip_address", "ip-address")),
        text("groups", "Source firewalls, name to owner", type="map", numbered=("group",)),
        rpc="create_firewall_rule",
        capability="create_firewall_rule",
        result=Firewall,
        status=201,
        effect="create",
        description="Add a rule; at least one source.",
    )
    .other(
        "delete_rule",
        "DELETE",
        "/firewalls/{id}/{rule_id}",
        ID,
        RULE_ID,
        rpc="destroy_firewall_rule",
        capability="delete_firewall_rule",
        status=204,
        effect="idempotent",
        description="Remove a rule.",
    )
    .done(description="Rules about what may reach instances.")
)
