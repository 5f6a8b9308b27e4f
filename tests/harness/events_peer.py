"""The other side of announcements and pictures, on bare pika: workers that announce, and somebody who listens."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Self

import msgspec
import pika
from pika.exceptions import AMQPError

from deltacloud.providers.picture import Announcement, Picture
from harness.waiting import wait_until

_EVENTS = "deltacloud-events"


class _Consumer:
    """A thread with a queue of its own on the events' exchange. A context manager."""

    def __init__(self, url: str, topics: list[str]) -> None:
        self._parameters = pika.URLParameters(url)
        self._topics = topics
        self._is_consuming = threading.Event()
        self._connection: pika.BlockingConnection | None = None
        self._thread = threading.Thread(target=self._consume, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(self._is_consuming.is_set, "the events to be heard")
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            with contextlib.suppress(AMQPError):
                self._connection.add_callback_threadsafe(self._connection.close)
        self._thread.join(10)

    def _consume(self) -> None:
        self._connection = pika.BlockingConnection(self._parameters)
        channel = self._connection.channel()
        channel.exchange_declare(_EVENTS, "topic", durable=True)
        queue = channel.queue_declare("", exclusive=True).method.queue
        for topic in self._topics:
            channel.queue_bind(queue, _EVENTS, topic)
        channel.basic_consume(queue, self._arrived, auto_ack=True)
        self._started(channel)
        self._is_consuming.set()
        with contextlib.suppress(AMQPError):
            channel.start_consuming()

    def _started(self, channel: Any) -> None:
        """Do what is to be done once the queue is consumed."""

    def _arrived(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        raise NotImplementedError

    def _soon(self, action: Callable[[], None]) -> None:
        assert self._connection is not None
        self._connection.add_callback_threadsafe(action)


class Worker(_Consumer):
    """Announces itself at its start, when a registry asks, and whenever it is told to; silent otherwise."""

    def __init__(self, url: str, announcement: Announcement) -> None:
        super().__init__(url, ["registry.asked"])
        self.announcement = announcement
        self.is_dumb = False
        self._channel: Any = None

    def announce(self, **changes: Any) -> None:
        """Announce now, with some fields changed."""
        said = msgspec.structs.replace(self.announcement, **changes)
        self._soon(lambda: self._channel.basic_publish(_EVENTS, "worker.announced", msgspec.json.encode(said)))

    def _started(self, channel: Any) -> None:
        self._channel = channel
        channel.basic_publish(_EVENTS, "worker.announced", msgspec.json.encode(self.announcement))

    def _arrived(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        if not self.is_dumb:
            channel.basic_publish(_EVENTS, "worker.announced", msgspec.json.encode(self.announcement))


class PictureListener(_Consumer):
    """Hears every picture that is broadcast."""

    def __init__(self, url: str) -> None:
        super().__init__(url, ["registry.picture"])
        self.pictures: list[Picture] = []

    def wait_for(self, check: Callable[[Picture], bool], what: str, *, timeout_s: float = 20.0) -> Picture:
        """Return the latest picture as soon as the check holds for it. Raises TimeoutError."""
        wait_until(lambda: bool(self.pictures) and check(self.pictures[-1]), what, timeout_s=timeout_s)
        return self.pictures[-1]

    def _arrived(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        with contextlib.suppress(msgspec.DecodeError):  # a test may send noise
            self.pictures.append(msgspec.json.decode(body, type=Picture))
