"""The names on the wire: exchanges, routing keys, queues, and methods as the catalogue has them."""

from __future__ import annotations

from typing import get_args

from deltacloud import catalogue
from deltacloud.errors import UnknownMethod

EVENTS_EXCHANGE = "deltacloud-events"
WORKER_ANNOUNCED = "worker.announced"
REGISTRY_ASKED = "registry.asked"
REGISTRY_PICTURE = "registry.picture"

_OPERATIONS = {kind: catalogue.rpc_operations(kind) for kind in get_args(catalogue.Service)}


def find_operation(service: str, method: str) -> catalogue.Operation | None:
    """Return the operation behind a method of ``compute.<driver>``, ``storage.<driver>`` or ``registry``."""
    return _OPERATIONS.get(service.partition(".")[0], {}).get(method)


def need_operation(service: str, method: str) -> catalogue.Operation:
    """Return the operation behind a method of a service.

    Raises:
        UnknownMethod: the catalogue has no such method for this kind of service; nothing was sent.
    """
    found = find_operation(service, method)
    if found is None:
        raise UnknownMethod(f"{service[:80]} has no method '{method[:80]}'; docs/rpc.md lists them.")
    return found


def driver_of(service: str) -> str | None:
    """Return the driver behind a service's name; the registry has none."""
    return service.partition(".")[2] or None


def queue_of(service: str) -> str:
    """Return the queue that a service's workers consume."""
    return f"rpc-{service}"
