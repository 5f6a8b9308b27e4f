"""The EC2 driver against an EC2 that pages, takes its time and refuses as the service does."""

import base64
import time
from collections.abc import Iterator

import pytest

from deltacloud.drivers import ProviderTarget
from deltacloud.errors import (
    AuthenticationFailed,
    Conflict,
    Forbidden,
    ForbiddenProvider,
    InvalidParameters,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    ProviderTimeout,
    Throttled,
    TimedOut,
    Unavailable,
    WrongState,
)
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Picture
from deltacloud.providers.resolve import ProviderResolver
from deltacloud_compute.drivers.ec2.driver import Ec2Driver
from harness.driver_calls import DriverCalls
from harness.waiting import wait_until
from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from simulators.process import Running, start

TEMPORARY = ("ASIASIMULATED0000002", "temporary-secret", "session-token")
NO_INSTANCE, NO_IMAGE = "i-0123456789abcdef0", "ami-0123456789abcdef0"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHHEXRzgk5vNKgvRzVsO6j9GQSgPVkGLYnPCfgDwKcLh laptop"


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    keys = [f"{DEFAULT_ACCESS_KEY}:{DEFAULT_SECRET_KEY}", ":".join(TEMPORARY)]
    options = [option for key in keys for option in ("--key", key)]
    with start("ec2", "--boot-seconds", "0.2", *options) as running:
        yield running


@pytest.fixture
def cloud(process: Running) -> Running:
    """The simulator as it was at its start, counting from zero."""
    process.control.reset()
    return process


def new_caller(cloud: Running) -> DriverCalls:
    """A driver that has asked nothing yet."""
    target = ProviderTarget(name="lab", endpoint=cloud.url, region="us-east-1")
    return DriverCalls(Ec2Driver(), target, DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)


@pytest.fixture
def call(cloud: Running) -> DriverCalls:
    return new_caller(cloud)


@pytest.fixture
def warm(call: DriverCalls, cloud: Running) -> DriverCalls:
    """A driver whose client is built, for tests that measure time."""
    call("check_credentials")
    cloud.control.forget_calls()
    return call


def ends_in_time(began: float, within_s: float) -> bool:
    """Whether a call ended by its deadline; half a second is left for a busy machine."""
    return time.monotonic() - began < within_s + 0.5


@pytest.fixture
def image_id(call: DriverCalls, cloud: Running) -> str:
    """An image that boots a t2.micro from a disk that stays."""
    images = call("list_images", owner_id="amazon", architecture="x86_64")
    cloud.control.forget_calls()
    return next(image.id for image in images if image.root_type == "persistent")


@pytest.fixture
def transient_image_id(call: DriverCalls, cloud: Running) -> str:
    images = call("list_images", owner_id="amazon", architecture="i386")
    cloud.control.forget_calls()
    return next(image.id for image in images if image.root_type == "transient")


def reach(call: DriverCalls, instance_id: str, state: str):
    def is_there():
        instance = call("get_instance", id=instance_id)
        return instance if instance.state == state else None

    return wait_until(is_there, f"{instance_id} to be {state}")


# Lists: whole, in the fewest calls.


def test_a_list_of_instances_is_one_native_call(call, cloud):
    made = cloud.control.seed(instances=40)["instances"]
    listed = call("list_instances")
    assert sorted(each.id for each in listed) == sorted(made)
    assert cloud.control.calls() == {"DescribeInstances": 1}


def test_a_list_of_instances_has_those_of_every_page(call, cloud):
    made = cloud.control.seed(instances=23)["instances"]
    cloud.control.settings(page_size=5)
    assert sorted(each.id for each in call("list_instances")) == sorted(made)
    assert cloud.control.calls() == {"DescribeInstances": 5}


def test_an_empty_page_in_front_is_not_the_end_of_a_list(call, cloud):
    cloud.control.seed(instances=7)
    cloud.control.settings(page_size=5, sparse_pages=True)
    assert len(call("list_instances")) == 7
    assert len(call("list_realms")) == 12


def test_more_instances_than_a_page_holds_are_all_listed(call, cloud):
    made = cloud.control.seed(instances=1001)["instances"]
    assert {each.id for each in call("list_instances")} == set(made)
    assert cloud.control.calls() == {"DescribeInstances": 2}


