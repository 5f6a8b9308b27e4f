"""The least a consumer can do, as the measure of ours: bare pika, each message sent back as it came.

Arguments: the broker's URL and the name of the service.
"""

from __future__ import annotations

import sys
from typing import Any

import pika

PREFETCH = 100
"""As many as a worker of ours fetches."""


def main(url: str, service: str) -> None:
    """Consume until the process is ended."""
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    queue = f"rpc-{service}"
    channel.exchange_declare("nameko-rpc", "topic", durable=True)
    channel.queue_declare(queue, durable=True, arguments={"x-expires": 30_000})
    channel.queue_bind(queue, "nameko-rpc", f"{service}.*")
    channel.basic_qos(prefetch_count=PREFETCH)
    channel.basic_consume(queue, _echo)
    print("consuming", flush=True)
    channel.start_consuming()


def _echo(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    reply = pika.BasicProperties(
        content_type="application/json", delivery_mode=1, correlation_id=properties.correlation_id
    )
    channel.basic_publish("nameko-rpc", properties.reply_to, body, reply)
    channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    main(*sys.argv[1:])
