"""Messages that are no calls: each is answered where somebody waits, else rejected, and nobody dies of it."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import random
import struct
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from harness.bare_caller import BareCaller
from harness.broker import Broker
from harness.fleet import Fleet, Member, ready
from harness.waiting import wait_until

pytestmark = pytest.mark.integration

MIB = 1024 * 1024
GOOD = {"compute.mock": "list_hardware_profiles", "storage.mock": "list_buckets", "registry": "get_picture"}
SERVICES = sorted(GOOD)
CALL = b'{"args": [], "kwargs": {}}'


def nested(depth: int) -> bytes:
    """Return a field that is a list of a list of a list … of nothing."""
    sizes = range(5 * depth - 4, 0, -5)
    return b"".join(b"A" + struct.pack(">I", size) for size in sizes) + b"V"


BROKEN_BODIES = {
    "nothing": b"",
    "not JSON": b"hello, is anybody there?",
    "not UTF-8": b'{"args": [], "kwargs": {"name": "\xff\xfe"}}',
    "JSON that is no call": b"[1, 2, 3]",
    "kwargs that are a list": b'{"args": [], "kwargs": []}',
    "a context that is a number": b'{"args": [], "kwargs": {"context": 7}}',
    "a deadline that is a text": b'{"args": [], "kwargs": {"context": {"deadline": "soon"}}}',
    "a context of another version": b'{"args": [], "kwargs": {"context": {"version": 99}}}',
    "arguments by position": b'{"args": ["inst1"], "kwargs": {}}',
    "an argument nobody declared": b'{"args": [], "kwargs": {"colour": "blue"}}',
    "an argument of the wrong type": b'{"args": [], "kwargs": {"limit": {"a": []}}}',
    "brackets without end": b"[" * 100_000,
    "10 MiB of noise": random.Random(7).randbytes(10 * MIB),  # noqa: S311 - any noise will do
    "10 MiB in one argument": json.dumps({"args": [], "kwargs": {"colour": "b" * 10 * MIB}}).encode(),
    "more than a message may have": b" " * (17 * MIB),
}
BROKEN_PROPERTIES: dict[str, dict[str, Any]] = {
    "no content type": {"content_type": None},
    "a foreign content type": {"content_type": "application/x-msgpack"},
    "a content type that is none": {"content_type": "/;;"},
}
ODD_PROPERTIES: dict[str, dict[str, Any]] = {
    "headers of every type": {
        "headers": {
            "traceparent": 35,
            "number": -(2**40),
            "decimal": decimal.Decimal("1.5"),
            "time": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
            "bytes": b"\x00\xff",
            "list": [1, [2, None], {"a": True}],
            "table": {"deep": {"deeper": {}}},
            "void": None,
            "nameko.call_id_stack": 17,
        }
    },
    "a trace that is bytes": {"headers": {"traceparent": b"\xff\xfe"}},
    "a trace that is a table": {"headers": {"traceparent": {}}},
    "a foreign encoding": {"content_encoding": "gzip"},
    "a user, an application and a type": {"app_id": "x" * 255, "type": "y" * 255, "message_id": "z" * 255},
    "a time beyond all calendars": {"timestamp": 2**62},
    "a priority of 255": {"priority": 255},
}
NO_TEXT = b"\xff\xfe\xfd"
UNREADABLE_HEADERS = {
    "a time beyond all calendars": b"\x01tT" + struct.pack(">Q", 2**63),
    "a list in a list in a list": b"\x01l" + nested(20_000),
    "a name that is no text": b"\x03" + NO_TEXT + b"V",
}


class RawHeaders(pika.BasicProperties):  # type: ignore[misc]
    """Properties whose table of headers is these bytes."""

    def __init__(self, table: bytes, **properties: Any) -> None:
        super().__init__(**properties, headers={})
        self._table = table

    def encode(self) -> list[bytes]:
        pieces = b"".join(super().encode())
        return [pieces.replace(struct.pack(">I", 0), struct.pack(">I", len(self._table)) + self._table)]


@pytest.fixture(scope="module")
def fleet(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    plain = {"DELTACLOUD_ALLOW_PLAIN_CREDENTIALS": "true"}
    with Fleet(broker_url, tmp_path_factory.mktemp("fleet"), env=plain) as made:
        ready(made.registry(), made.compute(), made.storage())
        yield made


@pytest.fixture
def caller(fleet: Fleet) -> Iterator[BareCaller]:
    with BareCaller(fleet.broker) as made:
        yield made


@pytest.fixture(autouse=True)
def all_is_well_afterwards(fleet: Fleet, caller: BareCaller, broker: Broker) -> Iterator[None]:
    """After each message: every service answers from the process it was, and no message is left, ready or in hand."""
    yield
    assert all(member.process.is_running for member in fleet.members)
    credentials = {"user": "mockuser", "password": "mockpassword"}
    for service, method in GOOD.items():
        reply = caller.call(service, method, context={"credentials": credentials})
        assert reply["error"] is None, (service, reply)
    wait_until(lambda: left_over(broker, fleet) == 0, "the queues to be empty")
    assert all(map(is_connected_as_before, fleet.members))


def left_over(broker: Broker, fleet: Fleet) -> int:
    queues = broker.request("GET", f"queues/{fleet.vhost}?disable_stats=true&enable_queue_totals=true")
    return sum(
        queue["messages_ready"] + queue["messages_unacknowledged"]
        for queue in queues
        if queue["name"].startswith("rpc-")
    )


def is_connected_as_before(member: Member) -> bool:
    """Whether it kept its connections: a message that costs one comes back, and costs the next."""
    return "no connection to the broker" not in member.process.log_text()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("what", BROKEN_BODIES)
def test_a_broken_body_is_answered_with_what_is_wrong(caller: BareCaller, service: str, what: str) -> None:
    sent = caller.send(f"{service}.{GOOD[service]}", BROKEN_BODIES[what])
    error = caller.reply_to(sent)["error"]
    assert error["code"] in {"invalid_request", "invalid_parameters", "too_large"}
    assert len(error["message"]) < 1000


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("what", BROKEN_PROPERTIES)
def test_a_call_in_a_foreign_language_is_told_which_is_spoken(caller: BareCaller, service: str, what: str) -> None:
    sent = caller.send(f"{service}.{GOOD[service]}", CALL, **BROKEN_PROPERTIES[what])
    error = caller.reply_to(sent)["error"]
    assert error["code"] == "invalid_request"
    assert "application/json" in error["message"]


@pytest.mark.parametrize("what", ODD_PROPERTIES)
def test_a_call_with_odd_properties_is_answered_all_the_same(caller: BareCaller, what: str) -> None:
    sent = caller.send("registry.get_picture", CALL, **ODD_PROPERTIES[what])
    assert caller.reply_to(sent)["error"] is None


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("method", ["no_such_method", "__init__", "call", "", "list_instances\n", "é" * 80])
def test_an_unknown_method_is_answered_so(caller: BareCaller, service: str, method: str) -> None:
    sent = caller.send(f"{service}.{method}", CALL)
    assert caller.reply_to(sent)["error"]["code"] == "unknown_method"


@pytest.mark.parametrize("service", SERVICES)
def test_a_message_without_reply_to_is_rejected_and_not_run(
    fleet: Fleet, caller: BareCaller, broker: Broker, service: str
) -> None:
    rejected = sum(
        member.metric("deltacloud_calls_total", service=service, code="no_reply_to") for member in fleet.members
    )
    caller.send(f"{service}.{GOOD[service]}", CALL, reply_to=None)
    wait_until(
        lambda: (
            sum(
                member.metric("deltacloud_calls_total", service=service, code="no_reply_to") for member in fleet.members
            )
            == rejected + 1
        ),
        "the rejection to be counted",
    )


def test_a_reply_that_nobody_can_receive_harms_nobody(caller: BareCaller) -> None:
    for where in ("nowhere", "*", "#", "compute.mock.list_realms", "x" * 255, "\u00e9" * 100):
        caller.send("registry.get_picture", CALL, reply_to=where)


def test_a_call_without_correlation_id_is_answered_without_one(caller: BareCaller) -> None:
    caller.send("registry.get_picture", CALL, correlation_id=None)
    assert caller.reply_to(None)["error"] is None


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("field", ["correlation_id", "reply_to", "content_type", "message_id", "app_id"])
def test_a_property_that_is_no_text_harms_nobody(caller: BareCaller, service: str, field: str) -> None:
    for body in (CALL, b""):
        odd: dict[str, Any] = {field: NO_TEXT}
        caller.send(f"{service}.{GOOD[service]}", body, **odd)


@pytest.mark.parametrize("what", UNREADABLE_HEADERS)
def test_headers_that_cannot_be_read_harm_nobody(caller: BareCaller, what: str) -> None:
    caller.send("compute.mock.list_realms", CALL, kind=RawHeaders, table=UNREADABLE_HEADERS[what])


@pytest.mark.parametrize("service", SERVICES)
def test_a_method_whose_name_is_no_text_is_unknown(caller: BareCaller, service: str) -> None:
    sent = caller.send(f"{service}.".encode() + NO_TEXT, CALL)
    assert caller.reply_to(sent)["error"]["code"] == "unknown_method"


def test_a_hundred_pieces_of_noise_at_once_hold_nobody_up(caller: BareCaller) -> None:
    noise = random.Random(11)  # noqa: S311 - any noise will do
    sent = [caller.send("compute.mock.list_images", noise.randbytes(noise.randint(0, 4096))) for _ in range(100)]
    for each in sent:
        assert caller.reply_to(each)["error"]["code"] == "invalid_request"
