"""Which driver and provider a request is for: matrix or query, then header, then the settings; kept by nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from starlette.datastructures import Headers

from deltacloud.catalogue.check import shown
from deltacloud.errors import ForbiddenProvider, InvalidRequest, Unavailable, UnknownDriver
from deltacloud.models import DriverInfo
from deltacloud.providers.picture import Picture
from deltacloud_gateway.settings import GatewaySettings

DRIVER_HEADER = "X-Deltacloud-Driver"
PROVIDER_HEADER = "X-Deltacloud-Provider"
MAX_LENGTH = 1024
QUERY = {"driver": "api[driver]", "provider": "api[provider]"}
RETRY_AFTER_S = 2.0

_USER_NAME = re.compile(r":.*@", re.DOTALL)
"""In a URL, or in what a driver takes for one: ``https://user:password@host``, ``user:password@host``."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The driver's name, lower case, and the provider as it was written; ``None`` for the driver's default.

    ``is_default`` says that the request itself named neither.
    """

    driver: str
    provider: str | None
    is_default: bool = True


def refuse_user_name(provider: str) -> None:
    """Do nothing unless a provider's URL holds a user name: a password may follow, and answers repeat providers.

    Raises:
        ForbiddenProvider: it does; the text repeats nothing of it.
    """
    if _USER_NAME.search(provider):
        raise ForbiddenProvider(
            "The provider's URL cannot be used: a user name has no place in it;"
            " credentials travel as HTTP basic authentication."
        )


def select(
    settings: GatewaySettings, *, matrix: Mapping[str, str], query: Mapping[str, str], headers: Headers
) -> Selection:
    """Return what a request selects.

    Raises:
        InvalidRequest: a name is too long or has control characters.
        ForbiddenProvider: the provider's URL holds a user name.
    """
    driver = _named("driver", matrix, query, headers.get(DRIVER_HEADER))
    provider = _named("provider", matrix, query, headers.get(PROVIDER_HEADER))
    chosen = provider or settings.default_provider
    refuse_user_name(chosen or "")
    return Selection(
        driver=(driver or settings.default_driver).lower(),
        provider=chosen,
        is_default=driver is None and provider is None,
    )


def find_driver(picture: Picture, name: str) -> DriverInfo:
    """Return what is known of a driver.

    Raises:
        UnknownDriver: no worker ever announced it; the text lists those that are known.
        Unavailable: nothing is known of any driver yet.
    """
    found = picture.drivers.get(name)
    if found is not None:
        return found
    if not picture.drivers:
        raise Unavailable(
            "No driver is known yet: no worker has announced itself. Try again in a few seconds.",
            driver=name,
            retry_after_s=RETRY_AFTER_S,
        )
    raise UnknownDriver(
        f"Driver {shown(name)} is not available; available: {', '.join(sorted(picture.drivers))}. "
        f"Name one in the {DRIVER_HEADER} header.",
        driver=name,
    )


def _named(kind: str, matrix: Mapping[str, str], query: Mapping[str, str], header: str | None) -> str | None:
    value = matrix.get(kind) or query.get(QUERY[kind]) or header or None
    if value is not None and (len(value) > MAX_LENGTH or not value.isprintable()):
        raise InvalidRequest(f"The name of a {kind} has at most {MAX_LENGTH} printable characters.")
    return value
