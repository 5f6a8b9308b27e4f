"""load_balancers: one address before several instances."""

from deltacloud.catalogue.build import Builder, need
from deltacloud.models import LoadBalancer

PORT = {"type": "integer", "minimum": 1, "maximum": 65_535, "allow_empty": False}
INSTANCE = need("instance_id", "The instance")

COLLECTION = (
    Builder("load_balancers", "load_balancer", LoadBalancer)
    .index(description="List the load balancers.")
    .show(capability="load_balancer", description="Show one load balancer.")
    .create(
        need("name", "The load balancer's name", max_length=255),
        need("realm_id", "The realm it serves"),
        need("listener_protocol", "Protocol", choices=("HTTP", "TCP"), allow_empty=False),
        need("listener_balancer_port", "Port it listens on", **PORT),
        need("listener_instance_port", "Port of the instances", **PORT),
        description="Make a load balancer with one listener.",
    )
    .action("register", INSTANCE, capability="lb_register_instance", status=200, description="Add an instance.")
    .action("unregister", INSTANCE, capability="lb_unregister_instance", status=200, description="Remove an instance.")
    .destroy(description="Destroy a load balancer.")
    .done(description="One address before several instances.")
)
