"""The mock cloud's buckets and blobs, their bytes over real WSGI servers."""

import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deltacloud.drivers.loading import load, verify
from deltacloud.errors import (
    AuthenticationFailed,
    Forbidden,
    InvalidParameters,
    NotFound,
)
from deltacloud_storage.drivers.mock.driver import MockStorageDriver
from harness.storage import left_behind, move
from harness.waiting import wait_until


def _raw(transfer, body, *, headers=None):
    """Send exactly these bytes as the body and close, whatever the headers promise."""
    parts = urlsplit(transfer.url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or transfer.headers).items())
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(f"PUT {parts.path} HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split()[1])


def test_the_driver_is_installed_and_fits_the_catalogue():
    verify(MockStorageDriver)
    [driver] = load("storage", ["mock"])

    assert isinstance(driver, MockStorageDriver)


def test_the_seed_buckets_are_there_with_their_blobs(mock):
    first, second = mock.list_buckets()

    assert (first.id, first.size, first.blobs) == ("bucket1", 3, ("blob1", "blob2", "blob3"))
    assert (second.id, second.size, second.blobs) == ("bucket2", 2, ("blob4", "blob5"))
    assert mock.get_blob(bucket_id="bucket1", id="blob1").user_metadata == {"SOMENEWKEY": "NEWVALUE"}
    assert mock.fetch("bucket1", "blob1").data == b"content of blob 1"


def test_wrong_credentials_are_refused(mock):
    mock.credentials = type(mock.credentials)("mockuser", "wrong")

    with pytest.raises(AuthenticationFailed):
        mock.list_buckets()


def test_a_bucket_counts_its_blobs(mock):
    mock.create_bucket(name="new")
    mock.store("new", "one", b"1")
    mock.store("new", "one", b"2")
    mock.store("new", "two", b"3")

    assert mock.get_bucket(id="new").size == 2


def test_making_a_bucket_again_keeps_its_blobs(mock):
    assert mock.create_bucket(name="bucket1").blobs == ("blob1", "blob2", "blob3")


def test_a_blob_of_one_bucket_is_not_that_of_another(mock):
    mock.store("bucket2", "blob1", b"other")

    assert mock.fetch("bucket1", "blob1").data == b"content of blob 1"
    assert mock.fetch("bucket2", "blob1").data == b"other"


def test_a_bucket_with_blobs_is_not_destroyed_an_empty_one_is(mock):
    with pytest.raises(Forbidden):
        mock.destroy_bucket(id="bucket1")
    mock.create_bucket(name="new")
    mock.destroy_bucket(id="new")

    with pytest.raises(NotFound):
        mock.get_bucket(id="new")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a\nb"])
def test_a_name_that_could_leave_its_place_is_refused(mock, name):
    with pytest.raises(InvalidParameters):
        mock.create_bucket(name=name)
    with pytest.raises(InvalidParameters):
        mock.upload_blob(bucket_id="bucket1", id=name, content_length=1)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_bucket", {"id": "none"}),
        ("destroy_bucket", {"id": "none"}),
        ("get_blob", {"bucket_id": "bucket1", "id": "none"}),
        ("get_blob", {"bucket_id": "bucket2", "id": "blob1"}),
        ("destroy_blob", {"bucket_id": "bucket1", "id": "none"}),
        ("destroy_blob", {"bucket_id": "none", "id": "blob1"}),
        ("update_blob", {"bucket_id": "bucket1", "id": "none"}),
        ("download_blob", {"bucket_id": "bucket1", "id": "none"}),
        ("upload_blob", {"bucket_id": "none", "id": "x", "content_length": 1}),
        ("sign_part_blob", {"bucket_id": "bucket1", "id": "x", "upload_id": "no", "number": 1, "content_length": 1}),
        ("abort_upload_blob", {"bucket_id": "bucket1", "id": "x", "upload_id": "a.b"}),
    ],
)
def test_what_does_not_exist_is_not_found(mock, operation, parameters):
    with pytest.raises(NotFound):
        getattr(mock, operation)(**parameters)


