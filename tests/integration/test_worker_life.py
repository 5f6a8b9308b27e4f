"""A worker's life on a real RabbitMQ: beginning without a broker, outages, the end, and what it tells meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pika
import pytest
import requests

from deltacloud.providers.picture import Announcement, Picture
from harness.amqp_peer import Delivery, Peer
from harness.bare_caller import BareCaller
from harness.broker import Broker
from harness.events_tap import EventsTap
from harness.ports import free_port
from harness.probe_worker import SERVICE, probe_worker
from harness.waiting import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def url(broker: Broker, vhost: str) -> str:
    return broker.url(vhost)


@pytest.fixture
def caller(url: str) -> Iterator[BareCaller]:
    with BareCaller(url) as made:
        yield made


def sleep(seconds: float) -> bytes:
    return json.dumps({"args": [], "kwargs": {"id": f"sleep-{seconds:g}"}}).encode()


@contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    """Have a broker that keeps its connections and does nothing on them."""
    server = broker._private_node._server
    assert server is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def make_key(name: str) -> bytes:
    return json.dumps({"args": [], "kwargs": {"name": name}}).encode()


class TestTheEnd:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_an_idle_worker_ends_at_once_with_status_0(self, url: str, tmp_path: Path, number: signal.Signals) -> None:
        with probe_worker(url, tmp_path) as worker:
            begin = time.monotonic()
            os.kill(worker.process.pid, number)
            assert worker.process.wait() == 0
            assert time.monotonic() - begin < 3
            assert "Traceback" not in worker.process.log_text()

    def test_the_calls_in_hand_are_finished_and_answered(
        self, url: str, tmp_path: Path, caller: BareCaller, broker: Broker, vhost: str
    ) -> None:
        with probe_worker(url, tmp_path) as worker:
            calls = [caller.send(f"{SERVICE}.get_realm", sleep(1.5)) for _ in range(5)]
            wait_until(lambda: worker.notes.count("begin get_realm sleep-1.5") == 5, "the calls to begin")
            end = worker.process.terminate()
            assert end.code == 0
            assert end.seconds < 5
        assert all(caller.reply_to(call)["error"] is None for call in calls)
        assert broker.messages(vhost, f"rpc-{SERVICE}") == []

    def test_nothing_new_is_taken_and_what_waits_counts_as_never_delivered(
        self, url: str, tmp_path: Path, caller: BareCaller, broker: Broker, vhost: str
    ) -> None:
        with probe_worker(url, tmp_path) as worker:
            caller.send(f"{SERVICE}.get_realm", sleep(2))
            worker.wait_for_note("begin get_realm sleep-2")
            os.kill(worker.process.pid, signal.SIGTERM)
            wait_until(lambda: _consumers(url) == 0, "the consumer to be gone")
            caller.send(f"{SERVICE}.create_key", make_key("too-late"))
            assert worker.process.wait() == 0
            assert "begin create_key too-late" not in worker.notes
        [waiting] = broker.messages(vhost, f"rpc-{SERVICE}")
        assert not waiting.redelivered

    def test_a_call_that_does_not_end_is_left_to_another_worker(
        self, url: str, tmp_path: Path, caller: BareCaller, broker: Broker, vhost: str
    ) -> None:
        with probe_worker(url, tmp_path, DELTACLOUD_DRAIN_S="0.5") as worker:
            caller.send(f"{SERVICE}.create_key", make_key("sleep-60"))
            worker.wait_for_note("begin create_key sleep-60")
            end = worker.process.terminate()
            assert end.code == 0
            assert 0.4 < end.seconds < 4
        [left] = wait_until(lambda: broker.messages(vhost, f"rpc-{SERVICE}"), "the call to be handed back")
        assert left.redelivered

    def test_a_second_signal_ends_it_at_once(self, url: str, tmp_path: Path, caller: BareCaller) -> None:
        with probe_worker(url, tmp_path) as worker:
            caller.send(f"{SERVICE}.create_key", make_key("sleep-60"))
            worker.wait_for_note("begin create_key sleep-60")
            os.kill(worker.process.pid, signal.SIGTERM)
            wait_until(lambda: '"stopping"' in worker.process.log_text(), "the worker to stop")
            os.kill(worker.process.pid, signal.SIGTERM)
            assert worker.process.wait(timeout_s=5) == 0

    def test_a_worker_that_never_found_its_broker_ends_with_status_0(self, tmp_path: Path) -> None:
        with probe_worker(f"amqp://127.0.0.1:{free_port()}/", tmp_path, wait=False) as worker:
            end = worker.process.terminate()
            assert end.code == 0
            assert end.seconds < 5


class TestOutages:
    def test_a_worker_waits_for_its_broker(self, own_broker: Broker, tmp_path: Path) -> None:
        own_broker.stop()
        with probe_worker(own_broker.url("/"), tmp_path, wait=False) as worker:
            assert worker.get("/health/ready").status_code == requests.codes.service_unavailable
            assert worker.get("/health/live").status_code == requests.codes.ok
            own_broker.start()
            worker.wait_until_ready(timeout_s=10)
            with BareCaller(own_broker.url("/")) as caller:
                assert caller.call(SERVICE, "list_realms")["error"] is None

    @pytest.mark.parametrize("end", ["stop", "kill9"])
    def test_a_restart_of_the_broker_with_calls_in_hand_is_survived(
        self, own_broker: Broker, tmp_path: Path, end: str
    ) -> None:
        url = own_broker.url("/")
        with probe_worker(url, tmp_path) as worker:
            with BareCaller(url) as caller:
                for _ in range(3):
                    caller.send(f"{SERVICE}.get_realm", sleep(2.5))
                wait_until(lambda: worker.notes.count("begin get_realm sleep-2.5") == 3, "the calls to begin")
            getattr(own_broker, end)()
            wait_until(lambda: worker.notes.count("end get_realm sleep-2.5") == 3, "the calls to end all the same")
            ready = worker.get("/health/ready")
            assert ready.status_code == requests.codes.service_unavailable
            assert any(SERVICE in problem for problem in ready.json()["problems"])
            own_broker.start()
            worker.wait_until_ready(timeout_s=10)
            with BareCaller(url) as caller:
                assert caller.call(SERVICE, "list_realms")["error"] is None
            assert worker.process.is_running
            assert "Traceback" not in worker.process.log_text()

    def test_sigterm_ends_it_while_the_broker_is_gone_with_a_call_in_hand(
        self, own_broker: Broker, tmp_path: Path
    ) -> None:
        url = own_broker.url("/")
        with probe_worker(url, tmp_path, DELTACLOUD_DRAIN_S="5") as worker:
            with BareCaller(url) as caller:
                caller.send(f"{SERVICE}.get_realm", sleep(2))
                worker.wait_for_note("begin get_realm sleep-2")
            own_broker.kill9()
            end = worker.process.terminate()
            assert end.code == 0
            assert end.seconds < 6
            assert "end get_realm sleep-2" in worker.notes

    def test_sigterm_ends_it_while_the_broker_is_frozen(self, own_broker: Broker, tmp_path: Path) -> None:
        with probe_worker(own_broker.url("/"), tmp_path, DELTACLOUD_DRAIN_S="2") as worker, frozen(own_broker):
            end = worker.process.terminate()
            assert end.code == 0
            assert end.seconds < 6

    def test_a_deleted_queue_is_made_again(
        self, url: str, tmp_path: Path, caller: BareCaller, broker: Broker, vhost: str
    ) -> None:
        with probe_worker(url, tmp_path) as worker:
            broker.request("DELETE", f"queues/{vhost}/rpc-{SERVICE}")
            wait_until(lambda: _served(caller), "the worker to serve again")
            assert worker.process.is_running

    def test_the_queue_vanishes_after_its_workers(self, url: str, tmp_path: Path, broker: Broker, vhost: str) -> None:
        with probe_worker(url, tmp_path):
            queue = broker.request("GET", f"queues/{vhost}/rpc-{SERVICE}")
        assert queue["arguments"] == {"x-expires": 30_000}
        assert queue["durable"]


class TestOps:
    def test_health_and_metrics_are_served(self, url: str, tmp_path: Path, caller: BareCaller) -> None:
        with probe_worker(url, tmp_path) as worker:
            caller.call(SERVICE, "list_realms")
            caller.call(SERVICE, "get_realm", id="raise-x")
            assert worker.get("/health/live").json() == {"live": True}
            assert worker.get("/health/ready").json() == {"ready": True, "problems": []}
            metrics = worker.get("/metrics")
            assert metrics.headers["Content-Type"].startswith("text/plain")
            labels = f'operation="list_realms",service="{SERVICE}"'
            assert f'deltacloud_calls_total{{code="ok",{labels}}} 1.0' in metrics.text
            failed = f'code="backend_error",operation="get_realm",service="{SERVICE}"'
            assert f"deltacloud_calls_total{{{failed}}} 1.0" in metrics.text
            assert f"deltacloud_call_seconds_count{{{labels}}} 1.0" in metrics.text
            assert f'deltacloud_calls_in_flight{{service="{SERVICE}"}} 0.0' in metrics.text

    def test_other_paths_and_methods_are_refused(self, url: str, tmp_path: Path) -> None:
        with probe_worker(url, tmp_path) as worker:
            assert worker.get("/nothing/here").status_code == requests.codes.not_found
            posted = requests.post(worker.ops_url + "/metrics", data=b"x", timeout=5)
            assert posted.status_code == requests.codes.method_not_allowed

    def test_headers_without_end_are_refused_and_the_next_request_is_served(self, url: str, tmp_path: Path) -> None:
        with probe_worker(url, tmp_path) as worker:
            endless = {f"X-Noise-{number}": "n" * 8000 for number in range(130)}
            refused = requests.get(worker.ops_url + "/health/live", headers=endless, timeout=5)
            assert refused.status_code in {400, 431}
            assert worker.get("/health/live").status_code == requests.codes.ok

    def test_requests_are_served_while_a_call_runs(self, url: str, tmp_path: Path, caller: BareCaller) -> None:
        with probe_worker(url, tmp_path) as worker:
            sent = caller.send(f"{SERVICE}.get_realm", sleep(1))
            worker.wait_for_note("begin get_realm sleep-1")
            in_flight = f'deltacloud_calls_in_flight{{service="{SERVICE}"}} 1.0'
            assert in_flight in worker.get("/metrics").text
            assert caller.reply_to(sent)["error"] is None


class TestEvents:
    def test_a_worker_announces_at_its_start_when_asked_in_between_and_when_it_leaves(
        self, url: str, tmp_path: Path
    ) -> None:
        with EventsTap(url, "worker.announced") as heard:
            with probe_worker(url, tmp_path) as worker:
                first = _announced(heard, 1)[0]
                assert first.service == SERVICE
                assert first.driver.id == "probe"
                assert "list_realms" in first.driver.operations
                assert first.sealing_keys
                assert not first.leaving
                heard.publish("registry.asked", b"")
                assert len(_announced(heard, 2, timeout_s=2)) >= 2
                assert len(_announced(heard, 3, timeout_s=8)) >= 3
                assert worker.process.terminate().code == 0
            last = wait_until(lambda: [said for said in _said(heard) if said.leaving], "the worker to take leave")[0]
            assert last.worker == first.worker

    def test_a_worker_gets_the_picture_at_its_start_and_by_broadcast(self, url: str, tmp_path: Path) -> None:
        """What a picture allows is seen in how a provider is refused: the list comes from the picture."""

        def registry(delivery: Delivery) -> bytes:
            assert delivery.method == "get_picture"
            return b'{"result": ' + _picture(1.0, "from-the-answer") + b', "error": null}'

        with Peer(url, "registry", registry), probe_worker(url, tmp_path), BareCaller(url) as caller:
            wait_until(lambda: "from-the-answer" in _providers(caller), "the answered picture")
            with EventsTap(url, "nothing") as registries:
                registries.publish("registry.picture", b"this is no picture")
                registries.publish("registry.picture", _picture(2.0, "from-the-broadcast"))
                wait_until(lambda: "from-the-broadcast" in _providers(caller), "the broadcast picture")
                registries.publish("registry.picture", _picture(1.5, "too-old"))
                registries.publish("registry.picture", _picture(3.0, "newest"))
                wait_until(lambda: "newest" in _providers(caller), "the newest picture")

    def test_a_worker_announces_again_after_a_restart_of_the_broker(self, own_broker: Broker, tmp_path: Path) -> None:
        url = own_broker.url("/")
        with probe_worker(url, tmp_path) as worker:
            own_broker.stop()
            own_broker.start()
            with EventsTap(url, "worker.announced") as heard:
                assert _announced(heard, 1, timeout_s=10)
            worker.wait_until_ready(timeout_s=10)


def _served(caller: BareCaller) -> bool:
    try:
        return bool(caller.call(SERVICE, "list_realms")["error"] is None)
    except pika.exceptions.UnroutableError:  # the queue is away
        return False


def _consumers(url: str) -> int:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        declared = connection.channel().queue_declare(f"rpc-{SERVICE}", passive=True)
        return int(declared.method.consumer_count)


def _said(heard: EventsTap) -> list[Announcement]:
    return [msgspec.json.decode(body, type=Announcement) for body in list(heard.bodies)]


def _announced(heard: EventsTap, count: int, *, timeout_s: float = 10.0) -> list[Announcement]:
    wait_until(lambda: len(heard.bodies) >= count, f"{count} announcements", timeout_s=timeout_s)
    return _said(heard)


def _picture(issued_at: float, provider: str) -> bytes:
    entry: dict[str, Any] = {"name": provider, "endpoint": "http://127.0.0.1:1"}
    return msgspec.json.encode(
        msgspec.convert({"issued_at": issued_at, "providers": {"probe": {provider: entry}}}, Picture)
    )


def _providers(caller: BareCaller) -> str:
    """Return the error's text that lists the providers the worker knows."""
    return str(caller.call(SERVICE, "list_realms", context={"provider": "unheard-of"})["error"]["message"])
