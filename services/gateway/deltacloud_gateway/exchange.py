"""One call of an operation over HTTP: what was asked, by whom, until when, and how to answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from deltacloud.catalogue import Operation
from deltacloud.models import DriverInfo, Record
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.transport import Transport
from deltacloud_gateway import body, urls
from deltacloud_gateway.answers import Answers
from deltacloud_gateway.correlation import Correlation
from deltacloud_gateway.negotiation import Format
from deltacloud_gateway.presence import while_there
from deltacloud_gateway.representations import documents
from deltacloud_gateway.representations.shape import View
from deltacloud_gateway.resources import Resources
from deltacloud_gateway.settings import GatewaySettings
from deltacloud_gateway.visit import Visit

BARE_JSON = frozenset({"start_instance", "stop_instance", "reboot_instance"})
"""Operations whose JSON is the record without its wrapper, as old clients know it; a fact of this form alone."""


class Exchange:
    """A request whose driver has the operation and whose credentials, where needed, are there.

    ``path_parameters`` are decoded once. ``query`` holds the query parameters, ``form`` the fields of a form where the
    gateway has read one; it is ``None`` while the body is unread. ``provider`` is what the caller or the settings
    named, ``None`` for the driver's default. ``base_url`` is the API's absolute URL as the client sees it, without a
    trailing slash. For HEAD ``request.method`` says so, while ``operation`` is the GET's.
    """

    def __init__(
        self,
        *,
        visit: Visit,
        settings: GatewaySettings,
        transport: Transport,
        resources: Resources,
        answers: Answers,
        operation: Operation,
        driver: DriverInfo,
        format: Format,
        credentials: CarriedCredentials | None,
        correlation: Correlation,
        form: Mapping[str, str] | None,
    ) -> None:
        self.request: Request = visit.request
        self.settings = settings
        self.resources = resources
        self.operation = operation
        self.driver = driver
        self.provider = visit.selection.provider if visit.selection else None
        self.path_parameters: Mapping[str, str] = visit.path_parameters
        self.query: Mapping[str, str] = visit.query
        self.form = form
        self.format = format
        self.deadline = correlation.deadline
        self.request_id = correlation.request_id
        self.idempotency_key = correlation.idempotency_key
        self.traceparent = correlation.traceparent
        self.base_url = visit.base_url
        self._visit = visit
        self._transport = transport
        self._answers = answers
        self._credentials = credentials

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call an RPC method of this driver, in the service that has the operation, as this caller.

        Raises:
            DeltacloudError: what the transport or the operation raised.
        """
        begin = time.perf_counter()
        try:
            return await self._transport.call(
                f"{self.operation.service}.{self.driver.id}", method, self.context(), parameters
            )
        finally:
            self._visit.backend_s = (self._visit.backend_s or 0.0) + time.perf_counter() - begin

    async def ask(self, method: str, **parameters: Any) -> Any:
        """Call a method as :meth:`call` does, but only as long as the client is there; the body must have been read.

        What a worker has begun it ends; only nobody here waits for it.

        Raises:
            DeltacloudError: what the transport or the operation raised.
            ClientGone: the client hung up.
        """
        return await while_there(self.request, self.call(method, **parameters))

    def render(
        self, record: Record | list[Record], status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return a record, or a list of them, in the negotiated format; the status is the operation's if none is given.

        The gateway adds its own headers afterwards.
        """
        if isinstance(record, list):
            document = documents.many(self.operation.collection, record, self.view(is_index=True))
        else:
            wraps = self.operation.rpc not in BARE_JSON
            document = documents.member(record, self.view(), wraps_json=wraps)
        return self._answers.write(
            document,
            self.format,
            self._visit,
            self.driver,
            status=status or self.operation.status,
            headers=headers,
        )

    def view(self, *, is_index: bool = False) -> View:
        """Return what descriptions of this driver's records must know."""
        return View(driver=self.driver, base_url=self.base_url, is_index=is_index)

    def url(self, *segments: str) -> str:
        """Return an absolute URL below the API: ``url("buckets", bucket_id, blob_id)``."""
        return urls.join(self.base_url, *segments)

    def body(self) -> AsyncIterator[bytes]:
        """Yield the request's body as it arrives.

        Raises:
            RequestTimedOut: the client fell silent.
            InvalidRequest: the body was cut short.
        """
        return body.chunks(self.request, silence_s=self.settings.body_timeout_s)

    def context(self) -> Context:
        """Return what travels with each call."""
        return Context(
            provider=self.provider,
            credentials=self._credentials,
            request_id=self.request_id,
            deadline=self.deadline.at,
            idempotency_key=self.idempotency_key,
            traceparent=self.traceparent,
        )

    def __repr__(self) -> str:
        """Show nothing of the caller."""
        return f"Exchange({self.operation.rpc!r}, driver={self.driver.id!r}, request_id={self.request_id!r})"