def test_every_list_is_whole_with_small_pages(call, cloud):
    cloud.control.seed(images=20)
    whole = {name: call(name) for name in ("list_realms", "list_images", "list_hardware_profiles")}
    cloud.control.settings(page_size=2)
    cloud.control.forget_calls()
    paged = new_caller(cloud)
    for name, records in whole.items():
        assert paged(name) == records, name
    assert {name: sent > 2 for name, sent in cloud.control.calls().items()} == {
        "DescribeAvailabilityZones": False,
        "DescribeSubnets": True,
        "DescribeImages": True,
        "DescribeInstanceTypes": True,
    }


def test_the_oldest_instances_come_first_and_pages_of_the_api_follow_that_order(call, cloud, image_id):
    cloud.control.seed(instances=3)
    newest = call("create_instance", image_id=image_id, hwp_id="t2.micro").id
    listed = [each.id for each in call("list_instances")]
    assert listed[-1] == newest
    assert [each.id for each in call("list_instances", limit=2)] == listed[:2]
    assert [each.id for each in call("list_instances", limit=2, marker=listed[1])] == listed[2:]


def test_filters_of_instances_are_applied_by_the_cloud(call, cloud, image_id):
    cloud.control.seed(instances=12)
    there = call("create_instance", image_id=image_id, hwp_id="t2.micro", realm_id="us-east-1f").id
    reach(call, there, "RUNNING")
    call("stop_instance", id=there)
    reach(call, there, "STOPPED")
    cloud.control.forget_calls()
    assert [each.id for each in call("list_instances", state="STOPPED")] == [there]
    assert [each.id for each in call("list_instances", state="stopped", realm_id="us-east-1f")] == [there]
    assert {each.realm_id for each in call("list_instances", realm_id="us-east-1a")} == {"us-east-1a"}
    assert [each.id for each in call("list_instances", id=there)] == [there]
    assert cloud.control.calls() == {"DescribeInstances": 4}
    assert call("list_instances", id=NO_INSTANCE) == []
    assert call("list_instances", id="i-*") == []
    assert call("list_instances", state="ERROR") == []


def test_instances_are_found_by_subnet(call, cloud):
    cloud.control.seed(instances=12)
    subnet = next(each.id for each in call("list_realms") if each.id.startswith("us-east-1b:"))
    found = call("list_instances", realm_id=subnet)
    assert len(found) == 2
    assert {each.realm_id for each in found} == {"us-east-1b"}
    assert call("list_instances", realm_id=subnet.replace("1b", "1c")) == []


def test_instances_being_destroyed_are_among_the_stopped_ones_and_offer_nothing(call, cloud):
    cloud.control.settings(boot_seconds=600)
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    call("destroy_instance", id=instance_id)
    listed = call("list_instances", state="STOPPED")
    assert [(each.id, each.state, each.actions) for each in listed] == [(instance_id, "STOPPED", ())]
    assert call("destroy_instance", id=instance_id) is None
    with pytest.raises(WrongState):
        call("start_instance", id=instance_id)


# Realms, hardware profiles, images.


def test_realms_are_the_availability_zones_and_their_subnets(call, cloud):
    realms = call("list_realms")
    zones = [f"us-east-1{letter}" for letter in "abcdef"]
    assert [each.id for each in realms[:6]] == zones
    assert [each.id.partition(":")[0] for each in realms[6:]] == zones
    assert all(":subnet-" in each.id for each in realms[6:])
    assert cloud.control.calls() == {"DescribeAvailabilityZones": 1, "DescribeSubnets": 1}


def test_a_realm_is_one_native_call(call, cloud):
    subnet = call("list_realms")[-1]
    cloud.control.forget_calls()
    assert call("get_realm", id="us-east-1c").id == "us-east-1c"
    assert cloud.control.calls() == {"DescribeAvailabilityZones": 1}
    assert call("get_realm", id=subnet.id) == subnet
    assert call("list_realms", id=subnet.id) == [subnet]
    assert cloud.control.calls() == {"DescribeAvailabilityZones": 1, "DescribeSubnets": 2}


def test_a_local_zone_is_no_realm_of_the_list_but_can_be_shown(call):
    assert call("get_realm", id="us-east-1-lcl-1a").id == "us-east-1-lcl-1a"


