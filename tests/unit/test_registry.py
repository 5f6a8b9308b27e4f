"""The registry's picture, made of announcements."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltacloud.errors import InvalidParameters, Unavailable, UnknownMethod
from deltacloud.models import CredentialLabels, DriverInfo, FeatureDeclaration, InstanceState, ProviderInfo
from deltacloud.providers.picture import Announcement, Picture, ProviderEntry, SealingKey
from deltacloud.rpc.context import Context
from deltacloud_registry.providers_file import OperatorProviders
from deltacloud_registry.registry import Registry

OLD_KEY, NEW_KEY = SealingKey(id="old", public="b2xk"), SealingKey(id="new", public="bmV3")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def info(service: str, **more: object) -> DriverInfo:
    kind, _, driver = service.partition(".")
    fields = {"operations": frozenset({f"list_{kind}"}), **more}
    return msgspec.convert(
        {"id": driver, "name": driver.upper(), "services": (service,), **fields}, DriverInfo, from_attributes=True
    )


def said(
    service: str, worker: str = "w1", *, leaving: bool = False, keys: tuple[SealingKey, ...] = (), **more: object
) -> Announcement:
    return Announcement(
        service=service, worker=worker, driver=info(service, **more), sealing_keys=keys, leaving=leaving
    )


def told(registry: Registry, *announcements: Announcement) -> Picture:
    for announcement in announcements:
        registry.announce(announcement)
    return registry.picture


def content(picture: Picture) -> Picture:
    """Return what is the same in all replicas."""
    return msgspec.structs.replace(picture, version=0, issued_at=0.0)


def test_a_worker_is_in_the_picture_as_soon_as_it_announced_itself() -> None:
    picture = told(Registry(), said("compute.ec2"), said("compute.ec2", "w2"), said("compute.mock"))
    assert picture.alive == {"compute.ec2": 2, "compute.mock": 1}
    assert list(picture.drivers) == ["ec2", "mock"]


def test_compute_and_storage_of_one_driver_are_one_driver() -> None:
    labels = CredentialLabels(username="Key", password="Secret")
    features = (FeatureDeclaration(name="user_data", collection="instances"),)
    compute = said(
        "compute.ec2",
        features=features, credentials=labels, states=(InstanceState(name="start"),), default_provider="east",
        providers=(ProviderInfo(id="east", entrypoints={"ec2": "a"}), ProviderInfo(id="west")),
    )  # fmt: skip
    storage = said(
        "storage.ec2",
        features=(FeatureDeclaration(name="bucket_location", collection="buckets"),), lists_providers=True,
        providers=(ProviderInfo(id="east", entrypoints={"s3": "b"}), ProviderInfo(id="north")),
        anonymous_operations=frozenset({"list_storage"}),
    )  # fmt: skip
    driver = told(Registry(), storage, compute).drivers["ec2"]
    assert driver.services == ("compute.ec2", "storage.ec2")
    assert driver.operations == {"list_compute", "list_storage"}
    assert [each.name for each in driver.features] == ["user_data", "bucket_location"]
    assert driver.states == (InstanceState(name="start"),)
    assert (driver.credentials, driver.default_provider) == (labels, "east")
    assert (driver.lists_providers, driver.anonymous_operations) == (True, {"list_storage"})
    assert [each.id for each in driver.providers] == ["east", "west", "north"]
    assert driver.providers[0].entrypoints == {"ec2": "a", "s3": "b"}


def test_a_silent_worker_is_dropped_after_its_time_and_its_driver_stays() -> None:
    clock = Clock()
    registry = Registry(silent_s=15.0, clock=clock)
    registry.announce(said("compute.ec2", "silent"))
    clock.now += 10
    registry.announce(said("compute.ec2", "steady"))
    clock.now += 4.9
    registry.sweep()
    assert registry.picture.alive == {"compute.ec2": 2}
    clock.now += 0.1
    registry.sweep()
    assert registry.picture.alive == {"compute.ec2": 1}
    clock.now += 15
    registry.sweep()
    assert registry.picture.alive == {}
    assert registry.picture.drivers["ec2"].operations == {"list_compute"}


def test_an_announcement_repeated_keeps_a_worker_alive() -> None:
    clock = Clock()
    registry = Registry(silent_s=15.0, clock=clock)
    for _ in range(10):
        registry.announce(said("compute.ec2"))
        clock.now += 10
        registry.sweep()
    assert registry.picture.alive == {"compute.ec2": 1}


def test_silence_while_nothing_could_be_heard_counts_for_nothing() -> None:
    clock = Clock()
    registry = Registry(silent_s=15.0, clock=clock)
    registry.announce(said("compute.ec2"))
    clock.now += 100
    registry.hear_again()
    registry.sweep()
    assert registry.picture.alive == {"compute.ec2": 1}


def test_a_leaving_worker_goes_at_once() -> None:
    picture = told(Registry(), said("compute.ec2"), said("compute.ec2", leaving=True))
    assert picture.alive == {}
    assert "ec2" in picture.drivers


def test_an_announcement_of_a_service_that_is_not_its_drivers_is_ignored() -> None:
    forged = msgspec.structs.replace(said("compute.ec2"), service="compute.other")
    assert told(Registry(), forged).drivers == {}


def test_only_a_change_makes_a_new_version_and_is_told() -> None:
    seen: list[Picture] = []
    registry = Registry(on_change=seen.append)
    for announcement in (said("compute.ec2"), said("compute.ec2"), said("compute.ec2", "w2"), said("compute.ec2")):
        registry.announce(announcement)
    assert [picture.version for picture in seen] == [2, 3]
    assert registry.picture.version == 3


def test_a_picture_is_issued_when_it_is_asked_for() -> None:
    clock = Clock()
    registry = Registry(wall_clock=clock)
    first = registry.picture
    clock.now += 5
    assert registry.picture.issued_at == first.issued_at + 5


def test_the_providers_file_is_in_the_picture_and_can_be_replaced() -> None:
    seen: list[Picture] = []
    entry = {"ec2": {"lab": ProviderEntry(name="lab", endpoint="http://127.0.0.1:1")}}
    registry = Registry(OperatorProviders(providers=entry, allow=("https://a.example",)), on_change=seen.append)
    assert (registry.picture.providers, registry.picture.allow) == (entry, ("https://a.example",))
    registry.use(OperatorProviders())
    assert (registry.picture.providers, registry.picture.allow) == ({}, ())
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("workers", "first"),
    [
        ([(OLD_KEY,), (OLD_KEY, NEW_KEY)], OLD_KEY),
        ([(OLD_KEY, NEW_KEY), (NEW_KEY, OLD_KEY), (NEW_KEY, OLD_KEY)], NEW_KEY),
        ([(NEW_KEY, OLD_KEY), (NEW_KEY,)], NEW_KEY),
    ],
)
def test_callers_are_told_to_seal_for_the_key_that_all_workers_hold(
    workers: list[tuple[SealingKey, ...]], first: SealingKey
) -> None:
    picture = told(Registry(), *(said("compute.ec2", f"w{n}", keys=keys) for n, keys in enumerate(workers)))
    assert picture.sealing_keys[0] == first
    assert set(picture.sealing_keys) == {OLD_KEY, NEW_KEY}


def test_the_keys_of_workers_that_are_gone_are_gone() -> None:
    picture = told(Registry(), said("compute.ec2", keys=(OLD_KEY,)), said("compute.ec2", leaving=True, keys=(OLD_KEY,)))
    assert picture.sealing_keys == ()


def announcements() -> Iterator[Announcement]:
    for worker in range(3):
        for service in ("compute.ec2", "storage.ec2", "compute.mock"):
            is_old = worker == 0
            providers = (ProviderInfo(id="east"),) if is_old else (ProviderInfo(id="east"), ProviderInfo(id="west"))
            keys = (OLD_KEY,) if is_old else (NEW_KEY, OLD_KEY)
            yield said(service, f"w{worker}", providers=providers, keys=keys)


@given(st.randoms(use_true_random=False))
def test_replicas_that_heard_the_same_in_any_order_show_the_same(order: random.Random) -> None:
    heard = list(announcements())
    one = told(Registry(), *heard)
    order.shuffle(heard)
    assert content(told(Registry(), *heard)) == content(one)


def test_while_an_update_rolls_out_most_workers_decide_what_a_driver_can() -> None:
    picture = told(Registry(), *announcements())
    assert [each.id for each in picture.drivers["ec2"].providers] == ["east", "west"]


def test_a_new_replica_learns_the_drivers_whose_workers_are_gone() -> None:
    old = Registry()
    told(old, *announcements(), *(msgspec.structs.replace(each, leaving=True) for each in announcements()))
    new = Registry()
    new.learn(old.picture)
    assert content(new.picture) == content(old.picture)
    again = said("storage.ec2", "w9")
    assert content(told(new, again)) == content(told(old, again))


def test_a_replica_believes_workers_more_than_other_replicas() -> None:
    registry = Registry()
    registry.learn(told(Registry(), said("compute.ec2", operations=frozenset({"gone"}))))
    assert told(registry, said("compute.ec2")).drivers["ec2"].operations == {"list_compute"}


def test_get_picture_answers_the_picture_and_nothing_else_is_answered() -> None:
    registry = Registry()
    registry.announce(said("compute.ec2"))
    assert content(registry.call("get_picture", Context(), {})) == content(registry.picture)
    with pytest.raises(UnknownMethod, match="get_picture"):
        registry.call("list_instances", Context(), {})
    with pytest.raises(InvalidParameters):
        registry.call("get_picture", Context(), {"unknown": "1"})


def test_a_registry_that_still_gathers_shows_nobody_a_picture_with_workers_missing() -> None:
    registry = Registry()
    registry.is_gathering = True
    with pytest.raises(Unavailable):
        registry.call("get_picture", Context(), {})
