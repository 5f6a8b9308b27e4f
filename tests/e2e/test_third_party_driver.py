"""Adding a cloud is `pip install` of somebody's package; nothing of ours changes."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from harness.ports import free_port
from harness.processes import answers, start

ACME = Path(__file__).resolve().parents[1] / "third_party/acme"
LOGIN = ("coyote", "beep")
HEADERS = {"Accept": "application/json", "X-Deltacloud-Driver": "acme"}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The all-in-one server, in whose environment the package was installed."""
    site = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--target", str(site), str(ACME)], check=True)
    port = free_port()
    folder = tmp_path_factory.mktemp("acme")
    address = f"http://127.0.0.1:{port}"
    with start(
        [sys.executable, "-m", "deltacloudd", "-r", "127.0.0.1", "-p", str(port)],
        log=folder / "log",
        env={"PYTHONPATH": str(site), "DELTACLOUD_MOCK_STORAGE": str(folder / "mock")},
        until=answers(f"{address}/health/ready"),
    ):
        yield address


def test_an_installed_package_is_listed_with_its_providers(url):
    driver = requests.get(f"{url}/api/drivers/acme", headers=HEADERS, timeout=10).json()["driver"]

    assert driver["name"] == "Acme Cloud"
    assert (driver["username"], driver["password"]) == ("Member", "Badge")


def test_its_collections_are_those_it_implements(url):
    links = requests.get(f"{url}/api", headers=HEADERS, timeout=10).json()["api"]["links"]

    assert [link["rel"] for link in links] == ["drivers", "instance_states", "instances", "realms"]


def test_its_machines_are_driven_over_http(url):
    instances = requests.get(f"{url}/api/instances", headers=HEADERS, auth=LOGIN, timeout=10).json()["instances"]

    assert [instance["id"] for instance in instances] == ["one", "two"]


def test_the_provider_named_by_the_caller_reaches_it(url):
    chosen = {**HEADERS, "X-Deltacloud-Provider": "COAST"}
    realm = requests.get(f"{url}/api/realms", headers=chosen, auth=LOGIN, timeout=10).json()["realms"][0]

    assert "coast" in realm["name"].lower()


def test_its_errors_are_told_like_ours(url):
    refused = requests.get(f"{url}/api/instances", headers=HEADERS, auth=("coyote", "honk"), timeout=10)
    absent = requests.get(f"{url}/api/instances/three", headers=HEADERS, auth=LOGIN, timeout=10)

    assert (refused.status_code, absent.status_code) == (401, 404)
    assert "no machine 'three'" in absent.json()["message"]


def test_what_it_does_not_implement_is_refused_by_name(url):
    refused = requests.post(f"{url}/api/instances/one/start", headers=HEADERS, auth=LOGIN, timeout=10)

    assert refused.status_code == 412
    assert refused.headers["Expect"] == "start_instance"