@pytest.mark.parametrize("realm_id", ["us-east-1z", "mars", "us-east-1*", "us-east-1a:subnet-12345678"])
def test_an_unknown_realm_is_not_found(call, realm_id):
    with pytest.raises(NotFound):
        call("get_realm", id=realm_id)
    assert call("list_realms", id=realm_id) == []


def test_a_subnet_is_not_found_in_another_zone(call):
    subnet = call("list_realms")[-1].id
    with pytest.raises(NotFound):
        call("get_realm", id=f"us-east-1a:{subnet.partition(':')[2]}")


def test_hardware_profiles_are_the_types_of_the_region_asked_for_once(call, cloud):
    profiles = {each.id: each for each in call("list_hardware_profiles")}
    pages = cloud.control.calls()["DescribeInstanceTypes"]
    assert len(profiles) > 100
    assert pages == 2
    assert {p.id: p.value for p in profiles["m5d.xlarge"].properties} == {
        "cpu": 4,
        "memory": 16384,
        "storage": 150,
        "architecture": "x86_64",
    }
    assert call("get_hardware_profile", id="m5d.xlarge") == profiles["m5d.xlarge"]
    only_arm = call("list_hardware_profiles", architecture="arm64")
    assert "m6g.large" in {each.id for each in only_arm}
    assert "m5.large" not in {each.id for each in only_arm}
    assert cloud.control.calls()["DescribeInstanceTypes"] == pages


def test_one_profile_alone_is_one_native_call(call, cloud):
    assert call("get_hardware_profile", id="t3.micro").id == "t3.micro"
    assert cloud.control.calls() == {"DescribeInstanceTypes": 1}


def test_an_unknown_profile_is_not_found_whether_the_list_is_at_hand_or_not(call):
    for _ in range(2):
        with pytest.raises(NotFound):
            call("get_hardware_profile", id="m1.tiny")
        call("list_hardware_profiles")


def test_a_profile_of_the_original_is_shown_when_the_cloud_no_longer_has_it(call, cloud):
    cloud.control.fault(DescribeInstanceTypes={"error": "InvalidInstanceType", "times": 1})
    small = call("get_hardware_profile", id="m1.small")
    assert {each.id: each.value for each in small.properties} == {
        "cpu": 1,
        "memory": 1740.8,
        "storage": 160,
        "architecture": "i386",
    }


def test_without_credentials_the_profiles_of_the_original_are_shown_and_nobody_is_asked(call, cloud):
    assert len(call("list_hardware_profiles", anonymous=True)) == 10
    assert call("get_hardware_profile", id="t1.micro", anonymous=True).id == "t1.micro"
    with pytest.raises(AuthenticationFailed):
        call("get_hardware_profile", id="t3.micro", anonymous=True)
    assert cloud.control.calls() == {}


def test_images_are_the_callers_and_amazons_and_never_all_public_ones(call, cloud):
    images = call("list_images")
    assert {each.owner_id for each in images} == {"123456789012", "137112412989"}
    assert [(each.owner_id, each.name) for each in images] == sorted((each.owner_id, each.name) for each in images)
    assert not any("pv-grub" in each.name or each.name.endswith("-old") for each in images)
    assert cloud.control.calls() == {"DescribeImages": 1}


def test_images_are_found_by_owner_architecture_and_id(call):
    ubuntu = call("list_images", owner_id="099720109477")
    assert [each.name for each in ubuntu] == ["ubuntu-noble-24.04-amd64-server"]
    assert [each.name for each in call("list_images", owner_id="self")] == ["our-golden-image"]
    assert {each.architecture for each in call("list_images", architecture="arm64")} == {"arm64"}
    assert call("list_images", id=ubuntu[0].id) == ubuntu
    assert call("list_images", id=ubuntu[0].id, owner_id="self") == []
    assert call("list_images", id="ami-*") == []
    assert call("get_image", id=ubuntu[0].id) == ubuntu[0]


def test_more_images_than_a_page_holds_are_all_listed(call, cloud):
    before = len(call("list_images"))
    cloud.control.seed(images=1100)
    cloud.control.forget_calls()
    assert len(call("list_images")) == before + 1100
    assert cloud.control.calls() == {"DescribeImages": 2}


