"""The EC2 driver in front of the strict simulator, for tests: callers, ids, waiting."""

import time

from deltacloud.drivers import ProviderTarget
from deltacloud.models import Instance
from deltacloud_compute.drivers.ec2.driver import Ec2Driver
from harness.driver_calls import DriverCalls
from harness.waiting import wait_until
from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from simulators.process import Running

TEMPORARY = ("ASIASIMULATED0000002", "temporary-secret", "session-token")
NO_INSTANCE, NO_IMAGE = "i-0123456789abcdef0", "ami-0123456789abcdef0"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHHEXRzgk5vNKgvRzVsO6j9GQSgPVkGLYnPCfgDwKcLh laptop"


def new_caller(cloud: Running) -> DriverCalls:
    """A driver that has asked nothing yet."""
    target = ProviderTarget(name="lab", endpoint=cloud.url, region="us-east-1")
    return DriverCalls(Ec2Driver(), target, DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)


def ends_in_time(began: float, within_s: float) -> bool:
    """Whether a call ended by its deadline; half a second is left for a busy machine."""
    return time.monotonic() - began < within_s + 0.5


def reach(call: DriverCalls, instance_id: str, state: str) -> Instance:
    """Wait until an instance is in a state, and return it."""

    def is_there() -> Instance | None:
        instance: Instance = call("get_instance", id=instance_id)
        return instance if instance.state == state else None

    return wait_until(is_there, f"{instance_id} to be {state}")
