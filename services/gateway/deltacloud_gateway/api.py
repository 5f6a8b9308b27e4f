"""What a request below ``/api`` means: which operation, of which driver, in which format, with which parameters.

The order of the checks is the original's: the URL, the format, the capability, the parameters, the credentials; then
the driver is called.
"""

from __future__ import annotations

from starlette.responses import Response

from deltacloud import catalogue
from deltacloud.catalogue import Operation
from deltacloud.errors import AuthenticationFailed, CapabilityMissing, MethodNotAllowed, NotFound
from deltacloud.models import DriverInfo
from deltacloud.providers.holder import PictureHolder
from deltacloud.providers.resolve import precheck
from deltacloud.rpc.context import CarriedCredentials
from deltacloud.rpc.transport import Transport
from deltacloud_gateway import blobs, credentials, local, options, outcome, pages, parameters, urls
from deltacloud_gateway.answers import Answers
from deltacloud_gateway.correlation import correlate
from deltacloud_gateway.exchange import Exchange
from deltacloud_gateway.foreign import refuse_foreign
from deltacloud_gateway.negotiation import FORMATS, USUAL, Format, for_error, negotiate
from deltacloud_gateway.representations.graph import Painter
from deltacloud_gateway.representations.shape import View
from deltacloud_gateway.resources import Resources
from deltacloud_gateway.routing import Match, Path, Router, allowed
from deltacloud_gateway.selection import find_driver, select
from deltacloud_gateway.settings import GatewaySettings
from deltacloud_gateway.visit import Visit

BODILESS = frozenset({("blobs", "content"), ("blobs", "metadata"), ("blobs", "update")})
"""Operations whose success is bytes or headers alone: there is no representation to negotiate, any ``Accept`` will do.

A fact of how the gateway answers, not of what the operations do: the catalogue knows nothing of it.
"""


