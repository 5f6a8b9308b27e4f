"""The registry as a process on a real RabbitMQ: what it hears, what it tells, and what it forgets."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from deltacloud.models import DriverInfo
from deltacloud.providers.picture import Announcement, Picture, SealingKey
from deltacloud.rpc.amqp import AmqpTransport
from deltacloud.rpc.context import Context
from harness import processes
from harness.broker import Broker
from harness.events_peer import PictureListener, Worker
from harness.processes import Process
from harness.waiting import wait_until

pytestmark = pytest.mark.integration

KEY = SealingKey(id="k1", public="AAAA")
QUICK = {"DELTACLOUD_WORKER_SILENT_S": "1.5", "DELTACLOUD_PICTURE_EVERY_S": "0.3", "DELTACLOUD_GATHER_S": "0.5"}
PROVIDERS = (
    'providers:\n  ec2:\n    lab: {endpoint: "http://127.0.0.1:5555"}\nallow:\n  - "https://*.cloud.example:5000"\n'
)
Start = Callable[..., Process]


def announcement(service: str = "compute.ec2", worker: str = "w1") -> Announcement:
    driver = service.partition(".")[2]
    info = DriverInfo(id=driver, name=driver.upper(), services=(service,), operations=frozenset({"list_realms"}))
    return Announcement(service=service, worker=worker, driver=info, sealing_keys=(KEY,))


@pytest.fixture
def url(broker: Broker, vhost: str) -> str:
    return broker.url(vhost)


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    """Start a registry and wait until it is ready, that is, has gathered what there is."""
    with ExitStack() as stack:

        def begin(*options: str, program: str = "deltacloud_registry", name: str = "registry", **env: str) -> Process:
            command = [sys.executable, "-m", program, "--broker", url, "--log-level", "debug", *options]
            until = processes.logs(r' events".*connected to the broker')
            log = tmp_path / f"{name}.log"
            return stack.enter_context(processes.start(command, log=log, env={**QUICK, **env}, until=until))

        yield begin


@pytest.fixture
def listener(url: str) -> Iterator[PictureListener]:
    with PictureListener(url) as heard:
        yield heard


def has(alive: dict[str, int]) -> Callable[[Picture], bool]:
    return lambda picture: picture.alive == alive


def content(picture: Picture) -> Picture:
    return msgspec.structs.replace(picture, version=0, issued_at=0.0)


async def asked(url: str) -> Picture:
    """Return what the RPC answers."""
    async with AmqpTransport(url) as transport:
        picture = await transport.call("registry", "get_picture", Context(deadline=time.time() + 10), {})
    assert isinstance(picture, Picture)
    return picture


def test_a_worker_that_announces_itself_is_broadcast_within_a_second(
    url: str, start: Start, listener: PictureListener
) -> None:
    start()
    listener.wait_for(has({}), "the first picture")
    with Worker(url, announcement()):
        begin = time.monotonic()
        picture = listener.wait_for(has({"compute.ec2": 1}), "the worker")
        assert time.monotonic() - begin < 1
    assert picture.drivers["ec2"].name == "EC2"
    assert picture.sealing_keys == (KEY,)


def test_a_worker_that_falls_silent_is_no_longer_alive_and_its_driver_stays_known(
    url: str, start: Start, listener: PictureListener
) -> None:
    start()
    with Worker(url, announcement()), Worker(url, announcement("compute.mock", "w2")) as steady:
        listener.wait_for(has({"compute.ec2": 1, "compute.mock": 1}), "both workers")

        def only_the_steady_one() -> bool:
            steady.announce()
            return listener.pictures[-1].alive == {"compute.mock": 1}

        wait_until(only_the_steady_one, "the silent worker to be dropped", timeout_s=20, every_s=0.2)
    assert set(listener.pictures[-1].drivers) == {"ec2", "mock"}


def test_a_worker_that_leaves_is_gone_at_once(url: str, start: Start, listener: PictureListener) -> None:
    start(DELTACLOUD_WORKER_SILENT_S="600")
    with Worker(url, announcement()) as worker:
        listener.wait_for(has({"compute.ec2": 1}), "the worker")
        worker.announce(leaving=True)
        listener.wait_for(has({}), "the worker to be gone", timeout_s=5)


def test_a_restarted_registry_has_the_picture_within_seconds_and_never_shows_less(
    url: str, start: Start, listener: PictureListener
) -> None:
    with Worker(url, announcement()), Worker(url, announcement("storage.ec2", "w2")):
        whole = {"compute.ec2": 1, "storage.ec2": 1}
        start(DELTACLOUD_WORKER_SILENT_S="600").kill9()
        listener.pictures.clear()
        begin = time.monotonic()
        start(name="again", DELTACLOUD_WORKER_SILENT_S="600")
        listener.wait_for(has(whole), "the picture to be whole", timeout_s=10)
        assert time.monotonic() - begin < 8
        assert all(picture.alive == whole for picture in listener.pictures)
        assert asyncio.run(asked(url)).alive == whole


def test_two_replicas_show_the_same_also_when_one_came_after_a_drivers_last_worker_left(
    url: str, start: Start, listener: PictureListener
) -> None:
    start(name="first", DELTACLOUD_WORKER_SILENT_S="600")
    with Worker(url, announcement("compute.mock", "gone")) as worker:
        listener.wait_for(has({"compute.mock": 1}), "the first worker")
        worker.announce(leaving=True)
        worker.is_dumb = True
        listener.wait_for(has({}), "the first worker to leave")
        with Worker(url, announcement()), Worker(url, announcement(worker="w2")):
            start(name="second", DELTACLOUD_WORKER_SILENT_S="600")
            listener.pictures.clear()

            def agree() -> bool:
                versions = {picture.version: content(picture) for picture in listener.pictures[-8:]}
                return (
                    len(versions) == 2
                    and len({msgspec.json.encode(each, order="deterministic") for each in versions.values()}) == 1
                )

            wait_until(agree, "two registries to say the same")
    assert listener.pictures[-1].alive == {"compute.ec2": 2}
    assert set(listener.pictures[-1].drivers) == {"ec2", "mock"}


def test_the_providers_file_is_broadcast_and_read_again_at_sighup(
    start: Start, listener: PictureListener, tmp_path: Path
) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text(PROVIDERS)
    registry = start("--providers", str(path))
    picture = listener.wait_for(lambda picture: bool(picture.providers), "the providers")
    assert picture.providers["ec2"]["lab"].endpoint == "http://127.0.0.1:5555"
    assert picture.allow == ("https://*.cloud.example:5000",)

    path.write_text(PROVIDERS.replace("5555", "6666"))
    os.kill(registry.pid, signal.SIGHUP)
    changed = "http://127.0.0.1:6666"
    listener.wait_for(lambda picture: picture.providers["ec2"]["lab"].endpoint == changed, "the change", timeout_s=5)

    path.write_text(PROVIDERS + "deny: []\n")
    os.kill(registry.pid, signal.SIGHUP)
    registry.wait_until(processes.logs(r"providers\.yaml:6: .*providers file kept as it was"), timeout_s=5)
    listener.pictures.clear()
    listener.wait_for(lambda picture: picture.providers["ec2"]["lab"].endpoint == changed, "the old to stay")
    assert registry.terminate().code == 0


def test_a_mistake_in_the_providers_file_stops_the_start_with_its_line(url: str, tmp_path: Path) -> None:
    path, log = tmp_path / "providers.yaml", tmp_path / "registry.log"
    path.write_text(PROVIDERS.replace("http://", "ftp://"))
    command = [sys.executable, "-m", "deltacloud_registry", "--broker", url, "--providers", str(path)]
    with processes.start(command, log=log) as registry:
        assert registry.wait(timeout_s=20) == 2
    assert log.read_text() == f"deltacloud-registry: {path}:3: ec2/lab: endpoint: only http and https are spoken\n"


def test_what_is_no_announcement_harms_nothing(url: str, start: Start, listener: PictureListener) -> None:
    start(DELTACLOUD_WORKER_SILENT_S="600")
    with Worker(url, announcement()) as worker:
        worker._soon(lambda: worker._channel.basic_publish("deltacloud-events", "worker.announced", b"\xff{"))
        worker._soon(lambda: worker._channel.basic_publish("deltacloud-events", "registry.picture", b"[]"))
        worker.announce(service="compute.other")
        worker.announce(worker="w9")
        listener.wait_for(has({"compute.ec2": 2}), "the worker's next words")


def test_the_registry_outlives_a_restart_of_the_broker_and_does_not_count_the_silence_against_workers(
    own_broker: Broker, tmp_path: Path
) -> None:
    with own_broker.new_vhost() as vhost, ExitStack() as stack:
        url = own_broker.url(vhost)
        command = [sys.executable, "-m", "deltacloud_registry", "--broker", url]
        env = {**QUICK, "DELTACLOUD_WORKER_SILENT_S": "3"}
        log = tmp_path / "registry.log"
        registry = stack.enter_context(processes.start(command, log=log, env=env))
        with PictureListener(url) as listener, Worker(url, announcement()):
            listener.wait_for(has({"compute.ec2": 1}), "the worker")
        own_broker.stop()
        own_broker.start()
        with PictureListener(url) as listener:
            listener.wait_for(has({"compute.ec2": 1}), "the registry to be back")
            assert listener.pictures[0].alive == {"compute.ec2": 1}
            listener.wait_for(has({}), "the worker, which is really gone, to be dropped")
        assert registry.terminate().code == 0


def test_a_real_worker_is_in_the_picture_and_gone_when_it_stops(start: Start, listener: PictureListener) -> None:
    start(DELTACLOUD_WORKER_SILENT_S="600")
    worker = start("--drivers", "mock", program="deltacloud_compute", name="worker")
    picture = listener.wait_for(has({"compute.mock": 1}), "the worker")
    assert "list_instances" in picture.drivers["mock"].operations
    assert len(picture.sealing_keys) == 1
    assert worker.terminate().code == 0
    listener.wait_for(has({}), "the worker to be gone", timeout_s=5)
