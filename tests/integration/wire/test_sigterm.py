"""SIGTERM: calls in hand are finished, nothing new is taken, and the process ends with 0, broker or no broker."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from harness import processes
from harness.fleet import Fleet, Http, Member, knows, ready
from harness.ports import free_port
from harness.waiting import wait_until

pytestmark = pytest.mark.integration

IDLE_WITHIN_S = 5.0
SLOW_S = 1.5


@pytest.fixture(scope="module")
def fleet(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A gateway and a registry; each test starts what it ends."""
    with Fleet(broker_url, tmp_path_factory.mktemp("fleet")) as made:
        made.gateway()
        ready(made.registry())
        with made.compute().process, made.storage().process:
            ready(*made.members)
            knows(Http(made.members[0].url), "mock")
        yield made


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


Start = Callable[[Fleet], Member]
STARTS: dict[str, Start] = {
    "gateway": lambda fleet: fleet.gateway(),
    "registry": lambda fleet: fleet.registry(),
    "compute": lambda fleet: fleet.compute(),
    "storage": lambda fleet: fleet.storage(),
}


@pytest.mark.parametrize(("service", "path"), [("compute", "instances"), ("storage", "buckets")])
def test_a_worker_finishes_the_calls_in_hand_and_takes_no_new_ones(
    fleet: Fleet, http: Http, background: ThreadPoolExecutor, service: str, path: str
) -> None:
    with STARTS[service](fleet).process as process:
        worker = fleet.members[-1]
        ready(worker)
        wait_until(lambda: http.get(path).status_code == 200, "the worker to serve")
        fleet.faults(f"list_{path}: latency_s={SLOW_S}")
        calls = [background.submit(http.get, path) for _ in range(5)]
        wait_until(lambda: worker.metric("deltacloud_calls_in_flight") == 5, "the calls to be in hand")
        ending = background.submit(process.terminate)
        wait_until(lambda: http.get(path, deadline_s=0.2).status_code == 503, "the worker to take nothing new")
        assert not ending.done()
        assert {call.result().status_code for call in calls} == {200}
        assert ending.result().code == 0
        assert worker.process.log_text().count('"event": "stopped"') == 1


def test_a_change_in_hand_is_finished_once(fleet: Fleet, http: Http, background: ThreadPoolExecutor) -> None:
    with fleet.compute().process as process:
        worker = fleet.members[-1]
        ready(worker)
        wait_until(lambda: http.get("instances").status_code == 200, "the worker to serve")
        fleet.faults(f"create_instance: latency_s={SLOW_S}")
        call = background.submit(http.post, "instances", {"image_id": "img1", "name": "last"})
        wait_until(lambda: worker.metric("deltacloud_calls_in_flight") == 1, "the call to be in hand")
        with fleet.compute().process:
            ready(fleet.members[-1])
            assert process.terminate().code == 0
            assert call.result().status_code == 201
            names = [each["name"] for each in http.get("instances").json()["instances"]]
    assert names.count("last") == 1


def test_a_worker_whose_calls_take_too_long_ends_all_the_same_and_another_goes_on(
    fleet: Fleet, http: Http, background: ThreadPoolExecutor
) -> None:
    with fleet.compute(DELTACLOUD_DRAIN_S="0.5").process as process:
        worker = fleet.members[-1]
        ready(worker)
        wait_until(lambda: http.get("instances").status_code == 200, "the worker to serve")
        fleet.faults("list_instances: latency_s=30")
        call = background.submit(http.get, "instances")
        wait_until(lambda: worker.metric("deltacloud_calls_in_flight") == 1, "the call to be in hand")
        fleet.faults("")
        ended = process.terminate()
        assert ended.code == 0
        assert ended.seconds < IDLE_WITHIN_S
        with fleet.compute().process:
            assert call.result(20).status_code == 200


def test_a_gateway_finishes_the_requests_in_hand_and_takes_no_new_ones(
    fleet: Fleet, background: ThreadPoolExecutor
) -> None:
    with fleet.gateway().process as process, fleet.compute().process:
        gateway, worker = fleet.members[-2:]
        http = Http(gateway.url)
        ready(gateway, worker)
        wait_until(lambda: http.get("instances").status_code == 200, "the gateway to serve")
        fleet.faults(f"list_instances: latency_s={SLOW_S}")
        calls = [background.submit(http.get, "instances") for _ in range(3)]
        wait_until(lambda: worker.metric("deltacloud_calls_in_flight") == 3, "the calls to be in hand")
        ending = background.submit(process.terminate)
        wait_until(lambda: not accepts(gateway), "the gateway to take nothing new")
        assert {call.result().status_code for call in calls} == {200}
        assert ending.result().code == 0


def accepts(gateway: Member) -> bool:
    try:
        return requests.get(f"{gateway.url}/health/live", timeout=1).ok
    except requests.RequestException:
        return False


@pytest.mark.parametrize("service", STARTS)
def test_an_idle_service_ends_soon(fleet: Fleet, service: str) -> None:
    with STARTS[service](fleet).process as process:
        ready(fleet.members[-1])
        ended = process.terminate()
    assert ended.code == 0
    assert ended.seconds < IDLE_WITHIN_S
    assert "Traceback" not in process.log_text()


@pytest.fixture(params=["refuses", "is silent"])
def bad_broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a broker that is not there, or takes connections and says nothing."""
    port = free_port()
    with socket.socket() as listener:
        if request.param == "is silent":
            listener.bind(("127.0.0.1", port))
            listener.listen()
        yield f"amqp://guest:guest@127.0.0.1:{port}/"


@pytest.mark.parametrize("service", STARTS)
def test_a_service_whose_broker_cannot_be_reached_lives_and_ends_soon(
    bad_broker: str, tmp_path: Path, service: str
) -> None:
    with Fleet(bad_broker, tmp_path) as lonely:
        member = STARTS[service](lonely)
        member.process.wait_until(processes.answers(f"{member.url}/health/live"))
        assert not member.is_ready
        ended = member.process.terminate()
        assert ended.code == 0
        assert ended.seconds < IDLE_WITHIN_S


def test_the_one_process_finishes_the_requests_in_hand(tmp_path: Path, background: ThreadPoolExecutor) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "deltacloudd", "-r", "127.0.0.1", "-p", str(port)]
    env = {
        "DELTACLOUD_MOCK_STORAGE": str(tmp_path / "mock"),
        "DELTACLOUD_MOCK_FAULTS": f"create_instance: latency_s={SLOW_S}",
    }
    ready_at = processes.answers(f"{url}/health/ready")
    with processes.start(command, log=tmp_path / "log", env=env, until=ready_at) as process:
        http, member = Http(url), Member(process, url)
        call = background.submit(http.post, "instances", {"image_id": "img1"})
        wait_until(lambda: member.metric("deltacloud_calls_in_flight") == 1, "the call to be in hand")
        ended = process.terminate()
        assert call.result().status_code == 201
        assert ended.code == 0
        assert ended.seconds < SLOW_S + IDLE_WITHIN_S
