"""Where a provider's native services are, and that no private cloud's keys go to the public one."""

from typing import Any

import pytest

from deltacloud.drivers import ProviderTarget
from deltacloud.drivers.aws.sending import Sender
from deltacloud.errors import ProviderError, UnknownProvider
from deltacloud_compute.drivers.ec2.driver import Ec2Driver
from deltacloud_storage.drivers.ec2.driver import S3Driver
from harness.driver_calls import DriverCalls
from harness.storage import StorageCaller

EC2 = "https://ec2.corp.example"
S3 = "https://s3.corp.example"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs of what the AWS drivers would have sent; nothing leaves."""
    urls: list[str] = []

    def note(_: Sender, request: Any, deadline: Any) -> Any:
        urls.append(request.url)
        raise ProviderError("Nothing leaves this test.")

    monkeypatch.setattr(Sender, "send", note)
    return urls


def compute(target: ProviderTarget) -> DriverCalls:
    return DriverCalls(Ec2Driver(), target, "AKIATEST", "secret")


def storage(target: ProviderTarget) -> StorageCaller:
    return StorageCaller(S3Driver(), "AKIATEST", "secret", target)


@pytest.mark.parametrize(
    ("target", "ec2", "s3"),
    [
        (ProviderTarget(), None, None),
        (ProviderTarget(name="corp", region="eu-west-1"), None, None),
        (ProviderTarget(name="corp", endpoint=EC2), EC2, EC2),
        (ProviderTarget(name="corp", endpoints={"ec2": EC2, "s3": S3}), EC2, S3),
        (ProviderTarget(name="corp", endpoint=EC2, endpoints={"s3": S3}), EC2, S3),
    ],
)
def test_a_services_endpoint_is_its_own_then_the_one_for_all_then_the_clouds(
    target: ProviderTarget, ec2: str | None, s3: str | None
) -> None:
    assert (target.endpoint_of("ec2"), target.endpoint_of("s3")) == (ec2, s3)


@pytest.mark.parametrize("named", ["ec2", "S3", "s3 "])
def test_a_target_that_names_other_services_alone_has_no_endpoint_for_this_one(named: str) -> None:
    target = ProviderTarget(name="corp", region="us-east-1", endpoints={named: EC2})

    with pytest.raises(UnknownProvider) as refused:
        target.endpoint_of("s3")

    assert refused.value.http_status == 400
    assert refused.value.message == (
        f"Provider 'corp' names no s3 endpoint; add endpoints.s3 to the providers file (it names {named})."
    )


def test_nothing_is_sent_or_signed_for_a_store_that_the_provider_does_not_name(sent: list[str]) -> None:
    s3 = storage(ProviderTarget(name="corp", region="us-east-1", endpoints={"ec2": EC2}))
    calls = (
        s3.list_buckets,
        lambda: s3.create_bucket(name="abc"),
        lambda: s3.download_blob(bucket_id="abc", id="k"),
        lambda: s3.upload_blob(bucket_id="abc", id="k", content_length=1),
        lambda: s3.upload_blob(bucket_id="abc", id="k"),
    )

    for call in calls:
        with pytest.raises(UnknownProvider, match=r"names no s3 endpoint; add endpoints\.s3"):
            call()

    assert sent == []


@pytest.mark.parametrize("operation", ["list_instances", "list_realms", "list_images", "list_providers"])
def test_nothing_is_sent_to_a_compute_cloud_that_the_provider_does_not_name(sent: list[str], operation: str) -> None:
    call = compute(ProviderTarget(name="corp", region="us-east-1", endpoints={"s3": S3}))

    with pytest.raises(UnknownProvider, match=r"names no ec2 endpoint; add endpoints\.ec2"):
        call(operation)

    assert sent == []


def test_a_provider_with_a_region_alone_is_at_the_clouds_own_hosts(sent: list[str]) -> None:
    target = ProviderTarget(name="corp", region="eu-west-1")
    transfer = storage(target).download_blob(bucket_id="abc", id="k")
    with pytest.raises(ProviderError, match="Nothing leaves"):
        compute(target)("list_realms")

    assert transfer.url == "https://abc.s3.eu-west-1.amazonaws.com/k"
    assert sent == ["https://ec2.eu-west-1.amazonaws.com/"]
