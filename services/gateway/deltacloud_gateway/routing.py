"""From a raw path to an operation of the catalogue.

Segments are split before they are decoded, and decoded once, so an id may hold ``%2F``. What follows ``;`` in a
segment are matrix parameters; those of the ``api`` segment select the driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import unquote_to_bytes

import msgspec

from deltacloud import catalogue
from deltacloud.catalogue import Operation
from deltacloud.errors import InvalidRequest

METADATA_PATH = "/buckets/{bucket_id}/{id}/metadata"
"""A second spelling of the URL at which HEAD answers a blob's attributes."""

FORM_PATHS = {
    ("firewalls", "rules"): "/firewalls/{id}/new_rule",
    ("storage_volumes", "attach"): "/storage_volumes/{id}/attach_instance",
    ("blobs", "create_form"): "/buckets/{bucket_id}/new_blob_form_d15cfd90",
}
"""The original's URLs of forms that follow no rule."""


class Path(msgspec.Struct, frozen=True):
    """A path read: decoded segments, and the matrix parameters of the first."""

    segments: tuple[str, ...]
    matrix: dict[str, str]


class Route(msgspec.Struct, frozen=True):
    """One way to reach an operation: to run it, or to fill in its form."""

    template: tuple[str, ...]
    method: str
    operation: Operation
    kind: Literal["run", "form"] = "run"

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the parameters in a path of as many segments, or ``None`` when it is another's."""
        parameters = {}
        for part, segment in zip(self.template, segments, strict=True):
            if part.startswith("{"):
                parameters[part[1:-1]] = segment
            elif part != segment:
                return None
        return parameters

    @property
    def label(self) -> str:
        """The route's name in metrics and logs."""
        return "/api/" + "/".join(self.template)


class Match(msgspec.Struct, frozen=True):
    """A route and the parameters found in the path."""

    route: Route
    parameters: dict[str, str]


def read_path(raw: bytes) -> Path:
    """Split and decode a raw path.

    Raises:
        InvalidRequest: a segment is not UTF-8.
    """
    segments: list[str] = []
    matrix: dict[str, str] = {}
    for position, part in enumerate(raw.split(b"/")[1:]):
        name, *parameters = part.split(b";")
        segments.append(_decode(name))
        if position == 0:
            for parameter in parameters:
                key, _, value = parameter.partition(b"=")
                matrix[_decode(key)] = _decode(value)
    return Path(tuple(segments), matrix)


def shown_path(raw: bytes) -> str:
    """Return a raw path as errors and logs show it: as it was sent, without matrix parameters."""
    return b"/".join(part.partition(b";")[0] for part in raw.split(b"/")).decode("ascii", "replace")


def _decode(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The URL's path is not UTF-8; percent-encode it as UTF-8.") from None


class Router:
    """The routes below ``/api``, by first segment and number of segments, the most literal first."""

    def __init__(self, collections: Iterable[catalogue.Collection] = catalogue.COLLECTIONS) -> None:
        routes = [route for each in collections for operation in each.operations for route in _routes(operation)]
        self._by_start: dict[tuple[str, int], list[Route]] = {}
        for route in sorted(routes, key=lambda route: sum(part.startswith("{") for part in route.template)):
            self._by_start.setdefault((route.template[0], len(route.template)), []).append(route)

    def matches(self, segments: tuple[str, ...]) -> dict[str, Match]:
        """Return what the path offers, by HTTP method; empty for a path that is none of ours."""
        found: dict[str, Match] = {}
        if "" in segments:
            return found
        for route in self._by_start.get((segments[0], len(segments)), ()):
            parameters = route.match(segments)
            if parameters is not None:
                found.setdefault(route.method, Match(route, parameters))
        return found


def allowed(matches: Mapping[str, Match]) -> str:
    """Return the value of ``Allow`` for a path."""
    methods = set(matches) | ({"HEAD"} if {"GET", "POST"} & set(matches) else set())
    return ", ".join(sorted(methods | {"OPTIONS"}))


def has_form(operation: Operation) -> bool:
    """Whether a person needs a form to run the operation: a POST with parameters beside those in the path."""
    return operation.http_method == "POST" and any(
        not (parameter.in_path or parameter.rpc_only) for parameter in operation.parameters
    )


def form_path(operation: Operation) -> str:
    """Return the URL below ``/api`` of the operation's form."""
    special = FORM_PATHS.get((operation.collection, operation.name))
    return special or (f"{operation.path}/new" if operation.name == "create" else operation.path)


def _routes(operation: Operation) -> list[Route]:
    if operation.http_method is None:
        return []
    routes = [Route(_template(operation.path), operation.http_method, operation)]
    if operation.http_method == "HEAD":
        routes.append(Route(_template(METADATA_PATH), "HEAD", operation))
    if has_form(operation):
        routes.append(Route(_template(form_path(operation)), "GET", operation, "form"))
    return routes


def _template(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))
