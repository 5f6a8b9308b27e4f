"""The host of drivers: what the compute and the storage workers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from wsgiref.types import WSGIApplication

from deltacloud.drivers.base import Driver
from deltacloud.drivers.loading import BrokenDriver, load
from deltacloud.drivers.session import SessionCache
from deltacloud.errors import UnknownDriver
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.resolve import ProviderResolver
from deltacloud.rpc.dispatch import Dispatcher
from deltacloud.rpc.seal import BadKeyFile, Opener, load_or_create_keys, new_key
from deltacloud.rpc.worker.announcer import Announcer
from deltacloud.rpc.worker.cli import need_broker
from deltacloud.rpc.worker.host import WorkerHost, worker_name
from deltacloud.rpc.worker.settings import WorkerSettings
from deltacloud.settings import refuse


def chosen_drivers(service: str, settings: WorkerSettings) -> list[Driver]:
    """Return the drivers of one kind of service (``compute``, ``storage``) that the settings name.

    A driver that cannot be loaded ends the process with status 2 and the reason.
    """
    try:
        drivers = load(service, list(settings.drivers) or None)
    except (BrokenDriver, UnknownDriver) as error:
        refuse(str(error))
    if not drivers:
        refuse(f"no {service} driver is installed, so there is nothing to serve")
    return drivers


def driver_host(
    drivers: list[Driver], settings: WorkerSettings, *, apps: Mapping[str, WSGIApplication] | None = None
) -> WorkerHost:
    """Return the host of drivers. A key file that cannot be used ends the process with status 2 and the reason.

    Args:
        drivers: what to serve.
        settings: the process's settings.
        apps: further WSGI applications of the ops port, by prefix.

    Raises:
        OSError: the ops port cannot be had.
    """
    try:
        opener = _opener(settings)
    except BadKeyFile as error:
        refuse(str(error))
    holder, cache, worker = PictureHolder(), SessionCache(settings.session_cache_size), worker_name()
    resolve = ProviderResolver(holder)
    announcer = Announcer(
        need_broker(settings), worker=worker, drivers=drivers, sealing_keys=opener.public_keys, holder=holder
    )
    return WorkerHost(
        [Dispatcher(driver, opener=opener, resolve=resolve, cache=cache) for driver in drivers],
        settings,
        worker=worker,
        companions=[announcer],
        apps=apps,
    )


def _opener(settings: WorkerSettings) -> Opener:
    """Return the opener; without a key file the key lives in memory, which is enough for a single worker."""
    path = settings.sealing_key_file
    keys = load_or_create_keys(path) if path is not None else (new_key(),)
    return Opener(keys, allow_plain=settings.allow_plain_credentials)