@pytest.mark.parametrize("id", [NO_INSTANCE, "i-xyz", "nonsense", "../x", "i-*"])
def test_an_unknown_or_impossible_instance_is_not_found(call, id):
    for method in ("get_instance", "start_instance", "stop_instance", "reboot_instance", "destroy_instance"):
        with pytest.raises(NotFound) as caught:
            call(method, id=id)
        assert (caught.value.driver, caught.value.provider) == ("ec2", "lab")


@pytest.mark.parametrize("id", [NO_IMAGE, "ami-xyz", "nonsense"])
def test_an_unknown_or_impossible_image_is_not_found(call, id):
    with pytest.raises(NotFound):
        call("get_image", id=id)


# Making instances.


def test_a_plain_instance_is_made_by_one_native_call_and_shown_from_its_answer(call, cloud, image_id):
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro")
    assert cloud.control.calls() == {"RunInstances": 1}
    assert (made.state, made.image_id, made.hardware_profile_id) == ("PENDING", image_id, "t2.micro")
    assert made.realm_id.startswith("us-east-1")
    assert made.private_addresses
    cloud.control.forget_calls()
    assert reach(call, made.id, "RUNNING").launch_time == made.launch_time
    cloud.control.forget_calls()
    call("get_instance", id=made.id)
    assert cloud.control.calls() == {"DescribeInstances": 1}


def test_an_instance_is_made_with_everything_that_was_asked_for(call, cloud, image_id):
    group_id = cloud.control.seed(security_groups=1)["security_groups"][0]
    snapshot_id = cloud.control.seed(snapshots=1)["snapshots"][0]
    call("create_key", name="laptop", public_key=PUBLIC_KEY)
    script = "#!/bin/sh\necho grüezi\n".encode()
    made = call(
        "create_instance",
        image_id=image_id,
        realm_id="us-east-1c",
        hwp_id="t2.micro",
        keyname="laptop",
        name="web & more",
        user_data=base64.b64encode(script).decode(),
        metrics="true",
        firewalls=["default", group_id, ""],
        snapshot_id=snapshot_id,
        device_name="/dev/sdf",
        key="order 1",
    )
    truth = cloud.control.instances()[0]
    assert truth["id"] == made.id
    assert base64.b64decode(truth["user_data"]) == script
    assert truth["is_monitored"] is True
    assert truth["zone"] == "us-east-1c"
    assert {"name": "/dev/sdf", "snapshot_id": snapshot_id, "is_deleted_on_termination": False}.items() <= (
        truth["devices"][0].items()
    )
    assert (made.name, made.realm_id, made.authentication.id) == ("web & more", "us-east-1c", "laptop")
    assert group_id in made.firewalls
    assert len(made.firewalls) == 2
    assert "/dev/sdf" in {each.device for each in made.storage_volumes}


def test_an_instance_is_put_into_a_subnet_by_realm_or_by_subnet_id(call, cloud, image_id):
    realm = next(each.id for each in call("list_realms") if each.id.startswith("us-east-1d:"))
    subnet_id = realm.partition(":")[2]
    for where in ({"realm_id": realm}, {"subnet_id": subnet_id}, {"realm_id": "us-east-1d", "subnet_id": subnet_id}):
        assert call("create_instance", image_id=image_id, hwp_id="t2.micro", **where).realm_id == "us-east-1d"
    assert {each["subnet_id"] for each in cloud.control.instances()} == {subnet_id}
    with pytest.raises(InvalidParameters):
        call("create_instance", image_id=image_id, realm_id=realm, subnet_id="subnet-12345678")


def test_names_of_firewalls_in_a_subnet_are_looked_up_in_its_network(call, cloud, image_id):
    realm = call("list_realms")[-1].id
    cloud.control.forget_calls()
    made = call(
        "create_instance", image_id=image_id, hwp_id="t2.micro", realm_id=realm, firewalls=["default", "default"]
    )
    assert len(made.firewalls) == 1
    assert cloud.control.calls() == {"DescribeSubnets": 1, "DescribeSecurityGroups": 1, "RunInstances": 1}
    with pytest.raises(NotFound, match="nobody"):
        call("create_instance", image_id=image_id, hwp_id="t2.micro", realm_id=realm, firewalls=["nobody"])


