"""The driver as callers reach it: through the envelope and the dispatcher, as behind the broker."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import structlog.testing

from deltacloud import catalogue
from deltacloud.drivers import Credentials, Driver, StorageDriver
from deltacloud.errors import DeltacloudError
from deltacloud.models import Record
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.picture import Picture, ProviderEntry
from deltacloud.providers.resolve import ProviderResolver
from deltacloud.rpc import edge
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.dispatch import Dispatcher
from deltacloud.rpc.envelope import decode_reply, encode_call
from deltacloud.rpc.seal import Opener
from deltacloud.testing.subject import Subject, Values
from deltacloud.testing.transfers import bytes_served

GRACE_S = 1.0
"""Seconds by which an answer may miss the call's deadline: a busy machine is not the driver's doing."""

POLL_S = 0.05
BY_SINGULAR = {each.singular: each for each in catalogue.COLLECTIONS}
BY_COLLECTION = {each.name: each.singular for each in catalogue.COLLECTIONS}


def kind_of(parameter: str) -> str | None:
    """Return the singular of what a parameter names (``volume_id``: ``storage_volume``), ``None`` if nothing."""
    stem = parameter.removesuffix("_id")
    return next((each for each in BY_SINGULAR if stem in {each, each.partition("_")[2]}), None)


class Watched:
    """A dispatcher that keeps the defect behind a ``backend_error``, since its text tells nothing."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.service = dispatcher.service
        self.defect: Exception | None = None
        self._dispatcher = dispatcher

    def call(
        self, method: str, context: Context, parameters: Mapping[str, Any], *, is_redelivered: bool = False
    ) -> Any:
        """Call the driver."""
        try:
            return self._dispatcher.call(method, context, parameters, is_redelivered=is_redelivered)
        except DeltacloudError:
            raise
        except Exception as error:
            self.defect = error
            raise