@pytest.mark.parametrize("name", ["plain", "with space", "100%", "%2F", "ünïcödé 日本 🎉", "a+b&c=d;e?#", "\"'\\"])
def test_a_blob_of_any_name_comes_back(mock, name):
    stored = mock.store("bucket1", name, b"\0\xff", content_type="x/y", metadata={"größe": "10 €"})
    blob = mock.get_blob(bucket_id="bucket1", id=name)
    answer = mock.fetch("bucket1", name)

    assert stored.headers["ETag"] == f'"{blob.etag}"'
    assert (blob.id, blob.content_length, blob.content_type, blob.user_metadata) == (name, 2, "x/y", {"größe": "10 €"})
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b"\0\xff", "x/y")


def test_bytes_without_a_type_are_an_octet_stream(mock):
    mock.store("bucket1", "untyped", b"1")

    assert mock.fetch("bucket1", "untyped").headers["Content-Type"] == "application/octet-stream"


def test_an_empty_blob_comes_back_empty(mock):
    mock.store("bucket1", "empty", b"")

    answer = mock.fetch("bucket1", "empty")
    assert (answer.status, answer.data, answer.headers["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("asked", "status", "data", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=3-1", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=" + "9" * 30 + "-", 200, b"0123456789", None),
    ],
)
def test_a_range_gives_that_part_and_nonsense_the_whole(mock, asked, status, data, content_range):
    mock.store("bucket1", "digits", b"0123456789")
    answer = mock.fetch("bucket1", "digits", range=asked)

    assert (answer.status, answer.headers.get("Content-Range")) == (status, content_range)
    if data is not None:
        assert (answer.data, answer.headers["Content-Length"]) == (data, str(len(data)))


