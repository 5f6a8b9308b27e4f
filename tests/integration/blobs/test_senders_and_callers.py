"""Senders who do not keep their word, and callers whom a store does not know."""

import contextlib
import http.client
import socket
import time

import pytest

from harness.blob_client import BLOCK, chunk, cut, data, status_of
from harness.waiting import wait_until

MIB = 1024 * 1024


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


def test_keys_the_store_refuses_are_401_by_every_road(product, strict):
    right, wrong = strict
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
