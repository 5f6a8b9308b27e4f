"""Calls from RabbitMQ: a nameko entry point that fetches, answers and acknowledges them.

nameko gives each service its container, its pool of green workers and its order of stopping. Its own RPC entry point
is left aside, because its defaults are wrong for calls to clouds: see docs/architecture.md.
"""

from __future__ import annotations

import time
from typing import Any

import amqp
import eventlet
from amqp import spec
from nameko.extensions import Entrypoint, Extension

from deltacloud import metrics
from deltacloud.logging import get_logger
from deltacloud.rpc import edge
from deltacloud.rpc.envelope import EXCHANGE
from deltacloud.rpc.names import queue_of
from deltacloud.rpc.worker.answering import Answerer, Request
from deltacloud.rpc.worker.link import Link, declare_exchange

QUEUE_EXPIRES_MS = 30_000
"""An abandoned queue vanishes after this, so that foreign callers learn that nobody serves it."""

CANCEL_TIMEOUT_S = 2.0

_LOG = get_logger()


class KeptLink(Extension):  # type: ignore[misc]
    """The connection of one service; nameko stops it after the calls in hand are answered."""

    link: Link

    def stop(self) -> None:
        """Close the connection."""
        self.link.close()


class Calls(Entrypoint):  # type: ignore[misc]
    """Fetches the calls to one service and has each answered by a green worker of the container.

    A message is acknowledged after its reply was published: a worker that dies in between has it handed out again,
    marked as redelivered. Without ``reply_to`` it is rejected and nothing is run.

    Args:
        answerer: turns requests into replies.
        broker: AMQP URL.
        worker: name of this process in the broker's views.
    """

    kept = KeptLink()

    def __init__(self, answerer: Answerer, broker: str, worker: str) -> None:
        super().__init__()
        self._answerer = answerer
        self._service = answerer.service
        self._prefix = f"{answerer.service}."
        self._tag = worker
        self.link = Link(broker, name=f"{worker} {answerer.service}", set_up=self._consume)

    def setup(self) -> None:
        """Hand the connection to the extension that outlives this one."""
        self.kept.link = self.link

    def start(self) -> None:
        """Connect and consume, now or as soon as the broker is there."""
        self.container.spawn_managed_thread(self.link.run)

    def stop(self) -> None:
        """Take nothing new: return when the broker has confirmed it, cannot, or two seconds have passed.

        What it sent before its confirmation is run: handed back, it would count as redelivered.
        """
        channel = self.link.channel
        if channel is None or not self.link.is_up:
            self.link.close()
            return
        try:
            channel.send_method(spec.Basic.Cancel, "sb", (self._tag, False))
        except (OSError, amqp.AMQPError):
            return
        with eventlet.Timeout(CANCEL_TIMEOUT_S, exception=False):
            while self.link.channel is channel and self._tag in channel.callbacks:
                eventlet.sleep(0.005)

    def _consume(self, channel: amqp.Channel) -> None:
        queue = queue_of(self._service)
        declare_exchange(channel, EXCHANGE)
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments={"x-expires": QUEUE_EXPIRES_MS})
        channel.queue_bind(queue, EXCHANGE, f"{self._service}.*")
        channel.basic_qos(0, self.container.max_workers, a_global=False)
        channel.basic_consume(queue, consumer_tag=self._tag, callback=self._receive)

    def _receive(self, message: amqp.Message) -> None:
        properties, delivery = message.properties, message.delivery_info
        if not properties.get("reply_to"):
            self._reject(message)
            return
        headers = properties.get("application_headers") or {}
        request = Request(
            method=delivery["routing_key"].removeprefix(self._prefix),
            body=message.body,
            content_type=properties.get("content_type"),
            arrived_at=time.time(),
            correlation_id=properties.get("correlation_id"),
            traceparent=_text(headers.get("traceparent")),
            is_redelivered=delivery["redelivered"],
        )

        def reply(_: Any, answer: bytes | None, failure: Any) -> tuple[None, Any]:
            self._reply(message, answer)
            return None, failure

        self.container.spawn_worker(self, (request,), {}, handle_result=reply)

    def _reply(self, message: amqp.Message, answer: bytes | None) -> None:
        channel = message.channel
        properties = message.properties
        if channel is not self.link.channel:
            _LOG.warning("reply dropped: the connection it was for is gone", service=self._service)
            return
        try:
            if answer is None:
                channel.basic_reject(message.delivery_tag, requeue=False)
                return
            correlation = {name: properties[name] for name in ("correlation_id",) if name in properties}
            self.link.publish(answer, EXCHANGE, properties["reply_to"], **correlation)
            channel.basic_ack(message.delivery_tag)
        except (OSError, amqp.AMQPError) as error:
            _LOG.warning("reply dropped", service=self._service, reason=f"{type(error).__name__}: {error}")
            self.link.break_off()

    def _reject(self, message: amqp.Message) -> None:
        metrics.CALLS.labels(self._service, edge.UNKNOWN, "no_reply_to").inc()
        _LOG.warning("message rejected: it has no reply_to, so nobody would learn the outcome", service=self._service)
        message.channel.basic_reject(message.delivery_tag, requeue=False)


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value if isinstance(value, str) else None


def service_class(callee: edge.Callee, *, broker: str, worker: str, deadline_s: float) -> type:
    """Return the nameko service that answers the calls to one of ours."""
    answerer = Answerer(callee, deadline_s=deadline_s)

    class Service:
        name = callee.service

        @Calls.decorator(answerer, broker, worker)  # type: ignore[untyped-decorator]
        def answer(self, request: Request) -> bytes:
            return answerer.answer(request)

    return Service
