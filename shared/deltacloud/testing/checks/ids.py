"""Ids of nothing: not found, and nothing else happens."""

from __future__ import annotations

from deltacloud import catalogue
from deltacloud.drivers import Driver
from deltacloud.testing.cloud import BY_COLLECTION, Cloud
from deltacloud.testing.selection import Suite, each

REFUSALS = frozenset({"not_found", "invalid_parameters", "not_supported"})


def by_id(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the driver's operations on one resource."""
    operations = catalogue.rpc_operations(driver.service)
    return [operations[rpc] for rpc in sorted(driver.operations()) if "id" in operations[rpc].required]


def gets(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the driver's operations that show one resource, and no resource within another."""
    return [each for each in by_id(driver) if each.name == "show" and each.required == ("id",)]


def is_in_one_collection(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the operations on one resource that is not within another."""
    return [each for each in by_id(driver) if "bucket_id" not in each.required]


class IdChecks(Suite):
    """Unknown and odd ids."""

    @each("operation", is_in_one_collection)
    def test_an_unknown_id_is_not_found(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Whatever is asked of a resource that does not exist, it is not found."""
        error = cloud.refusal(operation.rpc, **cloud.probe(operation))
        assert error.code == "not_found", error

    @each("operation", gets)
    def test_an_id_that_nothing_can_have_is_refused_cleanly(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Slashes, spaces, escapes and great length are the caller's mistake, never the cloud's or the driver's."""
        for odd in cloud.subject.odd_ids:
            error = cloud.refusal(operation.rpc, id=odd)
            assert error.code in REFUSALS, f"{odd[:20]!r}: {error.code}: {error}"

    @each("operation", gets)
    def test_an_id_is_not_taken_for_another_that_begins_alike(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """Ids are compared whole."""
        rpc = f"list_{operation.collection}"
        records = cloud.list(rpc) if cloud.has(rpc) else []
        for record in records[:1]:
            error = cloud.refusal(operation.rpc, id=f"{record.id}x")
            assert error.code in REFUSALS, f"{BY_COLLECTION[operation.collection]} {record.id}x: {error}"
