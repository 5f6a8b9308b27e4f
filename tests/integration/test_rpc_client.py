"""The client that other services use, against a bare worker on a real RabbitMQ."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from deltacloud.errors import BrokerUnavailable, NotFound, NoWorker, OutcomeUnknown
from deltacloud.models import Key, Page, Realm
from deltacloud.providers.picture import Picture
from deltacloud.rpc import edge
from deltacloud.rpc.client import AsyncRpcClient, RpcClient
from deltacloud.rpc.envelope import decode_call, encode_result
from deltacloud.rpc.seal import Opener, new_key
from harness.amqp_peer import Peer
from harness.gated_cloud import CANARY, GatedCloud, dispatcher
from harness.waiting import wait_until

if TYPE_CHECKING:
    from harness.broker import Broker

pytestmark = pytest.mark.integration
GATED = "compute.gated"


@pytest.fixture
def url(broker: Broker, vhost: str) -> str:
    return broker.url(vhost)


@pytest.fixture
def cloud() -> Iterator[GatedCloud]:
    made = GatedCloud()
    yield made
    made.gate.set()


@pytest.fixture
def worker(url: str, cloud: GatedCloud) -> Iterator[Peer]:
    """A worker that only opens sealed credentials, and a registry that knows its key."""
    opener = Opener([new_key()])
    callee, picture = dispatcher(cloud, opener), encode_result(Picture(issued_at=1, sealing_keys=opener.public_keys))
    with (
        Peer(url, "registry", lambda _: picture),
        Peer(url, GATED, lambda call: edge.answer(callee, call.method, call.body)) as peer,
    ):
        yield peer


def test_the_first_call_of_a_new_client_is_answered_with_typed_records(url: str, worker: Peer) -> None:
    with RpcClient(url) as client:
        assert client.call(GATED, "list_realms", limit=1).items == [Realm(id="north", name="North")]
        assert client.call(GATED, "get_realm", provider="there", id="r") == Realm(id="r", name="there")


def test_credentials_are_sealed_without_the_callers_doing(url: str, worker: Peer) -> None:
    with RpcClient(url) as client:
        assert client.call(GATED, "list_keys", user="ada", password=CANARY) == Page(items=[Key(id="ada")])
        assert client.picture.sealing_keys
    assert CANARY.encode() not in worker.received[0].body


def test_parameters_with_the_name_of_an_argument_go_in_the_mapping(url: str) -> None:
    with Peer(url, "compute.x", lambda _: encode_result(None)) as peer, RpcClient(url, allow_plain=True) as client:
        client.call("compute.x", "destroy_image", {"password": "inner"}, user="u", password="outer", id="i")
    context, parameters = decode_call(peer.received[0].body)
    assert parameters == {"password": "inner", "id": "i"}
    assert context.credentials
    assert context.credentials.password == "outer"


def test_every_call_has_a_request_id_and_an_idempotency_key_of_its_own(url: str, worker: Peer) -> None:
    with RpcClient(url) as client:
        client.call(GATED, "list_realms")
        client.call(GATED, "list_realms")
        client.call(GATED, "list_realms", request_id="mine", idempotency_key="once")
    contexts = [decode_call(call.body)[0] for call in worker.received]
    assert len({context.request_id for context in contexts}) == 3
    assert len({context.idempotency_key for context in contexts}) == 3
    assert (contexts[2].request_id, contexts[2].idempotency_key) == ("mine", "once")


def test_errors_are_raised_in_the_callers_thread(url: str, worker: Peer) -> None:
    with RpcClient(url) as client:
        with pytest.raises(NotFound, match="does not exist"):
            client.call(GATED, "get_realm", id="missing")
        with pytest.raises(NoWorker):
            client.call("storage.absent", "list_buckets")


def test_a_call_ends_by_the_callers_deadline(url: str, worker: Peer) -> None:
    with RpcClient(url, deadline_s=0.4) as client:
        begin = time.perf_counter()
        with pytest.raises(OutcomeUnknown):
            client.call(GATED, "create_key", name="k")
        assert 0.3 < time.perf_counter() - begin < 2


def test_one_client_serves_many_threads_at_once(url: str, worker: Peer) -> None:
    with RpcClient(url) as client, ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda n: client.call(GATED, "get_realm", id=f"r{n}").id, range(200))
        assert list(answers) == [f"r{n}" for n in range(200)]


def test_closing_ends_the_calls_of_other_threads_and_leaves_no_thread(
    url: str, worker: Peer, cloud: GatedCloud
) -> None:
    client = RpcClient(url)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(client.call, GATED, "get_image", id="i")
        wait_until(lambda: cloud.started, "the call to start")
        client.close()
        with pytest.raises(BrokerUnavailable):
            held.result(10)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.call(GATED, "list_realms")
    assert not [thread for thread in threading.enumerate() if thread.name == "deltacloud-rpc"]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_program_on_asyncio_calls_without_a_thread(url: str, worker: Peer, anyio_backend: str) -> None:
    del anyio_backend
    async with AsyncRpcClient(url) as client:
        assert (await client.call(GATED, "get_realm", id="r")).id == "r"
        assert "deltacloud-rpc" not in {thread.name for thread in threading.enumerate()}
