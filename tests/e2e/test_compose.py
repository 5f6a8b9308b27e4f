"""The stack of deploy/compose.yml, driven over HTTP and AMQP as its users do."""

import json
import os
import secrets

import pytest
import requests

from e2e.compose_stack import Stack, run
from harness.requirements import Requirement, need
from harness.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("compose")]

SERVICES = ("broker", "registry", "compute", "storage", "gateway")
LOGIN = ("mockuser", "mockpassword")
CALL = """
import json
from pathlib import Path
from deltacloud.rpc.client import RpcClient

url = Path("/run/deltacloud/secrets/broker").read_text().strip()
with RpcClient(url) as client:
    page = client.call("compute.mock", "list_instances", user="mockuser", password="mockpassword")
print(json.dumps(sorted(instance.id for instance in page.items)))
"""
TRESPASS = """
from pathlib import Path
import pika

connection = pika.BlockingConnection(pika.URLParameters(Path("/run/deltacloud/secrets/broker").read_text().strip()))
channel = connection.channel()
try:
    channel.queue_declare("rpc-compute.ec2-mine", durable=True)
except pika.exceptions.ChannelClosedByBroker as closed:
    print(closed.reply_code)
"""


@pytest.fixture(scope="module")
def stack():
    need(Requirement.DOCKER)
    Stack.build()
    running = Stack(f"deltacloud-{secrets.token_hex(3)}", dict(os.environ))
    try:
        running.up("--scale", "compute=3", "--scale", "storage=2")
        yield running
    finally:
        running.down()


@pytest.fixture
def http():
    with requests.Session() as session:
        session.auth = LOGIN
        session.headers["Accept"] = "application/json"
        yield session


def is_healthy(stack, service):
    return all(container["State"]["Health"]["Status"] == "healthy" for container in stack.inspect(service))


def test_every_service_is_healthy_not_root_and_cannot_write_its_own_files(stack):
    for service in SERVICES:
        wait_until(lambda name=service: is_healthy(stack, name), f"{service} to be healthy", timeout_s=60)
        for container in stack.inspect(service):
            assert container["Config"]["User"] not in {"", "0", "root"}, service
            assert container["HostConfig"]["ReadonlyRootfs"] is True, service
            assert container["HostConfig"]["CapDrop"] == ["ALL"], service


def test_the_scale_asked_for_is_the_scale_that_runs(stack):
    assert [len(stack.containers(service)) for service in ("compute", "storage")] == [3, 2]


def test_an_instance_is_made_stopped_and_destroyed_over_http(stack, http):
    made = http.post(f"{stack.url}/api/instances", data={"image_id": "img1", "name": "from-compose"}, timeout=30)
    assert made.status_code == 201
    url = f"{stack.url}/api/instances/{made.json()['instance']['id']}"

    assert http.post(f"{url}/stop", timeout=30).status_code == 202
    assert http.get(url, timeout=30).json()["instance"]["state"] == "STOPPED"
    assert http.delete(url, timeout=30).status_code == 204
    assert http.get(url, timeout=30).status_code == 404


def test_a_blob_stored_through_one_storage_worker_is_read_through_any(stack, http):
    http.post(f"{stack.url}/api/buckets", data={"name": "compose"}, timeout=30).raise_for_status()
    content = os.urandom(3_000_000)

    stored = http.put(f"{stack.url}/api/buckets/compose/bytes", data=content, timeout=60)

    assert stored.status_code == 200
    for _ in range(6):
        assert http.get(f"{stack.url}/api/buckets/compose/bytes/content", timeout=60).content == content


def test_another_teams_program_calls_a_worker_over_amqp(stack):
    assert "inst0" in json.loads(stack.python_as_client(CALL))


def test_a_broker_user_may_not_reach_beyond_its_own_part(stack):
    assert stack.python_as_client(TRESPASS).strip() == "403"


def test_killing_a_worker_loses_no_request(stack, http):
    run("docker", "kill", stack.containers("compute")[0])

    for _ in range(20):
        assert http.get(f"{stack.url}/api/instances", timeout=30).status_code == 200


def test_a_killed_workers_place_is_taken_again(stack):
    stack.compose("up", "--detach", "--no-build", "--scale", "compute=3", "--scale", "storage=2")

    wait_until(lambda: len(stack.containers("compute")) == 3, "three compute workers", timeout_s=60)


def test_no_secret_is_in_the_images_or_the_environment_of_a_container(stack):
    for service in SERVICES:
        for container in stack.inspect(service):
            assert not [line for line in container["Config"]["Env"] if "amqp://" in line or "PASSWORD" in line]
