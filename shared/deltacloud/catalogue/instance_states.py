"""instance_states: the driver's state machine."""

from deltacloud.catalogue.build import Builder
from deltacloud.models import InstanceState

COLLECTION = (
    Builder("instance_states", "instance_state", InstanceState, service="gateway")
    .other(
        "index",
        "GET",
        "/instance_states",
        rpc="list_instance_states",
        capability="instance_states",
        result=InstanceState,
        is_list=True,
        description="The states an instance can be in and the ways between them.",
    )
    .done(description="The states an instance can be in and the ways between them.")
)
