"""The one declaration of collections, operations, parameters and features.

Routes, parameter checks, OPTIONS and HEAD answers, documentation, the RPC method list and the conformance suite all
derive from :data:`COLLECTIONS`. There is no second list of operations anywhere.
"""

from __future__ import annotations

from deltacloud.catalogue import (
    addresses,
    blobs,
    buckets,
    drivers,
    firewalls,
    hardware_profiles,
    images,
    instance_states,
    instances,
    keys,
    load_balancers,
    metrics,
    network_interfaces,
    networks,
    realms,
    storage_snapshots,
    storage_volumes,
    subnets,
)
from deltacloud.catalogue.model import Collection, Effect, Feature, Operation, Parameter, Service

__all__ = [
    "API_VERSION",
    "COLLECTIONS",
    "FEATURES",
    "Collection",
    "Effect",
    "Feature",
    "Operation",
    "Parameter",
    "Service",
    "collection",
    "rpc_operation",
    "rpc_operations",
]

API_VERSION = "1.1.3"
"""The version of the REST API that clients see."""

COLLECTIONS: tuple[Collection, ...] = (
    addresses.COLLECTION,
    buckets.COLLECTION,
    blobs.COLLECTION,
    drivers.COLLECTION,
    firewalls.COLLECTION,
    hardware_profiles.COLLECTION,
    images.COLLECTION,
    instance_states.COLLECTION,
    instances.COLLECTION,
    keys.COLLECTION,
    load_balancers.COLLECTION,
    metrics.COLLECTION,
    network_interfaces.COLLECTION,
    networks.COLLECTION,
    realms.COLLECTION,
    storage_snapshots.COLLECTION,
    storage_volumes.COLLECTION,
    subnets.COLLECTION,
)
"""All collections, in the order of the entry point."""

FEATURES: tuple[Feature, ...] = tuple(feature for each in COLLECTIONS for feature in each.features)
"""All features; within a collection in the order of advertisement."""

_BY_NAME = {each.name: each for each in COLLECTIONS}
_BY_RPC: dict[tuple[Service, str], Operation] = {}
for _operation in (
    *(operation for each in COLLECTIONS for operation in each.operations),
    drivers.LIST_PROVIDERS,
    drivers.CHECK_CREDENTIALS,
    drivers.GET_PICTURE,
):
    _BY_RPC.setdefault((_operation.service, _operation.rpc), _operation)


def collection(name: str) -> Collection:
    """Return the collection of that name.

    Raises:
        KeyError: no such collection.
    """
    return _BY_NAME[name]


def rpc_operations(service: Service) -> dict[str, Operation]:
    """Return one kind of service's operations by RPC method; where two HTTP operations share one, the first."""
    return {rpc: operation for (kind, rpc), operation in _BY_RPC.items() if kind == service}


def rpc_operation(service: Service, method: str) -> Operation | None:
    """Return the operation behind an RPC method, or ``None``."""
    return _BY_RPC.get((service, method))
