"""What a test needs from the machine: absent, the test is skipped with the remedy on a laptop and fails in CI."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import pytest

from harness import rabbitmq
from harness.broker import named_in_environment

NODE_MODULES = Path(__file__).parents[1] / "e2e/node/node_modules"
"""Where the packages are that callers in Node need."""


def docker_answers() -> bool:
    """Whether the `docker` command reaches an engine."""
    command = shutil.which("docker")
    if command is None:
        return False
    try:
        done = subprocess.run([command, "version"], capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def chromium() -> str | None:
    """Return the path of the system's Chromium, None without one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def _any_broker() -> bool:
    return named_in_environment() is not None or rabbitmq.server_script() is not None or docker_answers()


class Requirement(Enum):
    """Something a test cannot do without: what it is, how to get it, whether it is here."""

    BROKER = ("a RabbitMQ", "apt-get install rabbitmq-server", _any_broker)
    PRIVATE_BROKER = (
        "a RabbitMQ node of its own",
        "apt-get install rabbitmq-server",
        lambda: rabbitmq.server_script() is not None,
    )
    MOTO = ("moto's server", "pip install 'moto[server]'", lambda: importlib.util.find_spec("moto") is not None)
    DOCKER = ("a Docker engine", "apt-get install docker.io", docker_answers)
    UV = ("uv", "pip install uv", lambda: shutil.which("uv") is not None)
    NODE = (
        "Node and its packages",
        "apt-get install npm && npm ci --prefix tests/e2e/node",
        lambda: shutil.which("node") is not None and NODE_MODULES.is_dir(),
    )
    CHROMIUM = ("Chromium", "apt-get install chromium", lambda: chromium() is not None)

    def __init__(self, what: str, remedy: str, is_met: Callable[[], bool]) -> None:
        self.what = what
        self.remedy = remedy
        self.is_met = is_met


def need(requirement: Requirement) -> None:
    """Return when the requirement is met; else skip the test, or fail it where the environment's CI is `true`."""
    if requirement.is_met():
        return
    reason = f"this test needs {requirement.what}; enable it with: {requirement.remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
