"""The commands of the workers, without a broker: they teach, and they say what is wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

DRIVERS = Path(__file__).parents[1] / "drivers_for_tests"
BROKER = "amqp://127.0.0.1:1/"
PROGRAMS = ("deltacloud_compute", "deltacloud_storage")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DELTACLOUD_")}
    return subprocess.run(
        [sys.executable, *command],
        env={**clean, "PYTHONPATH": str(DRIVERS), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_teaches_options_variables_and_examples(program: str) -> None:
    done = run("-m", program, "--help")
    assert done.returncode == 0
    name = program.replace("_", "-")
    assert f"Usage: {name}" in done.stdout
    for wanted in ("--broker", "--drivers", "--ops-port", "DELTACLOUD_DRAIN_S", "DELTACLOUD_SEALING_KEY_FILE"):
        assert wanted in done.stdout
    assert f"{name} --broker amqp://" in done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_warns_at_the_start_not_even_eventlet(program: str) -> None:
    done = run("-W", "error", "-m", program, "--help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("program", PROGRAMS)
def test_sockets_are_green_before_ssl_is_imported(program: str) -> None:
    check = (
        f"import sys; import {program}.__main__; import ssl, socket, threading, eventlet.patcher as p;"
        "assert all(p.is_monkey_patched(name) for name in ('socket', 'thread', 'time', 'select'));"
        "assert ssl.SSLSocket.__module__ == 'eventlet.green.ssl', ssl.SSLSocket;"
        "ssl.create_default_context(); print('green')"
    )
    assert run("-c", check).stdout == "green\n"


@pytest.mark.parametrize(
    ("options", "environment", "wanted"),
    [
        ([], {}, "DELTACLOUD_BROKER"),
        (["--bogus"], {}, "--bogus"),
        (["--broker", "http://somewhere"], {}, "amqps?://"),
        (["--broker", BROKER, "--max-workers", "many"], {}, "DELTACLOUD_MAX_WORKERS"),
        (["--broker", BROKER, "--log-level", "loud"], {}, "'debug', 'info', 'warning' or 'error'"),
        (["--broker", BROKER, "--ops-port", "65536"], {}, "DELTACLOUD_OPS_PORT"),
        (["--broker", BROKER, "--drivers", "nimbus"], {}, "installed: "),
        (["--broker", BROKER], {"DELTACLOUD_DRAIN_S": "soon"}, "DELTACLOUD_DRAIN_S"),
        (["--broker", BROKER], {"DELTACLOUD_SEALING_KEY_FILE": "/nowhere/at/all"}, "/nowhere/at/all"),
        (["extra"], {}, "extra"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_told_in_one_line_with_status_2(
    options: list[str], environment: dict[str, str], wanted: str
) -> None:
    done = run("-m", "deltacloud_compute", *options, **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("deltacloud-compute: ")
    assert wanted in done.stderr


def test_an_ops_port_that_is_taken_is_told_with_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("-m", "deltacloud_compute", "--broker", BROKER, "--drivers", "probe", "--ops-port", port)
    assert done.returncode == 2
    assert "DELTACLOUD_OPS_PORT" in done.stderr
    assert port in done.stderr


def test_a_wrong_broker_is_refused_without_showing_its_password() -> None:
    done = run("-m", "deltacloud_compute", "--broker", "ampq://user:canary@host/")
    assert done.returncode == 2
    assert "canary" not in done.stderr
