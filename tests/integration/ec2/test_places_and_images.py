"""Realms, hardware profiles and images of the EC2 driver."""

import pytest

from deltacloud.errors import AuthenticationFailed, NotFound
from harness.strict_ec2 import NO_IMAGE, NO_INSTANCE


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
