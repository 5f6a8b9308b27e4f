"""What is created is there, once, and gone when it is destroyed."""

from __future__ import annotations

import secrets
import time
from typing import Any

from deltacloud import catalogue
from deltacloud.drivers import Driver
from deltacloud.errors import NotFound
from deltacloud.models import Record
from deltacloud.testing.checks.faults import SHORT_S
from deltacloud.testing.checks.lists import ids, is_told_alike
from deltacloud.testing.cloud import BY_COLLECTION, POLL_S, Cloud
from deltacloud.testing.selection import Suite, each


def creates(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the driver's creates of what has a list and a way to be got; instances have checks of their own."""
    operations = catalogue.rpc_operations(driver.service)
    return [
        operations[rpc]
        for rpc in sorted(driver.operations())
        if operations[rpc].name == "create"
        and rpc.startswith("create_")
        and {f"list_{operations[rpc].collection}", f"get_{rpc.removeprefix('create_')}"} <= driver.operations()
    ]


def removables(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the creates of what can be destroyed in any state."""
    return [
        each
        for each in creates(driver)
        if each.rpc != "create_instance" and f"destroy_{BY_COLLECTION[each.collection]}" in driver.operations()
    ]


def provable(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the creates that may be repeated with their idempotency key."""
    return [each for each in creates(driver) if each.rpc in driver.provable_operations]


class CreateChecks(Suite):
    """Creates."""

    @each("operation", removables)
    def test_what_is_created_is_listed_got_and_gone_when_destroyed(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """A round trip."""
        singular, rpc = BY_COLLECTION[operation.collection], f"list_{operation.collection}"
        before = set(ids(cloud.list(rpc)))
        made: Record = cloud.make(singular)
        assert made.id
        assert made.id not in before
        got = cloud.call(f"get_{singular}", id=made.id)
        assert got.id == made.id
        assert made.id in ids(cloud.list(rpc))
        cloud.call(f"destroy_{singular}", id=made.id)
        _wait_until_gone(cloud, singular, made.id)
        assert made.id not in ids(cloud.list(rpc))

    @each("operation", provable)
    def test_the_same_idempotency_key_makes_one_and_answers_with_it(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """A caller who got no answer may ask again."""
        singular, rpc = BY_COLLECTION[operation.collection], f"list_{operation.collection}"
        values, key = cloud.values(operation.rpc), secrets.token_hex(16)
        before = set(ids(cloud.list(rpc)))
        first = _create(cloud, operation, key, values)
        again = _create(cloud, operation, key, values)
        new = set(ids(cloud.list(rpc))) - before
        cloud.remove_later(singular, *(each for each in cloud.list(rpc) if each.id in new))
        assert again.id == first.id
        assert new <= {first.id}, f"{len(new)} were made"

    @each("operation", provable)
    def test_a_redelivered_create_answers_with_what_the_first_run_made(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """A worker that died in the middle leaves no second resource behind, nor none."""
        singular, rpc = BY_COLLECTION[operation.collection], f"list_{operation.collection}"
        values, key = cloud.values(operation.rpc), secrets.token_hex(16)
        before = set(ids(cloud.list(rpc)))
        first = _create(cloud, operation, key, values)
        redelivered = cloud.call(operation.rpc, key=key, is_redelivered=True, **values)
        new = set(ids(cloud.list(rpc))) - before
        cloud.remove_later(singular, *(each for each in cloud.list(rpc) if each.id in new))
        assert redelivered.id == first.id
        assert new == {first.id}

    @each("operation", provable)
    def test_a_redelivered_create_that_never_ran_makes_one(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Redelivered does not mean done."""
        values, key = cloud.values(operation.rpc), secrets.token_hex(16)
        made = cloud.call(operation.rpc, key=key, is_redelivered=True, **values)
        cloud.remove_later(BY_COLLECTION[operation.collection], made)
        assert is_told_alike(made, made)
        assert cloud.call(f"get_{BY_COLLECTION[operation.collection]}", id=made.id).id == made.id

    @each("operation", provable)
    def test_other_idempotency_keys_make_others(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Two callers who want the same get one each, or the second is refused because names are unique."""
        if "name" in operation.required:
            return
        values, singular = cloud.values(operation.rpc), BY_COLLECTION[operation.collection]
        made = [_create(cloud, operation, secrets.token_hex(16), values) for _ in range(2)]
        cloud.remove_later(singular, *made)
        assert made[0].id != made[1].id

    @each("operation", provable)
    def test_a_create_whose_answer_was_lost_is_found_by_its_key(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """The cloud did it and its answer never came: the caller asks again and there is one."""
        fault = cloud.subject.faults.get("lost_answer")
        if fault is None:
            cloud.not_proved("Subject.faults has no lost_answer")
            return
        singular, rpc = BY_COLLECTION[operation.collection], f"list_{operation.collection}"
        values, key = cloud.values(operation.rpc), secrets.token_hex(16)
        before = set(ids(cloud.list(rpc)))
        with fault():
            error = cloud.refusal(operation.rpc, key=key, within_s=SHORT_S, **values)
        again = _create(cloud, operation, key, values)
        new = set(ids(cloud.list(rpc))) - before
        cloud.remove_later(singular, *(each for each in cloud.list(rpc) if each.id in new))
        assert error.http_status in {502, 503, 504}, error
        assert new == {again.id}


def _create(cloud: Cloud, operation: catalogue.Operation, key: str, values: dict[str, Any]) -> Record:
    made: Record = cloud.call(operation.rpc, key=key, **values)
    return made


def _wait_until_gone(cloud: Cloud, singular: str, id: str) -> None:
    end = time.monotonic() + cloud.subject.settle_s
    while time.monotonic() < end:
        try:
            cloud.call(f"get_{singular}", id=id)
        except NotFound:
            return
        time.sleep(POLL_S)
    raise AssertionError(f"{singular} {id} is still there {cloud.subject.settle_s:g} s after it was destroyed")
