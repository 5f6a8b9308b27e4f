"""Pages derived from the catalogue: documentation, and the form of each operation that takes parameters."""

from __future__ import annotations

from collections.abc import Mapping

from deltacloud import catalogue
from deltacloud.catalogue import Operation
from deltacloud.errors import NotFound
from deltacloud.models import DriverInfo
from deltacloud_gateway import urls
from deltacloud_gateway.negotiation import Format
from deltacloud_gateway.representations import html, meta
from deltacloud_gateway.representations.documents import Document, Page

HTML_ONLY: tuple[Format, ...] = ("html",)


def docs(segments: tuple[str, ...], driver: DriverInfo | None) -> Document:
    """Return a page of the documentation: all collections, one of them, or one operation.

    Raises:
        NotFound: no such collection or operation.
    """
    if not segments:
        has = {each.name for each in meta.supported(driver)} if driver else set()
        values = {"collections": catalogue.COLLECTIONS, "supported": has}
        return Document(page=lambda: Page("docs.html", "Documentation", values))
    try:
        collection = catalogue.collection(segments[0])
        operation = collection.operation(segments[1]) if len(segments) > 1 else None
    except KeyError:
        raise NotFound("There is no documentation of this name.") from None
    if len(segments) == 1:
        title = collection.name.replace("_", " ")
        return Document(page=lambda: Page("docs_collection.html", title, {"collection": collection}))
    if operation is None or operation.http_method is None or len(segments) > 2:  # noqa: PLR2004 - collection, operation
        raise NotFound("There is no documentation of this name.")
    title = f"{operation.name.replace('_', ' ')}, {collection.name.replace('_', ' ')}"
    parameters = [each for each in operation.parameters if not each.rpc_only]
    shown = {"operation": operation, "parameters": parameters}
    return Document(page=lambda: Page("docs_operation.html", title, shown))


def form(operation: Operation, path: Mapping[str, str], values: Mapping[str, str], base_url: str) -> Document:
    """Return the form of an operation, filled in with the values that the query gives."""
    parts = operation.path.strip("/").split("/")
    segments = [path[part[1:-1]] if part.startswith("{") else part for part in parts]
    title = operation.rpc.replace("_", " ")
    target = urls.join(base_url, *segments)
    return Document(
        page=lambda: Page(
            "form.html",
            title,
            {"operation": operation, "fields": html.fields(operation), "target": target, "values": values},
        )
    )


def index() -> Document:
    """Return the page at the server's root."""
    return Document(page=lambda: Page("index.html", "Deltacloud", {}))
