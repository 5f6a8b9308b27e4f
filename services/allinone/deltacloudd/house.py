"""All parts in one process: the registry, every installed driver, and the gateway; threads in place of a broker."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import cast
from wsgiref.types import WSGIApplication

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deltacloud.drivers import Driver, SessionCache, StorageDriver
from deltacloud.drivers.loading import load
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Announcement, Picture
from deltacloud.providers.resolve import ProviderResolver
from deltacloud.rpc.dispatch import Dispatcher
from deltacloud.rpc.edge import Callee
from deltacloud.rpc.inprocess import InProcessTransport
from deltacloud.rpc.seal import Opener
from deltacloud_registry.providers_file import OperatorProviders
from deltacloud_registry.registry import Registry

FOREVER = float("inf")

TRANSFERS_AT_ONCE = 100
"""Streams of bytes that are served at once, each in a thread made when it is needed; more wait."""


class House:
    """What a gateway needs, made of the parts themselves.

    Args:
        operator: what the providers file says.
        base_url: where this process serves, as it reaches itself: ``http://127.0.0.1:3001``.

    Raises:
        BrokenDriver: an installed driver cannot be loaded.
    """

    def __init__(self, operator: OperatorProviders, base_url: str) -> None:
        self.holder = PictureHolder()
        self.drivers = [*load("compute"), *load("storage")]
        self.registry = Registry(operator, on_change=self._show, silent_s=FOREVER)
        self.mounts = _serve_bytes(self.drivers, base_url)
        self.transport = InProcessTransport(self._services())
        for driver in self.drivers:
            self.registry.announce(
                Announcement(service=driver.service_name(), worker="this process", driver=driver.info())
            )

    def _show(self, picture: Picture) -> None:
        self.holder.update(picture)

    def _services(self) -> dict[str, Callee]:
        cache, resolve, opener = SessionCache(), ProviderResolver(self.holder), Opener(allow_plain=True)
        dispatchers = [Dispatcher(driver, opener=opener, resolve=resolve, cache=cache) for driver in self.drivers]
        return {Registry.service: self.registry, **{each.service: each for each in dispatchers}}


def _serve_bytes(drivers: Iterable[Driver], base_url: str) -> dict[str, ASGIApp]:
    """Mount the byte endpoint of each driver that has one, and tell it where."""
    mounts: dict[str, ASGIApp] = {}
    for driver in drivers:
        if isinstance(driver, StorageDriver) and (application := driver.bytes_app()) is not None:
            mounts[driver.bytes_path()] = _asgi(application)
            driver.bytes_at(f"{base_url}{driver.bytes_path()}")
    return mounts


def _asgi(application: WSGIApplication) -> ASGIApp:
    """Return a WSGI application as an ASGI one, for a server whose ``receive`` and ``send`` are not coroutines."""
    inner = cast("ASGIApp", WSGIMiddleware(cast("WSGIApp", application), workers=TRANSFERS_AT_ONCE))

    async def adapted(scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_one() -> Message:
            return await receive()

        async def send_one(message: Message) -> None:
            await send(message)

        await inner(scope, receive_one, send_one)

    return adapted


def free_port(host: str) -> int:
    """Return a port of the host that nobody listens on now.

    Raises:
        OSError: the host is not one of this machine's.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.bind(address)
        port: int = probe.getsockname()[1]
        return port
