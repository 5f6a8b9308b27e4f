"""The desk of one connection: calls go out, and what comes back is handed to whoever waits for it."""

from __future__ import annotations

import asyncio
import secrets
from enum import Enum
from typing import Any, Final

import pika

from deltacloud import metrics
from deltacloud.rpc.amqp_wire import ChannelLost, Lane, Wire
from deltacloud.rpc.envelope import CONTENT_TYPE, EXCHANGE
from deltacloud.rpc.presence import Presence

TRANSIENT: Final = 1


class Ending(Enum):
    """How a published call ended without a reply."""

    RETURNED = "no queue takes it"
    REFUSED = "the broker did not take it"
    LOST = "the connection went"


class Desk:
    """Publishes calls and receives replies on one connection.

    Its reply queue belongs to the connection alone and goes with it. Publisher confirms are counted as they come, so
    that no call waits for another's. ``lost`` is done, with the reason, when the desk serves no longer.
    """

    def __init__(self, wire: Wire, lane: Lane, reply_queue: str) -> None:
        self.wire = wire
        self.presence = Presence(wire)
        self._channel = lane.channel
        self._lane = lane
        self._reply_queue = reply_queue
        self._prefix = secrets.token_hex(8)
        self._published = 0
        self._waiting: dict[str, asyncio.Future[bytes | Ending]] = {}
        self._unconfirmed: dict[int, str] = {}
        self.lost: asyncio.Future[ChannelLost] = asyncio.get_running_loop().create_future()
        lane.on_lost(self._lose)

    @classmethod
    async def open(cls, wire: Wire, reply_queue: str) -> Desk:
        """Open the desk of a connection.

        Raises:
            ChannelLost: the broker refused the queue, the binding or the consumer, or was lost.
        """
        await wire.ensure_exchange(EXCHANGE)
        lane = await wire.lane()
        await lane.request("queue_declare", queue=reply_queue, exclusive=True, auto_delete=True)
        await lane.request("queue_bind", queue=reply_queue, exchange=EXCHANGE, routing_key=reply_queue)
        desk = cls(wire, lane, reply_queue)
        lane.channel.add_on_return_callback(desk._on_return)
        lane.channel.add_on_cancel_callback(lambda _: lane.close())
        await lane.request("confirm_delivery", ack_nack_callback=desk._on_confirm)
        await lane.request(
            "basic_consume",
            queue=reply_queue,
            on_message_callback=desk._on_reply,
            auto_ack=True,
        )
        return desk

    @property
    def is_open(self) -> bool:
        """Whether calls can be published and replies arrive."""
        return self._lane.is_open

    def publish(
        self, routing_key: str, body: bytes, *, ttl_ms: int, traceparent: str | None
    ) -> tuple[str, asyncio.Future[bytes | Ending]]:
        """Send a call and return its correlation id and the future of its reply; :meth:`forget` it afterwards.

        Raises:
            AMQPError: the connection is no longer usable; nothing was sent.
        """
        self._published += 1
        call_id = f"{self._prefix}{self._published}"
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=TRANSIENT,
            correlation_id=call_id,
            reply_to=self._reply_queue,
            expiration=str(ttl_ms),
            headers={"traceparent": traceparent} if traceparent else None,
        )
        self._channel.basic_publish(EXCHANGE, routing_key, body, properties, mandatory=True)
        future: asyncio.Future[bytes | Ending] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = future
        self._unconfirmed[self._published] = call_id
        return call_id, future

    def forget(self, call_id: str) -> None:
        """Drop a call; a reply that comes later is counted and dropped."""
        self._waiting.pop(call_id, None)

    def _end(self, call_id: str | None, ending: bytes | Ending) -> bool:
        future = self._waiting.pop(call_id, None) if call_id else None
        if future is None:
            return False
        if not future.done():
            future.set_result(ending)
        return True

    def _on_reply(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        if not self._end(properties.correlation_id, body):
            metrics.LATE_REPLIES.inc()

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        self._end(properties.correlation_id, Ending.RETURNED)

    def _on_confirm(self, frame: Any) -> None:
        confirmed = frame.method
        if not confirmed.multiple:
            ids = [self._unconfirmed.pop(confirmed.delivery_tag, None)]
        else:
            ids = [self._unconfirmed.pop(tag) for tag in _up_to(self._unconfirmed, confirmed.delivery_tag)]
        if isinstance(confirmed, pika.spec.Basic.Nack):
            for call_id in ids:
                self._end(call_id, Ending.REFUSED)

    def _lose(self, reason: ChannelLost) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        for call_id in list(self._waiting):
            self._end(call_id, Ending.LOST)


def _up_to(unconfirmed: dict[int, str], tag: int) -> list[int]:
    """Return the tags a multiple confirm covers; they are in order."""
    covered = []
    for each in unconfirmed:
        if each > tag:
            break
        covered.append(each)
    return covered
