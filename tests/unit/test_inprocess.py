"""What only the transport of one process can promise; what it shares with RabbitMQ is in the integration tests."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from deltacloud.errors import DeadlineExceeded, Overloaded
from deltacloud.models import Key, Realm
from deltacloud.rpc.context import Context
from deltacloud.rpc.inprocess import InProcessTransport
from harness.gated_cloud import GatedCloud, dispatcher
from harness.waiting import wait_until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def call(transport: InProcessTransport, service: str, method: str, deadline_s: float = 10, **parameters: Any) -> Any:
    return transport.call(service, method, Context(deadline=time.time() + deadline_s), parameters)


async def test_a_create_that_waited_for_a_thread_in_vain_is_known_not_to_have_started() -> None:
    cloud = GatedCloud()
    transport = InProcessTransport({"compute.a": dispatcher(cloud)}, threads=1)
    first = asyncio.ensure_future(call(transport, "compute.a", "create_key", name="first"))
    await asyncio.to_thread(wait_until, lambda: cloud.started, "the first to start")
    with pytest.raises(DeadlineExceeded, match="waiting for a free thread; nothing was started"):
        await call(transport, "compute.a", "create_key", 0.2, name="second")
    cloud.gate.set()
    assert await first == Key(id="first")
    assert await call(transport, "compute.a", "get_realm", id="r")
    assert cloud.started == ["create_key"]
    await transport.close()


async def test_a_cloud_that_hangs_takes_nothing_from_another() -> None:
    hanging, well = GatedCloud(), GatedCloud()
    transport = InProcessTransport(
        {"compute.hanging": dispatcher(hanging), "compute.well": dispatcher(well)}, threads=5, max_in_flight=10
    )
    held = [asyncio.ensure_future(call(transport, "compute.hanging", "get_image", 30, id="i")) for _ in range(10)]
    await asyncio.to_thread(wait_until, lambda: len(hanging.started) == 5, "the threads to be taken")
    took = []
    for _ in range(20):
        begin = time.perf_counter()
        await call(transport, "compute.well", "get_realm", id="r")
        took.append(time.perf_counter() - begin)
    assert sorted(took)[10] < 0.05
    hanging.gate.set()
    await asyncio.gather(*held)
    await transport.close()


async def test_calls_whose_callers_are_gone_count_as_long_as_they_run() -> None:
    cloud = GatedCloud()
    transport = InProcessTransport({"compute.a": dispatcher(cloud)}, threads=2, max_in_flight=4)
    gone = [call(transport, "compute.a", "get_image", 0.2, id="i") for _ in range(4)]
    endings = await asyncio.gather(*gone, return_exceptions=True)
    assert {type(ending) for ending in endings} == {DeadlineExceeded}
    with pytest.raises(Overloaded):
        await call(transport, "compute.a", "get_realm", id="r")
    cloud.gate.set()

    async def answers() -> None:
        while True:
            try:
                assert await call(transport, "compute.a", "get_realm", id="r") == Realm(id="r", name="none")
            except Overloaded:
                await asyncio.sleep(0.01)
            else:
                return

    await asyncio.wait_for(answers(), 10)
    await transport.close()


async def test_closing_lets_the_calls_in_hand_finish() -> None:
    cloud = GatedCloud()
    transport = InProcessTransport({"compute.a": dispatcher(cloud)})
    held = asyncio.ensure_future(call(transport, "compute.a", "create_key", name="k"))
    await asyncio.to_thread(wait_until, lambda: cloud.started, "the call to start")
    await transport.close()
    cloud.gate.set()
    assert await held == Key(id="k")


async def test_no_thread_is_made_before_the_first_call() -> None:
    before = threading.active_count()
    transport = InProcessTransport({f"compute.c{n}": dispatcher(GatedCloud()) for n in range(20)})
    assert threading.active_count() == before
    await transport.close()


def test_an_answer_that_comes_after_the_loop_has_ended_harms_nothing() -> None:
    cloud = GatedCloud()
    transport = InProcessTransport({"compute.a": dispatcher(cloud)})

    async def give_up() -> None:
        with pytest.raises(DeadlineExceeded):
            await call(transport, "compute.a", "get_image", 0.1, id="i")

    asyncio.run(give_up())
    cloud.gate.set()

    async def again() -> Any:
        return await call(transport, "compute.a", "get_realm", id="r")

    assert asyncio.run(again()) == Realm(id="r", name="none")
