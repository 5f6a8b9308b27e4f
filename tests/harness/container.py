"""RabbitMQ in a container, where the distribution has no package but a Docker engine answers."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from testcontainers.community.rabbitmq import RabbitMqContainer

from harness.broker import Address
from harness.processes import is_answering
from harness.waiting import wait_until

_AMQP, _MANAGEMENT = 5672, 15672


@contextmanager
def running_broker(image: str) -> Iterator[Address]:
    """Run a broker from `image`, published on loopback only, and yield its address."""
    username, password = "tests", secrets.token_hex(16)
    container = RabbitMqContainer(image, username=username, password=password)
    # What Docker's SDK takes, though testcontainers declares plain ports only and so publishes on every interface.
    loopback: dict[str, Any] = {str(port): ("127.0.0.1", None) for port in (_AMQP, _MANAGEMENT)}
    container.ports = loopback
    with container:
        host = container.get_container_host_ip()
        management_url = f"http://{host}:{container.get_exposed_port(_MANAGEMENT)}"
        # testcontainers waits for AMQP only, and management opens a moment later.
        wait_until(lambda: is_answering(management_url), "the container's management API", timeout_s=30)
        yield Address(
            host=host,
            port=int(container.get_exposed_port(_AMQP)),
            management_url=management_url,
            username=username,
            password=password,
        )
