"""Documents and errors turned into HTTP responses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from deltacloud import retry_after
from deltacloud.errors import CapabilityMissing, DeltacloudError
from deltacloud.models import DriverInfo
from deltacloud_gateway import credentials
from deltacloud_gateway.headers import latin
from deltacloud_gateway.negotiation import CONTENT_TYPES, Format, for_error
from deltacloud_gateway.representations import html, meta
from deltacloud_gateway.representations.documents import Document, Page
from deltacloud_gateway.settings import GatewaySettings
from deltacloud_gateway.visit import Visit


class Answers:
    """Writes answers in the format that was negotiated.

    Args:
        settings: the gateway's settings.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings

    def write(
        self,
        document: Document,
        format: Format,
        visit: Visit,
        driver: DriverInfo | None,
        *,
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return a document as a response.

        Raises:
            NotAcceptable: the document has no such form.
        """
        written = document.write(format)
        content = html.render(written, self._frame(visit, driver)) if isinstance(written, Page) else written
        response = Response(content, status_code=status, headers=dict(headers or {}))
        response.headers["Content-Type"] = CONTENT_TYPES[format]
        return response

    def error(self, problem: DeltacloudError, visit: Visit, driver: DriverInfo | None) -> Response:
        """Return an error as a response, in the format that was asked for where that is possible."""
        request = visit.request
        format = visit.format or for_error(visit.query.get("format"), request.headers.get("accept"))
        selection = visit.selection
        driver_id = selection.driver if selection else self._settings.default_driver
        document = meta.error(
            problem,
            path=visit.path,
            driver_id=driver_id,
            provider=selection.provider if selection else None,
            given=visit.shown_parameters(),
        )
        if format not in {"xml", "json", "html"}:
            format = "xml"
        response = self.write(document, format, visit, driver, status=problem.http_status)
        explain(response, problem, credentials.challenge(problem, driver_id, self._settings))
        return response

    def _frame(self, visit: Visit, driver: DriverInfo | None) -> html.Frame:
        selection = visit.selection
        is_default = selection is None or selection.is_default
        return html.Frame(
            base_url=visit.base_url,
            driver=selection.driver if selection else self._settings.default_driver,
            provider=selection.provider if selection else None,
            credential_labels=driver.credentials if driver else None,
            is_default=is_default,
            method=visit.request.method,
            path=visit.path,
            operations=driver.operations if driver else frozenset(),
        )


def explain(response: Response, problem: DeltacloudError, challenge: str | None) -> None:
    """Add the headers that tell an error, in place; nothing in the error can keep this from being done."""
    response.headers["X-Deltacloud-Error"] = problem.code
    if challenge is not None:
        response.headers["WWW-Authenticate"] = latin(challenge)
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(math.ceil(min(max(1.0, problem.retry_after_s), retry_after.LONGEST_S)))
    if isinstance(problem, CapabilityMissing) and "capability" in problem.details:
        response.headers["Expect"] = latin(problem.details["capability"])
    if "allow" in problem.details:
        response.headers["Allow"] = latin(problem.details["allow"])
