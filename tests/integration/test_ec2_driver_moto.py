"""The EC2 driver against moto: an implementation of EC2 that is neither ours nor the vendor's."""

import base64
import uuid
from collections.abc import Iterator

import boto3
import pytest

from deltacloud.drivers import ProviderTarget
from deltacloud.errors import AuthenticationFailed, Conflict, NotFound, WrongState
from deltacloud_compute.drivers.ec2.driver import Ec2Driver
from harness.driver_calls import DriverCalls
from harness.moto import Moto

NO_INSTANCE = "i-0123456789abcdef0"


def caller(server: Moto, region: str = "us-east-1") -> DriverCalls:
    target = ProviderTarget(name="lab", endpoint=server.endpoint, region=region)
    return DriverCalls(Ec2Driver(), target, server.access_key, server.secret_key)


def vendor(server: Moto, region: str = "us-east-1"):
    return boto3.Session(
        region_name=region, aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key
    ).client("ec2", endpoint_url=server.endpoint)


@pytest.fixture
def call(moto: Moto) -> DriverCalls:
    return caller(moto)


@pytest.fixture
def name() -> str:
    """A name nobody else uses on the shared server."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def image_id(call: DriverCalls) -> str:
    return next(each.id for each in call("list_images", owner_id="amazon", architecture="x86_64"))


@pytest.fixture
def made(call: DriverCalls, image_id: str, name: str) -> Iterator[str]:
    """The id of an instance that goes with the test."""
    instance_id = call("create_instance", image_id=image_id, hwp_id="t2.micro", name=name).id
    yield instance_id
    call("destroy_instance", id=instance_id, redelivered=True)


def test_an_instance_lives_and_dies(call, image_id, name):
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro", name=name)
    assert (made.name, made.image_id, made.hardware_profile_id) == (name, image_id, "t2.micro")
    seen = call("get_instance", id=made.id)
    assert seen.state == "RUNNING"
    assert "stop" in seen.actions
    assert [each.type for each in seen.public_addresses] == ["ipv4", "hostname"]
    call("stop_instance", id=made.id)
    stopped = call("get_instance", id=made.id)
    assert (stopped.state, stopped.actions) == ("STOPPED", ("start", "destroy"))
    assert [each.id for each in call("list_instances", state="STOPPED", id=made.id)] == [made.id]
    call("start_instance", id=made.id)
    call("reboot_instance", id=made.id)
    call("destroy_instance", id=made.id)
    assert call("get_instance", id=made.id).state == "FINISH"


def test_a_destroyed_instance_is_not_brought_back_to_life(call, made):
    call("destroy_instance", id=made)
    for method in ("start_instance", "reboot_instance", "destroy_instance"):
        with pytest.raises(WrongState):
            call(method, id=made)
    assert call("get_instance", id=made).state == "FINISH"


def test_lists_and_shows_agree_with_the_vendors_client(call, moto, made):
    reservations = vendor(moto).describe_instances(InstanceIds=[made])["Reservations"]
    native = reservations[0]["Instances"][0]
    shown = call("get_instance", id=made)
    assert shown in call("list_instances")
    assert shown.owner_id == reservations[0]["OwnerId"]
    assert shown.realm_id == native["Placement"]["AvailabilityZone"]
    assert shown.firewalls == tuple(each["GroupId"] for each in native["SecurityGroups"])
    assert shown.network_interfaces == tuple(each["NetworkInterfaceId"] for each in native["NetworkInterfaces"])
    assert {each.id for each in shown.storage_volumes} == {
        each["Ebs"]["VolumeId"] for each in native["BlockDeviceMappings"]
    }


def test_a_list_of_instances_costs_one_native_call_and_an_action_two(call, made):
    with call.native_calls() as sent:
        call("list_instances")
    assert sent == {"DescribeInstances": 1}
    with call.native_calls() as sent:
        call("stop_instance", id=made)
    assert sent == {"DescribeInstances": 1, "StopInstances": 1}


def test_user_data_firewall_key_and_zone_arrive_as_given(call, moto, image_id, name):
    ec2 = vendor(moto)
    group_id = ec2.create_security_group(GroupName=name, Description="for a test")["GroupId"]
    call("create_key", name=name)
    made = call(
        "create_instance",
        image_id=image_id,
        hwp_id="t2.micro",
        realm_id="us-east-1b",
        keyname=name,
        user_data=base64.b64encode(b"echo hello").decode(),
        firewalls=[name],
        metrics="on",
    )
    native = ec2.describe_instances(InstanceIds=[made.id])["Reservations"][0]["Instances"][0]
    attribute = ec2.describe_instance_attribute(InstanceId=made.id, Attribute="userData")
    assert base64.b64decode(attribute["UserData"]["Value"]) == b"echo hello"
    assert (native["KeyName"], native["Placement"]["AvailabilityZone"]) == (name, "us-east-1b")
    assert native["Monitoring"]["State"] == "enabled"
    assert made.firewalls == (group_id,)
    call("destroy_instance", id=made.id)
    call("destroy_key", id=name)


def test_names_of_firewalls_in_a_subnet_are_those_of_its_network(call, moto, image_id, name):
    ec2 = vendor(moto)
    vpc_id = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.20.1.0/24", AvailabilityZone="us-east-1a")["Subnet"]
    group_id = ec2.create_security_group(GroupName=name, Description="for a test", VpcId=vpc_id)["GroupId"]
    realm = f"us-east-1a:{subnet['SubnetId']}"
    assert call("get_realm", id=realm).id == realm
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro", realm_id=realm, firewalls=[name])
    assert made.firewalls == (group_id,)
    assert [each.id for each in call("list_instances", realm_id=realm)] == [made.id]
    call("destroy_instance", id=made.id)


def test_several_instances_come_as_a_list(call, image_id):
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro", instance_count=2)
    assert len({each.id for each in made}) == 2
    for each in made:
        call("destroy_instance", id=each.id)


def test_zones_and_subnets_are_realms_and_profiles_have_sizes(call):
    realms = call("list_realms")
    assert "us-east-1a" in {each.id for each in realms}
    assert any(each.id.startswith("us-east-1a:subnet-") for each in realms)
    profiles = {each.id: each for each in call("list_hardware_profiles")}
    assert len(profiles) > 500
    assert {each.id: each.value for each in profiles["t3.micro"].properties} == {
        "cpu": 2,
        "memory": 1024,
        "architecture": "x86_64",
    }
    assert call("get_hardware_profile", id="m1.small").id == "m1.small"


def test_images_are_those_of_an_owner_and_one_is_found_by_id(call, image_id):
    image = call("get_image", id=image_id)
    assert (image.id, image.architecture) == (image_id, "x86_64")
    assert {each.architecture for each in call("list_images", architecture="arm64")} <= {"arm64"}
    assert [each.id for each in call("list_images", id=image_id)] == [image_id]
    assert call("list_images", owner_id="self") == []


def test_a_key_lives_and_dies(call, name):
    assert "PRIVATE KEY" in call("create_key", name=name).pem
    with pytest.raises(Conflict):
        call("create_key", name=name)
    assert [each.id for each in call("list_keys", id=name)] == [name]
    call("destroy_key", id=name)
    with pytest.raises(NotFound):
        call("get_key", id=name)


@pytest.mark.parametrize(
    ("method", "id"),
    [
        ("get_instance", NO_INSTANCE),
        ("stop_instance", "i-xyz"),
        ("destroy_instance", NO_INSTANCE),
        ("get_image", "ami-0123456789abcdef0"),
        ("get_realm", "mars"),
        ("get_hardware_profile", "m1.tiny"),
        ("get_key", "nobody-has-this"),
        ("destroy_key", "nobody-has-this"),
    ],
)
def test_what_does_not_exist_is_not_found(call, method, id):
    with pytest.raises(NotFound):
        call(method, id=id)


def test_each_region_has_its_own_instances(moto, image_id, made):
    assert made not in {each.id for each in caller(moto, "eu-west-1")("list_instances")}
    assert "eu-west-1a" in {each.id for each in caller(moto, "eu-west-1")("list_realms")}


def test_the_regions_are_providers(call):
    assert {"us-east-1", "eu-west-1"} <= {each.id for each in call("list_providers")}


def test_where_signatures_are_checked_the_right_keys_work_and_wrong_ones_are_refused(moto_with_auth):
    call = caller(moto_with_auth)
    assert call("check_credentials") is None
    assert call("list_instances") is not None
    for wrong in ({"password": "wrong"}, {"user": "AKIANOBODY0000000000"}):
        for method in ("check_credentials", "list_instances", "list_images", "list_realms", "list_keys"):
            with pytest.raises(AuthenticationFailed):
                call(method, **wrong)
