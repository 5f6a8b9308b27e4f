"""The commands: what they teach, what they refuse, which variables they heed, how they start, reload and end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import msgspec
import pytest
import requests

from harness import processes
from harness.broker import Broker
from harness.fleet import Fleet, Http, knows, ready
from harness.ports import free_port
from harness.processes import Process
from harness.waiting import wait_until

pytestmark = pytest.mark.e2e

COMMANDS = ("deltacloudd", "deltacloud-gateway", "deltacloud-compute", "deltacloud-storage", "deltacloud-registry")
BROKER = "amqp://user:hidden@127.0.0.1:1/"
LOGIN = ("mockuser", "mockpassword")


def type_in(command: str, *options: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, as the package installed it."""
    return subprocess.run(
        [str(Path(sys.executable).with_name(command)), *options],
        env={**processes.base_environment(), **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class Served(msgspec.Struct, frozen=True):
    """A `deltacloudd` that serves, and how to ask it."""

    process: Process
    url: str

    def get(self, path: str, *, login: tuple[str, str] | None = LOGIN, **headers: str) -> requests.Response:
        return requests.get(
            f"{self.url}/{path}", auth=login, headers={"Accept": "application/json", **headers}, timeout=30
        )


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts `deltacloudd` with options and variables, on a port that is returned, and ends it."""
    started: list[Process] = []

    def start(*options: str, port: int | None = None, **env: str) -> Served:
        number = port or free_port()
        process = processes.start(
            [str(Path(sys.executable).with_name("deltacloudd")), *options, *([] if port else ["-p", str(number)])],
            log=tmp_path / f"deltacloudd-{len(started)}.log",
            env={"DELTACLOUD_MOCK_STORAGE": str(tmp_path / "mock"), **env},
            until=processes.answers(f"http://127.0.0.1:{number}/health/live"),
        )
        started.append(process)
        return Served(process, f"http://127.0.0.1:{number}")

    yield start
    for each in started:
        each.kill9()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_options_examples_and_variables(command: str) -> None:
    done = type_in(command, "--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: {command}" in done.stdout
    assert "Examples:" in done.stdout
    assert f"{command} -" in done.stdout.partition("Examples:")[2]
    assert "DELTACLOUD_LOG_LEVEL" in done.stdout.partition("Environment")[2]
    assert type_in(command, "-h").stdout == done.stdout


def test_help_names_the_original_s_variables_that_still_count() -> None:
    text = type_in("deltacloudd", "--help").stdout

    for name in ("API_DRIVER", "API_PROVIDER", "API_USER", "API_PASSWORD", "DELTACLOUD_MOCK_STORAGE"):
        assert name in text


def test_the_drivers_are_listed_as_the_original_lists_them() -> None:
    done = type_in("deltacloudd", "-l")

    assert (done.returncode, done.stdout) == (0, "Available drivers:\n\nec2\nmock\n\n")
    assert type_in("deltacloudd", "--drivers").stdout == done.stdout


@pytest.mark.parametrize(
    ("command", "options", "env", "wanted"),
    [
        ("deltacloudd", ["--bogus"], {}, "--bogus"),
        ("deltacloudd", ["-p"], {}, "-p"),
        ("deltacloudd", ["-p", "many"], {}, "DELTACLOUD_PORT"),
        ("deltacloudd", ["-p", "65536"], {}, "65535"),
        ("deltacloudd", ["-i", "nimbus"], {}, "ec2, mock"),
        ("deltacloudd", ["extra"], {}, "extra"),
        ("deltacloudd", ["-r", "no-such-host.invalid"], {}, "no-such-host.invalid"),
        ("deltacloudd", ["-r", "203.0.113.9"], {}, "203.0.113.9"),
        ("deltacloudd", ["--providers", "/nowhere.yaml"], {}, "/nowhere.yaml: cannot be read"),
        ("deltacloudd", ["--broker", "http://user:hidden@host/"], {}, "amqps?://"),
        ("deltacloudd", [], {"DELTACLOUD_LOG_LEVEL": "loud"}, "'debug', 'info', 'warning' or 'error'"),
        ("deltacloudd", [], {"API_DRIVER": "nimbus"}, "ec2, mock"),
        ("deltacloudd", [], {"API_PORT": "many"}, "API_PORT"),
        ("deltacloudd", [], {"DELTACLOUD_DEADLINE_S": "soon"}, "DELTACLOUD_DEADLINE_S"),
        ("deltacloudd", [], {"DELTACLOUD_MOCK_FAULTS": "everything"}, "DELTACLOUD_MOCK_FAULTS"),
        ("deltacloud-gateway", [], {}, "DELTACLOUD_BROKER"),
        ("deltacloud-gateway", ["--broker", BROKER, "-p", "many"], {}, "DELTACLOUD_PORT"),
        ("deltacloud-gateway", [], {"DELTACLOUD_BROKER_FILE": "/nowhere/broker"}, "/nowhere/broker"),
        ("deltacloud-registry", [], {}, "DELTACLOUD_BROKER"),
        ("deltacloud-registry", ["--broker", BROKER, "--providers", "/nowhere.yaml"], {}, "/nowhere.yaml"),
        *((each, ["--broker", "amqp://user:hidden@host:99999/"], {}, "amqp://user:password@host") for each in COMMANDS),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_a_mistake_is_told_in_one_line_with_status_2(
    command: str, options: list[str], env: dict[str, str], wanted: str
) -> None:
    done = type_in(command, *options, **env)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"{command}: ")
    assert wanted in done.stderr
    assert "hidden" not in done.stderr


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("providers:\n  ec2:\n    lab: {endpont: 'http://127.0.0.1:1'}\n", 3, "endpont"),
        ("allow:\n  - 'ftp://cloud.example'\n", 2, "http and https"),
        ("providers: [\n", 2, "not YAML"),
    ],
)
def test_a_mistake_in_the_providers_file_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(text)

    done = type_in("deltacloudd", "--providers", str(file))

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"{file}:{line}: " in done.stderr
    assert reason in done.stderr


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = type_in("deltacloudd", "-r", "127.0.0.1", "-p", port)

    assert done.returncode == 2
    assert done.stderr == f"deltacloudd: cannot serve at 127.0.0.1:{port}: Address already in use\n"


def test_port_0_picks_a_free_one_and_names_it(tmp_path: Path) -> None:
    with processes.start(
        [str(Path(sys.executable).with_name("deltacloudd")), "-p", "0"],
        log=tmp_path / "log",
        env={"DELTACLOUD_MOCK_STORAGE": str(tmp_path / "mock")},
        until=processes.logs("curl "),
    ) as server:
        address = server.log_text().split(" :: ")[-1].split()[0]

        assert requests.get(address, timeout=10).status_code == 200


def test_the_original_s_variables_choose_driver_provider_address_and_port(serve: Serve) -> None:
    port = free_port()
    served = serve(port=port, API_DRIVER="EC2", API_PROVIDER="eu-west-1", API_HOST="127.0.0.1", API_PORT=str(port))

    entry = served.get("api", login=None)

    assert entry.headers["X-Deltacloud-Driver"] == "ec2"
    assert entry.headers["X-Deltacloud-Provider"] == "eu-west-1"
    assert f"Starting Deltacloud API :: ec2 :: eu-west-1 :: http://127.0.0.1:{port}/api" in served.process.log_text()


def test_an_option_beats_a_variable(serve: Serve) -> None:
    served = serve("-i", "mock", "-P", "here", API_DRIVER="ec2", API_PROVIDER="eu-west-1")

    entry = served.get("api", login=None)

    assert (entry.headers["X-Deltacloud-Driver"], entry.headers["X-Deltacloud-Provider"]) == ("mock", "here")


def test_api_user_and_password_serve_every_caller_after_a_warning(serve: Serve) -> None:
    served = serve(API_USER=LOGIN[0], API_PASSWORD=LOGIN[1])

    assert served.get("api/instances", login=None).status_code == 200
    assert served.get("api/instances", login=("somebody", "else")).status_code == 200
    assert "anybody who reaches this server can use that account" in served.process.log_text()


def test_api_user_without_a_password_changes_nothing(serve: Serve) -> None:
    served = serve(API_USER=LOGIN[0])

    assert served.get("api/instances", login=None).status_code == 401
    assert "anybody" not in served.process.log_text()


def test_the_mock_cloud_is_kept_in_the_folder_named(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    first = serve(DELTACLOUD_MOCK_STORAGE=str(folder))
    made = requests.post(f"{first.url}/api/keys?format=json", {"name": "kept"}, auth=LOGIN, timeout=30)
    first.process.terminate()

    second = serve(DELTACLOUD_MOCK_STORAGE=str(folder))

    assert made.status_code == 201
    assert second.get("api/keys/kept").status_code == 200


def test_the_log_level_is_a_variable_too(serve: Serve) -> None:
    quiet, talkative = serve(), serve(DELTACLOUD_LOG_LEVEL="info")
    for each in (quiet, talkative):
        each.get("api/instances")

    assert "request answered" not in quiet.process.log_text()
    talkative.process.wait_until(processes.logs("request answered"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0_and_silence(serve: Serve, number: signal.Signals) -> None:
    for _ in range(4):
        served = serve()
        served.get("api/instances")
        said = served.process.log_text()
        os.kill(served.process.pid, number)

        assert served.process.wait() == 0
        assert served.process.log_text() == said


def test_sigterm_lets_a_request_in_hand_finish(serve: Serve) -> None:
    served = serve(DELTACLOUD_MOCK_FAULTS="list_images: latency_s=2")
    answers: list[requests.Response] = []
    asking = Thread(target=lambda: answers.append(served.get("api/images")))
    asking.start()
    wait_until(lambda: "deltacloud_http_in_flight 2" in _metrics(served), "the request to be in hand")

    end = served.process.terminate()
    asking.join()

    assert end.code == 0
    assert [answer.status_code for answer in answers] == [200]


def test_sighup_reads_the_providers_file_again_and_keeps_the_old_one_if_it_is_wrong(
    serve: Serve, tmp_path: Path
) -> None:
    file = tmp_path / "providers.yaml"
    _write_providers(file, "before")
    served = serve("--providers", str(file))
    assert "before" in _ec2_providers(served)

    _write_providers(file, "after")
    os.kill(served.process.pid, signal.SIGHUP)
    wait_until(lambda: "after" in _ec2_providers(served), "the new provider")
    file.write_text("providers: 7")
    os.kill(served.process.pid, signal.SIGHUP)
    served.process.wait_until(processes.logs("providers file not taken"))

    assert "before" not in _ec2_providers(served)
    assert "after" in _ec2_providers(served)
    assert f"{file}:1: " in served.process.log_text()


def test_with_a_broker_it_serves_http_here_and_workers_do_the_work(
    broker: Broker, vhost: str, tmp_path: Path, serve: Serve
) -> None:
    with Fleet(broker.url(vhost), tmp_path) as fleet:
        members = [fleet.registry(), fleet.compute()]
        served = serve("--broker", broker.url(vhost), DELTACLOUD_MOCK_STORAGE=str(tmp_path / "unused"))
        ready(*members)
        http = Http(served.url)
        knows(http, "mock")

        served.process.wait_until(processes.logs("curl "))
        created = http.post("instances", {"image_id": "img1"})

        assert created.status_code == 201
        assert members[1].metric("deltacloud_calls_total", operation="create_instance") == 1
        assert served.process.terminate().code == 0
        http.close()
    assert not (tmp_path / "unused").exists()


def test_without_its_broker_it_serves_and_says_what_is_missing(serve: Serve) -> None:
    served = serve("--broker", BROKER)

    answer = served.get("health/ready", login=None)

    assert answer.status_code == 503
    assert "the broker is not connected" in answer.json()["reasons"]
    begin = time.monotonic()
    assert served.get("api/instances").status_code == 503
    assert time.monotonic() - begin < 5
    assert "hidden" not in served.process.log_text()
    assert served.process.terminate().code == 0


def _write_providers(file: Path, name: str) -> None:
    file.write_text(json.dumps({"providers": {"ec2": {name: {"endpoint": "http://127.0.0.1:1", "region": "lab"}}}}))


def _ec2_providers(served: Served) -> list[str]:
    return re.findall(r"<provider id='([^']+)", served.get("api/drivers/ec2?format=xml").text)


def _metrics(served: Served) -> str:
    return requests.get(f"{served.url}/metrics", timeout=10).text


def test_variables_that_others_set_for_other_purposes_are_not_ours(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "deltacloudd", "--broker", "nonsense"],
        env={**os.environ, "HOST": "10.9.8.7", "PORT": "70000", "DEFAULT_DRIVER": "zzz"},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert found.returncode == 2
    assert "DELTACLOUD_BROKER" in found.stderr
    assert "DELTACLOUD_PORT" not in found.stderr
