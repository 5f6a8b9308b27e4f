"""The ASGI application: one request from its first byte to its answer."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from deltacloud import metrics
from deltacloud.errors import BackendError, DeltacloudError, MethodNotAllowed, NotFound, Overloaded, TooLarge
from deltacloud.logging import get_logger
from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.transport import Transport
from deltacloud_gateway import headers, pages, urls
from deltacloud_gateway.answers import Answers
from deltacloud_gateway.api import Api
from deltacloud_gateway.correlation import request_id
from deltacloud_gateway.ops import Ops
from deltacloud_gateway.presence import ClientGone
from deltacloud_gateway.resources import Resources
from deltacloud_gateway.routing import read_path, shown_path
from deltacloud_gateway.settings import GatewaySettings
from deltacloud_gateway.visit import UNMATCHED, Visit

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
RETRY_AFTER_S = 1.0
CLIENT_GONE = 499
"""The status that logs and metrics tell of a request whose client hung up, as they do elsewhere; nobody gets it."""
_LOG = get_logger()


def create_app(
    settings: GatewaySettings,
    transport: Transport,
    holder: PictureHolder,
    *,
    mounts: Mapping[str, ASGIApp] | None = None,
) -> ASGIApp:
    """Return the gateway as an ASGI application.

    Args:
        settings: the gateway's settings.
        transport: carries the calls; whoever made it closes it.
        holder: the picture, fed by somebody else.
        mounts: further ASGI applications by the first segment of their paths (``/transfers``).
    """
    return Gateway(settings, transport, holder, mounts or {})


class Gateway:
    """Bounds, correlates, logs and counts requests; what they mean is :class:`~deltacloud_gateway.api.Api`'s."""

    def __init__(
        self, settings: GatewaySettings, transport: Transport, holder: PictureHolder, mounts: Mapping[str, ASGIApp]
    ) -> None:
        self._settings = settings
        self._mounts = mounts
        self._resources = Resources()
        self._answers = Answers(settings)
        self._ops = Ops(transport, holder)
        self._api = Api(settings, transport, holder, self._answers, self._resources)
        self._in_flight = 0
        self._mounted_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event stream: a request, or the application's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def close(self) -> None:
        """Close what was opened for requests."""
        await self._resources.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw_path = _raw_path(scope)
        request = Request(scope, receive)
        visit = Visit(request, request_id(request.headers), path=shown_path(raw_path))
        prefix = "/" + raw_path[1:].partition(b"/")[0].decode("latin-1")
        if prefix in self._mounts:
            await self._pass_on(visit, self._mounts[prefix], {**scope, "root_path": prefix}, receive, send)
            return
        self._in_flight += 1
        metrics.HTTP_IN_FLIGHT.inc()
        status = 500
        try:
            response = await self._answer(visit, raw_path)
            headers.finish(
                response,
                request_id=visit.request_id,
                selection=visit.selection,
                backend_s=visit.backend_s,
                is_head=visit.is_head,
            )
            status = response.status_code
            await response(scope, receive, _without_body(send) if visit.is_head else send)
        finally:
            self._in_flight -= 1
            metrics.HTTP_IN_FLIGHT.dec()
            _record(visit, status)

    async def _pass_on(self, visit: Visit, mounted: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a mounted application answer, within the same bounds.

        Its requests are counted apart: one of ours that moves bytes waits for one of them, and must not find its place
        taken by those that wait like itself.
        """
        self._mounted_in_flight += 1
        try:
            self._bound_headers(visit.request)
            self._bound_load(self._mounted_in_flight)
        except DeltacloudError as error:
            mounted = self._answers.error(error, visit, None)
        try:
            await mounted(scope, receive, send)
        finally:
            self._mounted_in_flight -= 1

    async def _answer(self, visit: Visit, raw_path: bytes) -> Response:
        try:
            self._bound_headers(visit.request)
            fixed = self._ops.paths.get(raw_path.decode("latin-1"))
            if fixed is not None:
                visit.route = raw_path.decode("latin-1")
                return _only_get(visit, fixed())
            self._bound_load(self._in_flight)
            return await self._dispatch(visit, raw_path)
        except DeltacloudError as error:
            return self._answers.error(error, visit, self._api.driver_of(visit))
        except ClientGone:
            return Response(status_code=CLIENT_GONE)
        except Exception as error:  # noqa: BLE001 - the edge: a defect must not end the server or tell its inside
            _log_defect(visit, error)
            problem = BackendError(
                f"The server failed; its log has the details under request id '{visit.request_id}'.",
                driver=visit.selection.driver if visit.selection else None,
            )
            return self._answers.error(problem, visit, self._api.driver_of(visit))

    async def _dispatch(self, visit: Visit, raw_path: bytes) -> Response:
        if raw_path == b"/":
            visit.route = "/"
            visit.base_url = urls.base_url(visit.request)
            return _only_get(visit, self._answers.write(pages.index(), "html", visit, None))
        path = read_path(raw_path)
        if path.segments[:1] != (urls.ROOT[1:],):
            raise NotFound("There is nothing at this URL; the API begins at /api.")
        return await self._api.answer(visit, path)

    def _bound_load(self, in_flight: int) -> None:
        if in_flight > self._settings.max_in_flight:
            raise Overloaded("The server has as much work in hand as it may; try again.", retry_after_s=RETRY_AFTER_S)

    def _bound_headers(self, request: Request) -> None:
        size = sum(len(name) + len(value) for name, value in request.headers.raw)
        if size > self._settings.max_header_bytes:
            raise TooLarge(f"The headers are too large: they may have {self._settings.max_header_bytes} bytes.")


def _raw_path(scope: Scope) -> bytes:
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        raw = quote(scope["path"], safe="/;=%~@:!$&'()*+,").encode()
    return raw.partition(b"?")[0] or b"/"


def _only_get(visit: Visit, response: Response) -> Response:
    if visit.request.method not in {"GET", "HEAD"}:
        raise MethodNotAllowed("This URL can only be read.", details={"allow": "GET, HEAD"})
    return response


def _without_body(send: Send) -> Send:
    async def send_headers(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_headers  # type: ignore[return-value]


def _record(visit: Visit, status: int) -> None:
    method = visit.request.method if visit.request.method in METHODS else "other"
    metrics.HTTP_REQUESTS.labels(method, visit.route, str(int(status))).inc()
    metrics.HTTP_SECONDS.labels(visit.route).observe(visit.seconds)
    if visit.route != UNMATCHED or status >= 500:  # noqa: PLR2004
        _LOG.info(
            "request answered",
            request_id=visit.request_id,
            method=method,
            route=visit.route,
            path=visit.path[:256],
            status=int(status),
            seconds=round(visit.seconds, 6),
            backend_seconds=None if visit.backend_s is None else round(visit.backend_s, 6),
            driver=visit.selection.driver if visit.selection else None,
            operation=visit.operation.rpc if visit.operation else None,
        )


def _log_defect(visit: Visit, error: Exception) -> None:
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    _LOG.error(
        "request failed unexpectedly",
        request_id=visit.request_id,
        route=visit.route,
        error=type(error).__name__,
        raised_at=frames,
    )