def test_several_instances_are_made_at_once_and_answered_as_a_list(call, cloud, image_id):
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro", instance_count=3)
    assert len({each.id for each in made}) == 3
    assert cloud.control.calls() == {"RunInstances": 1}
    one = call("create_instance", image_id=image_id, hwp_id="t2.micro", instance_count=1)
    assert one.id not in {each.id for each in made}


def test_all_of_several_instances_are_made_or_none(call, cloud, image_id):
    cloud.control.settings(instance_limit=2)
    with pytest.raises(Forbidden):
        call("create_instance", image_id=image_id, hwp_id="t2.micro", instance_count=3)
    assert cloud.control.instances() == []


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"image_id": NO_IMAGE}, NotFound),
        ({"image_id": "ami-xyz"}, NotFound),
        ({"hwp_id": "m1.tiny"}, InvalidParameters),
        ({"keyname": "nobody"}, NotFound),
        ({"firewalls": ["nobody"]}, NotFound),
        ({"firewalls": ["sg-12345678"]}, NotFound),
        ({"realm_id": "mars"}, InvalidParameters),
        ({"subnet_id": "subnet-12345678"}, NotFound),
        ({"user_data": "no base64!"}, InvalidParameters),
        ({"user_data": base64.b64encode(b"x" * 16_385).decode()}, InvalidParameters),
        ({"snapshot_id": "snap-12345678"}, InvalidParameters),
        ({"snapshot_id": "snap-12345678", "device_name": "/dev/sdf"}, NotFound),
        ({"device_name": "/dev/sdf"}, InvalidParameters),
        ({"instance_count": 0}, InvalidParameters),
    ],
)
def test_an_order_that_cannot_be_met_makes_no_instance(call, cloud, image_id, order, error):
    with pytest.raises(error):
        call("create_instance", **{"image_id": image_id, "hwp_id": "t2.micro", **order})
    assert cloud.control.instances() == []


def test_empty_fields_of_a_form_are_as_good_as_absent(call, image_id):
    empty = dict.fromkeys(
        ("realm_id", "keyname", "name", "user_data", "subnet_id", "metrics", "snapshot_id", "device_name"), ""
    )
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro", firewalls=[""], **empty)
    assert made.name == made.id


# Once, whatever happens.


def test_a_redelivered_create_answers_with_the_machine_that_exists(call, cloud, image_id):
    order = {"image_id": image_id, "hwp_id": "t2.micro", "name": "once", "key": "6f1c"}
    made = call("create_instance", **order)
    reach(call, made.id, "RUNNING")
    again = call("create_instance", **order, redelivered=True)
    assert (again.id, again.state) == (made.id, "RUNNING")
    assert len(cloud.control.instances()) == 1


def test_a_redelivered_create_without_a_key_is_not_run_again(call, cloud, image_id):
    with pytest.raises(OutcomeUnknown):
        call("create_instance", image_id=image_id, redelivered=True)
    assert cloud.control.instances() == []


def test_a_key_used_for_another_order_is_a_conflict(call, cloud, image_id):
    call("create_instance", image_id=image_id, hwp_id="t2.micro", key="6f1c")
    with pytest.raises(Conflict):
        call("create_instance", image_id=image_id, hwp_id="t2.nano", key="6f1c")
    assert len(cloud.control.instances()) == 1


@pytest.mark.parametrize("key", ["k" * 128, "with spaces / and + signs"])
def test_a_key_that_is_no_client_token_of_ec2_makes_one_machine_all_the_same(call, cloud, image_id, key):
    made = {call("create_instance", image_id=image_id, hwp_id="t2.micro", key=key).id for _ in range(2)}
    assert len(made) == 1
    assert len(cloud.control.instances()) == 1


@pytest.mark.parametrize("fault", [{"close": True}, {"truncate": True}], ids=["closed", "truncated"])
def test_a_create_whose_answer_was_lost_is_repeated_and_makes_one_machine(call, cloud, image_id, fault):
    when = {} if "truncate" in fault else {"when": "after"}
    cloud.control.fault(RunInstances={**fault, **when, "times": 1})
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro", key="6f1c")
    assert [each["id"] for each in cloud.control.instances()] == [made.id]


