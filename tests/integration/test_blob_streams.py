"""Blobs through the whole product over real sockets: mock cloud and S3, by every road the API has."""

import contextlib
import http.client
import re
import socket
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import quote

import botocore.session
import pytest
from botocore.config import Config

from harness import processes
from harness.blob_client import BLOCK, BlobClient, chunk, cut, data, digest, multipart, status_of
from harness.lying_store import lying_store
from harness.ports import free_port
from harness.waiting import wait_until

MIB = 1024 * 1024
FORM = {"Content-Type": "multipart/form-data; boundary=BB"}
S3 = {"X-Deltacloud-Driver": "ec2", "X-Deltacloud-Provider": "lab"}


@pytest.fixture(scope="module")
def liar():
    with lying_store() as store:
        yield store


@pytest.fixture(scope="module")
def product(moto, moto_with_auth, liar, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("product"), free_port()
    (folder / "providers.yaml").write_text(
        "providers:\n  ec2:\n"
        f'    lab: {{endpoint: "{moto.endpoint}", region: us-east-1}}\n'
        f'    strict: {{endpoint: "{moto_with_auth.endpoint}", region: us-east-1}}\n'
        f'    liar: {{endpoint: "{liar.url}", region: us-east-1}}\n'
    )
    process = processes.start(
        [
            *(sys.executable, "-m", "deltacloudd"),
            *("--hostname", "127.0.0.1", "--port", str(port), "--providers", str(folder / "providers.yaml")),
        ],
        log=folder / "log",
        env={"DELTACLOUD_MOCK_STORAGE": str(folder / "mock"), "DELTACLOUD_BODY_TIMEOUT_S": "2"},
        until=processes.answers(f"http://127.0.0.1:{port}/api"),
    )
    with process:
        process.port, process.folder = port, folder
        yield process


class Cloud:
    """A bucket of a test's own in one of the clouds."""

    def __init__(self, name, client, leftovers):
        self.name = name
        self.client = client
        self.leftovers = leftovers
        self.bucket = f"b-{uuid.uuid4().hex}"

    def path(self, blob, *more):
        return "/".join((self.bucket, quote(blob, safe=""), *more))

    def put(self, blob, body, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.ask("PUT", self.path(blob), body, named)

    def content(self, blob, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.ask("GET", self.path(blob, "content"), headers=named)

    def exists(self, blob):
        return self.client.ask("GET", self.path(blob)).status == 200


@pytest.fixture
def mock(product):
    return Cloud("mock", BlobClient(product.port, "mockuser", "mockpassword"), _mock_leftovers(product))


@pytest.fixture
def s3(product, moto):
    cloud = Cloud("s3", BlobClient(product.port, moto.access_key, moto.secret_key, S3), None)
    cloud.leftovers = lambda: _native(moto).list_multipart_uploads(Bucket=cloud.bucket).get("Uploads", [])
    return cloud


@pytest.fixture(params=["mock", "s3"])
def cloud(request):
    chosen = request.getfixturevalue(request.param)
    made = chosen.client.ask(
        "POST", "", f"name={chosen.bucket}".encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert made.status == 201
    return chosen


def _mock_leftovers(product):
    def leftovers():
        folders = (product.folder / "mock" / name for name in ("parts", "incoming"))
        return [each for folder in folders if folder.is_dir() for each in folder.iterdir()]

    return leftovers


def _native(moto):
    return botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=moto.endpoint,
        aws_access_key_id=moto.access_key,
        aws_secret_access_key=moto.secret_key,
        config=Config(proxies={}),
    )


# --- there and back


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 9 * MIB, 100 * MIB])
def test_a_blob_of_known_length_comes_back_whole(cloud, size):
    stored = cloud.put("one", data(size), Content_Length=str(size), Content_Type="x/y")
    read = cloud.content("one")

    assert (stored.status, stored.json["blob"]["content_length"]) == (200, size)
    assert (read.status, read.headers["content-type"], read.headers["content-length"]) == (200, "x/y", str(size))
    assert (read.size, read.digest) == (size, digest(data(size)))


@pytest.mark.parametrize("size", [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 100 * MIB])
def test_a_blob_of_unknown_length_comes_back_whole(cloud, size):
    stored = cloud.put("one", data(size), Content_Type="x/y", X_Deltacloud_Blobmeta_Colour="red")
    read = cloud.content("one")
    shown = cloud.client.ask("GET", cloud.path("one")).json["blob"]

    assert (stored.status, stored.json["blob"]["content_length"]) == (200, size)
    assert (read.size, read.digest) == (size, digest(data(size)))
    assert (shown["content_length"], shown["content_type"], shown["user_metadata"]) == (size, "x/y", {"colour": "red"})
    assert cloud.leftovers() == []


@pytest.mark.parametrize("name", ["with space", "100%", "%2F", "ünïcödé 日本 🎉", "a+b&c=d;e", "q?h#", "quote\"'"])
def test_a_blob_of_any_name_comes_back(cloud, name):
    stored = cloud.put(name, b"content")
    shown = cloud.client.ask("GET", cloud.bucket).json["bucket"]

    assert stored.json["blob"]["id"] == name
    assert [each["id"] for each in shown["blob_list"]] == [name]
    assert cloud.content(name).body == b"content"
    assert cloud.client.ask("DELETE", cloud.path(name)).status == 204
    assert not cloud.exists(name)


@pytest.mark.parametrize("name", ["a/b", "dots/../and/./more", "double//slash", "/begins", "ends/"])
@pytest.mark.parametrize("cloud", ["s3"], indirect=True)
def test_a_slash_is_part_of_a_name_where_the_store_has_it(cloud, name):
    assert cloud.put(name, b"content").status == 200
    assert cloud.content(name).body == b"content"
    assert cloud.client.ask("GET", cloud.bucket).json["bucket"]["blob_list"][0]["id"] == name


def test_what_is_stored_is_what_the_answer_says(cloud):
    answer = cloud.put("one", b"content", Content_Type="text/x-foo", X_Deltacloud_Blobmeta_Foo_Bar="Some Value")
    shown = cloud.client.ask("GET", cloud.path("one"))

    told, found = answer.json["blob"], shown.json["blob"]
    assert told["user_metadata"] == found["user_metadata"] == {"foo_bar": "Some Value"}
    assert told["content_type"] == found["content_type"] == "text/x-foo"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", told["last_modified"])
    assert told.keys() == found.keys()


def test_attributes_are_read_and_replaced_as_headers(cloud):
    cloud.put(
        "one", b"1", X_Deltacloud_Blobmeta_Old="1", X_Deltacloud_Blobmeta_Unicode="10 €".encode().decode("latin-1")
    )
    first = cloud.client.ask("HEAD", cloud.path("one"), headers={"Accept": "*/*"})
    updated = cloud.client.ask("POST", cloud.path("one"), b"", {"X-Deltacloud-Blobmeta-New": "2"})
    second = cloud.client.ask("HEAD", cloud.path("one", "metadata"))

    assert (first.status, first.headers["x-deltacloud-blobmeta-old"]) == (204, "1")
    assert first.headers["x-deltacloud-blobmeta-unicode"].encode("latin-1").decode() == "10 €"
    assert updated.status == 204
    assert second.headers["x-deltacloud-blobmeta-new"] == "2"
    assert "x-deltacloud-blobmeta-old" not in second.headers
    assert cloud.content("one").body == b"1"


# --- what HTTP has for readers and writers


def test_a_range_of_a_blob_is_read(cloud):
    cloud.put("one", b"0123456789")
    part = cloud.content("one", Range="bytes=2-4")

    assert (part.status, part.body, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert cloud.content("one", Range="bytes=99-").status == 416


def test_a_reader_who_has_the_blob_gets_nothing_and_one_who_knows_another_is_refused(cloud):
    cloud.put("one", b"1")
    etag = cloud.content("one").headers["etag"]
    unchanged = cloud.content("one", If_None_Match=etag)

    assert (unchanged.status, unchanged.body) == (304, b"")
    assert cloud.content("one", If_None_Match='"other"').status == 200
    assert cloud.content("one", If_Match='"other"').status == 412


@pytest.mark.parametrize("body", [b"new", list(data(9 * MIB))], ids=["whole", "in parts"])
def test_a_writer_whose_condition_fails_changes_nothing(cloud, body):
    cloud.put("one", b"old")

    assert cloud.put("one", body, If_None_Match="*").status == 412
    assert cloud.content("one").body == b"old"
    assert cloud.leftovers() == []


def test_a_browser_saves_a_blob_under_its_name(cloud):
    cloud.put("plain.txt", b"1")
    cloud.put('ü "x"', b"1")

    assert cloud.content("plain.txt").headers["content-disposition"] == "attachment; filename=plain.txt"
    assert (
        cloud.content('ü "x"').headers["content-disposition"]
        == "attachment; filename=\"_ _x_\"; filename*=UTF-8''%C3%BC%20%22x%22"
    )


def test_head_of_the_bytes_tells_their_length_and_sends_none(cloud):
    cloud.put("one", b"12345", Content_Type="x/y")
    head = cloud.client.ask("HEAD", cloud.path("one", "content"))

    assert (head.status, head.headers["content-length"], head.headers["content-type"]) == (200, "5", "x/y")
    assert head.size == 0


def test_what_does_not_exist_is_not_found(cloud):
    assert cloud.content("none").status == 404
    assert cloud.client.ask("PUT", "no-such-bucket/x", b"1").status == 404
    assert cloud.client.ask("PUT", "no-such-bucket/x", data(9 * MIB)).status == 404
    assert cloud.client.ask("HEAD", cloud.path("none")).status == 404


# --- forms


def test_a_form_stores_a_file_whatever_the_order_of_its_fields(cloud):
    fields = [
        ("meta_value1", b"red", None),
        ("blob_data", b"file data", "text/x-foo"),
        ("meta_params", b"1", None),
        ("meta_name1", b"Colour", None),
        ("blob_id", "ü 1".encode(), None),
    ]
    for order in (fields, fields[::-1]):
        answer = cloud.client.ask("POST", cloud.bucket, b"".join(multipart(order)), FORM)
        blob = answer.json["blob"]

        assert (answer.status, blob["id"], blob["content_length"]) == (201, "ü 1", 9)
        assert (blob["content_type"], blob["user_metadata"]) == ("text/x-foo", {"colour": "red"})
        assert cloud.content("ü 1").body == b"file data"


def test_a_large_file_of_a_form_streams_and_fields_behind_it_count(cloud):
    size = 20 * MIB
    fields = [
        ("blob_id", b"big", None),
        ("blob_data", data(size), "x/y"),
        ("meta_name1", b"a", None),
        ("meta_value1", b"b", None),
    ]
    answer = cloud.client.ask("POST", cloud.bucket, multipart(fields), FORM)

    assert (answer.status, answer.json["blob"]["content_length"]) == (201, size)
    assert cloud.content("big").digest == digest(data(size))
    assert cloud.client.ask("GET", cloud.path("big")).json["blob"]["user_metadata"] == {"a": "b"}


def test_a_large_file_before_its_name_is_refused(cloud):
    fields = [("blob_data", data(9 * MIB), "x/y"), ("blob_id", b"big", None)]
    answer = cloud.client.ask("POST", cloud.bucket, multipart(fields), FORM)

    assert answer.status == 400
    assert "blob_id" in answer.json["message"]
    assert not cloud.exists("big")


@pytest.mark.parametrize("size", [100, 20 * MIB])
def test_a_form_without_its_end_stores_nothing(cloud, size):
    whole = b"".join(multipart([("blob_id", b"cut", None), ("blob_data", data(size), "x/y")]))
    answer = cloud.client.ask("POST", cloud.bucket, whole.removesuffix(b"--BB--\r\n"), FORM)

    assert answer.status == 400
    assert not cloud.exists("cut")
    assert cloud.leftovers() == []


def test_text_in_a_form_or_in_the_query_becomes_a_blob(cloud):
    form = b"blob_id=f1&blob_data=form+data&meta_params=1&meta_name1=Colour&meta_value1=red"
    first = cloud.client.ask("POST", cloud.bucket, form, {"Content-Type": "application/x-www-form-urlencoded"})
    second = cloud.client.ask("POST", f"{cloud.bucket}?blob_id=q1&blob_data=query+data", b"")

    assert (first.status, second.status) == (201, 201)
    assert first.json["blob"]["user_metadata"] == {"colour": "red"}
    assert (cloud.content("f1").body, cloud.content("q1").body) == (b"form data", b"query data")
    assert cloud.content("f1").headers["content-type"] == "text/plain"


@pytest.mark.parametrize("missing", ["blob_id", "blob_data"])
def test_a_form_that_lacks_something_says_what(cloud, missing):
    fields = [(name, b"x", None) for name in ("blob_id", "blob_data") if name != missing]
    answers = [
        cloud.client.ask("POST", cloud.bucket, b"".join(multipart(fields)), FORM),
        cloud.client.ask("POST", f"{cloud.bucket}?{fields[0][0]}=x", b""),
    ]

    for answer in answers:
        assert answer.status == 400
        assert f"'{missing}' not found" in answer.json["message"]


# --- segments


def test_segments_become_one_blob(cloud):
    begin = cloud.client.ask("PUT", cloud.path("seg"), b"", {"X-Deltacloud-BlobType": "segmented"})
    upload = begin.headers["x-deltacloud-segmentedblob"]
    named = {"X-Deltacloud-BlobType": "segmented", "X-Deltacloud-SegmentedBlob": upload}
    segments = []
    for number, content in ((1, b"a" * 5 * MIB), (2, b"end")):
        sent = cloud.client.ask("PUT", cloud.path("seg"), content, {**named, "X-Deltacloud-SegmentOrder": str(number)})
        assert sent.status == 204
        segments.append(f"{number}={sent.headers['x-deltacloud-blobsegmentid']}")
    done = cloud.client.ask("PUT", cloud.path("seg"), ", ".join(segments).encode(), named)

    assert begin.status == 204
    assert (done.status, done.json["blob"]["content_length"]) == (200, 5 * MIB + 3)
    assert cloud.content("seg").digest == digest([b"a" * 5 * MIB, b"end"])


def test_a_list_of_segments_that_makes_no_sense_is_refused(cloud):
    named = {"X-Deltacloud-BlobType": "segmented", "X-Deltacloud-SegmentedBlob": "x"}

    assert cloud.client.ask("PUT", cloud.path("seg"), b"nonsense", named).status == 400
    assert cloud.client.ask("PUT", cloud.path("seg"), b"1", {**named, "X-Deltacloud-SegmentOrder": "x"}).status == 400


# --- senders who do not keep their word


@pytest.mark.parametrize("ending", ["half", "closed", "reset"])
@pytest.mark.parametrize("framing", ["length", "chunks", "many chunks"])
def test_a_body_that_is_cut_short_stores_nothing(cloud, framing, ending):
    headers = {"Content-Length": "1000000"} if framing == "length" else {"Transfer-Encoding": "chunked"}
    sent = {"length": BLOCK, "chunks": chunk(BLOCK), "many chunks": cut(data(20 * MIB), 300)}[framing]
    connection = cloud.client.promise("PUT", cloud.path("cut"), headers, sent)
    if ending == "half":
        connection.shutdown(socket.SHUT_WR)
        assert status_of(connection) in {400, None}
    elif ending == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()

    wait_until(lambda: not cloud.leftovers(), "the parts to be gone")
    time.sleep(0.2)  # nothing must come after either; there is no event for nothing
    assert not cloud.exists("cut")
    assert cloud.leftovers() == []


def test_a_body_that_is_cut_short_keeps_what_was_there(cloud):
    cloud.put("kept", b"old")
    connection = cloud.client.promise("PUT", cloud.path("kept"), {"Content-Length": "1000000"}, BLOCK)
    connection.shutdown(socket.SHUT_WR)
    status_of(connection)

    assert cloud.content("kept").body == b"old"


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_sender_who_falls_silent_is_told_so(cloud, framing):
    headers = {"Content-Length": "1000000"} if framing == "length" else {"Transfer-Encoding": "chunked"}
    sent = BLOCK if framing == "length" else cut(data(20 * MIB), 300)
    connection = cloud.client.promise("PUT", cloud.path("slow"), headers, sent)

    assert status_of(connection) == 408
    assert not cloud.exists("slow")
    wait_until(lambda: not cloud.leftovers(), "the parts to be gone")


def test_a_slow_sender_who_keeps_sending_is_served(cloud):
    connection = cloud.client.promise(
        "PUT", cloud.path("slow"), {"Content-Length": "30", "X-Deltacloud-Deadline": "2"}, b""
    )
    for _ in range(30):
        time.sleep(0.1)
        connection.sendall(b"x")

    assert status_of(connection) == 200
    assert cloud.content("slow").body == b"x" * 30


# --- credentials


def test_keys_the_store_refuses_are_401_by_every_road(product, moto_with_auth):
    strict = {**S3, "X-Deltacloud-Provider": "strict"}
    right = Cloud("s3", BlobClient(product.port, moto_with_auth.access_key, moto_with_auth.secret_key, strict), None)
    wrong = BlobClient(product.port, moto_with_auth.access_key, "canary-secret", strict)
    right.client.ask("POST", f"?name={right.bucket}", b"")
    right.put("one", b"1")

    assert right.content("one").body == b"1"
    for answer in (
        wrong.ask("GET", right.path("one", "content")),
        wrong.ask("PUT", right.path("two"), b"2"),
        wrong.ask("PUT", right.path("two"), data(9 * MIB)),
        wrong.ask("GET", right.bucket),
    ):
        assert answer.status == 401
        assert b"canary-secret" not in answer.body
    assert "canary-secret" not in product.log_text()
    assert not right.exists("two")


def test_without_credentials_nothing_is_moved(product):
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("PUT", "/api/buckets/bucket1/x", b"1")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")


# --- stores that lie


@pytest.fixture
def lying(product, liar):
    liar.heads.clear()
    liar.sent = 0
    liar.ended.clear()
    return BlobClient(product.port, "AKIA", "secret", {**S3, "X-Deltacloud-Provider": "liar"})


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
    ],
)
def test_a_store_that_breaks_off_inside_a_blob_never_looks_like_its_end(lying, liar, answer):
    liar.answers(answer)

    with pytest.raises(http.client.IncompleteRead):
        lying.ask("GET", "b/x/content")


