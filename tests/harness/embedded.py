"""The gateway with drivers behind it in one process; calls and replies pass through the bytes a broker would carry."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec

from deltacloud.drivers import Credentials, Driver, SessionCache
from deltacloud.models import DriverInfo
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Picture, ProviderEntry
from deltacloud.providers.resolve import ProviderResolver
from deltacloud.rpc.context import CarriedCredentials
from deltacloud.rpc.dispatch import Dispatcher
from deltacloud.rpc.inprocess import InProcessTransport
from deltacloud_compute.drivers.mock.driver import MockDriver
from deltacloud_gateway.app import create_app
from deltacloud_gateway.settings import GatewaySettings
from deltacloud_storage.drivers.mock.driver import MockStorageDriver


class PlainOpener:
    """Takes credentials as they came."""

    def open(self, carried: CarriedCredentials, **_: object) -> Credentials:
        """Return them."""
        return Credentials(carried.user or "", carried.password or "")


def picture_of(drivers: Iterable[Driver], providers: dict[str, dict[str, ProviderEntry]] | None = None) -> Picture:
    """Return the picture that workers with these drivers would give."""
    infos: dict[str, DriverInfo] = {}
    services: list[str] = []
    for driver in drivers:
        info = driver.info()
        services.extend(info.services)
        known = infos.get(info.id)
        if known is not None:
            info = msgspec.structs.replace(
                known if known.states else info,
                services=(*known.services, *info.services),
                operations=known.operations | info.operations,
                features=(*known.features, *info.features),
                anonymous_operations=known.anonymous_operations | info.anonymous_operations,
                lists_providers=known.lists_providers or info.lists_providers,
            )
        infos[info.id] = info
    return Picture(version=1, issued_at=1.0, drivers=infos, alive=dict.fromkeys(services, 1), providers=providers or {})


@contextmanager
def gateway(
    drivers: list[Driver],
    settings: GatewaySettings | None = None,
    providers: dict[str, dict[str, ProviderEntry]] | None = None,
) -> Iterator[Any]:
    """Yield the gateway's application over these drivers."""
    holder = PictureHolder()
    holder.update(picture_of(drivers, providers))
    resolver, cache = ProviderResolver(holder), SessionCache()
    transport = InProcessTransport(
        {
            driver.service_name(): Dispatcher(driver, opener=PlainOpener(), resolve=resolver, cache=cache)
            for driver in drivers
        },
        encode=True,
        threads=4,
    )
    try:
        yield create_app(settings or GatewaySettings(), transport, holder)
    finally:
        for pool in transport._pools.values():
            pool.close()


@contextmanager
def mock_gateway(folder: Path, settings: GatewaySettings | None = None) -> Iterator[Any]:
    """Yield the gateway over both mock drivers in a folder; the blobs' bytes are served on a port of loopback."""
    compute = MockDriver(folder)
    storage = MockStorageDriver(compute.cloud)
    with serving(storage.bytes_app()) as url, gateway([compute, storage], settings) as app:
        storage.bytes_at(url)
        yield app
    compute.cloud.close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve a WSGI application on a port of loopback and yield its URL."""
    with make_server("127.0.0.1", 0, app, server_class=_Server, handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
