"""Secrets stay where they are: in no error, no log, no reply, whatever goes wrong."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

from deltacloud import catalogue
from deltacloud.drivers import Credentials, Driver
from deltacloud.errors import DeltacloudError
from deltacloud.models import Transfer, UploadPlan
from deltacloud.testing.cloud import Cloud
from deltacloud.testing.selection import Suite, each
from deltacloud.testing.subject import FaultKind

CANARY = "canary-7d3f0c2b9a"
ENCODED_CANARY = base64.b64encode(CANARY.encode()).decode()
SHOWN_AGAIN = frozenset({"cmd", "password"})
"""Secret parameters that a record of the answer may hold: the command that ran, the password that was set."""


def every(driver: type[Driver]) -> list[catalogue.Operation]:
    """Return all operations of a driver."""
    operations = catalogue.rpc_operations(driver.service)
    return [operations[rpc] for rpc in sorted(driver.operations())]


class SecretChecks(Suite):
    """Secrets."""

    @each("operation", every)
    def test_no_secret_is_in_an_error_a_log_or_a_reply(self, cloud: Cloud, operation: catalogue.Operation) -> None:
        """Neither the caller's credentials nor wrong ones nor secret parameters, in success and in failure."""
        wrong = (*cloud.subject.refused_credentials(), Credentials("wrong-user", f"{CANARY}-password"))
        parameters = {**cloud.probe(operation), **cloud.given(operation.rpc), **_canaries(operation)}
        for who in (cloud.subject.credentials, *wrong):
            _try(cloud, operation, as_=who, **parameters)
        _try(cloud, operation, is_anonymous=True, **parameters)
        for kind in ("throttle", "garbage", "close"):
            _try_with_fault(cloud, kind, operation, parameters)
        passwords = {cloud.subject.credentials.password, *(each.password for each in wrong)}
        everywhere = {*passwords, *cloud.subject.secrets}
        quiet = {*everywhere, cloud.subject.credentials.user, CANARY, ENCODED_CANARY}
        said_again = operation.result in {Transfer, UploadPlan} or SHOWN_AGAIN & set(parameters)
        _assert_none(quiet, "an error", cloud.errors)
        _assert_none(quiet, "a log", [*cloud.logs, *map(repr, cloud.events)])
        _assert_none(everywhere if said_again else {*everywhere, CANARY, ENCODED_CANARY}, "a reply", cloud.replies)


def _canaries(operation: catalogue.Operation) -> dict[str, Any]:
    """Return a secret for each secret parameter of an operation."""
    return {each.name: _canary(each) for each in operation.parameters if each.is_secret}


def _canary(parameter: catalogue.Parameter) -> Any:
    if parameter.type == "files":
        return [{"path": "/etc/motd", "content": ENCODED_CANARY}]
    return ENCODED_CANARY if parameter.type == "base64" else CANARY


def _try(cloud: Cloud, operation: catalogue.Operation, **how: Any) -> None:
    with contextlib.suppress(DeltacloudError):
        made = cloud.call(operation.rpc, **how)
        if operation.name == "create" and operation.rpc.startswith("create_") and made is not None:
            singular = operation.rpc.removeprefix("create_")
            cloud.remove_later(singular, *(made if isinstance(made, list) else [made]))


def _try_with_fault(cloud: Cloud, kind: FaultKind, operation: catalogue.Operation, parameters: dict[str, Any]) -> None:
    fault = cloud.subject.faults.get(kind)
    if fault is not None:
        with fault():
            _try(cloud, operation, **parameters)


def _assert_none(secrets: set[str], where: str, texts: list[str]) -> None:
    found = sum(1 for text in texts for secret in secrets if secret and secret in text)
    assert not found, f"{found} times a secret is in {where}"
