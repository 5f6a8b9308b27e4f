"""The EC2 driver makes instances: as ordered, all or none, and once whatever happens."""

import base64
import time

import pytest

from deltacloud.errors import Conflict, Forbidden, InvalidParameters, NotFound, OutcomeUnknown, Throttled
from harness.strict_ec2 import NO_IMAGE, PUBLIC_KEY, ends_in_time, reach

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


UNANSWERED = [
    {"when": "after", "close": True},
    {"truncate": True},
    {"when": "after", "garbage": True},
    {"when": "after", "status": 502},
    {"when": "after", "status": 200},
    {"trickle_s": 0.05},
]


@pytest.mark.parametrize("fault", UNANSWERED, ids=str)
def test_a_create_that_is_not_answered_as_the_cloud_answers_has_an_unknown_outcome(warm, cloud, image_id, fault):
    order = {"image_id": image_id, "hwp_id": "t2.micro", "key": "6f1c"}
    cloud.control.fault(RunInstances=fault)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="Idempotency-Key"):
        warm("create_instance", **order, within_s=2.0)
    assert ends_in_time(began, 2.0)
    cloud.control.clear_faults()
    assert [each["id"] for each in cloud.control.instances()] == [warm("create_instance", **order).id]


def test_a_create_that_was_lost_and_then_refused_has_an_unknown_outcome(call, cloud, image_id):
    cloud.control.fault(RunInstances=[{"when": "after", "close": True, "times": 1}, {"throttle": True}])
    with pytest.raises(OutcomeUnknown):
        call("create_instance", image_id=image_id, hwp_id="t2.micro", key="6f1c")
    assert len(cloud.control.instances()) == 1


def test_a_create_that_was_refused_every_time_has_a_known_outcome(call, cloud, image_id):
    cloud.control.fault(RunInstances={"throttle": True})
    with pytest.raises(Throttled):
        call("create_instance", image_id=image_id, hwp_id="t2.micro", key="6f1c")


@pytest.mark.parametrize("fault", UNANSWERED, ids=str)
@pytest.mark.parametrize("order", [{}, {"public_key": PUBLIC_KEY}], ids=["made", "imported"])
def test_a_key_that_is_not_answered_as_the_cloud_answers_has_an_unknown_outcome(warm, cloud, order, fault):
    native = "ImportKeyPair" if order else "CreateKeyPair"
    cloud.control.fault(**{native: fault})
    with pytest.raises(OutcomeUnknown, match="list what there is"):
        warm("create_key", name="laptop", within_s=2.0, **order)
    assert cloud.control.calls()[native] == 1
    assert [each.id for each in warm("list_keys")] == ["laptop"]
