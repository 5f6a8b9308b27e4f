"""Who may import whom: the rules of `pyproject.toml`, and what each distribution really loads."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOUD_SDKS = {"boto3", "botocore"}
WORKER_SIDE = {"nameko", "kombu", "eventlet"}
WEB = {"starlette", "granian", "aiohttp", "jinja2"}
SERVICES = {"deltacloud_gateway", "deltacloud_compute", "deltacloud_storage", "deltacloud_registry", "deltacloudd"}
LOADED = """
import importlib, pkgutil, sys

def load(name):
    if name.endswith("__main__") or name in sys.argv[2:]:
        return
    module = importlib.import_module(name)
    for child in pkgutil.iter_modules(getattr(module, "__path__", ())):
        load(f"{name}.{child.name}")

load(sys.argv[1])
print("\\n".join({name.partition(".")[0] for name in sys.modules}))
"""


def loaded_by(package: str, *without: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after importing all of `package`."""
    command = [sys.executable, "-W", "ignore", "-c", LOADED, package, *without]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split())


def test_the_declared_rules_hold():
    checker = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([checker], capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("deltacloud_gateway", CLOUD_SDKS | WORKER_SIDE | SERVICES - {"deltacloud_gateway"}),
        ("deltacloud_compute", CLOUD_SDKS | WEB | SERVICES - {"deltacloud_compute"}),
        ("deltacloud_storage", CLOUD_SDKS | WEB | SERVICES - {"deltacloud_storage"}),
        ("deltacloud_registry", CLOUD_SDKS | WEB | SERVICES - {"deltacloud_registry"}),
        ("deltacloudd", CLOUD_SDKS | WORKER_SIDE),
    ],
)
def test_a_distribution_loads_nothing_that_is_another_part_s(package, never):
    assert not loaded_by(package) & never


def test_the_contract_loads_no_service_and_outside_its_worker_side_no_nameko():
    used_by_its_drivers = "deltacloud.drivers.aws"
    without = ("deltacloud.rpc.worker", "deltacloud.testing", used_by_its_drivers)

    assert not loaded_by("deltacloud", *without) & (SERVICES | WORKER_SIDE | CLOUD_SDKS | WEB | {"pytest"})
