"""The HTTP server under the application: granian in the process's own loop, bounded, drained at the end.

Measured on granian 2.8: it answers 431 to headers beyond its buffer, closes connections whose headers dribble in,
reports a body that is cut short or wrongly chunked as a disconnect, and finishes the requests in hand at the end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from deltacloud.collector import settle
from deltacloud.logging import get_logger
from deltacloud_gateway.settings import GatewaySettings

MILLISECONDS = 1000
HEADER_ROOM = 8
"""The server's own bound on headers, as a multiple of the gateway's: what lies between gets an error that explains.

The same buffer takes bodies: each time it is filled is a turn of the loop, and a blob of 1 GiB costs the gateway 1.5 s
of processor time with a multiple of two and 0.9 s with eight.
"""
BACKLOG = 1024

_LOG = get_logger()


def run(serving: Coroutine[Any, Any, None]) -> NoReturn:
    """Run what ends by :func:`serve` to its end, and the process with it, status 0.

    The interpreter's own end is left out: a thread of the server that wakes up meanwhile aborts the process (SIGABRT;
    seen in a third of all ends on Python 3.11 with granian 2.8).

    Raises:
        Exception: whatever kept it from serving.
    """
    asyncio.run(serving)
    _end()


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
    settle()
    address, port = _free_address(settings.host, settings.port)
    server = _server(app, settings, address, port)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        _LOG.info("stopping", drain_s=settings.drain_s)
        loop.call_later(settings.drain_s, _give_up)
        server.stop()  # type: ignore[no-untyped-call]

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    server.hooks_startup.append(lambda: _LOG.info("listening", address=address, port=port))
    if on_start is not None:
        server.hooks_startup.append(lambda: loop.call_soon(on_start))
    await server.serve()


def _server(app: ASGIApp, settings: GatewaySettings, address: str, port: int) -> Server:
    server = Server(
        app,
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=settings.max_connections,
        log_enabled=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.header_timeout_s * MILLISECONDS),
            max_buffer_size=settings.max_header_bytes * HEADER_ROOM,
        ),
    )
    logging.getLogger("_granian").setLevel(logging.ERROR)
    return server


def _free_address(host: str, port: int) -> tuple[str, int]:
    """Return the IP address of a host, an IPv4 one where it has one, and the port, or a free one for 0.

    Both are tried, since the server raises no OSError when it cannot have them.

    Raises:
        OSError: the address cannot be had.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return str(address[0]), int(probe.getsockname()[1])


def _give_up() -> NoReturn:
    """End the process at once: a client that never finishes must not keep it."""
    _LOG.warning("requests in hand were given up")
    _end()


def _end() -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
