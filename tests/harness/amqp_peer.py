"""The other side of a call, on bare pika: a consumer that does with each call what a test tells it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pika
from pika.exceptions import AMQPError

from harness.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

_RECONNECT_S = 0.05


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it arrived."""

    method: str
    body: bytes
    properties: Any
    is_redelivered: bool


class Peer:
    """Consumes the queue of `service` and answers each call with what `answer` returns; None is silence.

    A context manager: entering it waits until the queue is consumed. It comes back when the broker does. Each call is
    answered on a thread of its own and acknowledged afterwards; `prefetch` calls are in hand at most, 0 for any number.
    """

    def __init__(
        self, url: str, service: str, answer: Callable[[Delivery], bytes | None], *, prefetch: int = 0
    ) -> None:
        self.received: list[Delivery] = []
        self._parameters = pika.URLParameters(url)
        self._service = service
        self._answer = answer
        self._prefetch = prefetch
        self._is_consuming = threading.Event()
        self._is_over = False
        self._connection: pika.BlockingConnection | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def is_consuming(self) -> bool:
        """Whether the queue is consumed now."""
        return self._is_consuming.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(self._is_consuming.is_set, f"{self._service} to be served")
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        if self._connection is not None:
            with contextlib.suppress(AMQPError):
                self._connection.add_callback_threadsafe(self._connection.close)
        self._thread.join(10)

    def _serve(self) -> None:
        pause = threading.Event()
        while not self._is_over:
            try:
                self._connection = pika.BlockingConnection(self._parameters)
                self._consume(self._connection)
            except (AMQPError, OSError):
                self._is_consuming.clear()
                pause.wait(_RECONNECT_S)

    def _consume(self, connection: pika.BlockingConnection) -> None:
        channel, queue = connection.channel(), f"rpc-{self._service}"
        channel.exchange_declare("nameko-rpc", "topic", durable=True)
        channel.queue_declare(queue, durable=True, arguments={"x-expires": 30_000})
        channel.queue_bind(queue, "nameko-rpc", f"{self._service}.*")
        channel.basic_qos(prefetch_count=self._prefetch)
        channel.basic_consume(queue, self._arrived)
        self._is_consuming.set()
        channel.start_consuming()

    def _arrived(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        delivery = Delivery(
            method=method.routing_key.rpartition(".")[2],
            body=body,
            properties=properties,
            is_redelivered=method.redelivered,
        )
        self.received.append(delivery)
        threading.Thread(target=self._reply, args=(channel, method.delivery_tag, delivery), daemon=True).start()

    def _reply(self, channel: Any, tag: int, delivery: Delivery) -> None:
        body = self._answer(delivery)

        def send() -> None:
            properties = pika.BasicProperties(correlation_id=delivery.properties.correlation_id)
            if body is not None:
                channel.basic_publish("nameko-rpc", delivery.properties.reply_to, body, properties)
            channel.basic_ack(tag)

        with contextlib.suppress(AMQPError):  # the broker went away with the call in hand
            channel.connection.add_callback_threadsafe(send)
