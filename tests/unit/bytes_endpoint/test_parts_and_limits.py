"""The mock cloud's uploads in parts, and what it has no room for."""

import resource
import signal
from contextlib import contextmanager

import pytest

from deltacloud import catalogue
from deltacloud.catalogue.check import check
from deltacloud.errors import InvalidParameters, PreconditionFailed, Unavailable
from harness.storage import left_behind, move


@contextmanager
def _files_of_at_most(size):
    """Let the kernel refuse longer files, as a full disk does."""
    ignored, (soft, hard) = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)


def test_parts_become_one_blob_in_the_order_of_their_numbers(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="big", content_type="x/y", metadata={"a": "b"})
    parts = []
    for number, data in ((2, b"world"), (1, b"hello ")):
        transfer = mock.sign_part_blob(
            bucket_id="bucket1", id="big", upload_id=plan.upload_id, number=number, content_length=len(data)
        )
        parts.append({"number": number, "etag": move(transfer, data).headers["ETag"]})
    blob = mock.finish_upload_blob(
        bucket_id="bucket1", id="big", upload_id=plan.upload_id, parts=sorted(parts, key=lambda part: part["number"])
    )

    assert (blob.content_length, blob.content_type, blob.user_metadata) == (11, "x/y", {"a": "b"})
    assert mock.fetch("bucket1", "big").data == b"hello world"
    assert left_behind(mock) == []


def test_a_part_that_never_arrived_is_named(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="big")

    for etag in ("0" * 32, "../../../etc/passwd", ""):
        with pytest.raises(InvalidParameters, match="Part 1"):
            mock.finish_upload_blob(
                bucket_id="bucket1", id="big", upload_id=plan.upload_id, parts=[{"number": 1, "etag": etag}]
            )


def test_an_aborted_upload_leaves_nothing(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="big")
    transfer = mock.sign_part_blob(bucket_id="bucket1", id="big", upload_id=plan.upload_id, number=1, content_length=1)
    move(transfer, b"1")
    mock.abort_upload_blob(bucket_id="bucket1", id="big", upload_id=plan.upload_id)

    assert left_behind(mock) == []


def test_a_part_that_arrives_after_the_end_of_its_upload_is_not_kept(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="big")
    transfer = mock.sign_part_blob(bucket_id="bucket1", id="big", upload_id=plan.upload_id, number=1, content_length=1)
    mock.abort_upload_blob(bucket_id="bucket1", id="big", upload_id=plan.upload_id)

    assert move(transfer, b"1").status == 404
    assert left_behind(mock) == []


def test_the_conditions_of_an_upload_in_parts_are_held_at_its_end(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="blob1", conditions={"If-None-Match": "*"})

    with pytest.raises(PreconditionFailed):
        mock.finish_upload_blob(bucket_id="bucket1", id="blob1", upload_id=plan.upload_id, parts=[])
    assert mock.fetch("bucket1", "blob1").data == b"content of blob 1"


def test_attributes_that_are_too_large_are_refused(mock):
    with pytest.raises(InvalidParameters):
        mock.update_blob(bucket_id="bucket1", id="blob1", metadata={"a": "x" * 3000})


@pytest.mark.parametrize("content_length", [1, None], ids=["whole", "parts"])
@pytest.mark.parametrize("what", ["headers", "conditions"])
def test_what_is_too_long_for_a_ticket_is_refused_when_the_transfer_is_planned(mock, what, content_length):
    name = "Content-Disposition" if what == "headers" else "If-None-Match"
    with pytest.raises(InvalidParameters, match="too long together"):
        mock.upload_blob(bucket_id="bucket1", id="one", content_length=content_length, **{what: {name: "x" * 8000}})
    assert left_behind(mock) == []


def test_all_that_a_ticket_may_hold_is_stored_whole_or_in_parts(mock):
    kept = {"metadata": {"a": "x" * 2000}, "headers": {"Content-Disposition": "y" * 2000}}
    assert mock.store("bucket1", "one", b"1", **kept).status == 200
    plan = mock.upload_blob(bucket_id="bucket1", id="two", **kept)
    named = {"bucket_id": "bucket1", "id": "two", "upload_id": plan.upload_id}
    order = check(catalogue.rpc_operations("storage")["sign_part_blob"], {**named, "number": 1, "content_length": 1})
    part = move(mock.sign_part_blob(**order), b"2")
    mock.finish_upload_blob(**named, parts=[{"number": 1, "etag": part.headers["ETag"]}])
    assert mock.get_blob(bucket_id="bucket1", id="two").user_metadata == kept["metadata"]


def test_a_disk_without_room_is_told_to_the_sender_and_the_log_and_leaves_nothing(mock, capsys):
    content = b"x" * 2_000_000
    with _files_of_at_most(1_000_000):
        answer = mock.store("bucket1", "large", content)

    assert answer.status == 507
    assert b"cannot be used: File too large" in answer.data
    assert "bytes_not_moved" in capsys.readouterr().err
    assert left_behind(mock) == []
    assert mock.store("bucket1", "large", content).status == 200


def test_a_disk_without_room_for_all_parts_together_makes_the_store_unavailable(mock):
    named = {"bucket_id": "bucket1", "id": "large"}
    named["upload_id"] = mock.upload_blob(**named).upload_id
    sent = [move(mock.sign_part_blob(**named, number=n, content_length=600_000), b"x" * 600_000) for n in (1, 2)]
    parts = [{"number": n, "etag": each.headers["ETag"]} for n, each in enumerate(sent, 1)]
    with _files_of_at_most(1_000_000), pytest.raises(Unavailable, match="File too large"):
        mock.finish_upload_blob(**named, parts=parts)

    assert mock.finish_upload_blob(**named, parts=parts).content_length == 1_200_000


def test_a_folder_that_cannot_be_written_is_told_to_the_sender(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="one", content_length=1)
    (mock.driver.cloud.folder / "incoming").rmdir()
    (mock.driver.cloud.folder / "incoming").touch()

    assert move(plan.single, b"1").status == 503
