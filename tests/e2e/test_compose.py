"""The stack of deploy/compose.yml, driven over HTTP and AMQP as its users do."""

import json
import os
import re
import secrets
from pathlib import Path

import certifi
import pytest
import requests

from e2e.compose_stack import Stack, run
from e2e.rpc_page import PYTHON, URL
from harness.requirements import Requirement, need
from harness.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("compose")]

SERVICES = ("broker", "registry", "compute", "storage", "gateway")
SCALE = ("--scale", "compute=3", "--scale", "storage=2")
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
NAMEKO = """
import time
from pathlib import Path

import nameko.rpc
from kombu import Exchange
from nameko.standalone.rpc import ClusterRpcProxy

nameko.rpc.get_rpc_exchange = lambda config: Exchange("nameko-rpc", type="topic", durable=True, no_declare=True)
url = Path("/run/deltacloud/secrets/broker").read_text().strip()
with ClusterRpcProxy({"AMQP_URI": url}, timeout=10) as cluster:
    print(*cluster["registry"].get_picture(context={"deadline": time.time() + 10}))
"""
ATTEMPTS = """
import json
from pathlib import Path
import pika

connection = pika.BlockingConnection(pika.URLParameters(Path("/run/deltacloud/secrets/broker").read_text().strip()))
own = "events-attempts"
connection.channel().queue_declare(own, exclusive=True)

def attempt(method, *arguments):
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        getattr(channel, method)(*arguments)
    except pika.exceptions.ChannelClosedByBroker as closed:
        return closed.reply_code

rpc, events = "nameko-rpc", "deltacloud-events"
declare = lambda name: attempt("queue_declare", name)
bind = lambda exchange, key: attempt("queue_bind", own, exchange, key)
publish = lambda exchange, key: attempt("basic_publish", exchange, key, b"{}")
print(json.dumps({action: eval(action) for action in ACTIONS}))
"""
REFUSED = {
    "client": [
        "declare('rpc-compute.ec2-mine')",
        *(f"bind(rpc, {key!r})" for key in ("#", "*", "#.#", "compute.#", "registry.*", "*.*.*")),
        *(f"bind(events, {key!r})" for key in ("#", "worker.announced", "registry.asked")),
        *(f"publish(events, {key!r})" for key in ("worker.announced", "registry.picture", "registry.asked")),
        "publish(rpc, 'rpc.reply-gateway-0')",
    ],
    "storage": [
        "declare('rpc-compute.mock')",
        *(f"bind(rpc, {key!r})" for key in ("#", "*", "compute.#", "compute.mock.*")),
        *(f"bind(events, {key!r})" for key in ("#", "worker.announced")),
        "publish(rpc, 'compute.mock.list_instances')",
        "publish(events, 'registry.picture')",
    ],
    "registry": ["bind(rpc, '#')", "bind(rpc, 'compute.#')", "publish(rpc, 'compute.mock.list_instances')"],
    "gateway": ["bind(rpc, '#')", "bind(rpc, '*')", "publish(events, 'worker.announced')"],
}
ALLOWED = {
    "client": ["bind(rpc, 'rpc.reply-a-0')", "bind(rpc, 'a0-b1')", "bind(events, 'registry.picture')"],
    "storage": ["bind(rpc, 'rpc.reply-a-0')", "bind(events, 'registry.asked')", "publish(rpc, 'rpc.reply-a-0')"],
    "registry": ["bind(rpc, 'rpc.reply-a-0')", "bind(events, 'worker.announced')"],
    "gateway": ["bind(rpc, 'rpc.reply-a-0')", "bind(events, 'registry.picture')"],
}
KEPT = """
import hashlib
from pathlib import Path

for file in sorted(Path("/run/deltacloud/secrets").iterdir()):
    print(file.name, hashlib.sha256(file.read_bytes()).hexdigest())
"""
CERTIFICATE = Path(certifi.where()).read_text("utf-8")
PROVIDERS = """
providers:
  ec2:
    %s: {endpoint: "https://ec2.lab.example", ca_file: lab.pem}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("providers")
    made.chmod(0o755)  # the registry is another user
    (made / "lab.pem").write_text(CERTIFICATE, "utf-8")
    replace(made / "providers.yaml", PROVIDERS % "first")
    return made


@pytest.fixture(scope="module")
def stack(folder):
    need(Requirement.DOCKER)
    Stack.build()
    environment = {**os.environ, "DELTACLOUD_PROVIDERS_FOLDER": str(folder)}
    running = Stack(f"deltacloud-{secrets.token_hex(3)}", environment)
    try:
        running.up(*SCALE)
        yield running
    finally:
        running.down()


def replace(path, text):
    """Write a file as editors do: anew, beside it, and moved into its place."""
    beside = path.with_suffix(".swp")
    beside.write_text(text, "utf-8")
    beside.replace(path)


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
        wait_until(lambda name=service: is_healthy(stack, name), f"{service} to be healthy", timeout_s=240, every_s=2)
        for container in stack.inspect(service):
            assert container["Config"]["User"] not in {"", "0", "root"}, service
            assert container["HostConfig"]["ReadonlyRootfs"] is True, service
            assert container["HostConfig"]["CapDrop"] == ["ALL"], service


def test_no_container_can_take_the_whole_machine(stack):
    for service in SERVICES:
        for container in stack.inspect(service):
            assert 0 < container["HostConfig"]["Memory"] <= 2**30, service
            assert 0 < container["HostConfig"]["PidsLimit"] <= 512, service


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
    assert "inst0" in json.loads(stack.python_as("client", CALL))


def test_the_documents_call_with_nothing_but_pika_works_beside_the_stack(stack):
    program = PYTHON["Python, with nothing but pika"]
    url = f'"{URL}"'
    assert program.count(url) == 1

    printed = stack.python_as("client", program.replace(url, 'open("/run/deltacloud/secrets/broker").read().strip()'))

    assert {line.partition(" ")[0] for line in printed.splitlines()} >= {"inst0", "inst1"}


def test_a_nameko_proxy_that_declares_no_exchange_works_beside_the_stack(stack):
    assert "sealing_keys" in stack.python_as("client", NAMEKO)


@pytest.mark.parametrize("user", REFUSED)
def test_a_broker_user_may_not_reach_beyond_its_own_part(stack, user):
    actions = [*REFUSED[user], *ALLOWED[user]]

    found = json.loads(stack.python_as(user, ATTEMPTS.replace("ACTIONS", repr(actions))))

    assert found == dict.fromkeys(REFUSED[user], 403) | dict.fromkeys(ALLOWED[user])


def test_a_providers_file_put_in_the_others_place_is_read_on_a_hangup(stack, folder, http):
    def providers():
        shown = http.get(f"{stack.url}/api/drivers/ec2?format=xml", timeout=30).text
        return re.findall(r"<provider id='([^']+)", shown)

    wait_until(lambda: "first" in providers(), "the first provider", timeout_s=30)

    replace(folder / "providers.yaml", PROVIDERS % "second")
    stack.compose("kill", "-s", "HUP", "registry")

    wait_until(lambda: "second" in providers(), "the second provider", timeout_s=30)


def test_secrets_outlive_the_containers(stack, http):
    users = ("gateway", "registry", "compute", "storage", "client")
    before = [stack.python_as(user, KEPT) for user in users]

    stack.compose("down", "--timeout", "5")
    stack.up(*SCALE)

    assert [stack.python_as(user, KEPT) for user in users] == before
    assert len(set("".join(before).split())) == 2 + len(users) + 1, "names of two files, a URL each, one key for all"
    assert http.get(f"{stack.url}/api/instances", timeout=30).status_code == 200


def test_killing_a_worker_loses_no_request_and_its_place_is_taken_again(stack, http):
    run("docker", "kill", stack.containers("compute")[0])
    try:
        for _ in range(20):
            assert http.get(f"{stack.url}/api/instances", timeout=30).status_code == 200
    finally:
        stack.compose("up", "--detach", "--no-build", *SCALE)

    wait_until(lambda: is_healthy(stack, "compute"), "three compute workers", timeout_s=120, every_s=2)
    assert len(stack.containers("compute")) == 3


def test_no_secret_is_in_the_images_or_the_environment_of_a_container(stack):
    for service in SERVICES:
        for container in stack.inspect(service):
            assert not [line for line in container["Config"]["Env"] if "amqp://" in line or "PASSWORD" in line]
