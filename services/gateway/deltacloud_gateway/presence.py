"""Whether the client is still there: what it no longer waits for need not be waited for here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request

T = TypeVar("T")

UNWATCHED_S = 0.1
"""Most calls are answered sooner, and go without the watch's cost."""


class ClientGone(Exception):
    """The client hung up before there was an answer; nobody is left to tell."""


async def while_there(request: Request, work: Awaitable[T]) -> T:
    """Return what some work returns, and give it up when the client hangs up.

    Args:
        request: the client's request; what is left of its body is thrown away.
        work: the work; it is cancelled then.

    Raises:
        ClientGone: the client hung up.
    """
    working = asyncio.current_task()
    assert working is not None
    others = working.cancelling()
    watching: asyncio.Task[None] | None = None
    is_gone = is_over = False

    def give_up(watch: asyncio.Task[None]) -> None:
        nonlocal is_gone
        if not watch.cancelled() and watch.exception() is None and not is_over:
            is_gone = True
            working.cancel()

    def watch() -> None:
        nonlocal watching
        watching = asyncio.create_task(_hung_up(request))
        watching.add_done_callback(give_up)

    timer = asyncio.get_running_loop().call_later(UNWATCHED_S, watch)
    try:
        return await work
    except asyncio.CancelledError:
        if is_gone and working.cancelling() == others + 1:
            raise ClientGone from None
        raise
    finally:
        is_over = True
        timer.cancel()
        if watching is not None:
            watching.cancel()
        if is_gone:
            working.uncancel()


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
