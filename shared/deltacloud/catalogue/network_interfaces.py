"""network_interfaces: cards of instances."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.models import NetworkInterface

COLLECTION = (
    Builder("network_interfaces", "network_interface", NetworkInterface)
    .index(description="List the network interfaces.")
    .show(description="Show one network interface.")
    .create(
        need("instance", "The instance's id"),
        need("network", "The network's id, or a subnet's where the driver has subnets", aliases=("subnet",)),
        text("name", "The interface's name", max_length=255),
        description="Give an instance a card in a network.",
    )
    .destroy(description="Remove a network interface.")
    .done(description="Cards of instances in networks.")
)
