"""The mock cloud's bytes on the port of a real worker process, tickets made by another process on the same folder."""

import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deltacloud.drivers.mockcloud import MockCloud
from deltacloud.errors import NotFound
from deltacloud_storage.drivers.mock.driver import MockStorageDriver
from harness import processes
from harness.blob_client import chunk, status_of
from harness.ports import free_port
from harness.storage import StorageCaller, move
from harness.waiting import wait_until

TESTS = Path(__file__).parents[1]


@pytest.fixture
def mock(tmp_path):
    cloud, port = MockCloud(tmp_path / "mock"), free_port()
    server = processes.start(
        [sys.executable, "-m", "harness.bytes_server", str(port), str(tmp_path / "mock")],
        log=tmp_path / "log",
        cwd=TESTS,
        until=processes.answers(f"http://127.0.0.1:{port}/health/live"),
    )
    caller = StorageCaller(MockStorageDriver(cloud), "mockuser", "mockpassword")
    caller.driver.bytes_at(f"http://127.0.0.1:{port}/bytes")
    with server:
        yield caller
    cloud.close()


def _begin(transfer, body, headers=None):
    parts = urlsplit(transfer.url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or transfer.headers).items())
    connection = socket.create_connection((parts.hostname, parts.port), timeout=10)
    connection.sendall(f"PUT {parts.path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode() + body)
    return connection


def _incoming(mock):
    return list((mock.driver.cloud.folder / "incoming").glob("*"))


def test_large_bytes_and_large_attributes_go_there_and_back(mock):
    content = bytes(range(256)) * 80_000
    kept = {"metadata": {"a": "x" * 2000}, "headers": {"Content-Disposition": "y" * 3500}}
    stored = mock.store("bucket1", "ü x", content, **kept)
    answer = mock.fetch("bucket1", "ü x", range="bytes=1000-")

    assert stored.status == 200
    assert (answer.status, answer.data) == (206, content[1000:])
    assert mock.get_blob(bucket_id="bucket1", id="ü x").user_metadata == {"a": "x" * 2000}


def test_a_chunked_body_is_stored_when_it_has_the_promised_length(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="one", content_length=11)
    body = chunk(b"hello ") + chunk(b"world") + b"0\r\n\r\n"

    assert status_of(_begin(plan.single, body, {"Transfer-Encoding": "chunked"})) == 200
    assert mock.fetch("bucket1", "one").data == b"hello world"


@pytest.mark.parametrize("body", [chunk(b"hello ") + b"0\r\n\r\n", chunk(b"hello worlds") + b"0\r\n\r\n"])
def test_a_chunked_body_of_another_length_stores_nothing(mock, body):
    plan = mock.upload_blob(bucket_id="bucket1", id="one", content_length=11)

    assert status_of(_begin(plan.single, body, {"Transfer-Encoding": "chunked"})) == 400
    with pytest.raises(NotFound):
        mock.get_blob(bucket_id="bucket1", id="one")


@pytest.mark.parametrize("ending", ["half", "closed"])
@pytest.mark.parametrize("headers", [None, {"Transfer-Encoding": "chunked"}], ids=["length", "chunks"])
def test_a_body_that_is_cut_short_stores_nothing(mock, headers, ending):
    plan = mock.upload_blob(bucket_id="bucket1", id="cut", content_length=1_000_000)
    body = b"x" * 500_000
    with _begin(plan.single, chunk(body) if headers else body, headers) as connection:
        if ending == "half":
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)

    wait_until(lambda: not _incoming(mock), "the file to be gone")
    with pytest.raises(NotFound):
        mock.get_blob(bucket_id="bucket1", id="cut")
    assert mock.fetch("bucket1", "blob1").data == b"content of blob 1"


def test_readers_and_writers_at_once_are_all_served(mock):
    plan = mock.upload_blob(bucket_id="bucket1", id="slow", content_length=10)
    slow = _begin(plan.single, b"01234")
    part = mock.upload_blob(bucket_id="bucket1", id="part")
    transfer = mock.sign_part_blob(bucket_id="bucket1", id="part", upload_id=part.upload_id, number=1, content_length=3)

    assert move(transfer, b"abc").status == 200
    assert mock.fetch("bucket1", "blob2").status == 200
    slow.sendall(b"56789")
    assert status_of(slow) == 200
    assert mock.fetch("bucket1", "slow").data == b"0123456789"
