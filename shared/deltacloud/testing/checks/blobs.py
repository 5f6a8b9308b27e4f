"""Buckets and blobs: bytes come back as they went, by transfers alone, under every name."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from deltacloud.errors import NotFound
from deltacloud.models import Blob, UploadPlan
from deltacloud.testing.cloud import Cloud
from deltacloud.testing.selection import Suite, each, requires
from deltacloud.testing.transfers import Answer, move, send, send_cut_off

NAMES = (
    "plain.txt",
    "with space.txt",
    "folder/in/folder.txt",
    "a+b=c&d.txt",
    "100% sure?.txt",
    "hash#mark;semicolon,comma.txt",
    "quote'\"quote.txt",
    "%2e%2e%2f%20.txt",
    "naïve-日本語-😀.txt",
    "trailing.dot.",
)
STORE = ("create_bucket", "destroy_bucket", "upload_blob", "download_blob", "get_blob", "destroy_blob")
PARTS = ("sign_part_blob", "finish_upload_blob", "abort_upload_blob")
BLOB_OPERATIONS = ("get_blob", "download_blob", "update_blob", "destroy_blob")


def put(cloud: Cloud, bucket_id: str, id: str, content: bytes, **how: Any) -> Answer:
    """Store a blob by the plan the driver gives."""
    cloud.remove_blob_later(bucket_id, id)
    plan: UploadPlan = cloud.call("upload_blob", bucket_id=bucket_id, id=id, content_length=len(content), **how)
    assert plan.single is not None, "bytes of a known, small number need no parts"
    assert plan.single.expires_at > time.time()
    return move(plan.single, content)


def get(cloud: Cloud, bucket_id: str, id: str, **how: Any) -> Answer:
    """Fetch a blob by the transfer the driver gives."""
    return move(cloud.call("download_blob", bucket_id=bucket_id, id=id, **how))


def put_in_parts(cloud: Cloud, bucket_id: str, id: str, sizes: list[int], **how: Any) -> tuple[Blob, bytes]:
    """Store a blob of unknown length in parts; return what the driver says of it, and the bytes."""
    cloud.remove_blob_later(bucket_id, id)
    where: dict[str, Any] = {"bucket_id": bucket_id, "id": id}
    plan: UploadPlan = cloud.call("upload_blob", **where, **how)
    assert plan.upload_id, "bytes of unknown number need parts"
    contents = [secrets.token_bytes(min(size, plan.part_size)) for size in sizes]
    parts = [send_part(cloud, where, plan.upload_id, number, content) for number, content in enumerate(contents, 1)]
    blob: Blob = cloud.call("finish_upload_blob", **where, upload_id=plan.upload_id, parts=parts)
    return blob, b"".join(contents)


def send_part(cloud: Cloud, where: dict[str, Any], upload_id: str, number: int, content: bytes) -> dict[str, Any]:
    """Send one part and return what finishing needs of it."""
    transfer = cloud.call("sign_part_blob", **where, upload_id=upload_id, number=number, content_length=len(content))
    return {"number": number, "etag": move(transfer, content).headers["etag"].strip('"')}


def abort_after_a_part(cloud: Cloud, where: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Begin an upload, send a part, abort it; return the upload and the part."""
    cloud.remove_blob_later(where["bucket_id"], where["id"])
    plan: UploadPlan = cloud.call("upload_blob", **where)
    assert plan.upload_id
    part = send_part(cloud, where, plan.upload_id, 1, b"bytes")
    assert cloud.refusal("get_blob", **where).code == "not_found", "the blob is there before the upload is finished"
    cloud.call("abort_upload_blob", **where, upload_id=plan.upload_id)
    return plan.upload_id, part


def by_storing(count: int) -> Callable[[Cloud, str], list[str]]:
    """Return what fills a bucket with so many blobs: for stores whose native pages are short, or that have none."""

    def fill(cloud: Cloud, bucket_id: str) -> list[str]:
        names = [f"blob-{number:05}" for number in range(count)]
        for name in names:
            put(cloud, bucket_id, name, b"bytes")
        return names

    return fill


