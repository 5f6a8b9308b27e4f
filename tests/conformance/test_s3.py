"""The S3 driver passes the conformance suite against moto, with a front before it that can misbehave."""

from collections.abc import Iterator

import boto3
import pytest

from deltacloud.drivers import Credentials, SessionCache
from deltacloud.providers.picture import ProviderEntry
from deltacloud.testing import DriverConformance, Notes, Subject, by_storing
from deltacloud_storage.drivers.ec2.driver import S3Driver
from harness.front import Front
from harness.moto import Moto

NATIVE_PAGE = 1000
CLIENTS = SessionCache()
"""botocore takes long to build a client; a worker builds one for all its calls too."""
FAULTS = ("throttle", "throttle_once", "hang", "garbage", "close", "slow", "lost_answer")


@pytest.fixture(scope="module")
def front(moto_with_auth: Moto) -> Iterator[Front]:
    front = Front(moto_with_auth.endpoint)
    yield front
    front.close()


class TestS3(DriverConformance):
    driver = S3Driver

    @pytest.fixture
    def subject(self, moto_with_auth: Moto, front: Front) -> Subject:
        return Subject(
            driver=S3Driver(),
            credentials=Credentials(moto_with_auth.access_key, moto_with_auth.secret_key),
            wrong_credentials=(
                Credentials(moto_with_auth.access_key, "canary-wrong-secret"),
                Credentials("AKIACANARYNOBODY0001", moto_with_auth.secret_key),
            ),
            provider=ProviderEntry(name="lab", endpoint=front.url, region="us-east-1"),
            features={"bucket_location": {"location": "eu-west-1"}},
            cache=CLIENTS,
            observe={"bucket_location": lambda made: location(moto_with_auth, made.id)},
            fill={"get_bucket": by_storing(NATIVE_PAGE + 1)},
            faults={kind: lambda kind=kind: front.during(kind) for kind in FAULTS},
            cannot=Notes.of(S3Driver).cannot("moto"),
        )


def location(moto: Moto, bucket: str) -> str:
    """Where the store says a bucket is."""
    s3 = boto3.client(
        "s3",
        endpoint_url=moto.endpoint,
        region_name="us-east-1",
        aws_access_key_id=moto.access_key,
        aws_secret_access_key=moto.secret_key,
    )
    return s3.get_bucket_location(Bucket=bucket)["LocationConstraint"]
