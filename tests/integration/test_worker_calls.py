"""Calls to a worker over a real RabbitMQ: good ones, broken ones, late ones and redelivered ones."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pika
import pytest

from harness.bare_caller import BareCaller
from harness.broker import Broker, Permissions
from harness.probe_worker import SERVICE, ProbeWorker, probe_worker
from harness.waiting import wait_until

pytestmark = pytest.mark.integration

CALL = json.dumps({"args": [], "kwargs": {}}).encode()
TEN_MIB = 10 * 1024 * 1024
LIST = f"{SERVICE}.list_realms"


@pytest.fixture
def url(broker: Broker, vhost: str) -> str:
    return broker.url(vhost)


@pytest.fixture
def worker(url: str, tmp_path: Path) -> Iterator[ProbeWorker]:
    with probe_worker(url, tmp_path) as running:
        yield running


@pytest.fixture
def caller(url: str) -> Iterator[BareCaller]:
    with BareCaller(url) as made:
        yield made


@pytest.fixture(scope="module")
def serving(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareCaller]:
    """A caller of a worker that the module's tests share."""
    with broker.new_vhost() as vhost:
        url = broker.url(vhost)
        with probe_worker(url, tmp_path_factory.mktemp("shared")), BareCaller(url) as made:
            yield made


def error_of(reply: Any) -> str:
    assert reply["result"] is None
    return str(reply["error"]["code"])


def still_serves(caller: BareCaller) -> bool:
    return caller.call(SERVICE, "list_realms")["error"] is None


def test_a_call_is_answered_with_the_record(worker: ProbeWorker, caller: BareCaller) -> None:
    reply = caller.call(SERVICE, "list_realms", context={"request_id": "r-1"})
    assert [realm["id"] for realm in reply["result"]["items"]] == ["here"]
    assert reply["error"] is None


def test_calls_run_side_by_side(worker: ProbeWorker, caller: BareCaller) -> None:
    begin = time.monotonic()
    body = json.dumps({"args": [], "kwargs": {"id": "sleep-0.5"}}).encode()
    calls = [caller.send(f"{SERVICE}.get_realm", body) for _ in range(20)]
    wait_until(lambda: worker.notes.count("end get_realm sleep-0.5") == len(calls), "all to end")
    assert time.monotonic() - begin < 0.5 * len(calls) / 2


def test_no_more_calls_are_fetched_than_can_run(url: str, tmp_path: Path, caller: BareCaller) -> None:
    with probe_worker(url, tmp_path, "--max-workers", "2") as worker:
        body = json.dumps({"args": [], "kwargs": {"id": "sleep-0.4"}}).encode()
        for _ in range(6):
            caller.send(f"{SERVICE}.get_realm", body)
        running = 0
        while worker.notes.count("end get_realm sleep-0.4") < 6:
            notes = worker.notes
            running = max(running, sum(1 if note.startswith("begin") else -1 for note in notes))
            time.sleep(0.01)
        assert running == 2


def test_a_driver_gets_green_sockets(worker: ProbeWorker, caller: BareCaller) -> None:
    assert caller.call(SERVICE, "get_realm", id="socket")["result"]["name"].startswith("eventlet.green")


BROKEN = {
    "not JSON": ({"body": b"this is not JSON"}, "invalid_request"),
    "not text": ({"body": b"\xff\xfe\x00"}, "invalid_request"),
    "empty": ({"body": b""}, "invalid_request"),
    "nested too deeply": ({"body": b"[" * 100_000}, "invalid_request"),
    "a list": ({"body": b'["args", "kwargs"]'}, "invalid_request"),
    "wrong shapes": ({"body": b'{"args": {}, "kwargs": []}'}, "invalid_request"),
    "arguments by position": ({"body": b'{"args": ["here"], "kwargs": {}}'}, "invalid_request"),
    "context is no object": ({"body": b'{"args": [], "kwargs": {"context": "me"}}'}, "invalid_parameters"),
    "unknown parameter": ({"body": b'{"args": [], "kwargs": {"colour": "red"}}'}, "invalid_parameters"),
    "deadline long ago": ({"body": b'{"args": [], "kwargs": {"context": {"deadline": 1}}}'}, "deadline_exceeded"),
    "10 MiB of noise": ({"body": os.urandom(TEN_MIB)}, "invalid_request"),
    "20 MiB of JSON": ({"body": b'{"args": [], "kwargs": {"x": "' + b"x" * (2 * TEN_MIB) + b'"}}'}, "too_large"),
    "no content type": ({"body": CALL, "content_type": None}, "invalid_request"),
    "a pickle": ({"body": CALL, "content_type": "application/x-python-serialize"}, "invalid_request"),
    "unknown method": ({"body": CALL, "routing_key": f"{SERVICE}.no_such_method"}, "unknown_method"),
    "a Python method": ({"body": CALL, "routing_key": f"{SERVICE}.__init__"}, "unknown_method"),
    "not this driver's": ({"body": CALL, "routing_key": f"{SERVICE}.list_images"}, "capability_missing"),
}


