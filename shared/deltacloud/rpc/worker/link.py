"""One kept connection to the broker: opened, watched, and opened again when it was lost."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import amqp
import eventlet
from amqp import spec
from amqp.transport import SSLTransport, TCPTransport
from eventlet.event import Event
from kombu.connection import Connection as Address
from kombu.transport import pyamqp

from deltacloud.logging import get_logger
from deltacloud.rpc.envelope import CONTENT_TYPE
from deltacloud.rpc.worker.frames import tolerant_frames

CONNECT_TIMEOUT_S = 3.0
HEARTBEAT_S = 20
BEAT_EVERY_S = 5.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.1, 2.0
CLOSE_TIMEOUT_S = 1.0
READ_BYTES = 16_384
TRANSIENT = 1

_LOG = get_logger()

SetUp = Callable[[amqp.Channel], None]


class Link:
    """A connection kept open by whoever runs :meth:`run`, with a channel to consume on and one to publish on.

    ``channel`` belongs to one life of the connection: what was received on a lost one can no longer be acknowledged,
    and the broker hands it out again. A publication that the broker refuses leaves both open.

    Args:
        broker: AMQP URL; ``amqps`` verifies the broker's certificate against the system's authorities.
        name: what the connection is called in the broker's views and in our logs.
        set_up: declares and subscribes on the fresh channel of each connection.
    """

    def __init__(self, broker: str, *, name: str, set_up: SetUp) -> None:
        self._broker = broker
        self._name = name
        self._set_up = set_up
        self._connection: amqp.Connection | None = None
        self._closing, self._ended = Event(), Event()
        self._publisher: amqp.Channel | None = None
        self.channel: Any = None
        self.problem: str | None = "not connected yet"

    @property
    def is_up(self) -> bool:
        """Whether the connection lives and is set up."""
        return self.problem is None

    def run(self) -> None:
        """Keep the connection until :meth:`close`; whatever happens to it is logged and answered with a new one."""
        pause = FIRST_PAUSE_S
        while not self._closing.ready():
            try:
                self._live()
            except Exception as error:  # noqa: BLE001 - the edge: no state of the broker or the network ends a worker
                pause = FIRST_PAUSE_S if self.is_up else min(2 * pause, LAST_PAUSE_S)
                self._note(error, pause)
            finally:
                self._drop()
            self._closing.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads the workers' attempts
        self._ended.send()

    def publish(self, body: bytes, exchange: str, routing_key: str, **properties: Any) -> None:
        """Publish a transient JSON message, unconfirmed.

        Raises:
            OSError, amqp.AMQPError: there is no connection, or it broke.
        """
        if self._publisher is None:
            raise amqp.RecoverableConnectionError("not connected")
        message = amqp.Message(
            body, content_type=CONTENT_TYPE, content_encoding="utf-8", delivery_mode=TRANSIENT, **properties
        )
        self._publisher.basic_publish(message, exchange, routing_key)

    def break_off(self) -> None:
        """Cut the connection, which ends its reader; :meth:`run` then makes a new one."""
        if self._connection is not None and self._connection.connected:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection in good order, or cut it after a second; :meth:`run` returns. Safe to repeat."""
        if not self._closing.ready():
            self._closing.send()
            if self._connection is not None and self._connection.connected:
                with contextlib.suppress(OSError, amqp.AMQPError):
                    self._connection.send_method(spec.Connection.Close, "BsBB", (200, "", 0, 0))
        self._ended.wait(CLOSE_TIMEOUT_S)
        self.break_off()

    def _live(self) -> None:
        connection = self._connection = _connect(self._broker, self._name)
        heart = eventlet.spawn(self._beat, connection)
        try:
            channel = connection.channel()
            channel.auto_decode = False
            self.channel, self._publisher = channel, _Publisher(connection)
            self._publisher.open()
            if self._closing.ready():
                return
            self._set_up(channel)
            self.problem = None
            _LOG.info("connected to the broker", link=self._name)
            while connection.connected:
                connection.drain_events()
        finally:
            heart.kill()

    def _beat(self, connection: amqp.Connection) -> None:
        """Send heartbeats apart from the reader, which may be waiting for a free worker."""
        try:
            while True:
                eventlet.sleep(BEAT_EVERY_S)
                connection.heartbeat_tick()
        except Exception:  # noqa: BLE001 - the edge: however a dead connection shows itself, the reader must notice
            self.break_off()

    def _note(self, error: Exception, pause: float) -> None:
        reason = f"{type(error).__name__}: {error}"
        if reason != self.problem and not self._closing.ready():
            _LOG.warning("no connection to the broker", link=self._name, reason=reason, again_within_s=pause)
        self.problem = reason

    def _drop(self) -> None:
        connection, self._connection, self.channel, self._publisher = self._connection, None, None, None
        self.problem = self.problem or "the connection was closed"
        if connection is not None:
            connection.collect()


def declare_exchange(channel: amqp.Channel, name: str) -> None:
    """Make sure of a durable topic exchange; where it exists, no permission to configure it is needed."""
    try:
        channel.exchange_declare(name, "topic", passive=True)
    except amqp.NotFound:
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False)


class _Publisher(pyamqp.Channel):
    """A channel the broker may close: it opens itself again. Lost is what was refused, and what followed at once."""

    def _on_close(self, code: int, text: str, class_id: int, method_id: int) -> None:
        try:
            super()._on_close(code, text, class_id, method_id)
        except amqp.AMQPError:
            _LOG.warning("the broker refused a message", reason=text, status=code)


class _BufferedTransport(TCPTransport):  # type: ignore[misc]
    """Reads what the socket has instead of the seven, then n, then one bytes of each frame."""

    def _setup_transport(self) -> None:
        super()._setup_transport()
        receive = self.sock.recv
        self._quick_recv = lambda wanted: receive(max(wanted, READ_BYTES))


class _Connection(pyamqp.Connection):
    # Not "connection.blocked": to hear that, py-amqp reads the socket within each publication, beside the reader.
    negotiate_capabilities = {"consumer_cancel_notify": True, "authentication_failure_close": True}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.frame_handler_cls = tolerant_frames

    def Transport(  # noqa: N802 - its name
        self, host: str, connect_timeout: float, ssl: Any = False, *timeouts: Any, **options: Any
    ) -> Any:
        kind = SSLTransport if ssl else _BufferedTransport
        return kind(host, connect_timeout, *timeouts, ssl=ssl, **options)


class _Transport(pyamqp.Transport):
    Connection = _Connection


def _connect(broker: str, name: str) -> amqp.Connection:
    address = Address(  # type: ignore[no-untyped-call]
        broker,
        transport=_Transport,
        connect_timeout=CONNECT_TIMEOUT_S,
        heartbeat=HEARTBEAT_S,
        ssl={"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": urlsplit(broker).hostname}
        if broker.startswith("amqps")
        else False,
        transport_options={"client_properties": {"connection_name": name}},
    )
    return address.transport.establish_connection()
