"""Credentials: wrong ones are refused, missing ones asked for, and where none are needed none are asked for."""

from __future__ import annotations

from deltacloud import catalogue
from deltacloud.drivers import Credentials, Driver
from deltacloud.errors import AuthenticationFailed
from deltacloud.models import Transfer, UploadPlan
from deltacloud.testing.cloud import Cloud
from deltacloud.testing.selection import Suite, each
from deltacloud.testing.transfers import is_accepted, send


def guarded(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the driver's operations that need credentials."""
    operations = catalogue.rpc_operations(driver.service)
    return [operations[rpc] for rpc in sorted(driver.operations() - driver.anonymous_operations)]


def guarded_lists(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the driver's lists that need credentials."""
    return [operation for operation in guarded(driver) if operation.is_list]


def anonymous(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return the driver's operations that need none and no parameter either."""
    operations = catalogue.rpc_operations(driver.service)
    return [operations[rpc] for rpc in sorted(driver.anonymous_operations) if not operations[rpc].required]


class CredentialChecks(Suite):
    """Credentials."""

    @each("operation", guarded)
    def test_wrong_credentials_are_refused(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Nobody gets in with a wrong pair, nor with a transfer that was made for one."""
        for wrong in cloud.subject.refused_credentials():
            if operation.result in {Transfer, UploadPlan}:
                _assert_worth_nothing(cloud, operation, wrong)
            else:
                error = cloud.refusal(operation.rpc, as_=wrong, **cloud.probe(operation))
                assert error.code == "authentication_failed", error

    @each("operation", guarded)
    def test_missing_credentials_are_asked_for(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """The refusal tells the gateway to challenge."""
        error = cloud.refusal(operation.rpc, is_anonymous=True, **cloud.probe(operation))
        assert error.code == "authentication_failed", error
        assert error.details.get("challenge"), "details has no challenge"

    @each("operation", guarded_lists)
    def test_right_credentials_are_accepted_after_wrong_ones(
        self, cloud: Cloud, operation: catalogue.Operation
    ) -> None:
        """Neither pair is mistaken for the other by something that was kept."""
        for wrong in cloud.subject.refused_credentials():
            cloud.list(operation.rpc)
            assert cloud.refusal(operation.rpc, as_=wrong).code == "authentication_failed"
        cloud.list(operation.rpc)

    @each("operation", anonymous)
    def test_an_anonymous_operation_needs_no_credentials(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """It answers anybody."""
        cloud.call(operation.rpc, is_anonymous=True)


def _assert_worth_nothing(cloud: Cloud, operation: catalogue.Operation, wrong: Credentials) -> None:
    """A driver may sign without asking the cloud: then the store refuses what was signed."""
    try:
        answer = cloud.call(operation.rpc, as_=wrong, **cloud.probe(operation))
    except AuthenticationFailed:
        return
    transfer = answer.single if isinstance(answer, UploadPlan) else answer
    assert transfer is not None, "an upload was begun with wrong credentials"
    assert not is_accepted(transfer, send(transfer, b"x")), "the store took a transfer signed with wrong credentials"
