"""One request, four ways to send it: bare AMQP, a nameko service, our client library, HTTP."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deltacloud.errors import DeltacloudError
from deltacloud.models import Instance, Page
from deltacloud.rpc.client import RpcClient
from harness import processes
from harness.bare_caller import BareCaller
from harness.fleet import MOCK_PASSWORD, MOCK_USER, Fleet, Http, knows, ready

pytestmark = pytest.mark.integration

TESTS = Path(__file__).parents[2]
COMPUTE = "compute.mock"
INSTANCE = "inst1"
MISSING = "inst-that-is-not"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def fleet(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    plain = {"DELTACLOUD_ALLOW_PLAIN_CREDENTIALS": "true"}
    with Fleet(broker_url, tmp_path_factory.mktemp("fleet"), env=plain) as made:
        ready(made.gateway(), made.registry(), made.compute())
        knows(Http(made.members[0].url), "mock")
        yield made


def context(password: str = MOCK_PASSWORD) -> dict[str, Any]:
    return {"credentials": {"user": MOCK_USER, "password": password}, "deadline": time.time() + 20}


@pytest.fixture(scope="module")
def library(fleet: Fleet) -> Iterator[RpcClient]:
    with RpcClient(fleet.broker) as client:
        yield client


@pytest.fixture(scope="module")
def bare(fleet: Fleet) -> Iterator[BareCaller]:
    with BareCaller(fleet.broker) as caller:
        yield caller


@pytest.fixture(scope="module")
def nameko(fleet: Fleet, bare: BareCaller) -> Iterator[Ask]:
    """Ask a nameko service, which asks our worker."""
    command = [str(Path(sys.executable).with_name("nameko")), "run", "--broker", fleet.broker]
    log, env = fleet.folder / "billing.log", {"PYTHONPATH": str(TESTS)}
    started = processes.logs("Connected to amqp")
    with processes.start([*command, "integration.wire.billing"], log=log, env=env, until=started):

        def ask(method: str, /, **parameters: Any) -> Any:
            reply = bare.call("billing", "ask", method=method, parameters={"context": context(), **parameters})
            assert reply["error"] is None
            return reply["result"]

        yield ask


@pytest.fixture(scope="module")
def record(library: RpcClient) -> Instance:
    """The record as our client library gives it."""
    found = library.call(COMPUTE, "get_instance", user=MOCK_USER, password=MOCK_PASSWORD, id=INSTANCE)
    assert isinstance(found, Instance)
    assert found.id == INSTANCE
    return found


def test_a_bare_amqp_client_gets_the_record_that_the_library_gives(bare: BareCaller, record: Instance) -> None:
    reply = bare.call(COMPUTE, "get_instance", context=context(), id=INSTANCE)
    assert reply["error"] is None
    assert msgspec.convert(reply["result"], Instance) == record


def test_a_nameko_service_gets_the_record_that_the_library_gives(nameko: Ask, record: Instance) -> None:
    assert msgspec.convert(nameko("get_instance", id=INSTANCE), Instance) == record


def test_http_shows_the_record_that_the_library_gives(http: Http, record: Instance) -> None:
    shown = http.get(f"instances/{INSTANCE}").json()["instance"]
    assert (shown["id"], shown["name"], shown["owner"], shown["state"]) == (
        record.id,
        record.name,
        record.owner_id,
        record.state,
    )
    assert shown["image"]["id"] == record.image_id
    assert shown["realm"]["id"] == record.realm_id
    assert shown["hardware_profile"]["id"] == record.hardware_profile_id
    assert [each["address"] for each in shown["public_addresses"]] == [each.id for each in record.public_addresses]
    assert {each["rel"] for each in shown["actions"]} >= set(record.actions)


def test_all_four_get_the_same_list(bare: BareCaller, nameko: Ask, library: RpcClient, http: Http) -> None:
    page = library.call(COMPUTE, "list_realms", user=MOCK_USER, password=MOCK_PASSWORD)
    assert len(page.items) > 1
    plain = msgspec.to_builtins(Page(items=page.items))
    assert bare.call(COMPUTE, "list_realms", context=context())["result"]["items"] == plain["items"]
    assert nameko("list_realms")["items"] == plain["items"]
    assert [each["id"] for each in http.get("realms").json()["realms"]] == [each.id for each in page.items]


def test_all_four_hear_of_the_same_error(bare: BareCaller, nameko: Ask, library: RpcClient, http: Http) -> None:
    with pytest.raises(DeltacloudError) as caught:
        library.call(COMPUTE, "get_instance", user=MOCK_USER, password=MOCK_PASSWORD, id=MISSING)
    assert caught.value.code == "not_found"
    error = bare.call(COMPUTE, "get_instance", context=context(), id=MISSING)["error"]
    assert (error["code"], error["message"], error["driver"]) == ("not_found", caught.value.message, "mock")
    assert nameko("get_instance", id=MISSING) == {"code": "not_found", "message": caught.value.message}
    answer = http.get(f"instances/{MISSING}")
    assert (answer.status_code, answer.json()["message"]) == (404, caught.value.message)


def test_a_wrong_password_is_refused_whatever_the_way(fleet: Fleet, bare: BareCaller, library: RpcClient) -> None:
    with pytest.raises(DeltacloudError) as caught:
        library.call(COMPUTE, "list_instances", user=MOCK_USER, password="wrong")
    assert caught.value.code == "authentication_failed"
    assert bare.call(COMPUTE, "list_instances", context=context("wrong"))["error"]["code"] == "authentication_failed"
    assert Http(fleet.members[0].url, password="wrong").get("instances").status_code == 401


def test_a_machine_made_by_one_is_found_by_the_others(
    bare: BareCaller, nameko: Ask, library: RpcClient, http: Http
) -> None:
    made = bare.call(COMPUTE, "create_instance", context=context(), image_id="img1", name="from amqp")["result"]
    assert nameko("get_instance", id=made["id"])["name"] == "from amqp"
    assert library.call(COMPUTE, "get_instance", user=MOCK_USER, password=MOCK_PASSWORD, id=made["id"]).name == (
        "from amqp"
    )
    assert http.get(f"instances/{made['id']}").json()["instance"]["name"] == "from amqp"
