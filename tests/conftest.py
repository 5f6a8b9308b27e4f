"""Fixtures for every test: a RabbitMQ, a virtual host of one's own, and clouds to talk to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import moto as moto_server
from harness import processes
from harness.broker import Broker
from harness.moto import Moto
from harness.rabbitmq import PrivateNode
from harness.requirements import Requirement, need
from harness.session_broker import Leader, session_broker
from simulators import process as simulators

SHARE_A_FLEET = ("integration/wire/", "e2e/test_compose.py")
_LEADER = pytest.StashKey[Leader]()
_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    worker: dict[str, str] | None = getattr(config, "workerinput", None)
    if worker is None:
        config.stash[_LEADER] = Leader()
        config.stash[_FOLDER] = config.stash[_LEADER].folder
    else:
        config.stash[_FOLDER] = Path(worker["session_folder"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["session_folder"] = str(node.config.stash[_FOLDER])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a file whose tests share a fleet in one process; spread all other tests one by one."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # noqa: PLC0415 - only called where it is

    class ByFleet(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if any(each in file for each in SHARE_A_FLEET) else nodeid

    return ByFleet(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    processes.end_all()
    if _LEADER in config.stash:
        config.stash[_LEADER].close()


@pytest.fixture(scope="session")
def session_folder(pytestconfig: pytest.Config) -> Path:
    """A folder that all processes of this test session share; what is made there once needs a lock."""
    return pytestconfig.stash[_FOLDER]


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config) -> Broker:
    """The session's RabbitMQ, shared with other tests: work in a `vhost`."""
    need(Requirement.BROKER)
    return session_broker(pytestconfig.stash[_FOLDER])


@pytest.fixture
def vhost(broker: Broker) -> Iterator[str]:
    """The name of a virtual host of the test's own on the session's broker; `broker.url(vhost)` connects to it."""
    with broker.new_vhost() as name:
        yield name


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A RabbitMQ of the test's own, to stop, kill and start as it likes. Costs about six seconds."""
    need(Requirement.PRIVATE_BROKER)
    with PrivateNode(tmp_path_factory.mktemp("own-broker")) as node:
        yield node.broker


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """A moto server that accepts any credentials, shared with other tests: name what you make, and remove it."""
    need(Requirement.MOTO)
    with moto_server.running(tmp_path_factory.mktemp("moto") / "moto.log") as server:
        yield server


@pytest.fixture(scope="session")
def moto_with_auth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """A moto server that refuses any credentials but its own; shared as `moto` is."""
    need(Requirement.MOTO)
    with moto_server.running_with_auth(tmp_path_factory.mktemp("moto-with-auth") / "moto.log") as server:
        yield server


@pytest.fixture
def ec2_simulator(request: pytest.FixtureRequest) -> Iterator[simulators.Running]:
    """An EC2 stricter than moto, for this test alone; its options come from indirect parametrization."""
    with simulators.start("ec2", *getattr(request, "param", ())) as simulator:
        yield simulator
