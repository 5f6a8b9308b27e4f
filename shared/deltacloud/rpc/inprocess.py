"""The transport of one process: the same calls to the same operations, carried by threads and by no broker."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Mapping
from typing import Any

from deltacloud.catalogue import Operation
from deltacloud.errors import BrokerUnavailable, DeltacloudError
from deltacloud.rpc import edge
from deltacloud.rpc.context import Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.endings import (
    MAX_IN_FLIGHT,
    deadline_of,
    located,
    no_worker,
    not_started,
    overloaded,
    unanswered,
)
from deltacloud.rpc.envelope import decode_reply, encode_call
from deltacloud.rpc.names import need_operation
from deltacloud.rpc.pool import Pool

THREADS = 100


class InProcessTransport:
    """A :class:`~deltacloud.rpc.transport.Transport` within the process. Each service has threads of its own.

    Args:
        services: what answers, by service; each key is the service's own name.
        encode: pass calls and replies through the bytes a broker would carry, so that what works here works there.
        threads: how many calls of one service run at once, at most; threads are made when needed.
        max_in_flight: how many calls of one service run or wait, at most; more are refused as ``overloaded``.
    """

    def __init__(
        self,
        services: Mapping[str, edge.Callee],
        *,
        encode: bool = False,
        threads: int = THREADS,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._services = dict(services)
        self._pools = {service: Pool(service, threads) for service in services}
        self._encode = encode
        self._max_in_flight = max_in_flight
        self._is_open = True

    @property
    def is_ready(self) -> bool:
        """Whether calls can be carried: until it is closed."""
        return self._is_open

    async def call(self, service: str, method: str, context: Context, parameters: Mapping[str, Any]) -> Any:
        """Run an operation in a thread and return what it answers; see :class:`~deltacloud.rpc.transport.Transport`."""
        operation = need_operation(service, method)
        with located(service, context):
            deadline = deadline_of(context)
            pool = self._pool(service)
            callee = self._services[service]
            if self._encode:
                body = encode_call(context, parameters)
                reply = await _run(pool, lambda: edge.answer(callee, method, body), operation, service, deadline)
                return decode_reply(operation, reply)
            return await _run(pool, lambda: edge.run(callee, method, context, parameters), operation, service, deadline)

    async def close(self) -> None:
        """Take no more calls; those in hand run to their end."""
        self._is_open = False
        for pool in self._pools.values():
            pool.close()

    def _pool(self, service: str) -> Pool:
        if not self._is_open:
            raise BrokerUnavailable("The server is shutting down; nothing was started.")
        pool = self._pools.get(service)
        if pool is None:
            raise no_worker(service)
        if pool.load >= self._max_in_flight:
            raise overloaded(service, self._max_in_flight)
        return pool


async def _run(pool: Pool, work: Callable[[], Any], operation: Operation, service: str, deadline: Deadline) -> Any:
    """Return or raise what the work does in a thread, or end at the deadline without it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def job() -> Callable[[], None]:
        try:
            deliver = functools.partial(_settle, future, work(), None)
        except DeltacloudError as error:
            deliver = functools.partial(_settle, future, None, error)
        return functools.partial(_tell, loop, deliver)

    task = pool.submit(job)
    try:
        async with asyncio.timeout(deadline.remaining_s):
            return await future
    except TimeoutError:
        if task.cancel():
            raise not_started(operation, service, "while waiting for a free thread") from None
        raise unanswered(operation, service) from None
    except asyncio.CancelledError:
        task.cancel()
        raise


def _tell(loop: asyncio.AbstractEventLoop, deliver: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
        loop.call_soon_threadsafe(deliver)


def _settle(future: asyncio.Future[Any], result: Any, error: DeltacloudError | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
