"""The HTTP server under the application: bound in headers and silence, drained at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from deltacloud.logging import get_logger
from deltacloud_gateway.settings import GatewaySettings

MILLISECONDS = 1000
HEADER_ROOM = 2
"""The server's own bound on headers, as a multiple of the gateway's: what lies between gets an error that explains."""

_LOG = get_logger()


async def serve(app: ASGIApp, settings: GatewaySettings, *, on_start: Callable[[], None] | None = None) -> None:
    """Serve the application until SIGTERM or SIGINT, then finish the requests in hand.

    New connections are refused from the signal on. Requests that are not finished within ``drain_s`` are given up, and
    the process ends with status 0.

    Args:
        app: the application.
        settings: address, port, bounds.
        on_start: called when connections are accepted.

    Raises:
        OSError: the address cannot be had.
    """
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.header_timeout_s * MILLISECONDS),
            max_buffer_size=settings.max_header_bytes * HEADER_ROOM,
        ),
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        _LOG.info("stopping", drain_s=settings.drain_s)
        loop.call_later(settings.drain_s, _give_up)
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if on_start is not None:
        server.hooks_startup.append(lambda: loop.call_soon(on_start))
    await server.serve()


def _give_up() -> None:
    """End the process at once: a client that never finishes must not keep it."""
    _LOG.warning("requests in hand were given up")
    sys.stderr.flush()
    os._exit(0)