def test_a_store_that_falls_silent_inside_a_blob_never_makes_it_look_like_its_end(lying, liar):
    def behaviour(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        connection.recv(1)

    liar.behaviour = behaviour
    with pytest.raises(http.client.IncompleteRead):
        lying.ask("GET", "b/x/content", headers={"X-Deltacloud-Deadline": "1"})


def test_a_redirect_of_a_store_is_not_followed(lying, liar, moto):
    liar.answers(f"HTTP/1.1 307 Elsewhere\r\nLocation: {liar.url}/other\r\nContent-Length: 0\r\n\r\n".encode())

    assert lying.ask("GET", "b/x/content").status == 502
    assert lying.ask("PUT", "b/x", b"1").status == 502
    assert len(liar.heads) == 2


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404),
        (b"HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n", 412),
        (b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n", 416),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 503),
        (b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n", 502),
        (b"garbage\r\n\r\n", 502),
        (b"", 502),
    ],
)
def test_a_refusal_of_a_store_has_one_meaning(lying, liar, refusal, status):
    liar.answers(refusal)
    answer = lying.ask("GET", "b/x/content")

    assert answer.status == status
    assert answer.headers.get("retry-after") == ("7" if status == 503 else None)


def test_a_store_that_hangs_is_left_at_the_deadline(lying, liar):
    liar.behaviour = lambda connection, _: connection.recv(1)
    begin = time.monotonic()
    reading = lying.ask("GET", "b/x/content", headers={"X-Deltacloud-Deadline": "1"})
    writing = lying.ask("PUT", "b/x", b"1", {"X-Deltacloud-Deadline": "1"})

    assert (reading.status, writing.status) == (504, 504)
    assert time.monotonic() - begin < 8


