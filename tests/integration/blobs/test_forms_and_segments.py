"""Blobs from forms, and in segments."""

import select

import pytest

from harness.blob_client import data, digest, multipart, status_of

MIB = 1024 * 1024


FORM = {"Content-Type": "multipart/form-data; boundary=BB"}


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


@pytest.mark.parametrize(
    "parts",
    [
        [(f"field{number}", b"", None) for number in range(2000)],
        [("same", b"", None)] * 2000,
        [("same", b"", "x" * 2000)] * 900,
        [("blob_id", b"x" * 2 * MIB, None)],
    ],
    ids=["fields", "fields of one name", "headers", "field"],
)
def test_a_form_with_too_much_besides_its_file_is_refused(cloud, parts):
    for order in ([*parts, ("blob_data", b"1", "x/y")], [("blob_data", b"1", "x/y"), *parts]):
        assert cloud.client.ask("POST", cloud.bucket, b"".join(multipart(order)), FORM).status == 413


def test_a_form_that_drips_before_its_file_is_given_up(cloud):
    framed = {**FORM, "Content-Length": "1000000"}
    connection = cloud.client.promise("POST", cloud.bucket, framed, b"--BB\r\nX-Long: ")
    for _ in range(100):
        if select.select([connection], [], [], 0.2)[0]:
            break
        connection.sendall(b"x")

    assert status_of(connection) == 408


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


@pytest.mark.parametrize(
    ("listed", "status", "text"),
    [(b"," * 2 * MIB, 413, "1048576 bytes"), (b",".join([b"1=a"] * 10_001), 400, "10000 segments")],
)
def test_a_list_of_too_many_segments_is_refused(cloud, listed, status, text):
    named = {"X-Deltacloud-BlobType": "segmented", "X-Deltacloud-SegmentedBlob": "x"}
    answer = cloud.client.ask("PUT", cloud.path("seg"), listed, named)

    assert answer.status == status
    assert text in answer.json["message"]


@pytest.mark.parametrize("order", ["x", "0", "-1", "1.0", "²".encode().decode("latin-1"), "9" * 5000])
def test_a_segment_whose_place_is_no_number_is_refused(cloud, order):
    named = {"X-Deltacloud-BlobType": "segmented", "X-Deltacloud-SegmentedBlob": "x"}

    assert cloud.client.ask("PUT", cloud.path("seg"), b"1", {**named, "X-Deltacloud-SegmentOrder": order}).status == 400
