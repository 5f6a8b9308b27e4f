"""The host of drivers: what the compute and the storage workers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from wsgiref.types import WSGIApplication

from nacl.public import PrivateKey

from deltacloud.drivers.base import Driver
from deltacloud.drivers.loading import BrokenDriver, load
from deltacloud.drivers.session import ProviderTarget, SessionCache
from deltacloud.errors import UnknownDriver
from deltacloud.logging import get_logger
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.resolve import ProviderResolver
from deltacloud.rpc.dispatch import Dispatcher, Resolver
from deltacloud.rpc.seal import BadKeyFile, Opener, load_or_create_keys, new_key
from deltacloud.rpc.worker.announcer import Announcer
from deltacloud.rpc.worker.cli import need_broker
from deltacloud.rpc.worker.host import WorkerHost, worker_name
from deltacloud.rpc.worker.settings import WorkerSettings
from deltacloud.settings import refuse
from deltacloud.userfolder import make_private, user_folder

FIRST_PICTURE_S = 3.0
"""Longest wait for a registry's first word, after which calls are answered without it."""

_LOG = get_logger()


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
    resolve = _after_first_picture(holder, ProviderResolver(holder))
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


def _after_first_picture(holder: PictureHolder, resolve: Resolver) -> Resolver:
    """Return the resolver, made to wait for the first picture a few seconds, once; a registry may be away for long.

    A worker is handed calls before its registry has answered it: without the operator's list it would not find a
    provider, or take the cloud's own of the same name for it.
    """
    waited: list[bool] = []

    def resolve_patiently(driver: Driver, provider: str | None) -> ProviderTarget:
        if not waited:
            holder.wait(FIRST_PICTURE_S)
            waited.append(True)
        return resolve(driver, provider)

    return resolve_patiently


def _opener(settings: WorkerSettings) -> Opener:
    path = settings.sealing_key_file
    keys = load_or_create_keys(path) if path is not None else _own_keys()
    return Opener(keys, allow_plain=settings.allow_plain_credentials)


def _own_keys() -> tuple[PrivateKey, ...]:
    """Return the keys this user's workers on this machine share; where nothing can be kept, one in memory.

    Raises:
        BadKeyFile: there is a file of keys that cannot be used.
    """
    folder = user_folder()
    try:
        make_private(folder)
    except OSError as error:
        _LOG.warning(
            "the sealing key is this process's alone: workers side by side need a common DELTACLOUD_SEALING_KEY_FILE",
            reason=error.strerror,
        )
        return (new_key(),)
    return load_or_create_keys(folder / "sealing-key")
