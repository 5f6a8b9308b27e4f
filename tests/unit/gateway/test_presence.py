"""A client that hangs up is not worked for any longer, and one that stays is served whatever else happens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import Request

from deltacloud_gateway import presence
from deltacloud_gateway.presence import ClientGone, while_there

Receive = Callable[[], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _watched_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "UNWATCHED_S", 0)


def _request(receive: Receive) -> Request:
    return Request({"type": "http", "headers": []}, receive)


async def _stays() -> Any:
    return await asyncio.Future()


async def _leaves() -> Any:
    return {"type": "http.disconnect"}


def test_what_a_client_that_stays_asked_for_is_returned() -> None:
    async def work() -> str:
        await asyncio.sleep(0.02)
        return "done"

    assert asyncio.run(while_there(_request(_stays), work())) == "done"


def test_what_a_client_that_stays_asked_for_may_fail() -> None:
    async def work() -> str:
        await asyncio.sleep(0.02)
        raise KeyError("lost")

    with pytest.raises(KeyError):
        asyncio.run(while_there(_request(_stays), work()))


def test_the_rest_of_a_body_does_not_count_as_hanging_up() -> None:
    pieces = [{"type": "http.request", "body": b"x", "more_body": True}] * 3
    drained = asyncio.Event()

    async def receive() -> Any:
        if pieces:
            return pieces.pop()
        drained.set()
        return await asyncio.Future()

    async def work() -> str:
        await drained.wait()
        await asyncio.sleep(0.01)
        return "done"

    assert asyncio.run(while_there(_request(receive), work())) == "done"


def test_work_for_a_client_that_leaves_is_cancelled_and_the_task_goes_on() -> None:
    cancelled: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def run() -> int:
        with pytest.raises(ClientGone):
            await while_there(_request(_leaves), work())
        await asyncio.sleep(0.01)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(run()) == 0
    assert cancelled == [True]


def test_a_server_that_ends_cancels_the_work_as_ever() -> None:
    async def run() -> None:
        task = asyncio.create_task(while_there(_request(_stays), asyncio.sleep(60)))
        await asyncio.sleep(0.02)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_a_watch_that_breaks_ends_nothing() -> None:
    async def receive() -> Any:
        raise RuntimeError("no more")

    async def work() -> str:
        await asyncio.sleep(0.02)
        return "done"

    assert asyncio.run(while_there(_request(receive), work())) == "done"


def test_a_client_that_leaves_in_the_moment_of_the_answer_disturbs_nothing_later() -> None:
    async def run() -> str:
        moment = asyncio.Event()

        async def receive() -> Any:
            await moment.wait()
            return {"type": "http.disconnect"}

        async def work() -> str:
            await asyncio.sleep(0.02)
            moment.set()
            return "done"

        answer = await while_there(_request(receive), work())
        await asyncio.sleep(0.02)
        return answer

    assert asyncio.run(run()) == "done"
