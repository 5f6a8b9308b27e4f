"""Stores that lie, break off or hang, and readers who go away."""

import http.client
import time

import pytest

from harness.blob_client import BLOCK, status_of
from harness.waiting import wait_until

MIB = 1024 * 1024


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


@pytest.mark.parametrize(("told", "passed_on"), [("9" * 400, "3600"), ("²", "1"), ("soon", "1"), ("0", "1")])
def test_whatever_a_store_says_of_coming_back_the_caller_is_told_a_sensible_time(lying, liar, told, passed_on):
    liar.answers(f"HTTP/1.1 503 Slow Down\r\nRetry-After: {told}\r\nContent-Length: 0\r\n\r\n".encode())
    answer = lying.ask("GET", "b/x/content")

    assert (answer.status, answer.headers["retry-after"]) == (503, passed_on)


@pytest.mark.parametrize("value", ["text/日本".encode(), b"text/\xe4\xff", b"\xed\xa0\x80"])
@pytest.mark.parametrize("name", ["Content-Type", "Cache-Control", "Content-Language"])
def test_what_a_store_keeps_in_a_header_is_passed_on_byte_by_byte(lying, liar, name, value):
    liar.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + name.encode() + b": " + value + b"\r\n\r\nok")
    answer = lying.ask("GET", "b/x/content")

    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.headers[name.lower()].encode("latin-1") == value


def test_a_date_of_a_store_that_no_clock_can_show_does_not_fail_what_is_stored(lying, liar):
    date = "Thu, 01 Jan 1970 00:00:00 +999999999999999"
    liar.answers(f'HTTP/1.1 200 OK\r\nETag: "e"\r\nLast-Modified: {date}\r\nContent-Length: 0\r\n\r\n'.encode())
    answer = lying.ask("PUT", "b/x", b"1")

    assert (answer.status, answer.json["blob"]["content_length"]) == (200, 1)


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
