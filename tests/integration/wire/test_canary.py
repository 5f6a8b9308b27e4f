"""Secrets sent through everything are found nowhere: on the broker's disk, in its queues, in logs, errors, metrics."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pika
import pytest
import requests

from deltacloud.errors import DeltacloudError
from deltacloud.rpc.client import RpcClient
from harness.bare_caller import BareCaller
from harness.broker import Broker, Message
from harness.fleet import Fleet, Http, Member, knows, ready
from harness.rabbitmq import PrivateNode
from harness.requirements import Requirement, need
from harness.waiting import wait_until
from simulators import process as simulators

pytestmark = [pytest.mark.integration, pytest.mark.slow]

USER = f"AKIACANARY{secrets.token_hex(6).upper()}"
PASSWORD = f"canary-password-{secrets.token_hex(8)}"
USER_DATA = f"canary-user-data-{secrets.token_hex(8)}"
PRIVATE_KEY = f"canary-private-key-{secrets.token_hex(8)}"
COMMAND = f"canary-command-{secrets.token_hex(8)}"
CREDENTIALS = (USER, PASSWORD)
ENCODED_DATA = base64.b64encode(USER_DATA.encode()).decode()
SECRETS = (USER, PASSWORD, USER_DATA, PRIVATE_KEY, COMMAND)
PARKED = 12


def spellings(secret: str) -> set[bytes]:
    """Return the texts by which a secret is known: itself, and the middle of it in base64, wherever it begins."""
    found = {secret.encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + secret.encode()).rstrip(b"=")
        found.add(encoded[4:-4])
    return found


def found_in(content: bytes, sought: tuple[str, ...] = SECRETS) -> set[str]:
    """Return which secrets a content holds."""
    return {secret for secret in sought if any(spelling in content for spelling in spellings(secret))}


def found_on_disk(broker: Broker, sought: tuple[str, ...] = SECRETS) -> set[str]:
    """Return which secrets the broker's files hold, its logs among them."""
    found: set[str] = set()
    for file in broker.data_dir.parent.rglob("*"):
        with contextlib.suppress(OSError):  # a file that the broker has just removed
            found |= found_in(file.read_bytes(), sought) if file.is_file() else set()
    return found


@pytest.fixture(scope="module")
def canary_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    need(Requirement.PRIVATE_BROKER)
    with PrivateNode(tmp_path_factory.mktemp("own-broker")) as node:
        yield node.broker


@pytest.fixture(scope="module")
def simulator() -> Iterator[simulators.Running]:
    with simulators.start("ec2", "--boot-seconds", "0", "--key", f"{USER}:{PASSWORD}") as running:
        yield running


@pytest.fixture(scope="module")
def fleet(
    canary_broker: Broker, simulator: simulators.Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    providers = {"ec2": {"lab": {"endpoint": simulator.url, "region": "us-east-1"}}}
    with Fleet(canary_broker.url("/"), tmp_path_factory.mktemp("fleet"), providers=providers) as made:
        few = {"DELTACLOUD_MAX_WORKERS": "2"}
        members = [made.gateway(), made.registry(), made.compute("mock,ec2", **few), made.storage("mock", **few)]
        ready(*members)
        knows(Http(members[0].url), "mock", "ec2")
        yield made


@pytest.fixture
def ec2(fleet: Fleet) -> Http:
    return Http(fleet.members[0].url, user=USER, password=PASSWORD, driver="ec2", provider="lab")


@pytest.fixture
def mock(fleet: Fleet) -> Http:
    """A caller whom the mock cloud does not take."""
    return Http(fleet.members[0].url, user=USER, password=PASSWORD, driver="mock")


@pytest.fixture
def known(fleet: Fleet) -> Http:
    return Http(fleet.members[0].url)


def assert_nowhere(fleet: Fleet, broker: Broker, answers: list[requests.Response]) -> None:
    """No secret is on disk, in a log, on a page of metrics, in the picture; and in answers no credentials at all."""
    assert found_on_disk(broker) == set()
    assert found_in(fleet.log_text().encode()) == set()
    for member in fleet.members:
        if member.process.is_running:
            assert found_in(member.metrics().encode()) == set()
    with RpcClient(fleet.broker) as library:
        assert found_in(msgspec.json.encode(library.call("registry", "get_picture"))) == set()
    for answer in answers:
        sought = CREDENTIALS if answer.ok else SECRETS
        assert found_in(answer.content + repr(answer.headers).encode(), sought) == set(), answer.url


def test_a_secret_that_lies_on_disk_or_waits_in_a_queue_would_be_found(canary_broker: Broker) -> None:
    planted = f"canary-planted-{secrets.token_hex(8)}"
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(canary_broker.url("/")))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("planted", durable=True)
        body = base64.b64encode(f"user:{planted}".encode())
        channel.basic_publish("", "planted", body, pika.BasicProperties(delivery_mode=2))
        (waiting,) = canary_broker.messages("/", "planted")
        assert found_in(waiting.payload.encode(), (planted,)) == {planted}
        assert found_on_disk(canary_broker, (planted,)) == {planted}
        channel.queue_delete("planted")


