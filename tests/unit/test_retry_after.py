"""What counts as a time to wait in a cloud's Retry-After header."""

from __future__ import annotations

import pytest

from deltacloud import retry_after


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("7", 7.0), (" 12 ", 12.0), ("3600", 3600.0)])
def test_whole_seconds_are_taken_as_they_are(text: str, seconds: float) -> None:
    assert retry_after.parse(text) == seconds


@pytest.mark.parametrize("text", ["3601", "9" * 400, "9" * 5000])
def test_a_wait_of_more_than_an_hour_becomes_an_hour(text: str) -> None:
    assert retry_after.parse(text) == retry_after.LONGEST_S


@pytest.mark.parametrize(
    "text", [None, "", "²", "٣", "-1", "1.5", "inf", "1e9", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"]
)
def test_anything_else_is_nothing_said(text: str | None) -> None:
    assert retry_after.parse(text) is None
