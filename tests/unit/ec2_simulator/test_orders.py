"""Orders for machines, and that a client token makes them once."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.waiting import wait_until
from simulators.ec2.vendor import image_of, reach, refusal, run, send, show, signed
from simulators.process import Running

ANY_ID = "i-0123456789abcdef0"


def test_a_machine_is_made_as_ordered(ec2: Any, simulator: Running) -> None:
    ec2.create_key_pair(KeyName="laptop", KeyType="ed25519")
    group = ec2.create_security_group(GroupName="web", Description="web servers")["GroupId"]
    snapshot = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["SnapshotId"]
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": snapshot, "DeleteOnTermination": False}}
    made = run(
        ec2,
        KeyName="laptop",
        SecurityGroups=["default"],
        SecurityGroupIds=[group],
        UserData="echo grüezi",
        Placement={"AvailabilityZone": "us-east-1c"},
        BlockDeviceMappings=[disk],
        Monitoring={"Enabled": True},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "a & b"}]}],
        ClientToken="order-1",
    )
    reach(ec2, made[0], "running")
    seen = show(ec2, made[0])
    assert (seen["KeyName"], seen["ClientToken"], seen["Monitoring"]["State"]) == ("laptop", "order-1", "enabled")
    assert {one["GroupName"] for one in seen["SecurityGroups"]} == {"default", "web"}
    assert seen["Placement"]["AvailabilityZone"] == "us-east-1c"
    assert seen["Tags"] == [{"Key": "Name", "Value": "a & b"}]
    assert {one["DeviceName"]: one["Ebs"]["DeleteOnTermination"] for one in seen["BlockDeviceMappings"]} == {
        "/dev/sdf": False,
        "/dev/xvda": True,
    }
    truth = simulator.control.instances()[0]
    assert base64.b64decode(truth["user_data"]).decode() == "echo grüezi"
    assert truth["devices"][0]["snapshot_id"] == snapshot


def test_several_machines_of_one_order_share_a_reservation(ec2: Any) -> None:
    made = run(ec2, MinCount=3, MaxCount=3)
    reservations = ec2.describe_instances()["Reservations"]
    assert [[one["InstanceId"] for one in each["Instances"]] for each in reservations] == [made]
    assert [one["AmiLaunchIndex"] for one in reservations[0]["Instances"]] == [0, 1, 2]


def test_the_limit_of_machines_lets_fewer_be_made_or_none(ec2: Any, simulator: Running) -> None:
    simulator.control.settings(instance_limit=3)
    assert refusal(lambda: run(ec2, MinCount=4, MaxCount=5)) == ("InstanceLimitExceeded", 400)
    assert len(run(ec2, MinCount=2, MaxCount=5)) == 3
    assert len(simulator.control.instances()) == 3


def test_machines_are_found_by_their_marks(ec2: Any) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "owner", "Value": "team-a"}]}]
    here = run(ec2, ClientToken="here", Placement={"AvailabilityZone": "us-east-1a"}, TagSpecifications=tags)[0]
    there = run(ec2, ClientToken="there", Placement={"AvailabilityZone": "us-east-1b"})[0]
    reach(ec2, here, "running")
    marks = {
        "client-token": "here",
        "availability-zone": "us-east-1a",
        "tag:owner": "team-*",
        "instance-id": here,
    }
    for name, value in marks.items():
        found = ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}])["Reservations"]
        assert [one["InstanceId"] for each in found for one in each["Instances"]] == [here], name
    ec2.create_tags(Resources=[there], Tags=[{"Key": "owner", "Value": "team-b"}])
    by_tag = [{"Name": "tag:owner", "Values": ["team-b"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    wait_until(lambda: len(ec2.describe_instances(Filters=by_tag)["Reservations"]) == 1, "the tagged one to run")
    absent = [{"Name": "instance-id", "Values": [ANY_ID]}]
    assert ec2.describe_instances(Filters=absent)["Reservations"] == []


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"ImageId": "ami-xyz"}, "InvalidAMIID.Malformed"),
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"MinCount": 2}, "InvalidParameterCombination"),
        ({"MinCount": 0}, "InvalidParameterValue"),
        ({"InstanceType": "m1.tiny"}, "InvalidParameterValue"),
        ({"InstanceType": "t4g.micro"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroups": ["nobody"]}, "InvalidGroup.NotFound"),
        ({"SecurityGroupIds": ["sg-12345678"]}, "InvalidGroup.NotFound"),
        ({"SecurityGroupIds": ["default"]}, "InvalidGroupId.Malformed"),
        ({"Placement": {"AvailabilityZone": "mars"}}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-12345678"}, "InvalidSubnetID.NotFound"),
        ({"UserData": "x" * 16_385}, "InvalidParameterValue"),
        ({"ClientToken": "x" * 65}, "InvalidParameterValue"),
        ({"BlockDeviceMappings": [{"DeviceName": "/dev/sdf"}]}, "MissingParameter"),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-12345678"}}]},
            "InvalidSnapshot.NotFound",
        ),
        ({"TagSpecifications": [{"ResourceType": "bucket", "Tags": []}]}, "InvalidParameterValue"),
        (
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "aws:x", "Value": ""}]}]},
            "InvalidParameterValue",
        ),
    ],
)
def test_an_order_that_cannot_be_met_makes_no_machine(
    ec2: Any, simulator: Running, order: dict[str, object], code: str
) -> None:
    assert refusal(lambda: run(ec2, **order)) == (code, 400)
    assert simulator.control.instances() == []


def test_user_data_must_be_base64_and_may_fill_16_kib(ec2: Any, simulator: Running) -> None:
    image = image_of(ec2, architecture="x86_64", image_type="machine")
    order = {"Action": "RunInstances", "ImageId": image, "MinCount": "1", "MaxCount": "1"}
    assert send(signed(simulator.url, {**order, "UserData": "no base64!"})) == (400, "InvalidParameterValue")
    assert run(ec2, UserData="x" * 16_384)


def test_the_same_order_with_the_same_token_gives_the_same_machine_in_its_present_state(
    ec2: Any, simulator: Running
) -> None:
    image = image_of(ec2, architecture="x86_64", root_device_type="ebs")
    order = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t2.micro", "ClientToken": "once"}
    first = ec2.run_instances(**order)
    reach(ec2, first["Instances"][0]["InstanceId"], "running")
    again = ec2.run_instances(**order)
    assert again["ReservationId"] == first["ReservationId"]
    assert [one["State"]["Name"] for one in first["Instances"] + again["Instances"]] == ["pending", "running"]
    assert len(simulator.control.instances()) == 1


def test_a_token_used_for_another_order_is_a_mismatch(ec2: Any, simulator: Running) -> None:
    run(ec2, ClientToken="once")
    assert refusal(lambda: run(ec2, ClientToken="once", InstanceType="t2.nano")) == (
        "IdempotentParameterMismatch",
        400,
    )
    assert len(simulator.control.instances()) == 1


def test_a_token_of_an_order_that_failed_is_still_good(ec2: Any) -> None:
    assert refusal(lambda: run(ec2, ClientToken="once", KeyName="nobody"))[0] == "InvalidKeyPair.NotFound"
    assert run(ec2, ClientToken="once")


def test_orders_with_one_token_at_the_same_time_make_one_machine(ec2: Any, simulator: Running) -> None:
    image = image_of(ec2, architecture="x86_64", root_device_type="ebs")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: run(ec2, ImageId=image, ClientToken="race")[0], range(24)))
    assert len(set(made)) == 1
    assert len(simulator.control.instances()) == 1
