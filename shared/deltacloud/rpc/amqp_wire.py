"""pika's asyncio adapter with futures in place of callbacks: one connection, and channels whose requests are awaited.

A request on a channel that is closed meanwhile ends with :class:`ChannelLost`, whoever closed it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.exceptions import AMQPError, ChannelClosed

ACCESS_REFUSED = 403
NOT_FOUND = 404
HEARTBEAT_S = 10
CONNECT_TIMEOUT_S = 5.0


class ChannelLost(Exception):
    """A channel is closed. ``code`` is AMQP's where the broker closed the channel itself, else ``None``."""

    def __init__(self, reason: BaseException) -> None:
        self.code: int | None = reason.reply_code if isinstance(reason, ChannelClosed) else None
        super().__init__(str(reason) or type(reason).__name__)


def parameters_of(url: str) -> pika.URLParameters:
    """Return the connection parameters of an AMQP URL, with a heartbeat and short time-outs unless it sets its own.

    Raises:
        ValueError: the URL cannot be read; the text does not repeat it, since it holds a password.
    """
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError, KeyError):
        raise ValueError("the broker's URL cannot be read; write amqp://user:password@host:5672/vhost") from None
    if parameters.heartbeat is None:
        parameters.heartbeat = HEARTBEAT_S
    parameters.socket_timeout = min(parameters.socket_timeout, CONNECT_TIMEOUT_S)
    parameters.stack_timeout = CONNECT_TIMEOUT_S
    parameters.connection_attempts = 1
    return parameters


class _Connection(AsyncioConnection):  # type: ignore[misc]  # pika brings no types
    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        """Send a message's frames with one system call; pika makes one for each, which costs more than all the rest."""
        super()._output_marshaled_frames([b"".join(marshaled_frames)])


class Lane:
    """A channel."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self._waiting: set[asyncio.Future[Any]] = set()
        self._on_lost: list[Callable[[ChannelLost], None]] = []
        self._lost: ChannelLost | None = None
        channel.add_on_close_callback(self._closed)

    @property
    def is_open(self) -> bool:
        """Whether requests can be made."""
        return bool(self.channel.is_open)

    def on_lost(self, callback: Callable[[ChannelLost], None]) -> None:
        """Have the callback called once, when the channel closes (at once if it has)."""
        if self._lost is not None:
            callback(self._lost)
        else:
            self._on_lost.append(callback)

    async def request(self, method: str, **arguments: Any) -> Any:
        """Send one of pika's channel methods and return the broker's answer.

        Raises:
            ChannelLost: the broker refused it by closing the channel, or the connection is gone.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            getattr(self.channel, method)(callback=lambda frame: _settle(future, frame), **arguments)
            return await future
        except AMQPError as error:
            raise ChannelLost(error) from None
        finally:
            self._waiting.discard(future)

    async def opened(self, opening: asyncio.Future[Any]) -> None:
        """Wait for the channel to open."""
        self._waiting.add(opening)
        try:
            await opening
        finally:
            self._waiting.discard(opening)

    def close(self) -> None:
        """Close the channel if it is open."""
        if self.is_open:
            self.channel.close()

    def _closed(self, _channel: Any, reason: BaseException) -> None:
        self._lost = ChannelLost(reason)
        for future in list(self._waiting):
            if not future.done():
                future.set_exception(self._lost)
        callbacks, self._on_lost = self._on_lost, []
        for callback in callbacks:
            callback(self._lost)


class Wire:
    """One open connection. ``lost`` is done, with the reason, when it is no longer one."""

    def __init__(self, connection: Any, lost: asyncio.Future[BaseException]) -> None:
        self._connection = connection
        self.lost = lost
        self._free = asyncio.Event()
        self._free.set()
        connection.add_on_connection_blocked_callback(lambda *_: self._free.clear())
        connection.add_on_connection_unblocked_callback(lambda *_: self._free.set())

    @property
    def is_blocked(self) -> bool:
        """Whether the broker, short of memory or disk, takes no messages."""
        return not self._free.is_set()

    async def unblocked(self) -> None:
        """Wait until the broker takes messages."""
        await self._free.wait()

    async def lane(self) -> Lane:
        """Open a channel.

        Raises:
            ChannelLost: the connection is gone, or has no channel left.
        """
        opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            lane = Lane(self._connection.channel(on_open_callback=lambda channel: _settle(opened, channel)))
        except AMQPError as error:
            raise ChannelLost(error) from None
        await lane.opened(opened)
        return lane

    async def ensure_exchange(self, name: str) -> None:
        """Declare a durable topic exchange, or leave that to those who may.

        Raises:
            ChannelLost: an exchange of that name and another kind exists, or the connection is gone.
        """
        lane = await self.lane()
        try:
            await lane.request("exchange_declare", exchange=name, exchange_type="topic", durable=True)
        except ChannelLost as lost:
            if lost.code != ACCESS_REFUSED:
                raise
        lane.close()

    async def close(self) -> None:
        """Close the connection in good order, within a second."""
        with contextlib.suppress(AMQPError):
            self._connection.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.lost), 1.0)


async def connect(parameters: pika.URLParameters) -> Wire:
    """Open a connection.

    Raises:
        AMQPError, OSError, TimeoutError: it cannot be opened.
    """
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Any] = loop.create_future()
    lost: asyncio.Future[BaseException] = loop.create_future()
    connection = _Connection(
        parameters,
        on_open_callback=lambda connection: _settle(opened, connection),
        on_open_error_callback=lambda _, error: _fail(opened, error),
        on_close_callback=lambda _, reason: _settle(lost, reason),
        custom_ioloop=loop,
    )
    try:
        await asyncio.wait_for(asyncio.shield(opened), 2 * CONNECT_TIMEOUT_S)
    except BaseException:  # cancellation as well: nobody else could close it
        opened.add_done_callback(lambda done: done.cancelled() or done.exception())
        with contextlib.suppress(AMQPError):
            connection.close()
        raise
    return Wire(connection, lost)


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
