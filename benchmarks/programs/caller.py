"""A caller that keeps so many calls in flight over one connection, on bare pika: the same for whoever answers.

Reads lines ``<routing key> <count> <file with the body>`` and answers each with the seconds it took and the last reply.
Arguments: the broker's URL, how many are in flight.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pika

EXCHANGE = "nameko-rpc"
TTL_MS = 60_000


class Caller:
    """Calls, and counts the replies."""

    def __init__(self, url: str, in_flight: int) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True)
        self._channel.queue_bind(self._queue, EXCHANGE, self._queue)
        self._channel.basic_consume(self._queue, self._answered, auto_ack=True)
        self._in_flight = in_flight
        self._routing_key, self._body = "", b""
        self._left = self._waiting = 0
        self.last = b""

    def run(self, routing_key: str, body: bytes, count: int) -> float:
        """Make so many calls and return the seconds until the last was answered."""
        self._routing_key, self._body = routing_key, body
        self._left = self._waiting = count
        begin = time.perf_counter()
        for _ in range(min(count, self._in_flight)):
            self._send()
        while self._waiting:
            self._connection.process_data_events(time_limit=None)
        return time.perf_counter() - begin

    def _send(self) -> None:
        self._left -= 1
        properties = pika.BasicProperties(
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=1,
            reply_to=self._queue,
            correlation_id=str(self._left),
            expiration=str(TTL_MS),
        )
        self._channel.basic_publish(EXCHANGE, self._routing_key, self._body, properties)

    def _answered(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        self.last = body
        self._waiting -= 1
        if self._left:
            self._send()


def main(url: str, in_flight: str) -> None:
    """Call as told until standard input ends."""
    caller = Caller(url, int(in_flight))
    for line in sys.stdin:
        routing_key, count, body_file = line.split()
        seconds = caller.run(routing_key, Path(body_file).read_bytes(), int(count))
        print(seconds, caller.last.decode()[:200], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
