"""What every other test relies on is tested itself."""

import importlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pika
import pika.exceptions
import pytest
import requests

from harness import moto as moto_server
from harness import processes, session_broker
from harness.broker import Broker, Permissions
from harness.moto import Moto
from harness.ports import free_port
from harness.requirements import Requirement, need
from harness.waiting import wait_until
from simulators.process import Running

TESTS = Path(__file__).parents[1]
PROGRAM = "import os, time; print('ready', sorted(os.environ), flush=True); time.sleep(600)"


def open_channel(url: str) -> pika.adapters.blocking_connection.BlockingChannel:
    return pika.BlockingConnection(pika.URLParameters(url)).channel()


def processes_naming(text: str) -> list[int]:
    """Return the pids whose command line or environment contains `text`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:  # it has just ended, or is another user's
            continue
        if text.encode() in told and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


# The broker


@pytest.mark.integration
def test_a_message_published_in_a_vhost_can_be_read_back_and_stays(broker: Broker, vhost: str) -> None:
    channel = open_channel(broker.url(vhost))
    channel.queue_declare("letters")
    channel.confirm_delivery()
    channel.basic_publish("", "letters", b"hello", pika.BasicProperties(headers={"to": "you"}))

    assert broker.queue_names(vhost) == ["letters"]
    first, again = broker.messages(vhost, "letters"), broker.messages(vhost, "letters")
    assert [message.payload for message in first] == [message.payload for message in again] == ["hello"]
    assert first[0].properties["headers"] == {"to": "you"}
    channel.connection.close()


@pytest.mark.integration
def test_two_vhosts_see_nothing_of_each_other(broker: Broker) -> None:
    with broker.new_vhost() as one, broker.new_vhost() as other:
        channel = open_channel(broker.url(one))
        channel.queue_declare("mine")
        assert broker.queue_names(one) == ["mine"]
        assert broker.queue_names(other) == []
        channel.connection.close()


@pytest.mark.integration
def test_a_vhost_is_gone_after_its_test_although_a_connection_was_open(broker: Broker) -> None:
    with broker.new_vhost() as name:
        channel = open_channel(broker.url(name))
    with pytest.raises(requests.HTTPError, match="404"):
        broker.queue_names(name)
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        channel.queue_declare("too late")


@pytest.mark.integration
def test_a_user_may_do_what_its_permissions_say_and_no_more(broker: Broker, vhost: str) -> None:
    broker.add_user(f"reader-{vhost}", "made-up", {vhost: Permissions(configure="^mine$")})
    channel = open_channel(broker.url(vhost, username=f"reader-{vhost}", password="made-up"))
    channel.queue_declare("mine")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        channel.queue_declare("yours")
    channel.connection.close()


@pytest.mark.integration
def test_the_shared_broker_refuses_to_be_stopped(broker: Broker) -> None:
    for attempt in (broker.stop, broker.start, broker.kill9):
        with pytest.raises(RuntimeError, match="own_broker"):
            attempt()


@pytest.mark.integration
@pytest.mark.slow
def test_an_own_broker_keeps_durable_queues_over_stop_and_kill_on_the_same_port(own_broker: Broker) -> None:
    url = own_broker.url("/")
    channel = open_channel(url)
    channel.queue_declare("durable", durable=True)
    channel.queue_declare("transient", durable=False)
    channel.confirm_delivery()
    channel.basic_publish("", "durable", b"kept", pika.BasicProperties(delivery_mode=2))

    own_broker.stop()
    with pytest.raises(pika.exceptions.AMQPError):
        channel.queue_declare("away")
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        open_channel(url)
    own_broker.start()
    assert own_broker.queue_names("/") == ["durable"]

    own_broker.kill9()
    own_broker.start()
    assert [message.payload for message in own_broker.messages("/", "durable")] == ["kept"]
    assert any(b"kept" in path.read_bytes() for path in own_broker.data_dir.rglob("*") if path.is_file())


@pytest.mark.integration
@pytest.mark.slow
def test_a_broker_listens_on_loopback_only(own_broker: Broker) -> None:
    pids = processes_naming(str(own_broker.data_dir.parent))
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    ours = [line.split()[3] for line in listening if any(f"pid={pid}," in line for pid in pids)]
    assert len(ours) >= 3
    assert {address.rpartition(":")[0] for address in ours} <= {"127.0.0.1", "[::1]"}


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The @wait_container_is_ready:DeprecationWarning")  # testcontainers' own
def test_a_broker_in_a_container_serves_on_loopback_where_the_package_is_absent() -> None:
    need(Requirement.DOCKER)
    container = importlib.import_module("harness.container")
    with container.running_broker(session_broker.IMAGE) as address:
        in_container = Broker(address)
        assert address.host in {"127.0.0.1", "localhost"}
        with in_container.new_vhost() as name:
            channel = open_channel(in_container.url(name))
            channel.queue_declare("mine")
            assert in_container.queue_names(name) == ["mine"]
            channel.connection.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address.host, address.port), timeout=5)


def test_a_broker_named_in_the_environment_is_used_as_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DELTACLOUD_TEST_BROKER", "amqp://me:p%40ss@broker.example:5673")
    monkeypatch.setenv("DELTACLOUD_TEST_BROKER_MANAGEMENT", "http://broker.example:8080/")
    named = session_broker.session_broker(tmp_path)
    assert named.url("a/b") == "amqp://me:p%40ss@broker.example:5673/a%2Fb"
    assert named.management_url == "http://broker.example:8080"
    assert "p@ss" not in repr(named) + repr(named.address)


# One broker a session, and nothing left behind

SESSION = """
import os, pathlib, time

