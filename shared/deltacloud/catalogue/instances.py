"""instances: machines."""

from deltacloud.catalogue.build import Builder, need, text
from deltacloud.catalogue.model import Feature, Parameter
from deltacloud.models import CommandOutput, Instance

REALM = text("realm_id", "The realm to use")
KEYNAME = text("keyname", "Name of the key to log in with")
NAME = text("name", "The instance's name")
USER_DATA = text("user_data", "Data handed to the instance, base64", type="base64", is_secret=True)
PASSWORD = text("password", "Password to log in with", is_secret=True)
METRICS = text("metrics", "Any value switches detailed monitoring on")
FIREWALLS = text("firewalls", "Firewalls to put it into", type="list", numbered=("firewalls",))
USER_FILES = text("user_files", "Files to place on it", type="files", numbered=("path", "content"), is_secret=True)
USER_ISO = text("user_iso", "CD-ROM for the instance: base64 of a gzipped ISO", type="base64", is_secret=True)
LOAD_BALANCER = text("load_balancer_id", "Load balancer to register it with")
COUNT = Parameter(
    name="instance_count", type="integer", minimum=1, maximum=1000, description="How many instances to make"
)
SNAPSHOT = text("snapshot_id", "Snapshot to attach as a volume")
DEVICE = text("device_name", "Device name of that volume")
SANDBOX = text("sandbox", "Any value makes a sandbox image")


def _create(name: str, *parameters: Parameter, description: str) -> Feature:
    return Feature(
        name=name, collection="instances", operation="create", parameters=parameters, description=description
    )


FEATURES = (
    _create("metrics", METRICS, description="Detailed monitoring"),
    Feature(
        name="realm_filter",
        collection="instances",
        operation="index",
        parameters=(REALM,),
        description="Filter instances by realm",
    ),
    _create("user_name", NAME, description="A name chosen by the user"),
    _create("user_data", USER_DATA, description="Data passed to the instance"),
    _create("user_files", USER_FILES, description="Files injected into the instance"),
    _create("user_iso", USER_ISO, description="A CD-ROM for the instance"),
    _create("firewalls", FIREWALLS, description="Put the instance into firewalls"),
    _create("authentication_key", KEYNAME, description="Log in with a key"),
    _create("authentication_password", PASSWORD, description="Log in with a password"),
    Feature(
        name="hardware_profiles",
        collection="instances",
        operation=None,
        description="Sizing by hardware profile",
    ),
    _create("register_to_load_balancer", LOAD_BALANCER, description="Register with a load balancer"),
    _create("instance_count", COUNT, description="Several instances at once"),
    _create("attach_snapshot", SNAPSHOT, DEVICE, description="Attach a snapshot at creation"),
    _create("sandboxing", SANDBOX, description="A sandbox image"),
)

COLLECTION = (
    Builder("instances", "instance", Instance)
    .index(
        text("state", "Only instances in this state, upper case"),
        text("realm_id", "Only instances of this realm"),
        description="List the instances.",
    )
    .show(capability="instances", description="Show one instance.")
    .create(
        need("image_id", "The image to make it from", max_length=1024),
        REALM,
        text("hwp_id", "The hardware profile"),
        KEYNAME,
        NAME,
        USER_DATA,
        text("hwp_memory", "Memory, MB, instead of the profile's default"),
        text("hwp_cpu", "Number of CPUs, instead of the profile's default"),
        text("hwp_storage", "Storage, GB, instead of the profile's default"),
        text("hwp_architecture", "Architecture, instead of the profile's default"),
        text("initial_state", "State to begin in, where the driver offers it"),
        text("subnet_id", "Subnet to place it in, where the driver has subnets"),
        METRICS,
        USER_FILES,
        USER_ISO,
        FIREWALLS,
        PASSWORD,
        LOAD_BALANCER,
        COUNT,
        SNAPSHOT,
        DEVICE,
        SANDBOX,
        may_answer_several=True,
        description="Make an instance; with instance_count, several.",
    )
    .action("reboot", effect="other", description="Reboot an instance.")
    .action("start", description="Start a stopped instance.")
    .action("stop", description="Stop a running instance.")
    .destroy(description="Destroy an instance.")
    .action(
        "run",
        need("cmd", "The command", is_secret=True),
        text("private_key", "Private key to log in with, PEM", is_secret=True),
        PASSWORD,
        text("ip", "Address to use instead of the instance's first public one"),
        Parameter(name="port", type="integer", minimum=1, maximum=65_535, description="SSH port, default 22"),
        capability="run_on_instance",
        effect="other",
        status=200,
        result=CommandOutput,
        description="Run a command on an instance over SSH.",
    )
    .done(*FEATURES, description="Machines.")
)
