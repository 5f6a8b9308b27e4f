"""What holds of every way a call travels: threads of one process, the same through bytes, and RabbitMQ."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from deltacloud.errors import (
    BackendError,
    BrokerUnavailable,
    DeadlineExceeded,
    DeltacloudError,
    InvalidParameters,
    NotFound,
    NoWorker,
    OutcomeUnknown,
    Overloaded,
    UnknownMethod,
)
from deltacloud.models import Image, Key, Page, Realm
from deltacloud.rpc import edge
from deltacloud.rpc.amqp import AmqpTransport
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.inprocess import InProcessTransport
from deltacloud.rpc.transport import Transport
from harness.amqp_peer import Peer
from harness.gated_cloud import CANARY, GatedCloud, dispatcher
from harness.waiting import wait_until

pytestmark = pytest.mark.anyio
GATED = "compute.gated"
LIMIT = 4


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Way(msgspec.Struct):
    """A transport and the cloud at its other end."""

    transport: Transport
    cloud: GatedCloud

    async def call(self, method: str, deadline_s: float = 10, service: str = GATED, **parameters: Any) -> Any:
        context = Context(deadline=time.time() + deadline_s, request_id="request-1", provider="somewhere")
        return await self.transport.call(service, method, context, parameters)


@asynccontextmanager
async def in_process(cloud: GatedCloud, *, encode: bool) -> AsyncIterator[Transport]:
    transport = InProcessTransport({GATED: dispatcher(cloud)}, encode=encode, max_in_flight=LIMIT)
    yield transport
    await transport.close()


@asynccontextmanager
async def over_rabbitmq(cloud: GatedCloud, url: str) -> AsyncIterator[Transport]:
    callee = dispatcher(cloud)
    with Peer(url, GATED, lambda call: edge.answer(callee, call.method, call.body)):
        async with AmqpTransport(url, allow_plain=True, max_in_flight=LIMIT) as transport:
            assert await transport.wait_ready(10)
            yield transport


@pytest.fixture(params=["in process", "in process, encoded", pytest.param("rabbitmq", marks=pytest.mark.integration)])
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    cloud = GatedCloud()
    if request.param == "rabbitmq":
        url = request.getfixturevalue("broker").url(request.getfixturevalue("vhost"))
        carrying = over_rabbitmq(cloud, url)
    else:
        carrying = in_process(cloud, encode=request.param.endswith("encoded"))
    async with carrying as transport:
        try:
            yield Way(transport, cloud)
        finally:
            cloud.gate.set()


async def wait_for_start(way: Way, calls: int) -> None:
    await asyncio.to_thread(wait_until, lambda: len(way.cloud.started) >= calls, f"{calls} calls to start")


async def test_a_list_comes_back_as_a_page_of_records(way: Way) -> None:
    assert await way.call("list_realms", limit=1) == Page(items=[Realm(id="north", name="North")], next="north")


async def test_a_record_comes_back_as_its_type(way: Way) -> None:
    assert await way.call("get_realm", id="här/ü") == Realm(id="här/ü", name="somewhere")


async def test_an_operation_that_answers_nothing_returns_none(way: Way) -> None:
    assert await way.call("destroy_image", id="i1") is None


async def test_the_context_reaches_the_driver(way: Way) -> None:
    context = Context(
        deadline=time.time() + 10, credentials=CarriedCredentials(user="ada", password=CANARY), provider="p"
    )
    page = await way.transport.call(GATED, "list_keys", context, {})
    assert page.items == [Key(id="ada")]


async def test_an_error_comes_back_as_its_class_with_driver_and_provider(way: Way) -> None:
    with pytest.raises(NotFound, match="Realm 'missing' does not exist") as caught:
        await way.call("get_realm", id="missing")
    assert (caught.value.driver, caught.value.provider) == ("gated", "somewhere")


async def test_a_defect_comes_back_as_a_backend_error_that_names_the_request_alone(way: Way) -> None:
    with pytest.raises(BackendError, match="request-1") as caught:
        await way.call("get_realm", id="broken")
    assert CANARY not in str(caught.value.to_record())


async def test_an_unknown_parameter_is_refused(way: Way) -> None:
    with pytest.raises(InvalidParameters, match="no parameter 'colour'"):
        await way.call("list_realms", colour="red")


async def test_an_unknown_method_is_refused(way: Way) -> None:
    with pytest.raises(UnknownMethod, match=r"compute\.gated has no method 'paint_realm'"):
        await way.call("paint_realm")


async def test_a_service_nobody_serves_is_known_in_less_than_a_tenth_of_a_second(way: Way) -> None:
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        with pytest.raises(NoWorker, match=r"serves compute\.absent; nothing was started") as caught:
            await way.call("list_realms", service="compute.absent")
        took.append(time.perf_counter() - begin)
        assert caught.value.driver == "absent"
        assert caught.value.retry_after_s
    assert sorted(took)[2] < 0.1


@pytest.mark.parametrize(
    ("method", "parameters", "ending"),
    [
        ("get_image", {"id": "i"}, DeadlineExceeded),
        ("destroy_key", {"id": "k"}, DeadlineExceeded),
        ("create_key", {"name": "k"}, OutcomeUnknown),
    ],
)
async def test_a_call_without_an_answer_ends_at_its_deadline(
    way: Way, method: str, parameters: dict[str, str], ending: type[DeltacloudError]
) -> None:
    begin = time.perf_counter()
    with pytest.raises(ending, match=method) as caught:
        await way.call(method, deadline_s=0.5, **parameters)
    assert 0.4 < time.perf_counter() - begin < 1.5
    assert (caught.value.driver, caught.value.provider) == ("gated", "somewhere")
    assert way.cloud.started == [method]


async def test_an_unknown_outcome_says_where_to_look(way: Way) -> None:
    with pytest.raises(OutcomeUnknown, match="Look at GET /api/keys before repeating it"):
        await way.call("create_key", deadline_s=0.3, name="k")


async def test_a_late_reply_harms_nothing(way: Way) -> None:
    with pytest.raises(DeadlineExceeded):
        await way.call("get_image", deadline_s=0.3, id="late")
    way.cloud.gate.set()
    answers = await asyncio.gather(*(way.call("get_image", id=f"i{n}") for n in range(3)))
    assert answers == [Image(id=f"i{n}") for n in range(3)]


async def test_a_call_whose_deadline_has_passed_is_not_started(way: Way) -> None:
    with pytest.raises(DeadlineExceeded, match="nothing was started"):
        await way.call("create_key", deadline_s=-1, name="k")
    await way.call("list_realms")
    assert way.cloud.started == []


async def test_a_call_without_a_deadline_is_a_defect_of_the_caller(way: Way) -> None:
    with pytest.raises(ValueError, match="deadline"):
        await way.transport.call(GATED, "list_realms", Context(), {})


async def test_calls_at_once_get_each_their_own_answer(way: Way) -> None:
    async def some(caller: int) -> list[str]:
        return [(await way.call("get_realm", id=f"{caller}-{n}")).id for n in range(25)]

    answers = await asyncio.gather(*(some(caller) for caller in range(LIMIT)))
    assert answers == [[f"{caller}-{n}" for n in range(25)] for caller in range(LIMIT)]


async def test_more_calls_than_allowed_are_refused_and_other_services_are_not(way: Way) -> None:
    held = [asyncio.ensure_future(way.call("get_image", id=f"i{n}")) for n in range(LIMIT)]
    await wait_for_start(way, LIMIT)
    with pytest.raises(Overloaded, match=rf"{LIMIT} calls to compute\.gated.*nothing was started"):
        await way.call("list_realms")
    with pytest.raises(NoWorker):
        await way.call("list_realms", service="compute.absent")
    way.cloud.gate.set()
    await asyncio.gather(*held)
    assert await way.call("get_realm", id="again")


async def test_a_caller_that_goes_away_harms_nothing(way: Way) -> None:
    held = asyncio.ensure_future(way.call("get_image", id="gone"))
    await wait_for_start(way, 1)
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    assert await way.call("get_realm", id="here") == Realm(id="here", name="somewhere")


async def test_a_closed_transport_is_not_ready_and_starts_nothing(way: Way) -> None:
    before = way.transport.is_ready
    await way.transport.close()
    assert (before, way.transport.is_ready) == (True, False)
    with pytest.raises(BrokerUnavailable, match="nothing was started"):
        await way.call("create_key", name="k")
    assert way.cloud.started == []
