"""Nobody there, busy, dead or frozen: a call ends with an answer that says so, by its deadline at the latest."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from deltacloud.models import DriverInfo
from deltacloud.providers.picture import Announcement
from harness.broker import Broker
from harness.events_peer import Worker
from harness.fleet import Fleet, Http, Member, knows, ready, timed
from harness.waiting import wait_until

pytestmark = pytest.mark.integration

AT_ONCE_S = 0.1
GRACE_S = 1.0
"""How late an answer may be on a machine that does other things as well."""


@pytest.fixture(scope="module")
def fleet(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A gateway; each test starts the workers it mistreats."""
    with Fleet(broker_url, tmp_path_factory.mktemp("fleet")) as made:
        made.gateway()
        ready(made.registry())
        yield made


@pytest.fixture
def gateway(fleet: Fleet) -> Member:
    return fleet.members[0]


@pytest.fixture
def worker(fleet: Fleet, http: Http) -> Iterator[Member]:
    """A worker that does one call at a time."""
    started = fleet.compute(DELTACLOUD_MAX_WORKERS="1")
    ready(started)
    knows(http, "mock")
    assert http.get("realms").status_code == 200
    yield started
    started.process.kill9()


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def has_in_hand(worker: Member) -> bool:
    return worker.metric("deltacloud_calls_in_flight", service="compute.mock") > 0


def assert_refused_at_once(http: Http, service: str) -> None:
    """The refusal names the service and takes less than a tenth of a second."""
    answers = [timed(lambda: http.get("realms")) for _ in range(11)]
    for each in answers:
        assert each.answer.status_code == 503
        assert each.answer.headers["Retry-After"]
        assert service in each.answer.json()["message"]
        assert "nothing was started" in each.answer.json()["message"]
    assert statistics.median(each.seconds for each in answers) < AT_ONCE_S


@pytest.mark.parametrize("end", ["SIGTERM", "kill -9"])
def test_a_driver_whose_only_worker_has_ended_is_refused_at_once(http: Http, worker: Member, end: str) -> None:
    if end == "SIGTERM":
        worker.process.terminate()
    else:
        worker.process.kill9()
        wait_until(lambda: http.get("realms").status_code == 503, "the broker to notice")
    assert_refused_at_once(http, "compute.mock")


def test_a_driver_that_is_known_and_was_never_served_is_refused_at_once(fleet: Fleet, gateway: Member) -> None:
    info = DriverInfo(
        id="ghost",
        name="Ghost",
        services=("compute.ghost",),
        operations=frozenset({"list_realms"}),
        anonymous_operations=frozenset({"list_realms"}),
    )
    http = Http(gateway.url, driver="ghost")
    with Worker(fleet.broker, Announcement(service="compute.ghost", worker="ghost", driver=info)):
        knows(Http(gateway.url), "ghost")
        assert_refused_at_once(http, "compute.ghost")


def test_a_driver_nobody_knows_is_the_callers_mistake(gateway: Member, worker: Member) -> None:
    answer = Http(gateway.url, driver="nimbus").get("realms")
    assert answer.status_code == 400
    assert "mock" in answer.json()["message"]


def test_a_call_to_a_busy_worker_waits_until_its_deadline_and_is_not_run_later(
    fleet: Fleet, http: Http, worker: Member, background: ThreadPoolExecutor
) -> None:
    fleet.faults("list_keys: latency_s=3")
    occupying = background.submit(http.get, "keys", deadline_s=10)
    wait_until(lambda: has_in_hand(worker), "the worker to be busy")
    waiting = timed(lambda: http.get("images", deadline_s=1))
    assert waiting.answer.status_code == 504
    assert 1 <= waiting.seconds < 1 + GRACE_S
    assert occupying.result().status_code == 200
    assert http.get("realms").status_code == 200
    assert worker.metric("deltacloud_calls_total", operation="list_images") == 0


def test_a_call_to_a_busy_worker_is_answered_when_there_is_time(
    fleet: Fleet, http: Http, worker: Member, background: ThreadPoolExecutor
) -> None:
    fleet.faults("list_keys: latency_s=1")
    occupying = background.submit(http.get, "keys")
    wait_until(lambda: has_in_hand(worker), "the worker to be busy")
    assert http.get("images").status_code == 200
    assert occupying.result().status_code == 200