@pytest.mark.parametrize(("what", "code"), BROKEN.values(), ids=BROKEN)
def test_a_broken_call_is_answered_and_the_next_one_served(
    serving: BareCaller, what: dict[str, Any], code: str
) -> None:
    sent = serving.send(**{"routing_key": LIST, **what})
    assert error_of(serving.reply_to(sent)) == code
    assert still_serves(serving)


def test_an_encoding_that_is_not_utf8_harms_nothing(worker: ProbeWorker, caller: BareCaller) -> None:
    caller.reply_to(caller.send(LIST, CALL, content_encoding="no-such-encoding", headers={"compression": "bogus"}))
    assert still_serves(caller)


def test_a_call_without_reply_to_is_rejected_and_not_run(
    worker: ProbeWorker, caller: BareCaller, broker: Broker, vhost: str
) -> None:
    body = json.dumps({"args": [], "kwargs": {"name": "nobody-asked"}}).encode()
    caller.send(f"{SERVICE}.create_key", body, reply_to=None)
    assert still_serves(caller)
    assert "begin create_key nobody-asked" not in worker.notes
    assert 'code="no_reply_to"' in worker.get("/metrics").text
    assert broker.messages(vhost, f"rpc-{SERVICE}") == []


def test_a_call_without_correlation_id_is_answered(worker: ProbeWorker, caller: BareCaller) -> None:
    caller.send(LIST, CALL, correlation_id=None)
    assert caller.reply_to(None)["error"] is None


def test_a_reply_nobody_receives_harms_nothing(worker: ProbeWorker, caller: BareCaller) -> None:
    caller.send(LIST, CALL, reply_to="a-queue-that-never-was")
    assert still_serves(caller)


def test_a_reply_the_broker_refuses_costs_neither_the_calls_in_hand_nor_the_next_ones(
    broker: Broker, vhost: str, tmp_path: Path, caller: BareCaller
) -> None:
    """The least permissions a worker needs, as deployments give them; its replies may go to some queues only."""
    user = f"worker-{vhost}"
    own, exchanges = r"rpc-compute\..*|events-.*", "nameko-rpc|deltacloud-events"
    everything = f"^({own}|{exchanges})$"
    broker.add_user(user, "secret", {vhost: Permissions(configure=f"^({own})$", write=everything, read=everything)})
    for exchange in ("nameko-rpc", "deltacloud-events"):
        broker.request("PUT", f"exchanges/{vhost}/{exchange}", {"type": "topic", "durable": True})
    rule = {"exchange": "nameko-rpc", "write": r"^(bare-.*|registry\.get_picture)$", "read": ".*"}
    broker.request("PUT", f"topic-permissions/{vhost}/{user}", rule)
    with probe_worker(broker.url(vhost, username=user, password="secret"), tmp_path) as worker:
        slow = caller.send(f"{SERVICE}.create_key", b'{"args": [], "kwargs": {"name": "sleep-1"}}')
        worker.wait_for_note("begin create_key sleep-1")
        caller.send(LIST, CALL, reply_to="forbidden.place")
        wait_until(lambda: "the broker refused a message" in worker.process.log_text(), "the refusal")
        assert still_serves(caller)
        assert caller.reply_to(slow)["result"]["id"] == "sleep-1"
        assert worker.notes.count("begin create_key sleep-1") == 1
    broker.request("DELETE", f"users/{user}")


def test_a_defect_of_a_driver_is_answered_without_its_text(worker: ProbeWorker, caller: BareCaller) -> None:
    reply = caller.call(SERVICE, "get_realm", id="raise-canary")
    assert error_of(reply) == "backend_error"
    assert "canary" not in json.dumps(reply)
    assert "canary" not in worker.process.log_text()


def test_a_result_that_cannot_be_encoded_is_answered(worker: ProbeWorker, caller: BareCaller) -> None:
    assert error_of(caller.call(SERVICE, "get_realm", id="junk")) == "backend_error"


def test_a_call_whose_deadline_passed_in_the_queue_is_not_run(url: str, tmp_path: Path, caller: BareCaller) -> None:
    with probe_worker(url, tmp_path, "--max-workers", "1") as worker:
        first = caller.send(f"{SERVICE}.get_realm", b'{"args": [], "kwargs": {"id": "sleep-1"}}')
        kwargs = {"name": "late", "context": {"deadline": time.time() + 0.5}}
        second = caller.send(f"{SERVICE}.create_key", json.dumps({"args": [], "kwargs": kwargs}).encode())
        assert caller.reply_to(first)["error"] is None
        assert error_of(caller.reply_to(second)) == "deadline_exceeded"
        assert "begin create_key late" not in worker.notes


@pytest.mark.parametrize(
    ("method", "name", "code"),
    [("get_realm", "id", "deadline_exceeded"), ("create_key", "name", "outcome_unknown")],
)
def test_a_call_that_outlives_its_deadline_is_ended_and_gives_its_place_to_the_next(
    url: str, tmp_path: Path, method: str, name: str, code: str
) -> None:
    with probe_worker(url, tmp_path, "--max-workers", "1"), BareCaller(url) as caller:
        begin = time.monotonic()
        reply = caller.call(SERVICE, method, **{name: "sleep-60"}, context={"deadline": time.time() + 0.5})
        assert error_of(reply) == code
        assert still_serves(caller)
        assert time.monotonic() - begin < 5


