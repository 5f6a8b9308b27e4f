"""Whether anybody serves a queue, asked of the broker without changing anything: a passive declaration.

A service's queue outlives its workers, so a published call could wait there for nobody. Calls that arrive while the
question for their service is out share its answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pika.exceptions import AMQPError

from deltacloud.errors import BrokerUnavailable
from deltacloud.rpc.amqp_wire import NOT_FOUND, ChannelLost, Lane, Wire
from deltacloud.rpc.endings import RETRY_AFTER_S, no_worker
from deltacloud.rpc.names import queue_of


class Presence:
    """Asks, on one connection. Each service that exists has a channel: a refused question closes its own alone."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._lanes: dict[str, Lane] = {}
        self._asking: dict[str, list[asyncio.Future[int]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def need(self, service: str) -> None:
        """Return if a worker consumes the service's queue now.

        Raises:
            NoWorker: none does, or there is no such queue.
            BrokerUnavailable: the broker refused to say, or was lost.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = self._asking.get(service)
        if waiting is not None:
            waiting.append(future)
        else:
            self._asking[service] = [future]
            self._ask(service)
        try:
            if await future == 0:
                raise no_worker(service)
        except ChannelLost as lost:
            raise BrokerUnavailable(
                f"The message broker did not say whether anybody serves {service}; nothing was started.",
                retry_after_s=RETRY_AFTER_S,
                details={} if lost.code is None else {"amqp": str(lost.code)},
            ) from None

    def _ask(self, service: str) -> None:
        lane = self._lanes.get(service)
        if lane is not None and lane.is_open:
            self._declare(service, lane)
            return
        task = asyncio.get_running_loop().create_task(self._open(service))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, service: str) -> None:
        try:
            lane = await self._wire.lane()
        except ChannelLost as lost:
            self._answer(service, lost)
            return
        self._lanes[service] = lane
        lane.on_lost(lambda lost: self._refused(service, lane, lost))
        self._declare(service, lane)

    def _declare(self, service: str, lane: Lane) -> None:
        def counted(frame: Any) -> None:
            self._answer(service, frame.method.consumer_count)

        try:
            lane.channel.queue_declare(queue_of(service), passive=True, callback=counted)
        except AMQPError as error:  # the channel went between two turns of the loop
            self._answer(service, ChannelLost(error))

    def _refused(self, service: str, lane: Lane, lost: ChannelLost) -> None:
        if self._lanes.get(service) is lane:
            del self._lanes[service]
        self._answer(service, 0 if lost.code == NOT_FOUND else lost)

    def _answer(self, service: str, answer: int | ChannelLost) -> None:
        for future in self._asking.pop(service, ()):
            if future.done():
                continue
            if isinstance(answer, ChannelLost):
                future.set_exception(answer)
            else:
                future.set_result(answer)