def test_a_store_that_breaks_off_inside_an_upload_is_the_providers_error(lying, liar):
    liar.behaviour = lambda connection, _: connection.recv(1000)
    connection = lying.promise("PUT", "b/x", {"Content-Length": str(5 * MIB)}, BLOCK * 20)

    assert status_of(connection) == 502


def test_a_reader_who_goes_away_ends_the_reading_of_the_store(lying, liar):
    liar.behaviour = liar.streams
    connection = lying.promise("GET", "b/x/content", {}, b"")
    connection.recv(1000)
    connection.close()

    assert liar.ended.wait(10)


def test_a_reader_who_does_not_read_stops_the_store(lying, liar):
    liar.behaviour = liar.streams
    connection = lying.promise("GET", "b/x/content", {}, b"")
    with connection:
        connection.recv(1000)
        wait_until(lambda: _is_still(liar), "the store to be stopped")
        assert liar.sent < 32 * MIB
    assert liar.ended.wait(10)


def _is_still(liar):
    before = liar.sent
    time.sleep(0.5)
    return liar.sent == before


# --- memory


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("cloud", ["s3"], indirect=True)
def test_memory_stays_as_it_is_whatever_the_size(product, cloud):
    size = 256 * MIB
    cloud.put("warm", data(9 * MIB))
    cloud.content("warm")
    before = _peak_of(product, reset=True)

    assert cloud.put("big", data(size), Content_Length=str(size)).status == 200
    assert cloud.content("big").size == size
    assert cloud.put("big", data(size)).status == 200
    assert _peak_of(product) - before < 64 * MIB


def _peak_of(process, *, reset=False):
    """Return the most memory the process has held since the last reset, in bytes."""
    folder = Path(f"/proc/{process.pid}")
    if reset:
        (folder / "clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text())
    return int(found[1]) * 1024