def test_a_late_reply_is_dropped_and_the_next_calls_get_their_own(
    fleet: Fleet, gateway: Member, http: Http, worker: Member
) -> None:
    late = gateway.metric("deltacloud_late_replies_total")
    with worker.frozen():
        answers = [http.get("realms", deadline_s=0.5) for _ in range(3)]
    assert {each.status_code for each in answers} == {504}
    collections = ["images", "realms", "keys", "hardware_profiles"]
    for name in collections * 3:
        assert name in http.get(name).json()
    wait_until(lambda: gateway.metric("deltacloud_late_replies_total") > late, "the late reply to be counted")


def test_a_change_that_was_not_answered_in_time_is_told_as_unknown(http: Http, worker: Member) -> None:
    with worker.frozen():
        answer = timed(lambda: http.post("instances", {"image_id": "img1"}, deadline_s=1))
    assert answer.answer.status_code == 504
    assert "unknown" in answer.answer.json()["message"]
    assert answer.seconds < 1 + GRACE_S


DEATHS: dict[str, Callable[[Member], None]] = {
    "is killed": lambda worker: worker.process.kill9(),
    "is frozen": lambda worker: worker.freeze(),
}


@pytest.mark.parametrize("what", DEATHS)
def test_a_call_whose_only_worker_dies_ends_by_its_deadline(
    fleet: Fleet, http: Http, worker: Member, background: ThreadPoolExecutor, what: str
) -> None:
    fleet.faults("list_instances: latency_s=30")
    call = background.submit(timed, lambda: http.get("instances", deadline_s=2))
    wait_until(lambda: has_in_hand(worker), "the worker to take the call")
    DEATHS[what](worker)
    ended = call.result(20)
    assert ended.answer.status_code == 504
    assert ended.seconds < 2 + GRACE_S


def test_a_cloud_that_is_silent_is_told_by_the_deadline(fleet: Fleet, http: Http, worker: Member) -> None:
    fleet.faults("list_instances: hang; create_instance: hang, when=after")
    reading = timed(lambda: http.get("instances", deadline_s=1))
    making = timed(lambda: http.post("instances", {"image_id": "img1"}, deadline_s=1))
    assert (reading.answer.status_code, making.answer.status_code) == (504, 504)
    assert max(reading.seconds, making.seconds) < 1 + GRACE_S
    assert "unknown" in making.answer.json()["message"]


def test_a_dead_registry_stops_no_call(fleet: Fleet, http: Http, worker: Member) -> None:
    registry = fleet.members[1]
    with registry.frozen():
        assert http.get("instances", deadline_s=5).status_code == 200
    registry.process.kill9()
    try:
        assert http.get("instances", deadline_s=5).status_code == 200
        assert http.get("").status_code == 200
    finally:
        fleet.members[1] = fleet.registry()
        ready(fleet.members.pop())


def test_a_call_whose_gateway_loses_the_broker_ends_at_once_and_the_next_one_is_answered(
    broker: Broker, fleet: Fleet, http: Http, worker: Member, background: ThreadPoolExecutor
) -> None:
    fleet.faults("list_instances: latency_s=20; create_instance: latency_s=20, when=after")
    reading = background.submit(timed, lambda: http.get("instances", deadline_s=30))
    wait_until(lambda: has_in_hand(worker), "the worker to take the call")
    making = background.submit(timed, lambda: http.post("instances", {"image_id": "img1"}, deadline_s=30))
    begin = time.monotonic()
    wait_until(lambda: gateway_waits_for(fleet.members[0]) == 2, "both calls to be sent")
    cut(broker, fleet, "rpc.reply-gateway-")
    read, made = reading.result(10), making.result(10)
    assert time.monotonic() - begin < 5
    assert (read.answer.status_code, made.answer.status_code) == (503, 504)
    assert "broker" in read.answer.json()["message"]
    assert "unknown" in made.answer.json()["message"]
    fleet.faults("")
    worker.process.kill9()
    with fleet.compute().process:
        assert wait_until(lambda: http.get("realms").status_code == 200, "the gateway to be back", timeout_s=10)


def gateway_waits_for(gateway: Member) -> float:
    return gateway.metric("deltacloud_http_in_flight") - 1  # the question itself


def cut(broker: Broker, fleet: Fleet, queue: str) -> None:
    """Have the broker close the connection that consumes this queue."""

    def connections() -> list[str]:
        consumers = broker.request("GET", f"consumers/{fleet.vhost}")
        return [
            each["channel_details"]["connection_name"] for each in consumers if each["queue"]["name"].startswith(queue)
        ]

    (name,) = wait_until(connections, "the connection to be known")
    broker.request("DELETE", f"connections/{quote(name, safe='')}")
