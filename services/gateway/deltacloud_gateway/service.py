"""The gateway on RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable

from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.amqp import AmqpTransport
from deltacloud_gateway.app import create_app
from deltacloud_gateway.server import serve
from deltacloud_gateway.settings import GatewaySettings


async def run(settings: GatewaySettings, broker: str, *, on_start: Callable[[], None] | None = None) -> None:
    """Serve HTTP here, with the workers behind the broker, until told to stop; ``on_start`` is called when it serves.

    Raises:
        OSError: the address cannot be had.
        ValueError: the broker's URL cannot be read.
    """
    holder = PictureHolder()
    share = max(1, settings.max_in_flight // 2)  # so that one silent cloud leaves room for the others
    async with AmqpTransport(broker, holder=holder, name="gateway", max_in_flight=share) as transport:
        await serve(create_app(settings, transport, holder), settings, on_start=on_start)
