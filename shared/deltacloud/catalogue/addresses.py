"""addresses: public addresses that can be moved between instances."""

from deltacloud.catalogue.build import Builder, need
from deltacloud.models import Address

COLLECTION = (
    Builder("addresses", "address", Address)
    .index(description="List the addresses.")
    .show(description="Show one address.")
    .create(description="Allocate an address.")
    .destroy(description="Release an address.")
    .action(
        "associate",
        need("instance_id", "The instance to give it to"),
        capability="associate_address",
        result=None,
        description="Give an address to an instance.",
    )
    .action(
        "disassociate", capability="associate_address", result=None, description="Take an address from its instance."
    )
    .done(description="Public addresses that can be moved between instances.")
)
