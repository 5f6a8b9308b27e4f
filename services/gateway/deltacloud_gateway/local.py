"""Operations the gateway answers itself: the entry point, drivers, instance states, the driver selector."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from deltacloud.catalogue.check import shown
from deltacloud.errors import AuthenticationFailed, CapabilityMissing, NotFound, NotSupported
from deltacloud.models import DriverInfo, Page, ProviderInfo
from deltacloud.providers.picture import Picture
from deltacloud_gateway import urls
from deltacloud_gateway.exchange import Exchange
from deltacloud_gateway.negotiation import Format
from deltacloud_gateway.representations import graph, meta
from deltacloud_gateway.representations.documents import Document
from deltacloud_gateway.representations.shape import View
from deltacloud_gateway.selection import refuse_user_name

CHECK_CREDENTIALS = "check_credentials"
LIST_PROVIDERS = "list_providers"


def with_providers(info: DriverInfo, picture: Picture) -> DriverInfo:
    """Return a driver with the operator's providers after its own; their addresses are not for everybody."""
    own = {each.id.casefold() for each in info.providers}
    named = picture.providers.get(info.id, {}).values()
    added = tuple(ProviderInfo(id=each.name) for each in named if each.name.casefold() not in own)
    return msgspec.structs.replace(info, providers=(*info.providers, *added)) if added else info


def entry(view: View, provider: str | None, picture: Picture) -> Document:
    """Return the entry point."""
    choices = {
        "drivers": {each.id: each.name for each in _known(picture)},
        "providers": [each.id for each in with_providers(view.driver, picture).providers],
    }
    return meta.entry(view, provider, choices)


async def check_credentials(exchange: Exchange) -> None:
    """Ask the cloud whether it accepts the caller's credentials.

    Raises:
        AuthenticationFailed: there are none, or it does not.
        NotSupported: the driver has no way to ask.
    """
    if CHECK_CREDENTIALS not in exchange.driver.operations:
        raise NotSupported(f"Driver '{exchange.driver.id}' has no way to check credentials.")
    try:
        await exchange.ask(CHECK_CREDENTIALS)
    except AuthenticationFailed as error:
        raise AuthenticationFailed("Authentication failed", driver=error.driver, provider=error.provider) from None


def drivers(view: View, picture: Picture) -> Document:
    """Return all drivers that are known."""
    return meta.drivers([with_providers(each, picture) for each in _known(picture)], view)


async def driver(name: str, view: View, picture: Picture, asking: Exchange | None) -> Document:
    """Return one driver; ``asking`` is set where its providers are to be asked of the cloud.

    Raises:
        NotFound: no such driver.
    """
    info = picture.drivers.get(name)
    if info is None:
        raise NotFound(f"There is no driver {shown(name)}; there is: {', '.join(sorted(picture.drivers)) or 'none'}.")
    if asking is not None:
        answer: Page[ProviderInfo] = await asking.ask(LIST_PROVIDERS)
        info = msgspec.structs.replace(info, providers=tuple(answer.items))
    return meta.driver(with_providers(info, picture), view)


async def instance_states(info: DriverInfo, format: Format, painter: graph.Painter) -> Document:
    """Return the driver's state machine, drawn where a picture is asked for.

    Raises:
        CapabilityMissing: the driver has none.
        NotAcceptable: a picture is asked for and cannot be drawn here.
    """
    if not info.states:
        raise CapabilityMissing(
            f"Driver '{info.id}' has no instance states.", driver=info.id, details={"capability": "instance_states"}
        )
    document = meta.instance_states(info.states)
    if format == "png":
        picture = await painter.picture(info.states)
        return msgspec.structs.replace(document, others={**document.others, "png": lambda: picture})
    return document


def choose(base_url: str, form: Mapping[str, Any], referer: str | None) -> Response:
    """Return the redirect that the entry page's forms lead to.

    Raises:
        ForbiddenProvider: the provider's URL holds a user name.
    """
    name, provider = form.get("driver", ""), form.get("provider", "")
    refuse_user_name(provider)
    if not name and provider:
        name = _driver_in(referer)
    target = base_url
    if name:
        target += urls.matrix("driver", name)
    if provider and provider != meta.DEFAULT_PROVIDER:
        target += urls.matrix("provider", provider)
    elif not name:
        target += "/"
    response = Response(status_code=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": target})
    response.headers["Content-Type"] = "text/html;charset=utf-8"
    return response


def _driver_in(referer: str | None) -> str:
    try:
        path = urlsplit(referer or "").path
    except ValueError:
        return ""
    _, found, rest = path.partition(";driver=")
    return rest.partition(";")[0].partition("/")[0] if found else ""


def _known(picture: Picture) -> list[DriverInfo]:
    return [picture.drivers[name] for name in sorted(picture.drivers)]