def test_a_create_that_is_never_answered_has_an_unknown_outcome(call, cloud, image_id):
    cloud.control.fault(RunInstances={"when": "after", "hang_s": 30})
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="Idempotency-Key"):
        call("create_instance", image_id=image_id, hwp_id="t2.micro", key="6f1c", within_s=1.5)
    assert ends_in_time(began, 1.5)
    cloud.control.clear_faults()
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro", key="6f1c")
    assert [each["id"] for each in cloud.control.instances()] == [made.id]


# Actions and states.


def test_an_instance_goes_through_its_states_and_offers_what_each_allows(call, cloud, image_id):
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro")
    assert made.actions == ("destroy",)
    running = reach(call, made.id, "RUNNING")
    assert running.actions == ("reboot", "stop", "destroy")
    assert running.public_addresses
    stopping = call("stop_instance", id=made.id)
    assert (stopping.state, stopping.actions) == ("STOPPING", ("destroy",))
    stopped = reach(call, made.id, "STOPPED")
    assert stopped.actions == ("start", "destroy")
    started = call("start_instance", id=made.id)
    assert started.state == "PENDING"
    reach(call, made.id, "RUNNING")
    assert call("reboot_instance", id=made.id).state == "RUNNING"
    assert call("destroy_instance", id=made.id) is None
    assert reach(call, made.id, "FINISH").actions == ()


