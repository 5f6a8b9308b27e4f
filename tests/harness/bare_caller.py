"""The simplest foreign caller there is: bare pika, plain dictionaries, nothing of ours."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any, Self

import pika

REPLY_TIMEOUT_S = 20.0
_EXCHANGE = "nameko-rpc"


class BareCaller:
    """Speaks nameko's protocol over one connection, from one thread. A context manager."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._channel.exchange_declare(_EXCHANGE, "topic", durable=True)
        self.reply_queue = f"bare-{secrets.token_hex(8)}"
        self._channel.queue_declare(self.reply_queue, exclusive=True)
        self._channel.queue_bind(self.reply_queue, _EXCHANGE, self.reply_queue)
        self._channel.confirm_delivery()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, service: str, method: str, /, **parameters: Any) -> Any:
        """Call a method and return what the reply says: a dictionary with `result` and `error`."""
        body = json.dumps({"args": [], "kwargs": parameters}).encode()
        return self.reply_to(self.send(f"{service}.{method}", body))

    def send(
        self,
        routing_key: str | bytes,
        body: bytes,
        *,
        kind: type[pika.BasicProperties] = pika.BasicProperties,
        **properties: Any,
    ) -> str:
        """Publish a message, by default with all the properties of a call, and return its correlation id.

        `None` leaves a property out; `kind` encodes them. Raises pika.exceptions.UnroutableError.
        """
        correlation_id = secrets.token_hex(8)
        usual = {
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "reply_to": self.reply_queue,
            "correlation_id": correlation_id,
        }
        self._channel.basic_publish(_EXCHANGE, routing_key, body, kind(**{**usual, **properties}), mandatory=True)
        return correlation_id

    def reply_to(self, correlation_id: str | None, *, timeout_s: float = REPLY_TIMEOUT_S) -> Any:
        """Return the reply to a call, skipping replies to others. Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            method, properties, body = self._channel.basic_get(self.reply_queue, auto_ack=True)
            if method is None:
                self._connection.sleep(0.01)
            elif properties.correlation_id == correlation_id:
                return json.loads(body)
        raise TimeoutError(f"no reply within {timeout_s:g} s")
