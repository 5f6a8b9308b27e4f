"""A slow, silent, lying or busy cloud: a clear error in time, and everything works again afterwards."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from deltacloud import catalogue
from deltacloud.drivers import Driver
from deltacloud.errors import Throttled
from deltacloud.testing.checks.lists import lists
from deltacloud.testing.cloud import GRACE_S, Cloud
from deltacloud.testing.selection import Suite, each
from deltacloud.testing.subject import FaultKind

SHORT_S = 2.0
IMPATIENT_S = 0.5


def changes(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return a create to try faults on, if the driver has one: an instance's or a bucket's."""
    operations = catalogue.rpc_operations(driver.service)
    return [operations[rpc] for rpc in ("create_instance", "create_bucket") if rpc in driver.operations()]


def _fault(cloud: Cloud, kind: FaultKind) -> contextlib.AbstractContextManager[Any]:
    found = cloud.subject.faults.get(kind)
    context: contextlib.AbstractContextManager[Any] = (
        found() if found is not None else cloud.not_proved(f"Subject.faults cannot make the back end {kind}")
    )
    return context


class FaultChecks(Suite):
    """Faults of the cloud."""

    @each("operation", lists)
    def test_a_cloud_that_throttles_is_told_with_a_time_to_wait(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """The caller learns that trying later helps, and when."""
        with _fault(cloud, "throttle"):
            error = cloud.refusal(operation.rpc)
        assert error.code == "throttled", error
        assert error.retry_after_s, "there is no retry_after_s"
        assert error.retry_after_s > 0
        cloud.list(operation.rpc)

    @each("operation", lists)
    def test_a_call_throttled_once_is_repeated_or_told(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """One refusal by the cloud is no failure where a second try is in time."""
        with _fault(cloud, "throttle_once"), contextlib.suppress(Throttled):
            cloud.list(operation.rpc)
        cloud.list(operation.rpc)

    @each("operation", lists)
    def test_a_cloud_that_does_not_answer_is_a_time_out_within_the_deadline(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """The caller is told while still waiting."""
        with _fault(cloud, "hang"):
            begin = time.monotonic()
            error = cloud.refusal(operation.rpc, within_s=SHORT_S)
            took = time.monotonic() - begin
        assert error.code == "provider_timeout", error
        assert took <= SHORT_S + GRACE_S
        cloud.list(operation.rpc)

    @each("operation", changes)
    def test_a_create_that_got_no_answer_is_a_time_out_or_unknown(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """Nobody claims that it failed, since it may have happened."""
        values = cloud.values(operation.rpc)
        with _fault(cloud, "hang"):
            error = cloud.refusal(operation.rpc, within_s=SHORT_S, **values)
        assert error.code in {"provider_timeout", "outcome_unknown"}, error

    @each("operation", lists)
    def test_garbage_from_the_cloud_is_the_clouds_error(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """What is not the cloud's protocol is neither an empty list nor our defect."""
        with _fault(cloud, "garbage"):
            error = cloud.refusal(operation.rpc)
        assert error.code == "provider_error", error
        cloud.list(operation.rpc)

    @each("operation", lists)
    def test_a_connection_that_the_cloud_ends_is_the_clouds_error(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """A lost connection is told as such, and the next call has a new one."""
        with _fault(cloud, "close"):
            error = cloud.refusal(operation.rpc)
        assert error.code in {"provider_error", "unavailable"}, error
        cloud.list(operation.rpc)

    @each("operation", lists)
    def test_a_slow_cloud_is_waited_for_until_the_deadline(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """An answer in time is an answer; a deadline is a deadline."""
        with _fault(cloud, "slow"):
            error = cloud.refusal(operation.rpc, within_s=IMPATIENT_S)
            cloud.list(operation.rpc)
        assert error.code in {"provider_timeout", "deadline_exceeded"}, error