def test_secrets_of_calls_that_succeed_are_found_nowhere(fleet: Fleet, canary_broker: Broker, ec2: Http) -> None:
    images = ec2.get("images")
    image = images.json()["images"][0]["id"]
    made = ec2.post("instances", {"image_id": image, "user_data": ENCODED_DATA}, deadline_s=20)
    key = ec2.post("keys", {"name": f"k{secrets.token_hex(4)}"})
    assert (images.status_code, made.status_code, key.status_code) == (200, 201, 201)
    assert_nowhere(fleet, canary_broker, [images, made, key])
    pem = max(key.json()["key"]["pem_rsa_key"].splitlines(), key=len)
    assert pem not in fleet.log_text()
    assert found_on_disk(canary_broker, (pem,)) == set()


def test_secrets_of_calls_that_fail_are_found_nowhere(
    fleet: Fleet, canary_broker: Broker, ec2: Http, mock: Http, known: Http
) -> None:
    run = {"cmd": COMMAND, "private_key": PRIVATE_KEY, "password": PASSWORD}
    machine = {"image_id": "ami-none", "user_data": ENCODED_DATA, "password": PASSWORD, "instance_count": "none"}
    elsewhere = Http(fleet.members[0].url, user=USER, password=PASSWORD, driver="ec2", provider="nowhere")
    answers = [
        mock.get("instances"),
        mock.post("instances", {**machine, "instance_count": "1"}),
        mock.get("buckets"),
        ec2.get("instances/i-0000000000000000f"),
        ec2.post("instances", machine),
        ec2.post("instances", {"image_id": "ami-0000000000000000f", "user_data": USER_DATA}),
        ec2.post("instances", {"image_id": "ami-0000000000000000f", "user_data": ENCODED_DATA}),
        ec2.post("instances/i-0000000000000000f/run", run),
        elsewhere.get("instances"),
        known.post("instances/inst-none/run", run),
    ]
    assert not any(answer.ok for answer in answers)
    assert_nowhere(fleet, canary_broker, answers)


def test_secrets_of_calls_that_nobody_answers_are_found_nowhere(
    fleet: Fleet, canary_broker: Broker, ec2: Http, simulator: simulators.Running
) -> None:
    simulator.control.fault(DescribeInstances={"hang_s": 5}, RunInstances={"garbage": True})
    try:
        answers = [
            ec2.get("instances", deadline_s=0.5),
            ec2.post("instances", {"image_id": "ami-0000000000000000f", "user_data": ENCODED_DATA}, deadline_s=2),
        ]
    finally:
        simulator.control.clear_faults()
    assert not any(answer.ok for answer in answers)
    assert_nowhere(fleet, canary_broker, answers)


