"""A request is served only if it is signed as the service demands."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from simulators.ec2.vendor import make_client, refusal, send, signed
from simulators.process import Running

ANY_ID = "i-0123456789abcdef0"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_signed_with_a_known_key_is_served(simulator: Running, method: str) -> None:
    assert send(signed(simulator.url, {"Action": "DescribeRegions"}, method)) == (200, "DescribeRegionsResponse")


def test_a_wrong_secret_an_unknown_key_and_a_foreign_region_are_the_same_auth_failure(simulator: Running) -> None:
    strangers = [
        make_client(simulator.url, secret="wrong"),
        make_client(simulator.url, access_key="AKIANOBODY0000000000"),
        make_client(simulator.url, region="eu-west-1"),
    ]
    assert [refusal(one.describe_regions) for one in strangers] == [("AuthFailure", 401)] * 3


def test_a_temporary_key_works_with_its_session_token_alone(
    simulator: Running, temporary: tuple[str, str, str]
) -> None:
    key, secret, token = temporary
    assert make_client(simulator.url, access_key=key, secret=secret, token=token).describe_regions()["Regions"]
    for wrong in (None, "another-token"):
        stranger = make_client(simulator.url, access_key=key, secret=secret, token=wrong)
        assert refusal(stranger.describe_regions) == ("AuthFailure", 401)


def test_a_session_token_that_goes_with_no_key_is_refused(simulator: Running) -> None:
    stranger = make_client(simulator.url, token="made-up")
    assert refusal(stranger.describe_regions) == ("AuthFailure", 401)


def test_an_unsigned_request_lacks_its_access_key(simulator: Running) -> None:
    request = signed(simulator.url, {"Action": "DescribeRegions"})
    del request.headers["Authorization"]
    assert send(request) == (400, "MissingParameter")


def test_what_was_signed_cannot_be_changed(simulator: Running) -> None:
    body = signed(simulator.url, {"Action": "DescribeRegions"})
    body.data = str(body.data).replace("DescribeRegions", "DescribeImages")
    header = signed(simulator.url, {"Action": "DescribeRegions"})
    header.headers.replace_header("Content-Type", "text/plain")
    signature = signed(simulator.url, {"Action": "DescribeRegions"})
    value = signature.headers["Authorization"]
    signature.headers.replace_header("Authorization", value[:-1] + ("0" if value[-1] != "0" else "1"))
    added = signed(simulator.url, {"Action": "DescribeRegions"})
    added.headers["X-Amz-Target"] = "elsewhere"
    assert [send(one) for one in (body, header, signature, added)] == [(401, "AuthFailure")] * 4


def test_an_authorization_of_another_form_is_incomplete(simulator: Running) -> None:
    request = signed(simulator.url, {"Action": "DescribeRegions"})
    request.headers.replace_header("Authorization", "Basic dXNlcjpwYXNz")
    assert send(request) == (400, "IncompleteSignature")


@pytest.mark.parametrize(
    ("minutes", "answer"),
    [(-6, (400, "RequestExpired")), (-4, (200, "DescribeRegionsResponse")), (6, (401, "AuthFailure"))],
)
def test_a_signature_is_good_for_five_minutes(simulator: Running, minutes: int, answer: tuple[int, str]) -> None:
    request = signed(simulator.url, {"Action": "DescribeRegions"}, off=timedelta(minutes=minutes))
    assert send(request) == answer


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Action": "DescribeVolumes"}, "InvalidAction"),
        ({"Action": ""}, "MissingParameter"),
        ({"Action": "DescribeRegions", "Version": "2010-01-01"}, "NoSuchVersion"),
        ({"Action": "DescribeRegions", "Colour": "blue"}, "UnknownParameter"),
        ({"Action": "DescribeRegions", "AllRegions": "yes"}, "InvalidParameterValue"),
        ({"Action": "DescribeImages", "MaxResults": "many"}, "InvalidParameterValue"),
        ({"Action": "TerminateInstances"}, "MissingParameter"),
        ({"Action": "RunInstances", "MinCount": "1", "MaxCount": "1"}, "MissingParameter"),
        ({"Action": "CreateTags", "ResourceId.1": ANY_ID}, "MissingParameter"),
    ],
)
def test_a_request_that_is_not_quite_right_is_refused(
    simulator: Running, parameters: dict[str, str], code: str
) -> None:
    assert send(signed(simulator.url, parameters)) == (400, code)


@pytest.mark.parametrize("name", ["describe_images", "describe_instances", "describe_regions"])
def test_a_filter_the_call_does_not_know_is_refused(ec2: Any, name: str) -> None:
    strange = [{"Name": "colour", "Values": ["blue"]}]
    assert refusal(getattr(ec2, name), Filters=strange) == (
        "InvalidParameterValue",
        400,
    )


def test_values_of_a_filter_are_alternatives_and_filters_add_up(ec2: Any) -> None:
    names = {"Name": "instance-type", "Values": ["t?.micro", "m1.*", "M5.large"]}
    arm = {"Name": "processor-info.supported-architecture", "Values": ["arm64"]}
    by_name = ec2.describe_instance_types(Filters=[names])["InstanceTypes"]
    both = ec2.describe_instance_types(Filters=[names, arm])["InstanceTypes"]
    found = {one["InstanceType"] for one in by_name}
    assert found == {"t1.micro", "t2.micro", "t3.micro", "m1.small", "m1.medium", "m1.large", "m1.xlarge"}
    assert both == []


def test_a_connection_serves_many_calls_without_delay(simulator: Running, ec2: Any) -> None:
    took = []
    for _ in range(30):
        begun = time.perf_counter()
        ec2.describe_key_pairs()
        took.append(time.perf_counter() - begun)
    # A delayed acknowledgement costs 40 ms on every call.
    assert sorted(took)[len(took) // 2] < 0.025
