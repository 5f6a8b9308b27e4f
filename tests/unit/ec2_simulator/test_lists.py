"""What the simulator lists, and how it pages."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.ec2.vendor import image_of, refusal, run
from simulators.process import Running

PAGED = {
    "describe_images": ("Images", "ImageId"),
    "describe_instances": ("Reservations", "ReservationId"),
    "describe_instance_types": ("InstanceTypes", "InstanceType"),
    "describe_security_groups": ("SecurityGroups", "GroupId"),
    "describe_snapshots": ("Snapshots", "SnapshotId"),
    "describe_subnets": ("Subnets", "SubnetId"),
}

ANY_ID = "i-0123456789abcdef0"


def test_zones_and_regions_not_opted_in_are_shown_on_demand_only(ec2: Any) -> None:
    usual, every = ec2.describe_availability_zones(), ec2.describe_availability_zones(AllAvailabilityZones=True)
    assert len(every["AvailabilityZones"]) == len(usual["AvailabilityZones"]) + 1
    assert len(ec2.describe_regions(AllRegions=True)["Regions"]) > len(ec2.describe_regions()["Regions"])
    kinds = [{"Name": "zone-type", "Values": ["availability-zone"]}]
    names = [one["ZoneName"] for one in ec2.describe_availability_zones(Filters=kinds)["AvailabilityZones"]]
    assert names == [f"us-east-1{letter}" for letter in "abcdef"]


def test_types_have_the_shape_their_vendor_gives_them(ec2: Any) -> None:
    small, large = ec2.describe_instance_types(InstanceTypes=["m1.small", "m5.large"])["InstanceTypes"]
    assert small["ProcessorInfo"]["SupportedArchitectures"] == ["i386", "x86_64"]
    assert (small["MemoryInfo"]["SizeInMiB"], small["InstanceStorageInfo"]["TotalSizeInGB"]) == (1740, 160)
    assert (large["VCpuInfo"]["DefaultVCpus"], large["MemoryInfo"]["SizeInMiB"]) == (2, 8192)
    assert "InstanceStorageInfo" not in large
    assert refusal(ec2.describe_instance_types, InstanceTypes=["m1.tiny"]) == ("InvalidInstanceType", 400)


def test_images_are_found_by_owner_and_deprecated_ones_stay_hidden(ec2: Any) -> None:
    own = ec2.describe_images(Owners=["self"])["Images"]
    assert [(image["Public"], image["OwnerId"]) for image in own] == [(False, "123456789012")]
    usual = ec2.describe_images(Owners=["amazon"])["Images"]
    every = ec2.describe_images(Owners=["amazon"], IncludeDeprecated=True)["Images"]
    hidden = {image["ImageId"] for image in every} - {image["ImageId"] for image in usual}
    assert len(hidden) == 1
    assert len(ec2.describe_images(ImageIds=list(hidden))["Images"]) == 1


def test_snapshots_of_everybody_are_listed_unless_an_owner_is_named(ec2: Any) -> None:
    own = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert 0 < len(own) < len(ec2.describe_snapshots()["Snapshots"])
    assert {one["OwnerId"] for one in own} == {"123456789012"}


@pytest.mark.parametrize(
    ("call", "parameter", "malformed", "unknown"),
    [
        ("describe_instances", "InstanceIds", ("i-xyz", "InvalidInstanceID.Malformed"), (ANY_ID, "InvalidInstanceID")),
        ("describe_images", "ImageIds", ("image", "InvalidAMIID.Malformed"), ("ami-12345678", "InvalidAMIID")),
        ("describe_security_groups", "GroupIds", ("sg-", "InvalidGroupId.Malformed"), ("sg-12345678", "InvalidGroup")),
        (
            "describe_snapshots",
            "SnapshotIds",
            ("s", "InvalidSnapshotID.Malformed"),
            ("snap-12345678", "InvalidSnapshot"),
        ),
    ],
)
def test_one_malformed_or_unknown_id_fails_the_whole_call(
    ec2: Any, call: str, parameter: str, malformed: tuple[str, str], unknown: tuple[str, str]
) -> None:
    assert refusal(getattr(ec2, call), **{parameter: [unknown[0], malformed[0]]}) == (malformed[1], 400)
    assert refusal(getattr(ec2, call), **{parameter: [unknown[0]]}) == (f"{unknown[1]}.NotFound", 400)


@pytest.fixture
def plenty(simulator: Running) -> Running:
    simulator.control.seed(instances=12, images=12, snapshots=12, security_groups=12)
    return simulator


@pytest.mark.parametrize("name", PAGED)
def test_pages_never_exceed_what_was_asked_and_add_up_to_the_list(ec2: Any, plenty: Running, name: str) -> None:
    key, id_key = PAGED[name]
    pages = [page[key] for page in ec2.get_paginator(name).paginate(PaginationConfig={"PageSize": 5})]
    assert len(pages) > 1
    assert {len(page) for page in pages[:-1]} == {5}
    assert 0 < len(pages[-1]) <= 5
    ids = [item[id_key] for page in pages for item in page]
    every = [item[id_key] for page in ec2.get_paginator(name).paginate() for item in page[key]]
    assert ids == every
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", PAGED)
def test_a_page_size_of_the_simulator_caps_a_list_nobody_asked_to_page(ec2: Any, plenty: Running, name: str) -> None:
    plenty.control.settings(page_size=3)
    answer = getattr(ec2, name)()
    assert len(answer[PAGED[name][0]]) == 3
    assert answer["NextToken"]
    assert len(getattr(ec2, name)(MaxResults=100)[PAGED[name][0]]) == 3


def test_pages_may_be_empty_and_yet_lead_on(ec2: Any, plenty: Running) -> None:
    plenty.control.settings(sparse_pages=True)
    first = ec2.describe_instances()
    assert first["Reservations"] == []
    assert len(ec2.describe_instances(NextToken=first["NextToken"])["Reservations"]) == 12


def test_types_come_a_hundred_at_a_time_though_nobody_asked(ec2: Any) -> None:
    first = ec2.describe_instance_types()
    rest = ec2.describe_instance_types(NextToken=first["NextToken"])
    assert len(first["InstanceTypes"]) == 100
    assert len(rest["InstanceTypes"]) > 25
    assert "NextToken" not in rest


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("token", ["", "nonsense", "AAAA"])
def test_a_token_that_is_none_is_refused(ec2: Any, name: str, token: str) -> None:
    assert refusal(getattr(ec2, name), NextToken=token) == ("InvalidParameterValue", 400)


def test_a_token_leads_on_in_its_own_list_only(ec2: Any, plenty: Running) -> None:
    token = ec2.describe_instances(MaxResults=5)["NextToken"]
    other = [{"Name": "instance-state-name", "Values": ["running"]}]
    assert refusal(ec2.describe_images, NextToken=token) == ("InvalidParameterValue", 400)
    assert refusal(ec2.describe_instances, NextToken=token, Filters=other) == ("InvalidParameterValue", 400)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("describe_instances", 4),
        ("describe_instances", 1001),
        ("describe_instance_types", 101),
        ("describe_images", 0),
        ("describe_images", 1001),
        ("describe_security_groups", 4),
        ("describe_snapshots", 1001),
    ],
)
def test_a_page_of_impossible_size_is_refused(ec2: Any, name: str, size: int) -> None:
    assert refusal(getattr(ec2, name), MaxResults=size) == ("InvalidParameterValue", 400)


def test_paging_and_ids_exclude_each_other(ec2: Any) -> None:
    instance = run(ec2)
    image = [image_of(ec2, image_type="machine")]
    assert refusal(ec2.describe_instances, InstanceIds=instance, MaxResults=5)[0] == "InvalidParameterCombination"
    assert refusal(ec2.describe_images, ImageIds=image, MaxResults=5)[0] == "InvalidParameterCombination"
