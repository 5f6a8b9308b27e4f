"""The client for other services: every operation of every driver, by name, with typed records as answers.

::

    from deltacloud.rpc.client import RpcClient

    with RpcClient("amqp://billing:secret@broker.example/") as cloud:
        page = cloud.call("compute.ec2", "list_instances", provider="eu-west-1", user=key, password=secret)
        for instance in page.items:
            print(instance.id, instance.state)

The services, their operations and parameters are those of the catalogue (docs/rpc.md).
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Self

from deltacloud.providers.picture import Picture
from deltacloud.rpc.amqp import AmqpTransport
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.deadline import DEFAULT_S, Deadline


class AsyncRpcClient:
    """The client for programs on asyncio; belongs to the loop it is entered on.

    Args:
        url: the broker's AMQP URL.
        name: who calls: the queues are named after it.
        deadline_s: seconds a call may take when it does not say.
        allow_plain: send credentials unsealed while no sealing key is known.

    Raises:
        ValueError: the URL cannot be read.
    """

    def __init__(
        self, url: str, *, name: str = "client", deadline_s: float = DEFAULT_S, allow_plain: bool = False
    ) -> None:
        self._transport = AmqpTransport(url, name=name, allow_plain=allow_plain)
        self._deadline_s = deadline_s

    @property
    def picture(self) -> Picture:
        """Drivers, providers and workers as last heard of; empty at first."""
        return self._transport.holder.current

    async def __aenter__(self) -> Self:
        """Begin to connect."""
        self._transport.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._transport.close()

    async def call(
        self,
        service: str,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        /,
        *,
        provider: str | None = None,
        user: str | None = None,
        password: str | None = None,
        deadline_s: float | None = None,
        request_id: str | None = None,
        idempotency_key: str | None = None,
        traceparent: str | None = None,
        **more: Any,
    ) -> Any:
        """Run one operation and return its record, a :class:`~deltacloud.models.Page` of records, or ``None``.

        Args:
            service: ``compute.<driver>``, ``storage.<driver>`` or ``registry``.
            method: the operation's RPC name.
            parameters: its parameters; those with the name of an argument here (``password``) can be given only so.
            provider: region or end point; the driver's default otherwise.
            user: of the cloud. It is sealed with the password so that only workers can read them.
            password: of the cloud.
            deadline_s: seconds from now until which the answer is of use.
            request_id: found again in every log line about the call; a new one by default.
            idempotency_key: a create with the same key answers with what the first made; a new one by default.
            traceparent: W3C trace context.
            **more: further parameters, by name.

        Raises:
            DeltacloudError: what the operation raised, or why there is no answer.
        """
        credentials = None if user is None else CarriedCredentials(user=user, password=password or "")
        context = Context(
            provider=provider,
            credentials=credentials,
            request_id=request_id or str(uuid.uuid4()),
            deadline=Deadline.after(self._deadline_s if deadline_s is None else deadline_s).at,
            idempotency_key=idempotency_key or str(uuid.uuid4()),
            traceparent=traceparent,
        )
        return await self._transport.call(service, method, context, {**(parameters or {}), **more})


class RpcClient:
    """The client for programs that block. One serves all threads of a process; after a fork make a new one.

    Arguments and errors are those of :class:`AsyncRpcClient`, which it runs on a thread of its own. It is connected
    from the start, and again by itself, until it is closed.
    """

    def __init__(
        self, url: str, *, name: str = "client", deadline_s: float = DEFAULT_S, allow_plain: bool = False
    ) -> None:
        self._client = AsyncRpcClient(url, name=name, deadline_s=deadline_s, allow_plain=allow_plain)
        self._lock = threading.Lock()
        self._is_closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="deltacloud-rpc", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._client.__aenter__(), self._loop).result()

    @property
    def picture(self) -> Picture:
        """Drivers, providers and workers as last heard of; empty at first."""
        return self._client.picture

    def call(self, service: str, method: str, parameters: Mapping[str, Any] | None = None, /, **options: Any) -> Any:
        """Run one operation and return what it answers; see :meth:`AsyncRpcClient.call`.

        Raises:
            DeltacloudError: what the operation raised, or why there is no answer.
            RuntimeError: the client is closed.
        """
        if self._loop.is_closed():
            raise RuntimeError("the client is closed")
        future = asyncio.run_coroutine_threadsafe(self._client.call(service, method, parameters, **options), self._loop)
        try:
            return future.result()
        finally:
            future.cancel()  # where an interrupt ends the wait, nobody wants the answer

    def close(self) -> None:
        """Disconnect; calls in hand end as if the broker were lost. Safe to repeat."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        """Disconnect, and let every call of another thread hear of it."""
        await self._client.__aexit__()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()
