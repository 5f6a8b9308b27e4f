"""Serving with everything in this process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec

from deltacloud.logging import get_logger
from deltacloud.providers.origin import bracketed
from deltacloud_gateway.app import create_app
from deltacloud_gateway.server import serve
from deltacloud_registry.providers_file import OperatorProviders, ProvidersFileError, read
from deltacloud_registry.registry import Registry
from deltacloudd.house import House, free_port
from deltacloudd.settings import Settings

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound
"""How the process reaches itself when it serves at all addresses."""

_LOG = get_logger()


def operator_providers(path: Path | None) -> OperatorProviders:
    """Return what the providers file says; nothing without one.

    Raises:
        ProvidersFileError: it has a mistake.
    """
    return OperatorProviders() if path is None else read(path)


def settled(settings: Settings) -> Settings:
    """Return the settings with the port that will be served, where they leave it open."""
    if settings.port:
        return settings
    return settings.model_copy(update={"port": free_port(settings.host)})


def url(settings: Settings) -> str:
    """Return how this process, and a browser on this machine, reaches it."""
    return f"http://{bracketed(ANYWHERE.get(settings.host, settings.host))}:{settings.port}"


async def run(settings: Settings, on_start: Callable[[], None]) -> None:
    """Serve until told to stop; SIGHUP reads the providers file again.

    Raises:
        BrokenDriver: an installed driver cannot be loaded.
        OSError: the address cannot be had.
        ProvidersFileError: the providers file has a mistake.
    """
    house = House(operator_providers(settings.providers), url(settings))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, _read_again, house.registry, settings.providers)
    app = create_app(settings, house.transport, house.holder, mounts=house.mounts)
    try:
        await serve(app, settings, on_start=on_start)
    finally:
        await house.transport.close()


def _read_again(registry: Registry, path: Path | None) -> None:
    try:
        registry.use(operator_providers(path))
    except ProvidersFileError as error:
        _LOG.error("providers file not taken; the old one stays", reason=str(error))
    else:
        _LOG.info("providers file read again", providers=len(msgspec.to_builtins(registry.picture.providers)))
