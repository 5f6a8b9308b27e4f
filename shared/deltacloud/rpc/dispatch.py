"""From a call to a driver and back: the same code behind RabbitMQ and in one process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from deltacloud import catalogue
from deltacloud.catalogue.check import check
from deltacloud.drivers.base import Driver
from deltacloud.drivers.session import Credentials, ProviderTarget, Session, SessionCache
from deltacloud.errors import (
    CapabilityMissing,
    DeadlineExceeded,
    DeltacloudError,
    InvalidParameters,
    OutcomeUnknown,
    UnknownMethod,
)
from deltacloud.models import Page, Record
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.deadline import DEFAULT_S, Deadline

FILTERABLE = {"id": "id", "state": "state", "realm_id": "realm_id", "owner_id": "owner_id"}
"""Filters of lists that are applied to the records where a driver does not apply them itself."""

REPEATABLE = frozenset({"read", "idempotent"})
"""Effects of operations that may simply be run again."""

OUR_SIDE = 500
"""From this HTTP status on an error says nothing about the request itself."""


class Opener(Protocol):
    """Opens what a caller sent as credentials."""

    def open(
        self, carried: CarriedCredentials, *, driver: str, method: str, request_id: str, deadline: Deadline
    ) -> Credentials:
        """Return the credentials of a call of a driver's method.

        Raises:
            AuthenticationFailed: they cannot be opened, are another call's, or plain ones are not allowed here.
        """
        ...


Resolver = Callable[[Driver, str | None], ProviderTarget]
"""Turns the provider a caller named into where to go; raises unknown_provider, forbidden_provider."""


class Dispatcher:
    """Runs the operations of one driver.

    Args:
        driver: the driver.
        opener: opens credentials.
        resolve: resolves providers, under the operator's policy.
        cache: the process's native clients.
    """

    def __init__(self, driver: Driver, *, opener: Opener, resolve: Resolver, cache: SessionCache) -> None:
        self.driver = driver
        self.service = driver.service_name()
        self.operations = catalogue.rpc_operations(driver.service)
        self._opener = opener
        self._resolve = resolve
        self._cache = cache
        self._accepts = {name: _accepted(getattr(driver, name), self.operations[name]) for name in driver.operations()}

    def call(
        self, method: str, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool = False
    ) -> Any:
        """Run one operation and return its record, :class:`Page` of records, or ``None``.

        Raises:
            DeltacloudError: any of the tree, located at this driver and provider. Other exceptions are defects.
        """
        try:
            return self._call(method, context, parameters, is_redelivered=is_redelivered)
        except DeltacloudError as error:
            raise error.located(self.driver.id, context.provider) from error.__cause__

    def _call(self, method: str, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool) -> Any:
        operation = self._operation(method)
        if not is_redelivered or operation.effect in REPEATABLE:
            return self._run(operation, context, parameters, is_redelivered=is_redelivered)
        self._refuse_unprovable(operation, context)
        try:
            return self._run(operation, context, parameters, is_redelivered=True)
        except DeltacloudError as error:
            if error.http_status < OUR_SIDE or isinstance(error, OutcomeUnknown):
                raise
            raise _unknown(operation, f"could not be found out ({error.code}: {error.message})") from error

    def _run(
        self, operation: catalogue.Operation, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool
    ) -> Any:
        deadline = Deadline(context.deadline) if context.deadline is not None else Deadline.after(DEFAULT_S)
        if deadline.has_passed:
            raise DeadlineExceeded("The call's deadline had passed when a worker took it; nothing was started.")
        credentials, sealed = self._opened(operation, context, deadline)
        arguments = check(operation, {**parameters, **sealed})
        session = Session(
            driver=self.driver.id,
            provider=self._resolve(self.driver, context.provider),
            credentials=credentials,
            deadline=deadline,
            cache=self._cache,
            request_id=context.request_id,
            idempotency_key=context.idempotency_key,
            is_redelivered=is_redelivered,
        )
        if operation.rpc not in self.driver.anonymous_operations:
            _ = session.credentials
        accepted = self._accepts[operation.rpc]
        result = getattr(self.driver, operation.rpc)(
            session, **{name: value for name, value in arguments.items() if name in accepted}
        )
        if operation.is_list:
            return _page(result, arguments, accepted)
        return result

    def _opened(
        self, operation: catalogue.Operation, context: Context, deadline: Deadline
    ) -> tuple[Credentials | None, Mapping[str, Any]]:
        """Return the caller's credentials, and the parameters that came under the same seal."""
        if context.credentials is None:
            return None, {}
        opened = self._opener.open(
            context.credentials,
            driver=self.driver.id,
            method=operation.rpc,
            request_id=context.request_id,
            deadline=deadline,
        )
        return Credentials(opened.user, opened.password), opened.parameters

    def _operation(self, method: str) -> catalogue.Operation:
        operation = self.operations.get(method)
        if operation is None:
            raise UnknownMethod(f"{self.service} has no method '{method[:80]}'; docs/rpc.md lists them.")
        if method not in self._accepts:
            raise CapabilityMissing(
                f"Driver '{self.driver.id}' cannot {operation.rpc.replace('_', ' ')}.",
                details={"capability": operation.capability},
            )
        return operation

    def _refuse_unprovable(self, operation: catalogue.Operation, context: Context) -> None:
        if operation.rpc not in self.driver.provable_operations or context.idempotency_key is None:
            raise _unknown(operation, "is unknown")


def _unknown(operation: catalogue.Operation, what: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The worker that ran {operation.rpc} died; whether it happened {what}."
        f" Look at GET /api/{operation.collection} before repeating it."
    )


def _accepted(method: Callable[..., Any], operation: catalogue.Operation) -> frozenset[str]:
    parameters = inspect.signature(method).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return frozenset(each.name for each in operation.parameters)
    return frozenset(each.name for each in parameters)


def _page(records: Iterable[Record], arguments: Mapping[str, Any], accepted: frozenset[str]) -> Page[Record]:
    items = list(records)
    for name, attribute in FILTERABLE.items():
        if name in arguments and name not in accepted:
            items = [item for item in items if getattr(item, attribute, None) == arguments[name]]
    marker, limit = arguments.get("marker"), arguments.get("limit")
    if marker is not None:
        items = items[_after(items, marker) :]
    if limit is None or len(items) <= limit:
        return Page(items=items)
    return Page(items=items[:limit], next=items[limit - 1].id)


def _after(items: list[Record], marker: str) -> int:
    for position, item in enumerate(items):
        if item.id == marker:
            return position + 1
    raise InvalidParameters("Parameter 'marker' is not the id of a record of this list.")
