"""One driver out of what its compute and its storage workers say."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deltacloud.models import DriverInfo, FeatureDeclaration, ProviderInfo


def merge(infos: Sequence[DriverInfo]) -> DriverInfo:
    """Return one description of a driver from those of its services; where two differ, the first one's word counts.

    Services, operations and features are joined; a provider that both know has the entry points of both.
    """
    return msgspec.structs.replace(
        infos[0],
        services=tuple(sorted({service for info in infos for service in info.services})),
        operations=frozenset[str]().union(*(info.operations for info in infos)),
        features=_features(infos),
        states=next((info.states for info in infos if info.states), ()),
        credentials=next((info.credentials for info in infos if info.credentials), None),
        providers=_providers(infos),
        default_provider=next((info.default_provider for info in infos if info.default_provider), None),
        lists_providers=any(info.lists_providers for info in infos),
        anonymous_operations=frozenset[str]().union(*(info.anonymous_operations for info in infos)),
    )


def _features(infos: Sequence[DriverInfo]) -> tuple[FeatureDeclaration, ...]:
    found: dict[tuple[str, str], FeatureDeclaration] = {}
    for info in infos:
        for feature in info.features:
            found.setdefault((feature.collection, feature.name), feature)
    return tuple(found.values())


def _providers(infos: Sequence[DriverInfo]) -> tuple[ProviderInfo, ...]:
    found: dict[str, ProviderInfo] = {}
    for info in infos:
        for provider in info.providers:
            known = found.get(provider.id, provider)
            entrypoints = {**provider.entrypoints, **known.entrypoints}
            found[provider.id] = msgspec.structs.replace(known, entrypoints=entrypoints)
    return tuple(found.values())
