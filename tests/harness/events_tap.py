"""Somebody who writes down the events of some topics and tells events of their own."""

from typing import Any

import pika

from harness.events_peer import _EVENTS, _Consumer


class EventsTap(_Consumer):
    """Hears one topic; `bodies` is what was said. A context manager."""

    def __init__(self, url: str, topic: str) -> None:
        super().__init__(url, [topic])
        self.bodies: list[bytes] = []
        self._url = url

    def publish(self, topic: str, body: bytes) -> None:
        """Tell everybody who hears the topic."""
        with pika.BlockingConnection(pika.URLParameters(self._url)) as connection:
            connection.channel().basic_publish(_EVENTS, topic, body)

    def _arrived(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.bodies.append(body)