class BlobChecks(Suite):
    """Buckets and blobs."""

    @requires(*STORE)
    @each("name", lambda _: NAMES)
    def test_a_blob_comes_back_as_it_went(self, cloud: Cloud, name: str) -> None:
        """Whatever its name; its record tells its length and type; then it is gone."""
        bucket = cloud.make("bucket").id
        content = secrets.token_bytes(1000)
        put(cloud, bucket, name, content, content_type="text/x-canary")
        assert get(cloud, bucket, name).body == content
        blob: Blob = cloud.call("get_blob", bucket_id=bucket, id=name)
        assert (blob.id, blob.bucket_id, blob.content_length) == (name, bucket, len(content))
        assert blob.content_type == "text/x-canary"
        assert blob.etag
        assert '"' not in blob.etag
        assert cloud.call("get_bucket", id=bucket).blobs == (name,)
        cloud.call("destroy_blob", bucket_id=bucket, id=name)
        assert cloud.refusal("get_blob", bucket_id=bucket, id=name).code == "not_found"

    @requires(*STORE)
    def test_an_empty_blob_is_a_blob(self, cloud: Cloud) -> None:
        """No bytes are bytes too."""
        bucket = cloud.make("bucket").id
        put(cloud, bucket, "empty", b"")
        assert get(cloud, bucket, "empty").body == b""
        assert cloud.call("get_blob", bucket_id=bucket, id="empty").content_length == 0

    @requires(*STORE)
    def test_a_blob_stored_again_is_replaced_whole(self, cloud: Cloud) -> None:
        """Bytes, length, tag and attributes are the second one's."""
        bucket = cloud.make("bucket").id
        put(cloud, bucket, "blob", b"the first, which is longer", metadata={"colour": "red"})
        first: Blob = cloud.call("get_blob", bucket_id=bucket, id="blob")
        put(cloud, bucket, "blob", b"the second")
        second: Blob = cloud.call("get_blob", bucket_id=bucket, id="blob")
        assert get(cloud, bucket, "blob").body == b"the second"
        assert second.content_length == len(b"the second")
        assert second.etag != first.etag
        assert second.user_metadata == {}

    @requires(*STORE)
    def test_attributes_are_kept_with_a_blob(self, cloud: Cloud) -> None:
        """Their names come back in lower case or as they were, their values as they were."""
        bucket, attributes = cloud.make("bucket").id, {"colour": "green and blue", "size": "17"}
        put(cloud, bucket, "blob", b"bytes", metadata=attributes)
        assert _lower(cloud.call("get_blob", bucket_id=bucket, id="blob")) == attributes

    @requires(*STORE, "update_blob")
    def test_attributes_are_replaced_and_the_bytes_stay(self, cloud: Cloud) -> None:
        """Those that are not given again are gone."""
        bucket = cloud.make("bucket").id
        put(cloud, bucket, "blob", b"bytes", metadata={"colour": "green", "size": "17"}, content_type="text/x-canary")
        updated: Blob = cloud.call("update_blob", bucket_id=bucket, id="blob", metadata={"colour": "red"})
        assert _lower(updated) == {"colour": "red"}
        got: Blob = cloud.call("get_blob", bucket_id=bucket, id="blob")
        assert _lower(got) == {"colour": "red"}
        assert got.content_type == "text/x-canary"
        assert get(cloud, bucket, "blob").body == b"bytes"

    @requires(*STORE)
    @each("case", lambda _: [("bytes=0-9", 0, 10), ("bytes=10-", 10, 1000), ("bytes=-5", 995, 1000)])
    def test_a_range_is_that_part_of_the_blob(self, cloud: Cloud, case: tuple[str, int, int]) -> None:
        """Partial content, and which part it is."""
        wanted, begin, end = case
        bucket, content = cloud.make("bucket").id, secrets.token_bytes(1000)
        put(cloud, bucket, "blob", content)
        answer = get(cloud, bucket, "blob", range=wanted)
        assert answer.status == 206  # noqa: PLR2004 - Partial Content
        assert answer.body == content[begin:end]
        assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/1000"

    @requires(*STORE)
    def test_a_range_outside_the_blob_is_refused(self, cloud: Cloud) -> None:
        """The store says so, in HTTP's words."""
        bucket = cloud.make("bucket").id
        put(cloud, bucket, "blob", b"bytes")
        transfer = cloud.call("download_blob", bucket_id=bucket, id="blob", range="bytes=100-200")
        assert send(transfer).status == 416  # noqa: PLR2004 - Range Not Satisfiable

    @requires(*STORE)
    def test_conditions_reach_the_store(self, cloud: Cloud) -> None:
        """A blob that is known is not sent again."""
        bucket = cloud.make("bucket").id
        put(cloud, bucket, "blob", b"bytes")
        etag = cloud.call("get_blob", bucket_id=bucket, id="blob").etag
        answer = get(cloud, bucket, "blob", conditions={"If-None-Match": f'"{etag}"'})
        assert (answer.status, answer.body) == (304, b"")

    @requires(*STORE)
    def test_a_blob_is_not_there_when_too_few_bytes_came(self, cloud: Cloud) -> None:
        """A sender that is cut off leaves no half a blob."""
        bucket = cloud.make("bucket").id
        cloud.remove_blob_later(bucket, "blob")
        plan: UploadPlan = cloud.call("upload_blob", bucket_id=bucket, id="blob", content_length=100)
        assert plan.single is not None
        send_cut_off(plan.single, b"x" * 10)
        assert cloud.refusal("get_blob", bucket_id=bucket, id="blob").code == "not_found"

    @requires(*STORE, *PARTS)
    def test_a_blob_of_unknown_length_comes_back_from_its_parts(self, cloud: Cloud) -> None:
        """Whole parts and a rest, with type and attributes."""
        bucket = cloud.make("bucket").id
        plan_size = 2**63
        _, content = put_in_parts(
            cloud, bucket, "large", [plan_size, 1000], content_type="text/x-canary", metadata={"colour": "red"}
        )
        blob: Blob = cloud.call("get_blob", bucket_id=bucket, id="large")
        assert (blob.content_length, blob.content_type) == (len(content), "text/x-canary")
        assert _lower(blob) == {"colour": "red"}
        assert get(cloud, bucket, "large").body == content

    @requires(*STORE, *PARTS)
    def test_an_upload_that_is_aborted_leaves_nothing(self, cloud: Cloud) -> None:
        """There was no blob before, and there is none afterwards; the bucket is empty."""
        bucket = cloud.make("bucket").id
        where = {"bucket_id": bucket, "id": "aborted"}
        abort_after_a_part(cloud, where)
        assert cloud.refusal("get_blob", **where).code == "not_found"
        cloud.call("destroy_bucket", id=bucket)

    @requires(*STORE, *PARTS)
    def test_an_aborted_upload_cannot_be_finished(self, cloud: Cloud) -> None:
        """Its parts are gone."""
        where = {"bucket_id": cloud.make("bucket").id, "id": "aborted"}
        upload_id, part = abort_after_a_part(cloud, where)
        error = cloud.refusal("finish_upload_blob", **where, upload_id=upload_id, parts=[part])
        assert error.code in {"not_found", "invalid_parameters"}, error
        assert cloud.refusal("get_blob", **where).code == "not_found"

    @requires(*STORE)
    def test_a_bucket_with_blobs_is_not_destroyed(self, cloud: Cloud) -> None:
        """The refusal is a conflict, and nothing is lost."""
        bucket = cloud.make("bucket").id
        put(cloud, bucket, "blob", b"bytes")
        error = cloud.refusal("destroy_bucket", id=bucket)
        assert error.code == "conflict", error
        assert get(cloud, bucket, "blob").body == b"bytes"

    @requires(*STORE, "get_bucket")
    def test_a_bucket_shows_all_its_blobs(self, cloud: Cloud) -> None:
        """More than a native page of them."""
        fill = cloud.subject.fill.get("get_bucket")
        if fill is None:
            cloud.not_proved("Subject.fill makes no more than one native page of blobs for get_bucket")
            return
        bucket = cloud.make("bucket").id
        names = list(fill(cloud, bucket))
        shown = cloud.call("get_bucket", id=bucket)
        assert sorted(shown.blobs) == sorted(names)
        assert shown.size == len(names)

    @requires(*STORE)
    @each("rpc", lambda driver: [rpc for rpc in BLOB_OPERATIONS if rpc in driver.operations()])
    def test_an_unknown_blob_or_bucket_is_not_found(self, cloud: Cloud, rpc: str) -> None:
        """Either by the driver, or by the store that the transfer leads to."""
        bucket = cloud.make("bucket").id
        for where in ({"bucket_id": bucket, "id": "nothing"}, {"bucket_id": "no-such-bucket-here", "id": "nothing"}):
            try:
                answer = cloud.call(rpc, **where)
            except NotFound:
                continue
            assert rpc == "download_blob", f"{rpc} of nothing answered {answer!r}"
            assert send(answer).status == 404  # noqa: PLR2004 - Not Found

    @requires(*STORE)
    def test_a_blob_is_not_stored_in_an_unknown_bucket(self, cloud: Cloud) -> None:
        """Either the driver refuses it, or the store."""
        where: dict[str, Any] = {"bucket_id": "no-such-bucket-here", "id": "blob"}
        try:
            plan: UploadPlan = cloud.call("upload_blob", **where, content_length=5)
        except NotFound:
            return
        assert plan.single is not None
        assert send(plan.single, b"bytes").status == 404  # noqa: PLR2004 - Not Found


def _lower(blob: Blob) -> dict[str, str]:
    return {name.lower(): value for name, value in blob.user_metadata.items()}
