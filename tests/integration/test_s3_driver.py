"""The S3 driver against moto, a server of its own."""

import uuid

import msgspec
import pytest

from deltacloud.drivers import ProviderTarget
from deltacloud.drivers.loading import load, verify
from deltacloud.errors import (
    AuthenticationFailed,
    Conflict,
    InvalidParameters,
    NotFound,
    PreconditionFailed,
)
from deltacloud.metrics import NATIVE_CALLS
from deltacloud_storage.drivers.ec2.driver import S3Driver
from harness.storage import StorageCaller, lab, move

PART = 5 * 1024 * 1024
"""The smallest part that S3 takes, but for the last."""

NAMES = [
    "plain",
    "with space",
    "slash/es/inside",
    "100%",
    "%41",
    "a+b&c=d;e",
    "ünïcödé 日本 🎉",
    "dots/../and/./more",
    "double//slash",
    "tilde~",
    "question?hash#",
    "quote\"'",
]


@pytest.fixture
def s3(moto):
    return StorageCaller(S3Driver(), moto.access_key, moto.secret_key, lab(moto))


@pytest.fixture
def bucket(s3):
    name = f"b-{uuid.uuid4().hex}"
    s3.create_bucket(name=name)
    yield name
    for blob in s3.get_bucket(id=name).blobs:
        s3.destroy_blob(bucket_id=name, id=blob)
    s3.destroy_bucket(id=name)


def _native_calls(work):
    def total():
        return {
            (sample.labels["call"]): sample.value
            for metric in NATIVE_CALLS.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }

    before = total()
    result = work()
    made = {name: int(value - before.get(name, 0)) for name, value in total().items()}
    return result, {name: count for name, count in made.items() if count}


def test_the_driver_is_installed_and_fits_the_catalogue():
    verify(S3Driver)
    [driver] = load("storage", ["ec2"])

    assert isinstance(driver, S3Driver)
    assert driver.info().default_provider == "us-east-1"


def test_a_new_bucket_is_empty_and_listed(s3, bucket):
    shown = s3.get_bucket(id=bucket)

    assert (shown.id, shown.name, shown.size, shown.blobs) == (bucket, bucket, 0, ())
    assert bucket in [each.id for each in s3.list_buckets()]


def test_a_bucket_can_be_put_into_a_region(s3):
    name = f"b-{uuid.uuid4().hex}"
    s3.create_bucket(name=name, location="eu-west-1")
    s3.destroy_bucket(id=name)

    assert name not in [each.id for each in s3.list_buckets()]


def test_a_bucket_of_a_regional_provider_is_made_in_its_region(moto):
    target = msgspec.structs.replace(lab(moto), region="eu-west-1")
    s3 = StorageCaller(S3Driver(), moto.access_key, moto.secret_key, target)
    name = f"b-{uuid.uuid4().hex}"
    s3.create_bucket(name=name)
    try:
        with pytest.raises(Conflict):
            s3.create_bucket(name=name)
        s3.is_redelivered = True
        assert s3.create_bucket(name=name).id == name
    finally:
        s3.destroy_bucket(id=name)


def test_a_bucket_with_blobs_is_not_destroyed(s3, bucket):
    s3.store(bucket, "one", b"1")

    with pytest.raises(Conflict):
        s3.destroy_bucket(id=bucket)


def test_a_bucket_shows_all_its_blobs_whatever_their_number(s3, bucket):
    names = [f"n{number:04}" for number in range(1005)]
    for name in names:
        s3.store(bucket, name, b"")

    shown, calls = _native_calls(lambda: s3.get_bucket(id=bucket))

    assert list(shown.blobs) == names
    assert shown.size == 1005
    assert calls == {"ListObjectsV2": 2}


@pytest.mark.parametrize("name", NAMES)
def test_a_blob_of_any_name_comes_back(s3, bucket, name):
    stored = s3.store(bucket, name, b"content", content_type="text/x-foo", metadata={"größe": "10 €", "a_b": "c"})
    blob = s3.get_blob(bucket_id=bucket, id=name)

    assert stored.status == 200
    assert s3.get_bucket(id=bucket).blobs == (name,)
    assert (blob.id, blob.bucket_id, blob.content_length, blob.content_type) == (name, bucket, 7, "text/x-foo")
    assert blob.user_metadata == {"größe": "10 €", "a_b": "c"}
    assert blob.etag == "9a0364b9e99bb480dd25e1f0284c8555"
    assert s3.fetch(bucket, name).data == b"content"


