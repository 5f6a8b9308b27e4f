"""Announcements and pictures: what processes tell each other without being asked by anybody in particular."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import amqp
import eventlet

from deltacloud.logging import get_logger
from deltacloud.rpc.context import Context
from deltacloud.rpc.envelope import EXCHANGE, encode_call
from deltacloud.rpc.names import EVENTS_EXCHANGE
from deltacloud.rpc.worker.link import Link, declare_exchange

CALL_TIMEOUT_S = 5.0

_LOG = get_logger()

Hear = Callable[[bytes], None]


class EventBus:
    """Publishes events and hears some of them, over one connection of its own that outlives broker restarts.

    What is published while the broker is away is lost; whoever has something to say repeats it anyway.

    Args:
        broker: AMQP URL.
        worker: unique name of this process.
        topics: what to hear, by topic. A function gets the body, in the connection's own green thread: it must be
            quick; what it raises is logged.
        on_connected: called after each connection, when events are heard and can be published.
    """

    def __init__(
        self, broker: str, *, worker: str, topics: Mapping[str, Hear], on_connected: Callable[[], None] | None = None
    ) -> None:
        self._topics = dict(topics)
        self._on_connected = on_connected
        self._queue = f"events-{worker}"
        self._reply_to = f"rpc.reply-{worker}"
        self._waiting: dict[str, Hear] = {}
        self._is_stopped = False
        self._link = Link(broker, name=f"{worker} events", set_up=self._subscribe)

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection, or ``None``."""
        return self._link.problem

    def start(self) -> None:
        """Connect, now or as soon as the broker is there."""
        eventlet.spawn(self._link.run)

    def stop(self) -> None:
        """Close the connection."""
        self._is_stopped = True
        self._link.close()

    def every(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something again and again until the bus is stopped, a little apart from what other processes do."""
        eventlet.spawn(self._repeat, seconds, do)

    def _repeat(self, seconds: float, do: Callable[[], None]) -> None:
        while not self._is_stopped:
            eventlet.sleep(seconds * random.uniform(0.9, 1.0))  # noqa: S311 - only spreads the processes
            try:
                do()
            except Exception as error:  # noqa: BLE001 - the edge: one round that fails must not be the last
                _LOG.error("a round failed", error=type(error).__name__)

    def publish(self, topic: str, body: bytes) -> None:
        """Tell everybody who hears the topic; without a connection nothing happens."""
        self._send(body, EVENTS_EXCHANGE, topic)

    def call(self, service: str, method: str, hear: Hear) -> None:
        """Call an RPC method without parameters; ``hear`` gets the reply's body if one comes within five seconds."""
        correlation_id = secrets.token_hex(8)
        self._waiting[correlation_id] = hear
        eventlet.spawn_after(CALL_TIMEOUT_S, self._waiting.pop, correlation_id, None)
        body = encode_call(Context(deadline=time.time() + CALL_TIMEOUT_S), {})
        self._send(
            body,
            EXCHANGE,
            f"{service}.{method}",
            reply_to=self._reply_to,
            correlation_id=correlation_id,
            expiration=str(int(CALL_TIMEOUT_S * 1000)),
        )

    def _send(self, body: bytes, exchange: str, routing_key: str, **properties: Any) -> None:
        try:
            self._link.publish(body, exchange, routing_key, **properties)
        except (OSError, amqp.AMQPError):
            self._link.break_off()

    def _subscribe(self, channel: amqp.Channel) -> None:
        declare_exchange(channel, EVENTS_EXCHANGE)
        declare_exchange(channel, EXCHANGE)
        channel.queue_declare(self._queue, exclusive=True, auto_delete=True)
        for topic in self._topics:
            channel.queue_bind(self._queue, EVENTS_EXCHANGE, topic)
        channel.queue_bind(self._queue, EXCHANGE, self._reply_to)
        channel.basic_consume(self._queue, no_ack=True, callback=self._receive)
        if self._on_connected is not None:
            self._on_connected()

    def _receive(self, message: amqp.Message) -> None:
        delivery = message.delivery_info
        if delivery["exchange"] == EVENTS_EXCHANGE:
            hear = self._topics.get(delivery["routing_key"])
        else:
            hear = self._waiting.pop(message.properties.get("correlation_id", ""), None)
        if hear is None:
            return
        try:
            hear(message.body)
        except Exception as error:  # noqa: BLE001 - the edge: a message that cannot be read must not end the hearing
            _LOG.warning("event skipped", topic=delivery["routing_key"], error=type(error).__name__)
