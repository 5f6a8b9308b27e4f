"""One HTTP request on its way: what was asked, by whom, until when, and how to answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from deltacloud.catalogue import Operation
from deltacloud.models import DriverInfo
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.transport import Transport
from deltacloud_gateway import body
from deltacloud_gateway.negotiation import Format
from deltacloud_gateway.resources import Resources
from deltacloud_gateway.settings import GatewaySettings


class Exchange:
    """A request whose driver has the operation and whose credentials, where needed, are there. The body is unread.

    ``path_parameters`` are decoded once; ``query`` holds the query parameters (the last of a name) without the driver
    selection. ``provider`` is what the caller or the settings named, ``None`` for the driver's default. ``base_url``
    is the API's absolute URL as the client sees it, without a trailing slash.
    """

    def __init__(
        self,
        *,
        request: Request,
        settings: GatewaySettings,
        transport: Transport,
        resources: Resources,
        operation: Operation,
        driver: DriverInfo,
        provider: str | None,
        path_parameters: Mapping[str, str],
        query: Mapping[str, str],
        format: Format,  # noqa: A002 - the API's word
        credentials: CarriedCredentials | None,
        deadline: Deadline,
        request_id: str,
        idempotency_key: str,
        traceparent: str,
        base_url: str,
    ) -> None:
        self.request = request
        self.settings = settings
        self.resources = resources
        self.operation = operation
        self.driver = driver
        self.provider = provider
        self.path_parameters = path_parameters
        self.query = query
        self.format = format
        self.deadline = deadline
        self.request_id = request_id
        self.idempotency_key = idempotency_key
        self.traceparent = traceparent
        self.base_url = base_url
        self.backend_s: float | None = None
        self._transport = transport
        self._credentials = credentials

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call an RPC method of this driver, in the service that has the operation, as this caller.

        Raises:
            DeltacloudError: what the transport or the operation raised.
        """
        raise NotImplementedError

    def render(self, record: Any, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
        """Return the record in the negotiated format; the status is the operation's if none is given.

        A record or a list of records of the operation's collection; the gateway adds its own headers afterwards.
        """
        raise NotImplementedError

    def url(self, *segments: str) -> str:
        """Return an absolute URL below the API: ``url("buckets", bucket_id, blob_id)``."""
        return "/".join((self.base_url, *(quote(segment, safe="!$&'()*+,:=@~") for segment in segments)))

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