def test_secrets_in_messages_that_are_no_calls_are_found_nowhere(fleet: Fleet, canary_broker: Broker) -> None:
    plain = {"user": USER, "password": PASSWORD}
    bodies = [
        f'{{"args": [], "kwargs": {{"context": {{"credentials": "{PASSWORD}"}}}}}}',
        f'{{"args": ["{PASSWORD}"], "kwargs": {{}}}}',
        f'{{"args": [], "kwargs": {{"password": ["{PASSWORD}"]}}}}',
        f"{USER}:{PASSWORD}",
    ]
    with BareCaller(fleet.broker) as bare:
        replies: list[Any] = [
            bare.reply_to(bare.send("compute.mock.create_instance", each.encode())) for each in bodies
        ]
        replies.append(bare.call("compute.mock", "list_instances", context={"credentials": plain}))
        bare.send("compute.mock.create_instance", bodies[0].encode(), reply_to=None)
        bare.send("compute.mock.create_instance", bodies[0].encode(), app_id=b"\xff")
    assert all(reply["error"] for reply in replies)
    assert found_in(msgspec.json.encode(replies)) == set()
    assert_nowhere(fleet, canary_broker, [])


def test_the_library_tells_no_secret_in_its_errors(fleet: Fleet, canary_broker: Broker) -> None:
    with RpcClient(fleet.broker) as library:
        for service in ("compute.mock", "storage.mock"):
            method = "list_instances" if service == "compute.mock" else "list_buckets"
            with pytest.raises(DeltacloudError) as caught:
                library.call(service, method, user=USER, password=PASSWORD)
            told = f"{caught.value} {caught.value!r} {caught.value.to_record()} {caught.value.__cause__!r}"
            assert found_in(told.encode()) == set()
    assert_nowhere(fleet, canary_broker, [])


def parked(broker: Broker) -> list[Message]:
    return broker.messages("/", "rpc-compute.ec2")


def test_secrets_in_messages_that_wait_for_a_frozen_worker_are_found_nowhere(
    fleet: Fleet, canary_broker: Broker, ec2: Http
) -> None:
    worker = fleet.members[2]
    with ThreadPoolExecutor(PARKED) as pool, worker.frozen():
        calls = [
            pool.submit(ec2.post, "instances", {"image_id": "ami-none", "user_data": ENCODED_DATA}, deadline_s=4)
            for _ in range(PARKED)
        ]
        wait_until(lambda: len(parked(canary_broker)) > PARKED // 2, "the calls to wait in the queue")
        told = msgspec.json.encode(parked(canary_broker))
        assert b"sealed" in told
        assert b"ami-none" in told
        assert found_in(told) == set()
        assert found_on_disk(canary_broker) == set()
        answers = [call.result() for call in calls]
    assert_nowhere(fleet, canary_broker, answers)


def test_secrets_of_calls_whose_worker_or_broker_dies_are_found_nowhere(
    fleet: Fleet, canary_broker: Broker, ec2: Http, simulator: simulators.Running
) -> None:
    image = ec2.get("images").json()["images"][0]["id"]
    simulator.control.fault(RunInstances={"latency_s": 20, "when": "after"})
    with ThreadPoolExecutor(4) as pool, another_worker(fleet) as doomed:
        form = {"image_id": image, "user_data": ENCODED_DATA}
        calls = [pool.submit(ec2.post, "instances", form, deadline_s=15) for _ in range(4)]
        wait_until(
            lambda: simulator.control.calls().get("RunInstances", 0) >= 4, "the calls to be in hand", timeout_s=15
        )
        doomed.process.kill9()
        canary_broker.stop()
        stopped = found_on_disk(canary_broker)
        canary_broker.start()
        answers = [call.result() for call in calls]
    simulator.control.reset()
    assert stopped == set()
    ready(*(member for member in fleet.members if member.process.is_running))
    wait_until(lambda: ec2.get("images").status_code == 200, "the fleet to be back", timeout_s=20)
    assert_nowhere(fleet, canary_broker, answers)


@contextlib.contextmanager
def another_worker(fleet: Fleet) -> Iterator[Member]:
    member = fleet.compute("ec2", DELTACLOUD_MAX_WORKERS="2")
    with member.process:
        ready(member)
        yield member
