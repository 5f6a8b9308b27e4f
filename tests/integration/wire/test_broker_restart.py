"""The broker goes down under load and comes back: nobody exits, nothing happens twice, and all serve again at once."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import msgspec
import pytest
import requests

from deltacloud.drivers.mockcloud.cloud import MockCloud
from deltacloud.errors import Unavailable
from deltacloud.models import Instance
from deltacloud.rpc.client import RpcClient
from harness.broker import Broker
from harness.fleet import Fleet, Http, knows, ready
from harness.rabbitmq import PrivateNode
from harness.requirements import Requirement, need
from harness.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.slow]

BACK_WITHIN_S = 10.0
LOAD_DEADLINE_S = 8.0
END_WITHIN_S = 5.0


class Attempt(msgspec.Struct, frozen=True):
    """A request of the load and how it ended."""

    name: str
    status: int
    seconds: float
    message: str


class Load:
    """Threads that make instances, each of a name of its own, and list them; a context manager."""

    def __init__(self, url: str, threads: int = 4) -> None:
        self.attempts: list[Attempt] = []
        self._url = url
        self._prefix = secrets.token_hex(4)
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        http, count = Http(self._url), 0
        while not self._is_over.wait(0.02):
            count += 1
            name = f"{self._prefix}-{number}-{count}"
            self._attempt(name, lambda name=name: self._make(http, name))  # type: ignore[misc]
            self._attempt("", lambda: http.get("realms", deadline_s=LOAD_DEADLINE_S))
        http.close()

    def _make(self, http: Http, name: str) -> requests.Response:
        return http.post("instances", {"image_id": "img1", "name": name}, deadline_s=LOAD_DEADLINE_S)

    def _attempt(self, name: str, send: Callable[[], requests.Response]) -> None:
        begin = time.monotonic()
        answer = send()
        seconds = time.monotonic() - begin
        message = "" if answer.ok else answer.json()["message"]
        self.attempts.append(Attempt(name, answer.status_code, seconds, message))

    def saw(self, text: str) -> bool:
        """Whether an answer said this."""
        return any(text in each.message for each in list(self.attempts))

    def succeeded(self) -> int:
        """Return how many requests went well so far."""
        return sum(each.status in {200, 201} for each in self.attempts)


@pytest.fixture(scope="module")
def outage_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that every test here leaves running, after whatever it did to it."""
    need(Requirement.PRIVATE_BROKER)
    with PrivateNode(tmp_path_factory.mktemp("own-broker")) as node:
        yield node.broker


@pytest.fixture(scope="module")
def fleet(outage_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(outage_broker.url("/"), tmp_path_factory.mktemp("fleet")) as made:
        ready(made.gateway(), made.registry(), made.compute(), made.compute(), made.storage())
        knows(Http(made.members[0].url), "mock")
        yield made


def made_by_name(folder: Path) -> Counter[str]:
    cloud = MockCloud(folder, "")
    with cloud.read() as records:
        names = Counter(each.name or "" for each in records.all(Instance))
    cloud.close()
    return names


@pytest.mark.parametrize("outage", ["stopped", "killed"])
def test_a_fleet_outlives_its_broker_under_load(fleet: Fleet, outage_broker: Broker, http: Http, outage: str) -> None:
    fleet.faults("list_realms: latency_s=0.1; create_instance: latency_s=0.1, when=after")
    with Load(http.url) as load, RpcClient(fleet.broker) as library:
        wait_until(lambda: load.succeeded() > 20, "the load to run")
        if outage == "stopped":
            outage_broker.stop()
        else:
            outage_broker.kill9()
        wait_until(lambda: load.saw("cannot be reached"), "a call to be refused")
        assert not http_is_ready(http)
        outage_broker.start()
        begin = time.monotonic()
        for path in ("realms", "buckets"):
            wait_until(lambda path=path: http.get(path, deadline_s=5).status_code == 200, path, timeout_s=20)  # type: ignore[misc]
        wait_until(lambda: has_picture(library), "the registry", timeout_s=20)
        assert time.monotonic() - begin < BACK_WITHIN_S
        ready(*fleet.members)
        served = load.succeeded()
        wait_until(lambda: load.succeeded() > served + 20, "the load to go on")
    assert all(member.process.is_running for member in fleet.members)
    assert_clear_ends(load.attempts)
    assert_made_once(load.attempts, made_by_name(fleet.mock_folder))


def test_services_end_in_good_order_when_the_broker_has_gone(outage_broker: Broker, tmp_path: Path) -> None:
    with Fleet(outage_broker.url("/"), tmp_path) as leaving:
        ready(leaving.registry(), leaving.compute(), leaving.storage(), leaving.gateway())
        outage_broker.kill9()
        try:
            for member in leaving.members:
                wait_until(lambda member=member: not member.is_ready, "the loss to be noticed")  # type: ignore[misc]
                ended = member.process.terminate(timeout_s=15)
                assert ended.code == 0, member
                assert ended.seconds < END_WITHIN_S
        finally:
            outage_broker.start()


def has_picture(library: RpcClient) -> bool:
    try:
        return bool(library.call("registry", "get_picture", deadline_s=5).drivers)
    except Unavailable:
        return False


def http_is_ready(http: Http) -> bool:
    return requests.get(f"{http.url}/health/ready", timeout=5).status_code == 200


def assert_clear_ends(attempts: list[Attempt]) -> None:
    """Every request got an answer, in time, and those that failed say what is the matter with the broker."""
    failed = [each for each in attempts if each.status not in {200, 201}]
    assert failed
    for each in failed:
        assert each.status in {503, 504}, each
        assert "broker" in each.message or "worker" in each.message or "did not answer" in each.message, each
        assert each.seconds < LOAD_DEADLINE_S + 2


def assert_made_once(attempts: list[Attempt], made: Counter[str]) -> None:
    creates = [each for each in attempts if each.name]
    assert all(made[each.name] == 1 for each in creates if each.status == 201)
    assert all(made[each.name] <= 1 for each in creates)
    refused = [each for each in creates if "nothing was started" in each.message]
    assert refused
    assert all(made[each.name] == 0 for each in refused)
