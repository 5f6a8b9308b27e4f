"""Two clouds at once, one of them silent: calls to the other are as quick as before."""

from __future__ import annotations

import base64
import socket
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from harness.fleet import MOCK_PASSWORD, MOCK_USER, Fleet, Http, Member, knows, ready, timed
from harness.waiting import wait_until
from simulators import process as simulators
from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY

pytestmark = pytest.mark.integration

SAMPLES = 25
SLOWER_AT_MOST = 3.0
NOISE_S = 0.02
MAX_WORKERS = 20
MAX_IN_FLIGHT = 60
HANG_S = 5


@pytest.fixture(scope="module")
def fleet(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One worker for both clouds."""
    with simulators.start("ec2", "--instances", "3") as simulator:
        providers = {"ec2": {"lab": {"endpoint": simulator.url, "region": "us-east-1"}}}
        with Fleet(broker_url, tmp_path_factory.mktemp("fleet"), providers=providers) as made:
            gateway = made.gateway(DELTACLOUD_MAX_IN_FLIGHT=str(MAX_IN_FLIGHT))
            ready(gateway, made.registry(), made.compute("mock,ec2", DELTACLOUD_MAX_WORKERS=str(MAX_WORKERS)))
            knows(Http(gateway.url), "mock", "ec2")
            yield made


@pytest.fixture
def ec2(fleet: Fleet) -> Http:
    """A caller of the other cloud, once the mock one answers no list of instances in time."""
    http = Http(
        fleet.members[0].url, user=DEFAULT_ACCESS_KEY, password=DEFAULT_SECRET_KEY, driver="ec2", provider="lab"
    )
    wait_until(lambda: http.get("instances").status_code == 200, "the first answer")
    wait_until(lambda: in_hand(fleet) == 0, "the silent cloud's calls to be over", timeout_s=20)
    fleet.faults("list_instances: latency_s=30")
    return http


@pytest.fixture
def hanging(fleet: Fleet) -> Iterator[ExitStack]:
    with ExitStack() as connections:
        yield connections


def in_hand(fleet: Fleet) -> float:
    """Return how many calls for the silent cloud the worker has in hand."""
    return fleet.members[2].metric("deltacloud_calls_in_flight", service="compute.mock")


def hang(gateway: Member, connections: ExitStack, count: int) -> None:
    """Send so many requests that nobody answers for `HANG_S` seconds, and wait for none."""
    parts = urlsplit(gateway.url)
    login = base64.b64encode(f"{MOCK_USER}:{MOCK_PASSWORD}".encode()).decode()
    request = f"GET /api/instances HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Basic {login}\r\n"
    request += f"X-Deltacloud-Deadline: {HANG_S}\r\n\r\n"
    for _ in range(count):
        connection = connections.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=10))
        connection.sendall(request.encode())


def median_s(http: Http) -> float:
    measured = [timed(lambda: http.get("instances")) for _ in range(SAMPLES)]
    assert {each.answer.status_code for each in measured} == {200}
    return statistics.median(each.seconds for each in measured)


def test_a_cloud_is_as_quick_as_before_while_another_is_silent(fleet: Fleet, ec2: Http, hanging: ExitStack) -> None:
    before = median_s(ec2)
    hang(fleet.members[0], hanging, 2 * MAX_WORKERS)
    wait_until(
        lambda: in_hand(fleet) == MAX_WORKERS, "the worker to have its hands full with the silent cloud", timeout_s=30
    )
    during = median_s(ec2)
    assert in_hand(fleet) == MAX_WORKERS
    assert during < SLOWER_AT_MOST * before + NOISE_S


def test_a_silent_cloud_cannot_use_up_the_gateway(fleet: Fleet, ec2: Http, hanging: ExitStack) -> None:
    hang(fleet.members[0], hanging, MAX_IN_FLIGHT + 20)
    mock = Http(fleet.members[0].url)
    wait_until(lambda: overloaded(mock), "the gateway to refuse more for the silent cloud")
    assert ec2.get("instances").status_code == 200


def overloaded(mock: Http) -> bool:
    answer = mock.get("instances", deadline_s=0.3)
    return answer.status_code == 503 and "in hand" in answer.json()["message"]
