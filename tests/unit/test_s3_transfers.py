"""The S3 driver's transfers and errors where moto cannot show them."""

import pytest

from deltacloud.drivers import ProviderTarget
from deltacloud.errors import Conflict, ProviderError
from deltacloud_storage.drivers.ec2.driver import S3Driver
from harness.embedded import serving
from harness.storage import StorageCaller


def _caller(**target):
    return StorageCaller(S3Driver(), "AKIATEST", "secret", ProviderTarget(name="lab", **target))


def _store(code, message):
    def answers(_, start_response):
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        start_response("409 Conflict", [("Content-Length", str(len(body)))])
        return [body]

    return answers


def test_a_transfer_may_go_to_the_addresses_of_its_own_host_alone():
    s3 = _caller(
        endpoints={"s3": "http://s3.invalid", "ec2": "http://ec2.invalid"},
        is_trusted=False,
        addresses={"ec2.invalid": ("203.0.113.9",), "s3.invalid": ("203.0.113.1", "203.0.113.2")},
    )

    assert s3.download_blob(bucket_id="b", id="k").addresses == ("203.0.113.1", "203.0.113.2")


def test_no_transfer_is_made_to_a_host_that_was_not_checked():
    s3 = _caller(endpoint="http://s3.invalid", is_trusted=False, addresses={"ec2.invalid": ("203.0.113.9",)})

    with pytest.raises(ProviderError):
        s3.download_blob(bucket_id="b", id="k")


@pytest.mark.parametrize(
    ("code", "message", "is_ours"),
    [
        ("BucketAlreadyOwnedByYou", "It is there.", True),
        ("BucketAlreadyExists", "Somebody's, so no BucketAlreadyOwnedByYou.", False),
    ],
)
def test_a_redelivered_create_answers_with_the_bucket_only_if_it_is_the_callers(code, message, is_ours):
    with serving(_store(code, message)) as url:
        s3 = _caller(endpoint=url)
        with pytest.raises(Conflict):
            s3.create_bucket(name="abc")
        s3.is_redelivered = True
        if is_ours:
            assert s3.create_bucket(name="abc").id == "abc"
        else:
            with pytest.raises(Conflict):
                s3.create_bucket(name="abc")
