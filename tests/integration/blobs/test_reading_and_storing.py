"""Blobs there and back, and what HTTP has for their readers and writers."""

import re
from pathlib import Path

import pytest

from harness.blob_client import data, digest

MIB = 1024 * 1024


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