def test_conditions_of_a_reader_are_honoured(mock):
    mock.store("bucket1", "one", b"1")
    first = mock.fetch("bucket1", "one")
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]

    def status(**conditions):
        named = {name.replace("_", "-"): value for name, value in conditions.items()}
        return mock.fetch("bucket1", "one", conditions=named).status

    assert status(If_None_Match=etag) == 304
    assert status(If_None_Match=f'"x", W/{etag}') == 304
    assert status(If_None_Match='"x"') == 200
    assert status(If_Match=etag) == 200
    assert status(If_Match="*") == 200
    assert status(If_Match='"x"') == 412
    assert status(If_Modified_Since=modified) == 304
    assert status(If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT") == 200
    assert status(If_Modified_Since="nonsense") == 200
    assert status(If_Modified_Since="Thu, 01 Jan 1970 00:00:00 +999999999999999") == 200
    assert status(If_Unmodified_Since="Thu, 01 Jan 1970 00:00:00 GMT") == 412
    assert mock.fetch("bucket1", "one", range="bytes=0-0", conditions={"If-Range": etag}).status == 206
    assert mock.fetch("bucket1", "one", range="bytes=0-0", conditions={"If-Range": '"x"'}).status == 200


def test_conditions_of_a_writer_are_honoured_at_the_moment_of_storing(mock):
    mock.store("bucket1", "one", b"old")
    early = mock.upload_blob(bucket_id="bucket1", id="two", content_length=3, conditions={"If-None-Match": "*"})
    mock.store("bucket1", "two", b"old")

    assert mock.store("bucket1", "one", b"new", conditions={"If-None-Match": "*"}).status == 412
    assert mock.store("bucket1", "one", b"new", conditions={"If-Match": '"x"'}).status == 412
    assert move(early.single, b"new").status == 412
    assert mock.fetch("bucket1", "one").data == mock.fetch("bucket1", "two").data == b"old"
    assert mock.store("bucket1", "three", b"new", conditions={"If-None-Match": "*"}).status == 200


def test_a_wrong_content_md5_stores_nothing(mock):
    refused = mock.store("bucket1", "one", b"1", headers={"Content-MD5": "AAAA"})
    stored = mock.store("bucket1", "two", b"1", headers={"Content-MD5": "xMpCOKC5I4INzFCab3WEmw=="})

    assert (refused.status, stored.status) == (400, 200)
    with pytest.raises(NotFound):
        mock.get_blob(bucket_id="bucket1", id="one")


def test_a_body_that_is_cut_short_leaves_nothing(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="cut", content_length=100_000)

    assert _raw(plan.single, b"x" * 50_000) == 400
    with pytest.raises(NotFound):
        mock.get_blob(bucket_id="bucket1", id="cut")
    assert left_behind(mock) == []


def test_a_body_that_is_cut_short_keeps_what_was_there(mock):
    mock.store("bucket1", "kept", b"old")
    _raw(mock.upload_blob(bucket_id="bucket1", id="kept", content_length=9).single, b"new")

    assert mock.fetch("bucket1", "kept").data == b"old"


def test_a_length_that_is_not_the_tickets_is_refused(mock):
    transfer = mock.upload_blob(bucket_id="bucket1", id="one", content_length=3).single

    assert _raw(transfer, b"12", headers={"Content-Length": "2"}) == 400
    assert _raw(transfer, b"1234", headers={"Content-Length": "4"}) == 400


def test_a_reader_keeps_the_bytes_it_began_with_while_they_are_replaced(mock):
    old, new = b"o" * 3_000_000, b"n" * 3_000_000
    mock.store("bucket1", "one", old)
    parts = urlsplit(mock.download_blob(bucket_id="bucket1", id="one").url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(f"GET {parts.path} HTTP/1.0\r\n\r\n".encode())
        answer = connection.recv(1000)
        mock.store("bucket1", "one", new)
        while piece := connection.recv(65536):
            answer += piece

    assert answer.partition(b"\r\n\r\n")[2] == old
    assert mock.fetch("bucket1", "one").data == new


def test_writers_at_once_leave_one_of_their_blobs_whole(mock):
    contents = [bytes([65 + number]) * 500_000 for number in range(6)]
    threads = [threading.Thread(target=mock.store, args=("bucket1", "one", each)) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert mock.fetch("bucket1", "one").data in contents
    assert mock.get_bucket(id="bucket1").size == 4


def test_new_attributes_replace_the_old_ones_and_keep_the_bytes(mock):
    mock.update_blob(bucket_id="bucket1", id="blob1", metadata={"new": "2"})

    assert mock.get_blob(bucket_id="bucket1", id="blob1").user_metadata == {"new": "2"}
    assert mock.fetch("bucket1", "blob1").data == b"content of blob 1"


def test_headers_stored_with_a_blob_come_back_with_its_bytes(mock):
    mock.store("bucket1", "one", b"1", headers={"Cache-Control": "no-store"})

    assert mock.fetch("bucket1", "one").headers["Cache-Control"] == "no-store"


def test_a_ticket_opens_one_blob_for_one_use_only(mock):
    reading = mock.download_blob(bucket_id="bucket1", id="blob1")
    writing = mock.upload_blob(bucket_id="bucket1", id="x", content_length=1).single
    body, signature = reading.url.rpartition("/")[2].split(".")
    base = reading.url.rpartition("/")[0]

    def status(method, url):
        return move(type(reading)(method=method, url=url, expires_at=0.0), b"1" if method == "PUT" else None).status

    assert status("PUT", reading.url) == 400
    assert status("GET", writing.url) == 400
    assert status("GET", f"{base}/{body}.{signature[:-2]}AA") == 403
    assert status("GET", f"{base}/{body[:-2]}AA.{signature}") == 403
    assert status("GET", f"{base}/nonsense") == 403
    assert status("GET", f"{base}/") == 403
    assert status("GET", f"{base}/../../../etc/passwd") == 403
    assert status("HEAD", reading.url) == 200


def test_a_reader_that_goes_away_leaves_no_file_open(mock):
    mock.store("bucket1", "one", b"x" * 20_000_000)
    parts = urlsplit(mock.download_blob(bucket_id="bucket1", id="one").url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(f"GET {parts.path} HTTP/1.0\r\n\r\n".encode())
        connection.recv(100)

    wait_until(lambda: not _open_blobs(mock), "the blob's file to be closed")


def _open_blobs(mock):
    folder = str(mock.driver.cloud.folder / "blobs")
    found = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(each.readlink()))
        except OSError:
            continue
    return [each for each in found if each.startswith(folder)]