def test_a_deadline_beyond_all_time_harms_nothing(worker: ProbeWorker, caller: BareCaller) -> None:
    reply = caller.call(SERVICE, "get_realm", id="sleep-0.1", context={"deadline": 1e300})
    assert reply["error"] is None


def test_a_redelivered_read_runs_again_and_the_driver_knows(worker: ProbeWorker, caller: BareCaller, url: str) -> None:
    assert caller.call(SERVICE, "get_realm", id="redelivered")["result"]["name"] == "False"
    sent = _redelivered(caller, url, "get_realm", {"id": "redelivered"})
    assert caller.reply_to(sent)["result"]["name"] == "True"


def test_a_redelivered_create_is_not_run_again(worker: ProbeWorker, caller: BareCaller, url: str) -> None:
    sent = _redelivered(caller, url, "create_key", {"name": "twice"})
    assert error_of(caller.reply_to(sent)) == "outcome_unknown"
    assert "begin create_key twice" not in worker.notes


def test_a_worker_killed_in_a_create_leaves_it_to_the_next_one_to_say_so(
    url: str, tmp_path: Path, caller: BareCaller
) -> None:
    with probe_worker(url, tmp_path, name="first") as first:
        sent = caller.send(f"{SERVICE}.create_key", b'{"args": [], "kwargs": {"name": "sleep-30"}}')
        first.wait_for_note("begin create_key sleep-30")
        with probe_worker(url, tmp_path, name="second") as second:
            first.process.kill9()
            assert error_of(caller.reply_to(sent)) == "outcome_unknown"
            assert second.notes.count("begin create_key sleep-30") == 1


def test_replies_are_transient(worker: ProbeWorker, url: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare("seen", exclusive=True)
        channel.queue_bind("seen", "nameko-rpc", "seen")
        properties = pika.BasicProperties(reply_to="seen", content_type="application/json", correlation_id="c")
        channel.basic_publish("nameko-rpc", LIST, CALL, properties)
        _, answered, _ = wait_until(lambda: _got(channel, "seen"), "the reply")
    assert answered.delivery_mode == 1
    assert answered.content_type == "application/json"
    assert answered.correlation_id == "c"


def test_one_connection_serves_all_calls(worker: ProbeWorker, caller: BareCaller, broker: Broker, vhost: str) -> None:
    for _ in range(50):
        caller.call(SERVICE, "list_realms")
    text = worker.process.log_text()
    assert text.count("connected to the broker") == 2  # its calls and its events
    assert "lost" not in text


def test_each_call_is_logged_with_request_trace_and_code_and_without_arguments(
    url: str, tmp_path: Path, caller: BareCaller
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    context = {"request_id": "req-7", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    with probe_worker(url, tmp_path, "--log-level", "debug") as worker:
        caller.call(SERVICE, "get_realm", id="canary", context=context)
        wait_until(lambda: "req-7" in worker.process.log_text(), "the call in the log")
        lines = [json.loads(line) for line in worker.process.log_text().splitlines()]
        assert "canary" not in worker.process.log_text()
    line = next(line for line in lines if line.get("request_id") == "req-7")
    assert line["trace_id"] == trace
    assert (line["service"], line["driver"], line["operation"]) == (SERVICE, "probe", "get_realm")
    assert line["code"] == "ok"
    assert line["seconds"] >= 0


def test_the_trace_of_the_message_headers_is_taken_where_the_context_has_none(
    url: str, tmp_path: Path, caller: BareCaller
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with probe_worker(url, tmp_path, "--log-level", "debug") as worker:
        caller.reply_to(caller.send(LIST, CALL, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}))
        wait_until(lambda: trace in worker.process.log_text(), "the trace in the log")


def test_many_callers_at_once_each_get_their_own_reply(worker: ProbeWorker, url: str) -> None:
    def ask(number: int) -> bool:
        with BareCaller(url) as own:
            return all(
                own.call(SERVICE, "get_realm", id=f"n{number}x{turn}")["result"]["id"] == f"n{number}x{turn}"
                for turn in range(20)
            )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))


def _got(channel: Any, queue: str) -> Any:
    found = channel.basic_get(queue, auto_ack=True)
    return found if found[0] is not None else None


def _redelivered(caller: BareCaller, url: str, method: str, parameters: dict[str, str]) -> str:
    """Send a call that another consumer takes first and loses, and return its correlation id."""
    seen: list[Any] = []
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_consume(f"rpc-{SERVICE}", lambda *taken: seen.append(taken), arguments={"x-priority": 10})
        body = json.dumps({"args": [], "kwargs": parameters}).encode()
        sent = caller.send(f"{SERVICE}.{method}", body)

        def was_taken() -> bool:
            connection.process_data_events(0)
            return bool(seen)

        wait_until(was_taken, "the other consumer to take the call")
    return sent