def test_that_uses_all_there_is(broker, own_broker, moto, worker_id):
    note = pathlib.Path(os.environ["NOTES"], worker_id)
    note.with_suffix(".new").write_text(" ".join((broker.management_url, own_broker.management_url, moto.endpoint)))
    note.with_suffix(".new").rename(note)
    while os.environ["NEXT"] == "hang":
        time.sleep(0.1)
"""


def start_inner_session(folder: Path, *options: str, then: str) -> processes.Process:
    """Start a pytest of its own with these fixtures; everything it starts can be told by `folder`."""
    need(Requirement.PRIVATE_BROKER)
    (folder / "test_inner.py").write_text(SESSION)
    for name in ("tmp", "notes"):
        (folder / name).mkdir()
    search_path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    env = {"PYTHONPATH": search_path, "TMPDIR": str(folder / "tmp"), "NOTES": str(folder / "notes"), "NEXT": then}
    plain = ["-p", "conftest", "-p", "no:pytest_nameko", "-c", os.devnull, "--rootdir", str(folder)]
    command = [sys.executable, "-m", "pytest", *plain, *options, str(folder / "test_inner.py")]
    return processes.start(command, log=folder / "log", env=env, cwd=folder)


@pytest.mark.integration
@pytest.mark.slow
def test_workers_share_one_broker_and_their_session_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    inner = start_inner_session(tmp_path, "--dist", "each", "--tx", "2*popen", then="end")
    assert inner.wait(timeout_s=100) == 0, inner.log_text()
    assert processes_naming(str(tmp_path)) == []
    assert list((tmp_path / "tmp").glob("deltacloud-tests-*")) == []

    one, other = [note.read_text().split() for note in (tmp_path / "notes").iterdir()]
    assert one[0] == other[0], "each worker started a broker"
    assert len({*one, *other}) == 5, "what should be a worker's own is shared"


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "how"),
    [("0", signal.SIGINT), ("2", signal.SIGINT), ("2", signal.SIGKILL)],
    ids=["interrupted", "interrupted with workers", "killed with workers"],
)
def test_a_session_cut_short_leaves_no_process(tmp_path: Path, workers: str, how: signal.Signals) -> None:
    inner = start_inner_session(tmp_path, "-n", workers, then="hang")
    inner.wait_until(lambda _: any(not note.suffix for note in (tmp_path / "notes").iterdir()), timeout_s=100)
    assert len(processes_naming(str(tmp_path))) > 5

    os.kill(inner.pid, how)
    inner.wait(timeout_s=60)
    wait_until(lambda: not processes_naming(str(tmp_path)), "everything to end", timeout_s=20)


# Processes


@pytest.fixture
def program(tmp_path: Path) -> Iterator[processes.Process]:
    command = [sys.executable, "-c", PROGRAM]
    with processes.start(command, log=tmp_path / "log", until=processes.logs("ready")) as process:
        yield process


def test_a_terminated_program_tells_its_code_and_how_long_it_took(program: processes.Process) -> None:
    code, seconds = program.terminate()
    assert code == -signal.SIGTERM
    assert 0 <= seconds < 5
    assert not program.is_running


def test_a_program_that_ignores_sigterm_is_reported_and_still_killed_at_the_end(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", stubborn]
    with processes.start(command, log=tmp_path / "log", until=processes.logs("ready")) as process:
        with pytest.raises(TimeoutError, match="still runs"):
            process.terminate(timeout_s=0.2)
        assert process.is_running
    assert not process.is_running


def test_kill9_ends_what_the_program_started_too(tmp_path: Path) -> None:
    parent = f"import subprocess, sys, time; subprocess.Popen(['sleep', '{tmp_path}', '600']); time.sleep(600)"
    command = [sys.executable, "-c", parent.replace(f"'{tmp_path}', '600'", "'600'")]
    env = {"MARK": str(tmp_path)}
    with processes.start(command, log=tmp_path / "log", env=env) as process:
        wait_until(lambda: len(processes_naming(str(tmp_path))) == 2, "the child")
        process.kill9()
        wait_until(lambda: not processes_naming(str(tmp_path)), "both to end")


def test_a_program_that_ends_before_it_is_ready_is_told_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such cloud')"]
    with pytest.raises(RuntimeError, match=r"(?s)ended with code 1.*no such cloud"):
        processes.start(command, log=tmp_path / "log", until=processes.listens(free_port()))


def test_a_program_that_never_gets_ready_is_killed_and_told_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM]
    env = {"MARK": str(tmp_path)}
    never = processes.answers(f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(TimeoutError, match=r"(?s)to be ready.*its log"):
        processes.start(command, log=tmp_path / "log", env=env, until=never, timeout_s=0.5)
    assert processes_naming(str(tmp_path)) == []


def test_a_program_sees_what_it_is_given_and_not_the_callers_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the developer's")
    command = [sys.executable, "-c", PROGRAM]
    env = {"GIVEN": "yes"}
    with processes.start(command, log=tmp_path / "log", env=env, until=processes.logs("ready")) as process:
        assert "'GIVEN'" in process.log_text()
        assert "AWS_SECRET_ACCESS_KEY" not in process.log_text()


def test_a_free_port_is_given_once_on_the_whole_machine() -> None:
    ask = "from harness.ports import free_port; print(*(free_port() for _ in range(200)), flush=True); input()"
    askers = [
        subprocess.Popen(
            [sys.executable, "-c", ask], cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    ports = [asker.stdout.readline().split() for asker in askers if asker.stdout]
    for asker in askers:
        asker.communicate("\n")
    given = [port for answer in ports for port in answer]
    assert len(given) == len(set(given)) == 600


def test_a_free_port_is_one_nothing_listens_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] != free_port()


def test_waiting_returns_what_it_waited_for_and_names_what_never_came() -> None:
    end = time.monotonic() + 0.1
    assert wait_until(lambda: time.monotonic() > end and "come", "it") == "come"
    with pytest.raises(TimeoutError, match=r"waited 0\.1 s for Godot"):
        wait_until(lambda: False, "Godot", timeout_s=0.1)


# moto


@contextmanager
def ec2_of(server: Moto, *, access_key: str = "", secret_key: str = "") -> Iterator[Any]:
    client = boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id=access_key or server.access_key,
        aws_secret_access_key=secret_key or server.secret_key,
    )
    yield client
    client.close()


def test_moto_with_auth_accepts_its_own_key_for_more_calls_than_were_free(moto_with_auth: Moto) -> None:
    with ec2_of(moto_with_auth) as client:
        for _ in range(5):
            assert client.describe_key_pairs()["KeyPairs"] == []


@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_moto_with_auth_refuses_a_wrong_key(moto_with_auth: Moto, wrong: str) -> None:
    with (
        ec2_of(moto_with_auth, **{wrong: "AKIAWRONGWRONGWRONG0"}) as client,
        pytest.raises(botocore.exceptions.ClientError, match="AuthFailure"),
    ):
        client.describe_key_pairs()


def test_moto_refuses_an_image_and_a_key_pair_that_do_not_exist(moto: Moto) -> None:
    with ec2_of(moto) as client:
        with pytest.raises(botocore.exceptions.ClientError, match="InvalidAMIID"):
            client.run_instances(ImageId="ami-00000000", MinCount=1, MaxCount=1)
        image = client.describe_images()["Images"][0]["ImageId"]
        with pytest.raises(botocore.exceptions.ClientError, match=r"InvalidKeyPair\.NotFound"):
            client.run_instances(ImageId=image, KeyName="nobodys", MinCount=1, MaxCount=1)


def test_a_reset_moto_has_forgotten_everything(tmp_path: Path) -> None:
    need(Requirement.MOTO)
    with moto_server.running(tmp_path / "log") as server, ec2_of(server) as client:
        client.create_key_pair(KeyName="mine")
        server.reset()
        assert client.describe_key_pairs()["KeyPairs"] == []


# The EC2 simulator


def test_an_ec2_simulator_serves_in_a_process_of_its_own(ec2_simulator: Running) -> None:
    assert requests.get(ec2_simulator.url, timeout=10).headers
    assert ec2_simulator.pid != os.getpid()


# Requirements


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    return monkeypatch


@pytest.mark.usefixtures("bare_machine")
def test_what_is_missing_on_a_laptop_skips_the_test_and_says_what_to_install() -> None:
    with pytest.raises(pytest.skip.Exception, match="Chromium; enable it with: apt-get install chromium"):
        need(Requirement.CHROMIUM)


def test_what_is_missing_in_ci_fails_the_test(bare_machine: pytest.MonkeyPatch) -> None:
    bare_machine.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="a Docker engine; enable it with: apt-get install docker"):
        need(Requirement.DOCKER)


def test_what_is_there_lets_the_test_run(bare_machine: pytest.MonkeyPatch) -> None:
    bare_machine.setenv("DELTACLOUD_TEST_BROKER", "amqp://127.0.0.1")
    need(Requirement.BROKER)
