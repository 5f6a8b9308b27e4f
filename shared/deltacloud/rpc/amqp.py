"""The transport of the cluster: calls over RabbitMQ, in nameko's protocol, from one asyncio loop.

The way of a call: is anybody there (a passive declaration of the service's queue, shared by calls that ask at once);
seal the credentials; publish mandatory, confirmed, transient and with the remaining time as its time to live; wait
for the reply on a queue that belongs to the connection alone. Nothing is repeated here: a call whose worker died is
delivered again by the broker, and the next worker runs it if that is harmless.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import msgspec
from pika.exceptions import AMQPError

from deltacloud.catalogue import Operation
from deltacloud.errors import BrokerUnavailable, DeltacloudError, TooLarge
from deltacloud.logging import get_logger
from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.amqp_desk import Desk, Ending
from deltacloud.rpc.amqp_link import Link
from deltacloud.rpc.amqp_picture import follow, picture_of
from deltacloud.rpc.amqp_wire import ChannelLost
from deltacloud.rpc.context import Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.endings import (
    MAX_IN_FLIGHT,
    RETRY_AFTER_S,
    cut_off,
    deadline_of,
    located,
    no_worker,
    not_started,
    overloaded,
    unanswered,
)
from deltacloud.rpc.envelope import decode_reply, encode_call
from deltacloud.rpc.names import need_operation
from deltacloud.rpc.protect import Protector

MAX_CALL_BYTES = 8 * 1024 * 1024
"""Size of a call's body; a broker closes the channel, and with it all calls in hand, on one beyond its own limit."""
SNAPSHOT_TIMEOUT_S = 5.0
_LOG = get_logger()


class AmqpTransport:
    """A :class:`~deltacloud.rpc.transport.Transport` over RabbitMQ; belongs to the loop it is started on.

    It connects, and connects again, by itself. While the broker is away a call waits at most a second for it. It keeps
    a picture holder up to date and seals credentials for the keys in the picture.

    Args:
        url: the broker's AMQP URL.
        holder: where the picture is kept; a new one by default.
        name: who calls; part of the names of its queues, ``rpc.reply-<name>-…`` and ``picture-<name>-…``.
        allow_plain: send credentials unsealed while no sealing key is known.
        max_in_flight: calls to one service in hand at most; more are refused as ``overloaded``.

    Raises:
        ValueError: the URL cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        holder: PictureHolder | None = None,
        name: str = "client",
        allow_plain: bool = False,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self.holder = holder or PictureHolder()
        self._name = name
        self._link = Link(url, name, self._greet)
        self._protector = Protector(lambda: self.holder.current.sealing_keys, allow_plain=allow_plain)
        self._has_asked = asyncio.Event()
        self._max_in_flight = max_in_flight
        self._in_flight: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to connect, without waiting for it; needs a running loop. A second start does nothing."""
        self._link.start()

    async def __aenter__(self) -> Self:
        """Start."""
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    @property
    def is_ready(self) -> bool:
        """Whether the broker is connected and the reply queue consumed."""
        return self._link.is_up

    async def wait_ready(self, timeout_s: float) -> bool:
        """Return whether the transport is ready, waiting up to so many seconds for it."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._link.wait_up()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Disconnect. Calls in hand end as if the broker were lost."""
        await self._link.close()

    async def call(self, service: str, method: str, context: Context, parameters: Mapping[str, Any]) -> Any:
        """Have a worker run an operation; see :class:`~deltacloud.rpc.transport.Transport`.

        Raises:
            Overloaded: as many calls to the service are in hand as are allowed.
            TooLarge: the parameters take more than :data:`MAX_CALL_BYTES`.
            Unavailable: no key is known to seal the credentials for.
        """
        operation = need_operation(service, method)
        with located(service, context):
            deadline = deadline_of(context)
            with self._counted(service):
                reply = await self._exchange(operation, service, context, parameters, deadline)
            return decode_reply(operation, reply)

    async def _exchange(
        self,
        operation: Operation,
        service: str,
        context: Context,
        parameters: Mapping[str, Any],
        deadline: Deadline,
    ) -> bytes:
        """Return the body of the reply to a call."""
        desk: Desk | None = None
        call_id = None
        try:
            async with asyncio.timeout(deadline.remaining_s):
                desk = await self._desk_for(service, context)
                body = _body(*self._protector.protect(operation, context, parameters, service, deadline))
                call_id, answered = _publish(desk, f"{service}.{operation.rpc}", body, context, deadline)
                answer = await answered
        except TimeoutError:
            if call_id is None:
                raise not_started(operation, service, "before the message broker took the call") from None
            raise unanswered(operation, service) from None
        finally:
            if desk is not None and call_id is not None:
                desk.forget(call_id)
        if isinstance(answer, bytes):
            return answer
        raise _failure(answer, operation, service)

    async def _desk_for(self, service: str, context: Context) -> Desk:
        """Return the desk to publish at, once everything a call to the service needs is there."""
        desk = await self._link.desk()
        if desk.wire.is_blocked:
            await desk.wire.unblocked()
        await desk.presence.need(service)
        if self._protector.needs_key(context):
            await self._has_asked.wait()
        return desk

    @contextmanager
    def _counted(self, service: str) -> Iterator[None]:
        if self._in_flight[service] >= self._max_in_flight:
            raise overloaded(service, self._max_in_flight)
        self._in_flight[service] += 1
        try:
            yield
        finally:
            self._in_flight[service] -= 1
            if not self._in_flight[service]:
                del self._in_flight[service]

    async def _greet(self, desk: Desk) -> None:
        """Follow the picture on a new connection, and ask for the present one."""
        try:
            await follow(desk.wire, self.holder, f"picture-{self._name}-{secrets.token_hex(8)}")
            context = Context(
                request_id=f"picture-{secrets.token_hex(8)}", deadline=Deadline.after(SNAPSHOT_TIMEOUT_S).at
            )
            self.holder.update(picture_of(await self.call("registry", "get_picture", context, {})))
        except DeltacloudError as error:
            _LOG.info("no picture yet; waiting for a registry to broadcast one", reason=error.code)
        except ChannelLost as lost:
            _LOG.error("broker does not let the picture be followed", reason=str(lost))
        except msgspec.ValidationError:
            _LOG.error("registry answered something that is no picture")
        finally:
            self._has_asked.set()


def _body(context: Context, parameters: Mapping[str, Any]) -> bytes:
    body = encode_call(context, parameters)
    if len(body) > MAX_CALL_BYTES:
        raise TooLarge(f"The call's parameters take {len(body)} bytes; {MAX_CALL_BYTES} are allowed.")
    return body


def _publish(
    desk: Desk, routing_key: str, body: bytes, context: Context, deadline: Deadline
) -> tuple[str, asyncio.Future[bytes | Ending]]:
    ttl_ms = max(1, int(deadline.remaining_s * 1000))
    try:
        return desk.publish(routing_key, body, ttl_ms=ttl_ms, traceparent=context.traceparent)
    except AMQPError:
        raise BrokerUnavailable(
            "The message broker was lost; nothing was started.", retry_after_s=RETRY_AFTER_S
        ) from None


def _failure(ending: Ending, operation: Operation, service: str) -> DeltacloudError:
    if ending is Ending.RETURNED:
        return no_worker(service)
    if ending is Ending.LOST:
        return cut_off(operation, service)
    return BrokerUnavailable(
        f"The message broker did not take the call to {service}; nothing was started.", retry_after_s=RETRY_AFTER_S
    )
