"""The EC2 driver passes the conformance suite: whole against a strict EC2, and as far as moto goes against moto."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from deltacloud.drivers import Credentials, SessionCache
from deltacloud.providers.picture import ProviderEntry
from deltacloud.testing import Cloud, DriverConformance, Notes, Subject, by_creating
from deltacloud_compute.drivers.ec2.driver import Ec2Driver
from harness.moto import Moto
from simulators.ec2.hardware import HARDWARE
from simulators.ec2.records import fixed_id
from simulators.ec2.seeds import BASE_IMAGE, DATA_SNAPSHOT
from simulators.process import Running, start

SESSION_TOKEN = "canary-session-token"
TEMPORARY = ("ASIACANARY0000000001", "canary-temporary-secret")
PAGE = 50
UNKNOWN_IDS = {"instance": "i-0123456789abcdef0", "image": "ami-0123456789abcdef0", "realm": "us-east-1z"}
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHHEXRzgk5vNKgvRzVsO6j9GQSgPVkGLYnPCfgDwKcLh laptop"
MACHINE = {"image_id": fixed_id("ami", BASE_IMAGE), "hwp_id": "t3.micro", "realm_id": "us-east-1b"}
MOTO_IMAGE = "ami-12c6146b"
"""One of those a moto server begins with; listing them takes it a second."""
CLIENTS = SessionCache()
"""botocore takes long to build a client; a worker builds one for all its calls too."""
FAULTS = {
    "throttle": {"throttle": True},
    "throttle_once": {"throttle": True, "times": 1},
    "hang": {"hang_s": 30},
    "garbage": {"garbage": True},
    "close": {"close": True},
    "slow": {"latency_s": 1.0},
    "lost_answer": {"close": True, "when": "after"},
}


class Ec2Conformance(DriverConformance):
    """What both back ends have in common: nothing but the driver."""

    driver = Ec2Driver


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with start("ec2", "--boot-seconds", "0.4", "--key", ":".join((*TEMPORARY, SESSION_TOKEN))) as running:
        yield running


class TestEc2Strict(Ec2Conformance):
    @pytest.fixture
    def subject(self, process: Running) -> Subject:
        process.control.reset()
        process.control.settings(page_size=PAGE)
        return Subject(
            driver=Ec2Driver(),
            credentials=Credentials(f"{TEMPORARY[0]}+{SESSION_TOKEN}", TEMPORARY[1]),
            wrong_credentials=(
                Credentials(f"{TEMPORARY[0]}+{SESSION_TOKEN}", "canary-wrong-secret"),
                Credentials(f"{TEMPORARY[0]}+canary-wrong-token", TEMPORARY[1]),
                Credentials("AKIACANARYNOBODY0001", TEMPORARY[1]),
            ),
            secrets=(SESSION_TOKEN, *TEMPORARY),
            provider=ProviderEntry(name="lab", endpoint=process.url, region="us-east-1"),
            values={"create_instance": MACHINE},
            features={
                "metrics": {"metrics": "on"},
                "firewalls": groups_of_another,
                "attach_snapshot": {"snapshot_id": fixed_id("snap", DATA_SNAPSHOT), "device_name": "/dev/sdf"},
                "import_key": {"public_key": PUBLIC_KEY},
            },
            observe={
                "user_data": lambda made: truth(process, made)["user_data"],
                "metrics": lambda made: "on" if truth(process, made)["is_monitored"] else "off",
                "attach_snapshot": lambda made: truth(process, made)["devices"],
            },
            fill={
                "list_instances": lambda _: process.control.seed(instances=2 * PAGE + 1)["instances"],
                "list_images": lambda _: process.control.seed(images=2 * PAGE + 1)["images"],
                "list_hardware_profiles": lambda _: HARDWARE,
                "list_keys": by_creating("key", 3),
                "list_realms": lambda _: [f"us-east-1{letter}" for letter in "abcdef"],
            },
            faults={kind: fault(process, kind) for kind in FAULTS},
            cache=CLIENTS,
            unknown_ids=UNKNOWN_IDS,
            cannot=Notes.of(Ec2Driver).cannot("strict"),
        )


class TestEc2Moto(Ec2Conformance):
    @pytest.fixture
    def subject(self, moto_with_auth: Moto) -> Subject:
        return Subject(
            driver=Ec2Driver(),
            credentials=Credentials(moto_with_auth.access_key, moto_with_auth.secret_key),
            wrong_credentials=(
                Credentials(moto_with_auth.access_key, "canary-wrong-secret"),
                Credentials("AKIACANARYNOBODY0001", moto_with_auth.secret_key),
            ),
            provider=ProviderEntry(name="lab", endpoint=moto_with_auth.endpoint, region="us-east-1"),
            values={"create_instance": {**MACHINE, "image_id": MOTO_IMAGE}},
            features={"import_key": {"public_key": PUBLIC_KEY}, "firewalls": groups_of_another},
            observe={"user_data": lambda made: user_data(moto_with_auth, made.id)},
            cache=CLIENTS,
            unknown_ids=UNKNOWN_IDS,
            cannot=Notes.of(Ec2Driver).cannot("moto"),
        )


def user_data(moto: Moto, instance_id: str) -> str:
    """What moto keeps of a machine's user data."""
    ec2 = boto3.client(
        "ec2",
        endpoint_url=moto.endpoint,
        region_name="us-east-1",
        aws_access_key_id=moto.access_key,
        aws_secret_access_key=moto.secret_key,
    )
    return ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")["UserData"]["Value"]


def groups_of_another(cloud: Cloud) -> dict:
    """The security groups of another machine, by id."""
    return {"firewalls": list(cloud.make("instance").firewalls)}


def truth(process: Running, made) -> dict:
    """What the simulator itself knows of a machine."""
    return next(each for each in process.control.instances() if each["id"] == made.id)


def fault(process: Running, kind):
    @contextmanager
    def during() -> Iterator[None]:
        process.control.fault(**{"*": FAULTS[kind]})
        yield
        process.control.clear_faults()

    return during
