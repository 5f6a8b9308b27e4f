"""What the compose stack's first start makes; what the broker does with it is tried in the stack itself."""

import importlib.util
import json
import re
import stat
from pathlib import Path

import pytest

from deltacloud.providers.picture import SealingKey
from deltacloud.rpc.seal import Opener, Sealer, load_or_create_keys

SCRIPT = Path(__file__).resolve().parents[2] / "deploy/setup.py"


@pytest.fixture
def setup(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("deploy_setup", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    for folder in (*module.SERVICES, "broker"):
        (tmp_path / folder).mkdir()
    return module


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_each_service_gets_its_own_secret_and_the_workers_one_key(setup, tmp_path):
    setup.main()

    made = contents(tmp_path)
    assert set(made) == {
        *(f"{service}/broker" for service in setup.SERVICES),
        "compute/sealing-key",
        "storage/sealing-key",
        "broker/definitions.json",
    }
    assert len({made[f"{service}/broker"] for service in setup.SERVICES}) == len(setup.SERVICES)
    assert made["compute/sealing-key"] == made["storage/sealing-key"]
    keys: tuple[SealingKey, ...] = Opener(load_or_create_keys(tmp_path / "compute/sealing-key")).public_keys
    assert Sealer(keys).key_id == keys[0].id


def test_a_secret_is_for_its_owner_to_read_alone(setup, tmp_path):
    setup.main()

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*/*") if path.name != "definitions.json"}
    assert modes == {0o400}


def test_no_password_is_in_what_the_broker_reads(setup, tmp_path):
    setup.main()

    definitions = (tmp_path / "broker/definitions.json").read_text()
    for service in setup.SERVICES:
        password = re.match(r"amqp://[a-z]+:([^@]+)@", (tmp_path / service / "broker").read_text())
        assert password
        assert password[1] not in definitions
    assert {user["name"] for user in json.loads(definitions)["users"]} == set(setup.SERVICES)


def test_what_is_there_is_kept(setup, tmp_path):
    setup.main()
    made = contents(tmp_path)

    setup.main()

    assert contents(tmp_path) == made


def test_what_an_interrupted_start_left_behind_is_replaced(setup, tmp_path):
    left = tmp_path / "client/broker.new"
    left.write_text("half a lin")
    left.chmod(0o444)

    setup.main()

    made = tmp_path / "client/broker"
    assert made.read_text().startswith("amqp://client:")
    assert stat.S_IMODE(made.stat().st_mode) == 0o400
    assert not left.exists()