def test_reading_and_storing_bytes_need_no_call_to_the_cloud_but_the_transfer(s3, bucket):
    _, calls = _native_calls(lambda: (s3.store(bucket, "one", b"1"), s3.fetch(bucket, "one")))

    assert calls == {}


def test_a_range_and_conditions_pass_to_the_store(s3, bucket):
    s3.store(bucket, "one", b"0123456789")
    etag = s3.get_blob(bucket_id=bucket, id="one").etag

    part = s3.fetch(bucket, "one", range="bytes=2-4")
    assert (part.status, part.data, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert s3.fetch(bucket, "one", conditions={"If-None-Match": f'"{etag}"'}).status == 304
    assert s3.fetch(bucket, "one", conditions={"If-Match": '"other"'}).status == 412
    assert s3.fetch(bucket, "one", range="bytes=99-").status == 416


def test_a_blob_that_exists_is_not_stored_over_on_condition(s3, bucket):
    s3.store(bucket, "one", b"old")

    refused = s3.store(bucket, "one", b"new", conditions={"If-None-Match": "*"})

    assert refused.status == 412
    assert s3.fetch(bucket, "one").data == b"old"


def test_headers_that_were_stored_with_a_blob_come_back_with_its_bytes(s3, bucket):
    s3.store(bucket, "one", b"1", headers={"Cache-Control": "no-store", "Content-Language": "de"})

    assert s3.fetch(bucket, "one").headers["Cache-Control"] == "no-store"


def test_parts_become_one_blob(s3, bucket):
    plan = s3.upload_blob(bucket_id=bucket, id="big", content_type="x/y", metadata={"colour": "red"})
    parts = []
    for number, data in ((1, b"a" * PART), (2, b"end")):
        transfer = s3.sign_part_blob(
            bucket_id=bucket, id="big", upload_id=plan.upload_id, number=number, content_length=len(data)
        )
        parts.append({"number": number, "etag": move(transfer, data).headers["ETag"]})
    finished = s3.finish_upload_blob(bucket_id=bucket, id="big", upload_id=plan.upload_id, parts=parts)
    blob = s3.get_blob(bucket_id=bucket, id="big")

    assert finished.etag == blob.etag
    assert (blob.content_length, blob.content_type, blob.user_metadata) == (PART + 3, "x/y", {"colour": "red"})


def test_the_conditions_of_an_upload_in_parts_are_held_at_its_end(s3, bucket):
    s3.store(bucket, "big", b"old")
    plan = s3.upload_blob(bucket_id=bucket, id="big", conditions={"If-None-Match": "*"})
    transfer = s3.sign_part_blob(bucket_id=bucket, id="big", upload_id=plan.upload_id, number=1, content_length=3)
    parts = [{"number": 1, "etag": move(transfer, b"new").headers["ETag"]}]

    with pytest.raises(PreconditionFailed):
        s3.finish_upload_blob(bucket_id=bucket, id="big", upload_id=plan.upload_id, parts=parts)
    s3.abort_upload_blob(bucket_id=bucket, id="big", upload_id=plan.upload_id)
    assert s3.fetch(bucket, "big").data == b"old"


def test_an_aborted_upload_is_gone(s3, bucket):
    plan = s3.upload_blob(bucket_id=bucket, id="big")
    s3.abort_upload_blob(bucket_id=bucket, id="big", upload_id=plan.upload_id)

    with pytest.raises(NotFound):
        s3.abort_upload_blob(bucket_id=bucket, id="big", upload_id=plan.upload_id)


def test_five_tebibytes_of_known_length_fit_into_ten_thousand_parts(s3, bucket):
    size = 5 * 1024**4
    plan = s3.upload_blob(bucket_id=bucket, id="huge", content_length=size)
    s3.abort_upload_blob(bucket_id=bucket, id="huge", upload_id=plan.upload_id)

    assert plan.part_size * plan.max_parts >= size


def test_new_attributes_replace_the_old_ones_and_change_nothing_else(s3, bucket):
    s3.store(bucket, "one", b"1", content_type="x/y", metadata={"old": "1"}, headers={"Cache-Control": "no-store"})
    updated, calls = _native_calls(lambda: s3.update_blob(bucket_id=bucket, id="one", metadata={"new": "2"}))
    answer = s3.fetch(bucket, "one")

    assert updated.user_metadata == {"new": "2"}
    assert s3.get_blob(bucket_id=bucket, id="one").user_metadata == {"new": "2"}
    assert (answer.data, answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (b"1", "x/y", "no-store")
    assert calls == {"HeadObject": 1, "CopyObject": 1}


def test_a_destroyed_blob_is_gone(s3, bucket):
    s3.store(bucket, "one", b"1")
    s3.destroy_blob(bucket_id=bucket, id="one")

    with pytest.raises(NotFound) as caught:
        s3.get_blob(bucket_id=bucket, id="one")
    assert "'one'" in caught.value.message
    assert s3.get_bucket(id=bucket).blobs == ()


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_bucket", {"id": "no-such-bucket"}),
        ("destroy_bucket", {"id": "no-such-bucket"}),
        ("get_blob", {"bucket_id": "no-such-bucket", "id": "x"}),
        ("update_blob", {"bucket_id": "no-such-bucket", "id": "x", "metadata": {}}),
    ],
)
def test_what_does_not_exist_is_not_found(s3, operation, parameters):
    with pytest.raises(NotFound):
        getattr(s3, operation)(**parameters)