class Cloud:
    """Calls the subject's driver, makes what a check needs and removes it at the end.

    Every call is encoded and decoded as the broker's would be, so a record that is not of its type is an error.
    Every answer must come within the call's deadline. ``replies`` and ``errors`` keep what was answered, ``logs`` and
    ``events`` what was logged.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.driver = subject.driver
        self.excuse: str | None = None
        self.replies: list[str] = []
        self.errors: list[str] = []
        self.logs: list[str] = []
        self.events: Sequence[Mapping[str, Any]] = ()
        entry = subject.provider if isinstance(subject.provider, ProviderEntry) else None
        named = subject.provider if isinstance(subject.provider, str) else None
        self._provider = named if entry is None else entry.name
        self._made: list[tuple[str, str]] = []
        self._blobs: list[tuple[str, str]] = []
        holder = PictureHolder()
        holder.update(Picture(issued_at=time.time(), providers={self.driver.id: {entry.name: entry}} if entry else {}))
        self.resolve = ProviderResolver(holder)
        self._callee = Watched(
            Dispatcher(self.driver, opener=Opener(allow_plain=True), resolve=self.resolve, cache=subject.cache)
        )

    def has(self, rpc: str) -> bool:
        """Say whether the driver has an operation."""
        return rpc in self.driver.operations()

    def call(
        self,
        rpc: str,
        *,
        as_: Credentials | None = None,
        is_anonymous: bool = False,
        key: str | None = None,
        is_redelivered: bool = False,
        within_s: float | None = None,
        provider: str | None = None,
        **parameters: Any,
    ) -> Any:
        """Call an operation and return its record, its page or ``None``.

        Args:
            rpc: the operation.
            as_: who calls, the subject's credentials by default.
            is_anonymous: nobody does.
            key: the idempotency key; without one every call has its own.
            is_redelivered: whether the broker says that it may have run before.
            within_s: seconds until the deadline.
            provider: the provider, the subject's by default.
            parameters: the operation's.

        Raises:
            DeltacloudError: what the driver answered.
            AssertionError: the driver has a defect, or answered after the deadline.
        """
        who = as_ or self.subject.credentials
        limit = within_s or self.subject.deadline_s
        context = Context(
            provider=provider or self._provider,
            credentials=None if is_anonymous else CarriedCredentials(user=who.user, password=who.password),
            request_id=f"conformance-{secrets.token_hex(4)}",
            deadline=time.time() + limit,
            idempotency_key=key or secrets.token_hex(16),
        )
        begin = time.monotonic()
        body = edge.answer(self._callee, rpc, encode_call(context, parameters), is_redelivered=is_redelivered)
        took = time.monotonic() - begin
        self._raise_defect(rpc)
        assert took <= limit + GRACE_S, f"{rpc} answered after {took:.1f} s; its deadline was {limit:g} s"
        return self._decoded(catalogue.rpc_operations(self.driver.service)[rpc], body)

    def refusal(self, rpc: str, **how: Any) -> DeltacloudError:
        """Call an operation that must be refused and return the refusal."""
        try:
            answer = self.call(rpc, **how)
        except DeltacloudError as error:
            return error
        raise AssertionError(f"{rpc} was not refused; it answered {answer!r}")

    def list(self, rpc: str, **how: Any) -> list[Any]:
        """Return the records of a list operation."""
        items: list[Any] = self.call(rpc, **how).items
        return items

    def make(self, singular: str, **parameters: Any) -> Any:
        """Make a resource, to be removed at the end; what is not given is made up."""
        rpc = f"create_{singular}"
        made = self.call(rpc, **{**self.values(rpc), **parameters})
        self.remove_later(singular, *(made if isinstance(made, list) else [made]))
        return made

    def remove_later(self, singular: str, *records: Record) -> None:
        """Remove records at the end."""
        self._made += [(singular, record.id) for record in records]

    def remove_blob_later(self, bucket_id: str, id: str) -> None:
        """Remove a blob at the end, before its bucket."""
        self._blobs.append((bucket_id, id))

    def values(self, rpc: str) -> dict[str, Any]:
        """Return parameters with which a create works."""
        given = self.given(rpc)
        operation = catalogue.rpc_operations(self.driver.service)[rpc]
        needed = [each for each in operation.parameters if each.required and each.name not in given]
        return {**{each.name: self._made_up(rpc, each) for each in needed}, **given}

    def given(self, rpc: str) -> dict[str, Any]:
        """Return the author's parameters for an operation."""
        return self._evaluated(self.subject.values.get(rpc, {}))

    def feature_values(self, feature: str) -> dict[str, Any] | None:
        """Return the author's parameters to try a feature with, ``None`` if there are none."""
        given = self.subject.features.get(feature)
        return None if given is None else self._evaluated(given)

    def unknown_id(self, singular: str) -> str:
        """Return an id that no resource of this kind has."""
        return self.subject.unknown_ids.get(singular, f"no-such-{singular.replace('_', '-')}")

    def probe(self, operation: catalogue.Operation) -> dict[str, Any]:
        """Return parameters that are well formed and name nothing that exists."""
        return {name: self._probe_value(operation, name) for name in operation.required}

    def any_id(self, singular: str) -> str:
        """Return the id of a resource of this kind: one made for it, else the first of the list."""
        if self.has(f"create_{singular}") and self.has(f"destroy_{singular}"):
            made: Record = self.make(singular)
            return made.id
        found = self.list(f"list_{BY_SINGULAR[singular].name}")
        if not found:
            self.not_proved(f"there is no {singular}, and the driver cannot make one")
        return str(found[0].id)

    def not_proved(self, reason: str) -> Any:
        """End the check without a verdict, saying why: the author's reason if there is one."""
        pytest.skip(f"not proved: {self.excuse or reason}")

    def close(self) -> None:
        """Remove what was made, as far as it is still there; the checks of removal say what does not work."""
        for bucket_id, id in reversed(self._blobs):
            with contextlib.suppress(DeltacloudError):
                self.call("destroy_blob", bucket_id=bucket_id, id=id)
        for singular, id in reversed(self._made):
            with contextlib.suppress(DeltacloudError):
                self._remove(singular, id)

    def _remove(self, singular: str, id: str) -> None:
        try:
            self.call(f"destroy_{singular}", id=id)
        except DeltacloudError as error:
            if error.code != "wrong_state" or not self.has(f"stop_{singular}"):
                raise
            self.call(f"stop_{singular}", id=id)
            end = time.monotonic() + self.subject.settle_s
            while "destroy" not in self.call(f"get_{singular}", id=id).actions and time.monotonic() < end:
                time.sleep(POLL_S)
            self.call(f"destroy_{singular}", id=id)

    def _probe_value(self, operation: catalogue.Operation, name: str) -> Any:
        parameter = operation.parameter(name)
        singular = BY_COLLECTION[operation.collection] if name == "id" else kind_of(name)
        if singular is not None:
            return self.unknown_id(singular)
        if parameter is None or parameter.type == "string":
            return parameter.choices[0] if parameter and parameter.choices else "no-such-thing"
        if parameter.type == "parts":
            return [{"number": 1, "etag": "0" * 32}]
        return max(parameter.minimum or 0, 1)

    def _evaluated(self, values: Values) -> dict[str, Any]:
        return dict(values(self) if callable(values) else values)

    def _made_up(self, rpc: str, parameter: catalogue.Parameter) -> Any:
        if parameter.name == "name":
            return f"conformance-{secrets.token_hex(6)}"
        if parameter.name == "description":
            return "made by the conformance suite"
        for singular in filter(None, map(kind_of, (*parameter.aliases, parameter.name))):
            if self.has(f"list_{BY_SINGULAR[singular].name}"):
                return self.any_id(singular)
        return self.not_proved(f"Subject.values has no {parameter.name} for {rpc}")

    def _decoded(self, operation: catalogue.Operation, body: bytes) -> Any:
        try:
            result = decode_reply(operation, body)
        except DeltacloudError as error:
            self.errors += [body.decode(), str(error), repr(error), repr(error.to_record())]
            raise
        self.replies += [body.decode()]
        return result

    def _raise_defect(self, rpc: str) -> None:
        defect, self._callee.defect = self._callee.defect, None
        if defect is not None:
            raise AssertionError(f"{rpc} raised {type(defect).__name__}, which no driver may: {defect}") from defect


@contextlib.contextmanager
def opened(subject: Subject) -> Iterator[Cloud]:
    """Give a cloud whose logs are kept; at the end remove what was made in it."""
    cloud = Cloud(subject)
    handler = _Keeper(cloud.logs)
    logging.getLogger().addHandler(handler)
    try:
        with _bytes_served(subject.driver), structlog.testing.capture_logs() as cloud.events:
            yield cloud
            cloud.close()
    finally:
        logging.getLogger().removeHandler(handler)


def _bytes_served(driver: Driver) -> contextlib.AbstractContextManager[None]:
    return bytes_served(driver) if isinstance(driver, StorageDriver) else contextlib.nullcontext()


class _Keeper(logging.Handler):
    """Keeps the lines that would be written."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._lines.append(self.format(record))
