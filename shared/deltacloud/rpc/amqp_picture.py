"""Following the picture on the broker: every broadcast, into a queue of one's own."""

from __future__ import annotations

from typing import Any

import msgspec

from deltacloud.logging import get_logger
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Picture
from deltacloud.rpc.amqp_wire import Wire
from deltacloud.rpc.names import EVENTS_EXCHANGE, REGISTRY_PICTURE

_DECODER = msgspec.json.Decoder(Picture)
_LOG = get_logger()


async def follow(wire: Wire, holder: PictureHolder, queue: str) -> None:
    """Hand each picture that a registry broadcasts to the holder, as long as the connection lasts.

    Raises:
        ChannelLost: the broker refused the queue or the binding, or was lost.
    """

    def arrived(_channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        try:
            holder.update(_DECODER.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError):
            _LOG.warning("picture cannot be read", size=len(body))

    await wire.ensure_exchange(EVENTS_EXCHANGE)
    lane = await wire.lane()
    await lane.request("queue_declare", queue=queue, exclusive=True, auto_delete=True)
    await lane.request("queue_bind", queue=queue, exchange=EVENTS_EXCHANGE, routing_key=REGISTRY_PICTURE)
    await lane.request("basic_consume", queue=queue, on_message_callback=arrived, auto_ack=True)


def picture_of(answer: Any) -> Picture:
    """Return the picture in the answer of ``registry.get_picture``.

    Raises:
        msgspec.ValidationError: it is none.
    """
    return msgspec.convert(answer, Picture)