def test_a_name_that_s3_refuses_makes_no_bucket(s3):
    with pytest.raises(InvalidParameters):
        s3.create_bucket(name="Not A Name")


def test_wrong_keys_are_refused_and_not_repeated(moto_with_auth):
    wrong = StorageCaller(S3Driver(), moto_with_auth.access_key, "wrong canary", lab(moto_with_auth))
    unknown = StorageCaller(S3Driver(), "AKIANOBODY", moto_with_auth.secret_key, lab(moto_with_auth))

    for caller in (wrong, unknown):
        with pytest.raises(AuthenticationFailed) as caught:
            list(caller.list_buckets())
        assert "canary" not in str(caught.value)
        assert moto_with_auth.secret_key not in str(caught.value)


def test_the_signatures_of_calls_and_transfers_hold_where_they_are_checked(moto_with_auth):
    right = StorageCaller(S3Driver(), moto_with_auth.access_key, moto_with_auth.secret_key, lab(moto_with_auth))
    name = f"b-{uuid.uuid4().hex}"
    right.create_bucket(name=name)
    try:
        for blob in ("plain", "ü /+%"):
            assert right.store(name, blob, b"1", metadata={"a": "b"}).status == 200
            assert right.fetch(name, blob, range="bytes=0-0").data == b"1"
            right.destroy_blob(bucket_id=name, id=blob)
        wrong = StorageCaller(S3Driver(), moto_with_auth.access_key, "wrong", lab(moto_with_auth))
        assert wrong.store(name, "one", b"1").status == 403
    finally:
        right.destroy_bucket(id=name)


def test_a_transfer_to_a_client_named_store_goes_only_to_the_checked_address(moto):
    host, port = "s3.unresolvable.example", moto.endpoint.rpartition(":")[2]
    target = ProviderTarget(
        name=f"http://{host}:{port}",
        endpoint=f"http://{host}:{port}",
        is_trusted=False,
        addresses={host: ("127.0.0.1",)},
    )
    s3 = StorageCaller(S3Driver(), moto.access_key, moto.secret_key, target)
    transfer = s3.download_blob(bucket_id="b", id="x")

    assert transfer.addresses == ("127.0.0.1",)


def test_no_transfer_shows_its_signature_or_holds_the_secret(s3):
    transfer = s3.download_blob(bucket_id="b", id="x")

    assert s3.credentials.password not in str(msgspec.json.encode(transfer))
    assert transfer.headers["Authorization"] not in repr(transfer)
