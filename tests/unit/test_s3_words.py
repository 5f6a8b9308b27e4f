"""What S3 can keep of what the API gives it."""

from datetime import UTC, datetime

import pytest

from deltacloud.errors import InvalidParameters
from deltacloud_storage.drivers.ec2 import convert

NAMES = ["colour", "foo_bar", "foo-bar", "größe", "a b", "v1.2", "%41", "deltacloud-hex-00", "x" * 100, "€"]
VALUES = ["", "red", " both ends ", "100 %", "%41", "10 €", "tab\there", "line\r\nbreak", "~", "a  b", "   "]


@pytest.mark.parametrize("name", NAMES)
def test_an_attributes_name_comes_back_as_it_was_given(name):
    assert convert.metadata_from_s3(convert.metadata_to_s3({name: "x"})) == {name: "x"}


@pytest.mark.parametrize("value", VALUES)
def test_an_attributes_value_comes_back_as_it_was_given(value):
    assert convert.metadata_from_s3(convert.metadata_to_s3({"x": value})) == {"x": value}


@pytest.mark.parametrize("name", NAMES)
def test_an_attributes_name_becomes_one_that_no_server_or_proxy_drops(name):
    [written] = convert.metadata_to_s3({name: "x"})

    assert set(written) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


@pytest.mark.parametrize("value", VALUES)
def test_an_attributes_value_becomes_printable_ascii_without_spaces_at_its_ends(value):
    [written] = convert.metadata_to_s3({"x": value}).values()

    assert written.isascii()
    assert written.isprintable()
    assert written == written.strip()


def test_different_names_never_become_the_same_one():
    assert len(convert.metadata_to_s3(dict.fromkeys(NAMES, ""))) == len(NAMES)


def test_attributes_that_others_stored_are_read_as_they_are():
    assert convert.metadata_from_s3({"Mtime": "1.5", "foo-bar": "100%"}) == {"mtime": "1.5", "foo_bar": "100%"}


@pytest.mark.parametrize(
    "name", ["ab", "Upper", "a_b", "-ab", "ab-", "10.0.0.1", "a..b", "xn--a", "x-s3alias", "a/b", ""]
)
def test_a_bucket_name_that_s3_refuses_is_refused_before_any_call(name):
    with pytest.raises(InvalidParameters):
        convert.bucket_name(name)


@pytest.mark.parametrize("name", ["abc", "a.b-c", "1234", "a" * 63])
def test_a_bucket_name_that_s3_takes_is_taken(name):
    assert convert.bucket_name(name) == name


def test_the_default_region_is_the_one_that_is_not_named_when_a_bucket_is_made():
    assert convert.configuration(None, "us-east-1") == {}
    assert convert.configuration(None, "eu-west-1") == {
        "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}
    }
    assert convert.configuration("EU", "us-east-1") == {"CreateBucketConfiguration": {"LocationConstraint": "EU"}}


def test_a_time_is_shown_as_the_api_shows_times():
    assert convert.moment(datetime(2020, 1, 1, 10, tzinfo=UTC)) == "2020-01-01 10:00:00 +0000"
