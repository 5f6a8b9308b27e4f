"""Lists are whole, without duplicates, filtered as asked; their records are valid and can be got."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from deltacloud import catalogue
from deltacloud.drivers import Driver
from deltacloud.models import HardwareProfile, Instance, Record
from deltacloud.testing.cloud import BY_COLLECTION, POLL_S, Cloud
from deltacloud.testing.selection import Suite, each

SAMPLE = 6
OWN_PAGING = frozenset({"id", "limit", "marker"})
NOBODYS = "no-such-value"


def lists(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the driver's list operations."""
    operations = catalogue.rpc_operations(driver.service)
    return [operations[rpc] for rpc in sorted(driver.operations()) if operations[rpc].is_list]


def collections(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the list operations of collections: those whose records can be filtered by id."""
    return [operation for operation in lists(driver) if operation.parameter("id")]


def shown(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the list operations whose records can be got one by one."""
    return [each for each in collections(driver) if f"get_{BY_COLLECTION[each.collection]}" in driver.operations()]


def filters(driver: type[Driver]) -> Iterable[tuple[catalogue.Operation, str]]:
    """Return the lists with their filters."""
    return [
        (operation, parameter.name)
        for operation in collections(driver)
        for parameter in operation.parameters
        if parameter.name not in OWN_PAGING
    ]


def ids(records: Iterable[Record]) -> list[str]:
    """Return the records' ids."""
    return [record.id for record in records]


def values_of(record: Record, name: str) -> set[Any]:
    """Return what a filter of that name compares with; empty when the record does not tell."""
    if isinstance(record, HardwareProfile):
        found = next((each for each in record.properties if each.id == name), None)
        return set() if found is None else {found.value, *found.entries}
    value = getattr(record, name, None)
    return set() if value is None else {value}


def is_told_alike(listed: Record, got: Record) -> bool:
    """Say whether a record tells of itself what the list told; a list may tell less."""
    told = msgspec.to_builtins(listed)
    return all(_is_alike(value, msgspec.to_builtins(got).get(name)) for name, value in told.items())


def _is_alike(listed: Any, got: Any) -> bool:
    if isinstance(listed, dict) and isinstance(got, dict):
        return all(_is_alike(value, got.get(name)) for name, value in listed.items())
    if isinstance(listed, list | tuple) and isinstance(got, list | tuple) and len(listed) == len(got):
        return all(_is_alike(one, other) for one, other in zip(listed, got, strict=True))
    return listed is None or listed == got


def sample(records: list[Any]) -> list[Any]:
    """Return a few records from all over a list."""
    step = max(1, len(records) // SAMPLE)
    return [*records[::step][:SAMPLE], *records[-1:]]


class ListChecks(Suite):
    """Lists."""

    @each("operation", lists)
    def test_a_list_has_valid_records_each_once(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Every record is of its type, has an id, and is there once; an instance offers what its state allows."""
        _make_one(cloud, operation)
        records = cloud.list(operation.rpc)
        found = ids(records)
        assert all(found), "a record has no id"
        assert len(set(found)) == len(found), f"twice: {sorted({each for each in found if found.count(each) > 1})}"
        for record in records:
            assert_valid(cloud, record)

    @each("operation", collections)
    def test_a_list_longer_than_a_native_page_is_whole(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Nothing that exists is missing from the list, however many pages the cloud sends."""
        fill = cloud.subject.fill.get(operation.rpc)
        if fill is None:
            cloud.not_proved(f"Subject.fill makes no more than one native page for {operation.rpc}")
        else:
            made = list(fill(cloud))
            found = ids(cloud.list(operation.rpc))
            missing = set(made) - set(found)
            assert not missing, f"{len(missing)} of {len(made)} are missing, {sorted(missing)[:3]} among them"
            assert len(set(found)) == len(found), "some are there twice"

    @each("operation", shown)
    def test_what_is_listed_can_be_got_and_is_the_same(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Getting a record by its id gives what the list told of it."""
        _make_one(cloud, operation)
        get = f"get_{BY_COLLECTION[operation.collection]}"
        for record in sample(cloud.list(operation.rpc)):
            _wait_until_alike(cloud, operation.rpc, get, record)

    @each("operation", collections)
    def test_a_list_filtered_by_id_has_that_record_alone(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """The id of nothing gives an empty list."""
        _make_one(cloud, operation)
        for record in sample(cloud.list(operation.rpc))[:2]:
            assert ids(cloud.list(operation.rpc, id=record.id)) == [record.id]
        assert cloud.list(operation.rpc, id=cloud.unknown_id(BY_COLLECTION[operation.collection])) == []

    @each("operation", collections)
    def test_a_list_can_be_read_page_by_page(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """With limit and marker the pages together are the list."""
        _make_one(cloud, operation)
        whole = ids(cloud.list(operation.rpc))
        limit = max(1, len(whole) // 3)
        read: list[str] = []
        marker: dict[str, Any] = {}
        while len(read) <= len(whole):
            page = cloud.call(operation.rpc, limit=limit, **marker)
            assert len(page.items) <= limit
            read += ids(page.items)
            if page.next is None:
                break
            marker = {"marker": page.next}
        assert read == whole

    @each("case", filters)
    def test_a_filter_keeps_what_matches_and_nothing_else(
        self, cloud: Cloud, case: tuple[catalogue.Operation, str]
    ) -> None:
        """A filter by a value keeps all records that have it; by a value that none has, none."""
        operation, name = case
        _make_one(cloud, operation)
        records = cloud.list(operation.rpc)
        values = sorted({value for record in records for value in values_of(record, name)}, key=str)
        for value in values[:3]:
            found = set(ids(cloud.list(operation.rpc, **{name: value})))
            wanted = {record.id for record in records if value in values_of(record, name)}
            unwanted = {record.id for record in records if values_of(record, name)} - wanted
            assert found >= wanted, f"{name}={value} loses {sorted(wanted - found)}"
            assert not found & unwanted, f"{name}={value} keeps {sorted(found & unwanted)}"
        unwanted = {record.id for record in records if values_of(record, name)}
        assert not unwanted & set(ids(_none_or_some(cloud, operation, name))), f"{name}={NOBODYS} is not applied"


def _none_or_some(cloud: Cloud, operation: catalogue.Operation, name: str) -> list[Any]:
    value = NOBODYS if name != "realm_id" else cloud.unknown_id("realm")
    return cloud.list(operation.rpc, **{name: value})


def assert_valid(cloud: Cloud, record: Record) -> None:
    """Check what no type tells: an instance's state is one of the machine's, and its actions are among that state's."""
    if not isinstance(record, Instance) or cloud.driver.states is None:
        return
    known = {state.name for state in cloud.driver.states.states} - {"start"}
    assert record.state == record.state.upper(), f"state {record.state} is not in upper case"
    assert record.state.lower() in known, f"state {record.state} of {record.id} is not in the state machine"
    assert set(record.actions) <= set(cloud.driver.states.actions(record.state)), f"{record.id} is {record.state}"


def _make_one(cloud: Cloud, operation: catalogue.Operation) -> None:
    """See to it that a list is not empty, if the driver can make what it lists."""
    singular = BY_COLLECTION[operation.collection]
    if cloud.has(f"create_{singular}") and cloud.has(f"destroy_{singular}") and not cloud.list(operation.rpc):
        cloud.make(singular)


def _wait_until_alike(cloud: Cloud, rpc: str, get: str, record: Record) -> None:
    """A record may change while it is looked at: it settles."""
    end = time.monotonic() + cloud.subject.settle_s
    listed: Record | None = record
    got = cloud.call(get, id=record.id)
    while listed is not None and not is_told_alike(listed, got):
        assert time.monotonic() < end, f"{get} tells {got}; the list told {listed}"
        time.sleep(POLL_S)
        listed = next(iter(cloud.list(rpc, id=record.id)), None)
        got = cloud.call(get, id=record.id)
