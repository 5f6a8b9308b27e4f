"""networks: where subnets live."""

from deltacloud.catalogue.build import Builder, text
from deltacloud.models import Network

COLLECTION = (
    Builder("networks", "network", Network)
    .index(description="List the networks.")
    .show(description="Show one network.")
    .create(
        text("address_block", "Its addresses, CIDR"),
        text("name", "The network's name", max_length=255),
        description="Make a network.",
    )
    .destroy(description="Destroy a network.")
    .done(description="Networks.")
)
