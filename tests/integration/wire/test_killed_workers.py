"""A worker dies, as a power cut ends it, in the middle of a change: nothing happens twice, and the caller is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from deltacloud.drivers.mockcloud.cloud import MockCloud
from deltacloud.errors import OutcomeUnknown
from deltacloud.models import Instance
from deltacloud.rpc.client import RpcClient
from harness.bare_caller import BareCaller
from harness.fleet import MOCK_PASSWORD, MOCK_USER, Fleet, Http, Member, knows, ready
from harness.waiting import wait_until
from simulators import process as simulators
from simulators.ec2 import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY

pytestmark = pytest.mark.integration

LONG_S = 30.0
LAB = "lab"
EC2_IMAGE = "ami-"


@pytest.fixture(scope="module")
def simulator() -> Iterator[simulators.Running]:
    with simulators.start("ec2", "--boot-seconds", "0") as running:
        yield running


@pytest.fixture(scope="module")
def fleet(broker_url: str, simulator: simulators.Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A gateway and a registry; each test starts the workers it kills."""
    providers = {"ec2": {LAB: {"endpoint": simulator.url, "region": "us-east-1"}}}
    plain = {"DELTACLOUD_ALLOW_PLAIN_CREDENTIALS": "true"}
    with Fleet(broker_url, tmp_path_factory.mktemp("fleet"), providers=providers, env=plain) as made:
        made.gateway()
        ready(made.registry())
        yield made


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud whose next create is slow before or after its effect, and how to look into it from outside."""

    driver: str
    http: Http
    image: str
    slow: Callable[[str], None]
    fast: Callable[[], None]
    machines: Callable[[], set[str]]
    reached: Callable[[], int]
    """How many creates have arrived at the cloud, -1 where it does not tell."""


def mock_machines(folder: Path) -> set[str]:
    cloud = MockCloud(folder, "")
    with cloud.read() as records:
        found = {each.id for each in records.all(Instance)}
    cloud.close()
    return found


@pytest.fixture(params=["mock", "ec2"])
def cloud(request: pytest.FixtureRequest, fleet: Fleet, simulator: simulators.Running) -> Iterator[Cloud]:
    url, control = fleet.members[0].url, simulator.control
    if request.param == "mock":
        yield Cloud(
            driver="mock",
            http=Http(url, driver="mock"),
            image="img1",
            slow=lambda when: fleet.faults(f"create_instance: latency_s={LONG_S}, when={when}"),
            fast=lambda: fleet.faults(""),
            machines=lambda: mock_machines(fleet.mock_folder),
            reached=lambda: -1,
        )
        return
    control.reset()
    yield Cloud(
        driver="ec2",
        http=Http(url, user=DEFAULT_ACCESS_KEY, password=DEFAULT_SECRET_KEY, driver="ec2", provider=LAB),
        image="",
        slow=lambda when: control.fault(RunInstances={"latency_s": LONG_S, "when": when, "times": 1}),
        fast=control.clear_faults,
        machines=lambda: {each["id"] for each in control.instances()},
        reached=lambda: control.calls().get("RunInstances", 0),
    )
    control.reset()


@pytest.fixture
def workers(fleet: Fleet) -> Iterator[Callable[..., list[Member]]]:
    """Start workers; those that live at the end of the test are killed."""
    begun: list[Member] = []

    def start(count: int, driver: str) -> list[Member]:
        made = [fleet.compute(driver) for _ in range(count)]
        begun.extend(made)
        ready(*made)
        knows(Http(fleet.members[0].url), driver)
        return made

    yield start
    for member in begun:
        member.process.kill9()


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def busy(members: list[Member], driver: str) -> Member:
    """Return the worker that has a call in hand, as soon as one has."""

    def holders() -> list[Member]:
        return [each for each in members if each.metric("deltacloud_calls_in_flight", service=f"compute.{driver}")]

    return wait_until(holders, "a worker to take the call", timeout_s=20)[0]


def image_of(cloud: Cloud) -> str:
    if cloud.image:
        return cloud.image
    images = cloud.http.get("images", deadline_s=20).json()["images"]
    return str(images[0]["id"])


def create_in_hand(cloud: Cloud, when: str, started: list[Member], known: set[str]) -> Member:
    """Return the worker in whose hands a create is, once it has got as far as the test wants."""
    holder = busy(started, cloud.driver)
    if when == "after":
        wait_until(lambda: cloud.machines() - known, "the machine to exist", timeout_s=20)
    elif cloud.reached() >= 0:
        wait_until(lambda: cloud.reached() > 0, "the create to reach the cloud", timeout_s=20)
    return holder


@pytest.mark.parametrize("count", [2, 1], ids=["and another worker goes on", "and is started again"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_create_whose_worker_is_killed_makes_one_machine_and_its_caller_gets_it(
    cloud: Cloud, workers: Callable[..., list[Member]], background: ThreadPoolExecutor, count: int, when: str
) -> None:
    started = workers(count, cloud.driver)
    image, known = image_of(cloud), cloud.machines()
    cloud.slow(when)
    call = background.submit(cloud.http.post, "instances", {"image_id": image})
    holder = create_in_hand(cloud, when, started, known)
    cloud.fast()
    holder.process.kill9()
    if count == 1:
        workers(1, cloud.driver)
    answer = call.result(40)
    made = cloud.machines() - known
    assert answer.status_code == 201, answer.text
    assert made == {answer.json()["instance"]["id"]}


def test_a_create_that_could_not_be_recognised_again_is_told_as_unknown_and_not_repeated(
    fleet: Fleet, workers: Callable[..., list[Member]], background: ThreadPoolExecutor
) -> None:
    started = workers(2, "mock")
    known = mock_machines(fleet.mock_folder)
    fleet.faults(f"create_instance: latency_s={LONG_S}, when=after")
    with BareCaller(fleet.broker) as bare:
        context = {"credentials": {"user": MOCK_USER, "password": MOCK_PASSWORD}}
        call = background.submit(bare.call, "compute.mock", "create_instance", context=context, image_id="img1")
        holder = busy(started, "mock")
        wait_until(lambda: mock_machines(fleet.mock_folder) - known, "the machine to exist")
        fleet.faults("")
        holder.process.kill9()
        assert call.result(30)["error"]["code"] == "outcome_unknown"
    assert len(mock_machines(fleet.mock_folder) - known) == 1


def test_a_reboot_whose_worker_is_killed_is_told_as_unknown_and_not_repeated(
    fleet: Fleet,
    simulator: simulators.Running,
    workers: Callable[..., list[Member]],
    background: ThreadPoolExecutor,
) -> None:
    control = simulator.control
    control.reset()
    (machine,) = control.seed(instances=1)["instances"]
    started = workers(2, "ec2")
    control.fault(RebootInstances={"latency_s": LONG_S, "when": "after", "times": 1})
    with RpcClient(fleet.broker) as library:
        call = background.submit(
            library.call,
            "compute.ec2",
            "reboot_instance",
            provider=LAB,
            user=DEFAULT_ACCESS_KEY,
            password=DEFAULT_SECRET_KEY,
            id=machine,
        )
        wait_until(lambda: control.calls().get("RebootInstances"), "the reboot to reach the cloud", timeout_s=20)
        holder = busy(started, "ec2")
        holder.process.kill9()
        error = call.exception(30)
    assert isinstance(error, OutcomeUnknown)
    assert "reboot_instance" in error.message
    assert control.calls()["RebootInstances"] == 1


def test_a_read_whose_worker_is_killed_is_answered_by_another(
    fleet: Fleet, workers: Callable[..., list[Member]], background: ThreadPoolExecutor
) -> None:
    started = workers(2, "mock")
    fleet.faults(f"list_instances: latency_s={LONG_S}")
    call = background.submit(Http(fleet.members[0].url).get, "instances")
    holder = busy(started, "mock")
    fleet.faults("")
    holder.process.kill9()
    assert call.result(30).status_code == 200