def test_an_action_looks_and_acts_and_does_no_more(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    call("reboot_instance", id=instance_id)
    assert cloud.control.calls() == {"DescribeInstances": 1, "RebootInstances": 1}
    cloud.control.forget_calls()
    call("stop_instance", id=instance_id)
    assert cloud.control.calls() == {"DescribeInstances": 1, "StopInstances": 1}
    reach(call, instance_id, "STOPPED")
    cloud.control.forget_calls()
    call("start_instance", id=instance_id)
    assert cloud.control.calls() == {"DescribeInstances": 1, "StartInstances": 1}
    cloud.control.forget_calls()
    call("destroy_instance", id=instance_id)
    assert cloud.control.calls() == {"TerminateInstances": 1}


def test_an_action_that_the_state_forbids_is_refused_and_nothing_is_sent(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    with pytest.raises(WrongState) as caught:
        call("start_instance", id=instance_id)
    assert caught.value.details == {"allowed": "reboot,stop,destroy"}
    assert cloud.control.calls() == {"DescribeInstances": 1}


def test_what_was_destroyed_cannot_be_destroyed_or_started_again(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    call("destroy_instance", id=instance_id)
    reach(call, instance_id, "FINISH")
    for method in ("destroy_instance", "start_instance", "stop_instance", "reboot_instance"):
        with pytest.raises(WrongState):
            call(method, id=instance_id)
    assert {each["state"] for each in cloud.control.instances()} == {"terminated"}


def test_an_instance_without_a_lasting_disk_can_only_be_rebooted_or_destroyed(call, transient_image_id):
    made = call("create_instance", image_id=transient_image_id, hwp_id="m1.small")
    running = reach(call, made.id, "RUNNING")
    assert running.actions == ("reboot", "destroy")
    assert running.can_create_image is False
    with pytest.raises(WrongState):
        call("stop_instance", id=made.id)
    call("destroy_instance", id=made.id)


def test_a_redelivered_action_that_had_its_effect_is_answered_and_not_refused(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    call("stop_instance", id=instance_id)
    assert call("stop_instance", id=instance_id, redelivered=True).state in {"STOPPING", "STOPPED"}
    reach(call, instance_id, "STOPPED")
    call("start_instance", id=instance_id)
    assert call("start_instance", id=instance_id, redelivered=True).state in {"PENDING", "RUNNING"}
    call("destroy_instance", id=instance_id)
    assert call("destroy_instance", id=instance_id, redelivered=True) is None
    assert call("destroy_instance", id=NO_INSTANCE, redelivered=True) is None
    calls = cloud.control.calls()
    assert (calls["StopInstances"], calls["StartInstances"]) == (1, 1)


# Keys.


def test_a_key_is_made_shown_and_removed(call, cloud):
    made = call("create_key", name="laptop")
    assert "PRIVATE KEY" in made.pem
    assert cloud.control.calls() == {"CreateKeyPair": 1}
    shown = call("get_key", id="laptop")
    assert (shown.id, shown.fingerprint, shown.pem) == ("laptop", made.fingerprint, None)
    assert call("list_keys") == [shown]
    assert call("list_keys", id="laptop") == [shown]
    assert call("list_keys", id="lap*") == []
    assert call("destroy_key", id="laptop") is None
    assert call("list_keys") == []


def test_a_public_key_is_imported_and_no_private_one_told(call, cloud):
    imported = call("create_key", name="laptop", public_key=PUBLIC_KEY)
    assert imported.pem is None
    assert imported.fingerprint == call("get_key", id="laptop").fingerprint
    assert "CreateKeyPair" not in cloud.control.calls()


def test_a_key_name_that_is_taken_is_a_conflict_and_a_broken_public_key_wrong(call):
    call("create_key", name="laptop", public_key=PUBLIC_KEY)
    with pytest.raises(Conflict):
        call("create_key", name="laptop")
    with pytest.raises(InvalidParameters):
        call("create_key", name="other", public_key="ssh-rsa nonsense")


def test_an_unknown_key_is_not_found_but_a_redelivered_removal_is_done(call):
    for method in ("get_key", "destroy_key"):
        with pytest.raises(NotFound):
            call(method, id="nobody")
    assert call("destroy_key", id="nobody", redelivered=True) is None


def test_a_key_whose_answer_was_lost_has_an_unknown_outcome(call, cloud):
    cloud.control.fault(CreateKeyPair={"when": "after", "close": True, "times": 1})
    with pytest.raises(OutcomeUnknown):
        call("create_key", name="laptop")
    assert [each.id for each in call("list_keys")] == ["laptop"]


# Who asks, and what may go wrong.


def test_good_credentials_are_told_from_bad_ones_by_one_native_call(call, cloud):
    assert call("check_credentials") is None
    assert cloud.control.calls() == {"DescribeRegions": 1}
    for wrong in ({"password": "wrong"}, {"user": "AKIANOBODY0000000000"}):
        with pytest.raises(AuthenticationFailed):
            call("check_credentials", **wrong)


def test_credentials_with_next_to_no_rights_are_good_ones(call, cloud):
    cloud.control.fault(DescribeRegions={"error": "UnauthorizedOperation"})
    assert call("check_credentials") is None


def test_temporary_keys_bring_their_session_token_in_the_user_name(call, cloud):
    access_key, secret, token = TEMPORARY
    cloud.control.seed(instances=1)
    assert len(call("list_instances", user=f"{access_key}+{token}", password=secret)) == 1
    with pytest.raises(AuthenticationFailed):
        call("list_instances", user=access_key, password=secret)


def test_wrong_credentials_are_refused_everywhere_and_appear_in_no_error(call, image_id):
    canary = "c4n4ry-s3cr3t"
    calls = {
        "list_realms": {},
        "list_hardware_profiles": {},
        "list_images": {},
        "list_instances": {},
        "list_keys": {},
        "list_providers": {},
        "get_instance": {"id": NO_INSTANCE},
        "create_instance": {"image_id": image_id},
        "create_key": {"name": "laptop"},
        "destroy_instance": {"id": NO_INSTANCE},
    }
    for method, parameters in calls.items():
        with pytest.raises(AuthenticationFailed) as caught:
            call(method, password=canary, **parameters)
        assert canary not in f"{caught.value!r}"
        assert DEFAULT_ACCESS_KEY not in f"{caught.value!r}"


def test_the_regions_open_to_the_caller_are_its_providers(call):
    found = {each.id: each.entrypoints for each in call("list_providers")}
    assert found["eu-west-1"] == {"ec2": "https://ec2.eu-west-1.amazonaws.com"}
    assert "af-south-1" not in found


def test_a_throttled_call_is_repeated(call, cloud):
    cloud.control.fault(DescribeInstances={"throttle": True, "times": 1})
    assert call("list_instances") == []
    assert cloud.control.calls() == {"DescribeInstances": 2}


def test_a_call_that_stays_throttled_says_when_to_come_again(call, cloud):
    cloud.control.fault(DescribeInstances={"throttle": True})
    with pytest.raises(Throttled) as caught:
        call("list_instances")
    assert caught.value.retry_after_s > 0
    assert cloud.control.calls() == {"DescribeInstances": 3}


def test_a_throttled_call_with_no_time_for_a_pause_is_told_at_once(warm, cloud):
    cloud.control.fault(DescribeInstances={"throttle": True})
    with pytest.raises(Throttled):
        warm("list_instances", within_s=0.9)
    assert cloud.control.calls() == {"DescribeInstances": 1}


def test_a_cloud_that_hangs_is_given_up_within_the_deadline(warm, cloud):
    cloud.control.fault(DescribeInstances={"hang_s": 30})
    began = time.monotonic()
    with pytest.raises(ProviderTimeout):
        warm("list_instances", within_s=1.0)
    assert ends_in_time(began, 1.0)


def test_a_cloud_that_hangs_in_the_middle_of_a_list_is_given_up_within_the_deadline(warm, cloud):
    cloud.control.seed(instances=12)
    cloud.control.settings(page_size=5)
    cloud.control.fault(DescribeInstances=[{"latency_s": 0.1, "times": 1}, {"hang_s": 30}])
    began = time.monotonic()
    with pytest.raises(TimedOut):
        warm("list_instances", within_s=1.0)
    assert ends_in_time(began, 1.0)


@pytest.mark.parametrize(
    "fault", [{"garbage": True}, {"truncate": True}, {"close": True}, {"status": 200}, {"status": 502}], ids=str
)
def test_what_is_no_answer_is_the_clouds_failure_and_no_empty_list(call, cloud, fault):
    cloud.control.fault(DescribeInstances=fault, DescribeRegions=fault)
    for method in ("list_instances", "list_providers"):
        with pytest.raises(ProviderError):
            call(method)


def test_a_page_for_browsers_instead_of_the_new_instance_is_the_clouds_failure(call, cloud, image_id):
    cloud.control.fault(RunInstances={"status": 200})
    with pytest.raises(ProviderError):
        call("create_instance", image_id=image_id)


def test_a_truncated_list_is_asked_for_again(call, cloud):
    cloud.control.seed(instances=3)
    cloud.control.fault(DescribeInstances={"truncate": True, "times": 1})
    assert len(call("list_instances")) == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("UnauthorizedOperation", Forbidden),
        ("InsufficientInstanceCapacity", Unavailable),
        ("InternalError", ProviderError),
        ("OptInRequired", Forbidden),
        ("VcpuLimitExceeded", Forbidden),
        ("VPCIdNotSpecified", InvalidParameters),
        ("UnsupportedOperation", InvalidParameters),
        ("IncorrectInstanceState", Conflict),
        ("RequestExpired", AuthenticationFailed),
        ("SomethingNew", InvalidParameters),
    ],
)
def test_the_clouds_codes_have_their_meaning(call, cloud, image_id, code, error):
    cloud.control.fault(RunInstances={"error": code})
    with pytest.raises(error) as caught:
        call("create_instance", image_id=image_id)
    assert type(caught.value) is error
    assert code in caught.value.message


def test_a_url_is_a_provider_where_the_operator_allows_it(cloud):
    holder = PictureHolder()
    driver = Ec2Driver()
    cloud.control.seed(instances=2)

    def listed(*allow: str):
        holder.update(Picture(issued_at=time.time(), allow=allow))
        target = ProviderResolver(holder)(driver, cloud.url)
        assert not target.is_trusted
        return DriverCalls(driver, target, DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)("list_instances")

    assert len(listed(cloud.url)) == 2
    cloud.control.forget_calls()
    with pytest.raises(ForbiddenProvider):
        listed("https://*.cloud.example")
    assert cloud.control.calls() == {}


def test_a_cloud_that_is_not_there_is_the_clouds_failure():
    nowhere = ProviderTarget(name="lab", endpoint="http://127.0.0.1:9", region="us-east-1")
    call = DriverCalls(Ec2Driver(), nowhere, DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)
    with pytest.raises(ProviderError):
        call("list_instances", within_s=5)


def test_the_cloud_is_not_asked_with_keys_that_cannot_be_right(call, cloud):
    for user in ("", "AKIA\nX", " AKIA"):
        with pytest.raises(AuthenticationFailed):
            call("list_instances", user=user or "+token")
    assert cloud.control.calls() == {}
