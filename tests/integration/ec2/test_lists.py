"""The EC2 driver lists: whole, in the fewest calls, filtered by the cloud."""

import pytest

from deltacloud.errors import WrongState
from harness.strict_ec2 import NO_INSTANCE, new_caller, reach


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
