"""Keeping a connection: connect, open the desk, and when it is lost begin again, for as long as it takes."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable

from pika.exceptions import AMQPError

from deltacloud.errors import BrokerUnavailable
from deltacloud.logging import get_logger
from deltacloud.rpc.amqp_desk import Desk
from deltacloud.rpc.amqp_wire import ChannelLost, Wire, connect, parameters_of
from deltacloud.rpc.endings import RETRY_AFTER_S

FIRST_DELAY_S = 0.05
LAST_DELAY_S = 1.0
OPEN_TIMEOUT_S = 10.0
WAIT_FOR_BROKER_S = 1.0
"""How long a call waits for a broker that is away, if its deadline allows."""
_LOG = get_logger()


class Link:
    """A connection that is kept up.

    Args:
        url: the broker's AMQP URL.
        name: who calls, for the names of queues.
        on_connected: run each time, with the new desk, beside the calls.
    """

    def __init__(self, url: str, name: str, on_connected: Callable[[Desk], Awaitable[None]]) -> None:
        self._parameters = parameters_of(url)
        self._where = f"{self._parameters.host}:{self._parameters.port}"
        self._name = name
        self._on_connected = on_connected
        self._desk: Desk | None = None
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def is_up(self) -> bool:
        """Whether there is a connection whose reply queue is consumed."""
        return self._desk is not None and self._desk.is_open

    def start(self) -> None:
        """Begin to connect; needs a running loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep())

    async def desk(self) -> Desk:
        """Return the present connection's desk, waiting a little for a broker that is away.

        Raises:
            BrokerUnavailable: there is none.
        """
        desk = self._desk
        if desk is not None and desk.is_open:
            return desk
        if self._is_closed:
            raise BrokerUnavailable("The server is shutting down; nothing was started.", retry_after_s=RETRY_AFTER_S)
        try:
            async with asyncio.timeout(WAIT_FOR_BROKER_S):
                return await self._next_desk()
        except TimeoutError:
            raise BrokerUnavailable(
                "The message broker cannot be reached; nothing was started.", retry_after_s=RETRY_AFTER_S
            ) from None

    async def wait_up(self) -> None:
        """Wait until the link is up."""
        await self._next_desk()

    async def close(self) -> None:
        """Close the connection and connect no more; calls in hand end as if the broker were lost."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _next_desk(self) -> Desk:
        while True:
            await self._connected.wait()
            if self._desk is not None and self._desk.is_open:
                return self._desk
            await asyncio.sleep(0)  # the desk has just gone; its keeper clears the event next

    async def _keep(self) -> None:
        delay, is_known_away = FIRST_DELAY_S, False
        while True:
            try:
                wire = await connect(self._parameters)
            except (AMQPError, OSError, TimeoutError) as error:
                if not is_known_away:
                    is_known_away = True
                    _LOG.warning("broker cannot be reached", broker=self._where, reason=type(error).__name__)
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects
                delay = min(2 * delay, LAST_DELAY_S)
                continue
            try:
                await self._use(wire)
                delay, is_known_away = FIRST_DELAY_S, False
            except (ChannelLost, TimeoutError) as error:
                _LOG.error("broker refused the reply queue", broker=self._where, reason=str(error))
                await asyncio.sleep(LAST_DELAY_S)
            finally:
                self._desk = None
                self._connected.clear()
                await wire.close()

    async def _use(self, wire: Wire) -> None:
        """Open the desk and return when the connection, or the desk's channel, is lost."""
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            desk = await Desk.open(wire, f"rpc.reply-{self._name}-{secrets.token_hex(8)}")
        self._desk = desk
        self._connected.set()
        _LOG.info("broker connected", broker=self._where)
        beside = asyncio.ensure_future(self._on_connected(desk))
        try:
            reason = await desk.lost
        finally:
            beside.cancel()
        _LOG.warning("broker lost", broker=self._where, reason=str(reason))
