"""OPTIONS: what a collection, an operation or a member's action takes, told in ``Allow`` as the original does."""

from __future__ import annotations

from starlette.responses import Response

from deltacloud import catalogue
from deltacloud.catalogue import Collection, Operation
from deltacloud.errors import NotFound
from deltacloud.models import DriverInfo
from deltacloud_gateway.representations import meta

COLLECTION_OPERATIONS = frozenset({"index", "show", "create", "destroy"})


def entry(driver: DriverInfo) -> Response:
    """Return the names of the collections that the driver has."""
    names = (f"Deltacloud::Rabbit::{each.name.title().replace('_', '')}Collection" for each in meta.supported(driver))
    return answer(",".join(names))


def below(segments: tuple[str, ...], default_driver: DriverInfo | None) -> Response:
    """Return what is allowed at a path below the entry point.

    Args:
        segments: the path.
        default_driver: the driver whose features are listed with an operation's parameters.

    Raises:
        NotFound: there is no such collection, operation or action.
    """
    found = _collection(segments)
    if found is None:
        raise NotFound("There is no such collection.")
    rest = segments[1:] if found.parent is None else segments[2:]
    if not rest:
        methods = dict.fromkeys(each.http_method for each in found.operations if each.http_method)
        return answer(",".join(("OPTIONS", *methods)))
    operation = next((each for each in found.operations if each.name == rest[-1] and each.http_method), None)
    is_collection_operation = operation is not None and operation.name in COLLECTION_OPERATIONS
    if operation is None or len(rest) != (1 if is_collection_operation else 2):
        raise NotFound(f"{found.name} has no operation of this name for OPTIONS.")
    return answer(",".join(_signatures(found, operation, default_driver)))


def answer(allow: str) -> Response:
    """Return the empty answer; without anything to list there is no header."""
    response = Response(headers={"Allow": allow} if allow else {})
    response.headers["Content-Type"] = "text/html;charset=utf-8"
    return response


def _collection(segments: tuple[str, ...]) -> Collection | None:
    by_name = {each.name: each for each in catalogue.COLLECTIONS if each.parent is None}
    found = by_name.get(segments[0])
    inside = next((each for each in catalogue.COLLECTIONS if each.parent == segments[0]), None)
    is_inside = inside is not None and len(segments) > 1 and segments[1] not in COLLECTION_OPERATIONS
    return inside if is_inside else found


def _signatures(found: Collection, operation: Operation, driver: DriverInfo | None) -> list[str]:
    features = [each for each in found.features if each.operation == operation.name]
    owned = {parameter.name for each in features for parameter in each.parameters}
    declared = {each.name for each in driver.features if each.collection == found.name} if driver else set()
    first = [each for feature in features if feature.name in declared for each in feature.parameters]
    own = [each for each in operation.parameters if not each.rpc_only and each.name not in owned]
    return [meta.signature(each) for each in (*first, *own)]
