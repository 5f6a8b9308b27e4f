"""What happens around every operation of both mock drivers: the credentials' check, faults, a folder that fails."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from deltacloud.drivers.base import Driver
from deltacloud.drivers.mockcloud.cloud import MockCloud
from deltacloud.drivers.mockcloud.database import unusable_folder
from deltacloud.drivers.session import Credentials, Session
from deltacloud.errors import AuthenticationFailed

ACCEPTED = Credentials("mockuser", "mockpassword")
"""The only pair the mock cloud takes; public knowledge since the original."""


class HasCloud(Protocol):
    """A mock driver."""

    cloud: MockCloud


D = TypeVar("D", bound=Driver)


def mocked(cls: type[D]) -> type[D]:
    """Put the mock cloud's doings around each operation of a driver class that has a ``cloud``."""
    for rpc in cls.operations():
        setattr(cls, rpc, _around(cls, rpc, getattr(cls, rpc)))
    return cls


def _around(cls: type[Driver], rpc: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    is_anonymous = rpc in cls.anonymous_operations

    @functools.wraps(operation)
    def run(driver: HasCloud, session: Session, **parameters: Any) -> Any:
        if not is_anonymous and session.credentials != ACCEPTED:
            raise AuthenticationFailed("Authentication Failure: the mock cloud does not take this user and password.")
        driver.cloud.faults.strike(cls.service, rpc, "before", session.deadline)
        try:
            result = operation(driver, session, **parameters)
        except OSError as error:
            raise unusable_folder(error) from error
        driver.cloud.faults.strike(cls.service, rpc, "after", session.deadline)
        return result

    return run
