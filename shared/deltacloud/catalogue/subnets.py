"""subnets: parts of networks."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.models import Subnet

COLLECTION = (
    Builder("subnets", "subnet", Subnet)
    .index(description="List the subnets.")
    .show(description="Show one subnet.")
    .create(
        need("network_id", "The network it is part of"),
        need("address_block", "Its addresses, CIDR"),
        text("name", "The subnet's name", max_length=255),
        description="Make a subnet.",
    )
    .destroy(description="Destroy a subnet.")
    .done(description="Parts of networks.")
)