class Api:
    """The API of all drivers.

    Args:
        settings: the gateway's settings.
        transport: carries the calls.
        holder: the picture.
        answers: writes answers.
        resources: what lives as long as the application.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        transport: Transport,
        holder: PictureHolder,
        answers: Answers,
        resources: Resources,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._holder = holder
        self._answers = answers
        self._resources = resources
        self._router = Router()
        self._painter = Painter()

    def driver_of(self, visit: Visit) -> DriverInfo | None:
        """Return what is known of the driver a request selected, if anything is."""
        name = visit.selection.driver if visit.selection else self._settings.default_driver
        return self._holder.current.drivers.get(name)

    async def answer(self, visit: Visit, path: Path) -> Response:
        """Return the answer to a request.

        Raises:
            DeltacloudError: whatever stands against it.
        """
        request = visit.request
        visit.query = visit.given = parameters.read_query(request.scope["query_string"], self._settings)
        visit.selection = select(self._settings, matrix=path.matrix, query=visit.query, headers=request.headers)
        visit.base_url = urls.base_url(request)
        refuse_foreign(request, visit.base_url)
        segments = path.segments[1:]
        if segments in {(), ("",)}:
            visit.route = urls.ROOT
            return await self._entry(visit)
        if segments[0] == "docs":
            visit.route = f"{urls.ROOT}/docs"
            return self._docs(visit, segments[1:])
        if request.method == "OPTIONS":
            visit.route = f"{urls.ROOT} (OPTIONS)"
            return options.below(segments, self._holder.current.drivers.get(self._settings.default_driver))
        return await self._member(visit, segments)

    async def _entry(self, visit: Visit) -> Response:
        request = visit.request
        if request.method == "POST":
            form = await parameters.read_form(request, self._settings)
            return local.choose(visit.base_url, {**visit.query, **form}, request.headers.get("referer"))
        driver = self._driver(visit)
        if request.method == "OPTIONS":
            return options.entry(driver)
        _need_get(visit, "GET, HEAD, OPTIONS, POST")
        visit.format = self._negotiate(visit, USUAL)
        if "force_auth" in visit.query:
            given = credentials.read_credentials(self._settings, request.headers.get("authorization"))
            credentials.require(given)
            await local.check_credentials(self._exchange(visit, catalogue.drivers.CHECK_CREDENTIALS, driver, given))
        provider = visit.selection.provider if visit.selection else None
        document = local.entry(self._view(visit, driver), provider, self._holder.current)
        return self._answers.write(document, visit.format, visit, driver)

    def _docs(self, visit: Visit, segments: tuple[str, ...]) -> Response:
        _need_get(visit, "GET, HEAD")
        driver = self.driver_of(visit)
        document = pages.docs(segments, driver)
        visit.format = self._negotiate(visit, pages.HTML_ONLY)
        response = self._answers.write(document, visit.format, visit, driver)
        response.headers["Content-Type"] = "text/html;charset=utf-8"
        return response

    async def _member(self, visit: Visit, segments: tuple[str, ...]) -> Response:
        matches = self._router.matches(segments)
        if not matches:
            raise NotFound("There is nothing at this URL; GET /api lists the collections.")
        form = await self._form(visit, matches)
        method = parameters.method_of(visit.request, form or {})
        match = matches.get(method) or (matches.get("GET") if method == "HEAD" else None)
        if match is None:
            if method == "HEAD" and "POST" in matches:
                visit.route = matches["POST"].route.label
                return options.answer("")
            allow = allowed(matches)
            raise MethodNotAllowed(f"This URL does not know {method[:20]}; it knows {allow}.", details={"allow": allow})
        visit.route, visit.operation = match.route.label, match.route.operation
        visit.path_parameters = match.parameters
        visit.given = {**visit.query, **(form or {})}
        if match.route.kind == "form":
            return self._fill_in(visit, match)
        if match.route.operation.service == "gateway":
            return await self._local(visit, match)
        return await self._run(visit, match.route.operation, form)

    async def _form(self, visit: Visit, matches: dict[str, Match]) -> dict[str, str] | None:
        """Return the form in the body of a POST; a multipart blob is left unread for whoever streams it."""
        if visit.request.method != "POST":
            return None
        match = matches.get("POST")
        is_streamed = match is not None and blobs.moves_bytes(match.route.operation)
        kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if is_streamed and kind == parameters.MULTIPART:
            return None
        return await parameters.read_form(visit.request, self._settings)

    def _fill_in(self, visit: Visit, match: Match) -> Response:
        visit.format = self._negotiate(visit, pages.HTML_ONLY)
        driver = self._driver(visit)
        _need_capability(match.route.operation, driver)
        document = pages.form(match.route.operation, match.parameters, visit.query, visit.base_url)
        return self._answers.write(document, visit.format, visit, driver)

    async def _local(self, visit: Visit, match: Match) -> Response:
        picture = self._holder.current
        operation = match.route.operation
        if operation.collection == "instance_states":
            visit.format = self._negotiate(visit, FORMATS)
            driver = self._driver(visit)
            document = await local.instance_states(driver, visit.format, self._painter)
            return self._answers.write(document, visit.format, visit, driver)
        visit.format = self._negotiate(visit, USUAL)
        current = self.driver_of(visit)
        view = View(driver=current or DriverInfo(id="", name=""), base_url=visit.base_url)
        if operation.name == "index":
            return self._answers.write(local.drivers(view, picture), visit.format, visit, current)
        name = match.parameters["id"]
        asking = self._asking(visit, name, current)
        return self._answers.write(await local.driver(name, view, picture, asking), visit.format, visit, current)

    def _asking(self, visit: Visit, name: str, current: DriverInfo | None) -> Exchange | None:
        """Return the exchange that asks the cloud for its providers: only the current driver's, and only if it can.

        Without credentials the providers that are known anyway will do, if there are any.
        """
        if current is None or current.id != name or not current.lists_providers:
            return None
        given = credentials.read_credentials(self._settings, visit.request.headers.get("authorization"))
        if given is None and (current.providers or self._holder.current.providers.get(name)):
            return None
        credentials.require(given)
        return self._exchange(visit, catalogue.drivers.LIST_PROVIDERS, current, given)

    async def _run(self, visit: Visit, operation: Operation, form: dict[str, str] | None) -> Response:
        if (operation.collection, operation.name) in BODILESS:
            visit.format = for_error(visit.query.get("format"), visit.request.headers.get("accept"))
        else:
            visit.format = self._negotiate(visit, USUAL)
        driver = self._driver(visit)
        _need_capability(operation, driver)
        if blobs.moves_bytes(operation):
            parameters.check_path(operation, visit.path_parameters)
            return await blobs.handle(
                self._exchange(visit, operation, driver, self._login(visit, operation, driver), form), operation
            )
        metadata = parameters.blob_metadata(visit.request)
        given = parameters.filled_in(operation, visit.given) if visit.format == "html" else visit.given
        collected = parameters.collect(operation, visit.path_parameters, given, metadata)
        exchange = self._exchange(visit, operation, driver, self._login(visit, operation, driver), form)
        return await outcome.run(exchange, collected)

    def _login(self, visit: Visit, operation: Operation, driver: DriverInfo) -> CarriedCredentials | None:
        authorization = visit.request.headers.get("authorization")
        if operation.rpc not in driver.anonymous_operations:
            given = credentials.read_credentials(self._settings, authorization)
            credentials.require(given)
            return given
        try:
            return credentials.read_credentials(self._settings, authorization)
        except AuthenticationFailed:
            return None

    def _exchange(
        self,
        visit: Visit,
        operation: Operation,
        driver: DriverInfo,
        given: CarriedCredentials | None,
        form: dict[str, str] | None = None,
    ) -> Exchange:
        """Return the exchange; a provider URL that nothing can allow is refused here, before any worker hears of it."""
        precheck(self._holder.current, driver.id, visit.selection.provider if visit.selection else None)
        return Exchange(
            visit=visit,
            settings=self._settings,
            transport=self._transport,
            resources=self._resources,
            answers=self._answers,
            operation=operation,
            driver=driver,
            format=visit.format or "xml",
            credentials=given,
            correlation=correlate(self._settings, visit.request.headers, id=visit.request_id),
            form=form,
        )

    def _driver(self, visit: Visit) -> DriverInfo:
        name = visit.selection.driver if visit.selection else self._settings.default_driver
        return find_driver(self._holder.current, name)

    def _view(self, visit: Visit, driver: DriverInfo) -> View:
        return View(driver=driver, base_url=visit.base_url)

    def _negotiate(self, visit: Visit, offered: tuple[Format, ...]) -> Format:
        return negotiate(visit.query.get("format"), visit.request.headers.get("accept"), offered)


def _need_get(visit: Visit, allow: str) -> None:
    if visit.request.method not in {"GET", "HEAD"}:
        raise MethodNotAllowed(f"This URL knows {allow}.", details={"allow": allow})


def _need_capability(operation: Operation, driver: DriverInfo) -> None:
    if operation.rpc not in driver.operations:
        raise CapabilityMissing(
            "The required capability to execute this operation is missing: "
            f"driver '{driver.id}' has no {operation.capability}.",
            driver=driver.id,
            details={"capability": operation.capability},
        )
