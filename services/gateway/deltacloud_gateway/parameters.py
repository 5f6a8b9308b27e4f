"""HTTP's spellings of parameters turned into the catalogue's: query, form and multipart merged, families collected.

Whatever an operation does not declare is dropped, since old clients send more than they need to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from deltacloud.catalogue import Operation, Parameter
from deltacloud.catalogue.check import check
from deltacloud.errors import InvalidParameters, InvalidRequest
from deltacloud_gateway import body
from deltacloud_gateway.settings import GatewaySettings

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
METHOD_FIELD = "_method"
METHOD_HEADER = "X-HTTP-Method-Override"
METADATA_PREFIX = "x-deltacloud-blobmeta-"


def read_query(raw: bytes, settings: GatewaySettings) -> dict[str, str]:
    """Return the query parameters; of a name given twice the last counts.

    Raises:
        InvalidRequest: too many parameters, or not UTF-8.
    """
    return _pairs(raw, settings, "query")


async def read_form(request: Request, settings: GatewaySettings) -> dict[str, str]:
    """Return the fields of a form in the body, url-encoded or multipart; empty for bodies of another kind.

    Raises:
        InvalidRequest: the form is malformed, cut short, or has too many fields.
        TooLarge: it is larger than the settings allow.
        RequestTimedOut: the client sent it too slowly.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    raw = await body.read(
        request,
        limit=settings.max_form_bytes,
        silence_s=settings.body_timeout_s,
        total_s=settings.form_timeout_s,
    )
    if not raw:
        return {}
    if kind == FORM.encode():
        return _pairs(raw, settings, "form")
    if kind == MULTIPART.encode():
        return _multipart(raw, options.get(b"boundary", b""), settings)
    return {}


def method_of(request: Request, form: Mapping[str, str]) -> str:
    """Return the request's method, which a POST may override by ``_method`` or ``X-HTTP-Method-Override``."""
    if request.method != "POST":
        return request.method
    return (form.get(METHOD_FIELD) or request.headers.get(METHOD_HEADER) or "POST").upper()


def collect(
    operation: Operation, path: Mapping[str, str], given: Mapping[str, str], metadata: Mapping[str, str]
) -> dict[str, Any]:
    """Return the operation's parameters, checked and in their declared types.

    Args:
        operation: what is to be run.
        path: parameters of the path.
        given: query and form, merged.
        metadata: a blob's attributes from the headers; used where the operation takes them.

    Raises:
        InvalidParameters: one is missing or wrong.
    """
    collected: dict[str, Any] = dict(path)
    for parameter in operation.parameters:
        if parameter.in_path:
            continue
        value = _FAMILIES[parameter.type](parameter, given) if parameter.numbered else _plain(parameter, given)
        if value is not None and not parameter.rpc_only:
            collected[parameter.name] = value
        elif parameter.type == "map" and parameter.name == "metadata":
            collected[parameter.name] = dict(metadata)
    _require(operation, collected, given)
    return check(operation, collected)


def filled_in(operation: Operation, given: Mapping[str, str]) -> dict[str, str]:
    """Return what a person filled in: a browser sends every field, and an empty one counts only if it is required."""
    return {name: value for name, value in given.items() if value or name in operation.required}


def check_path(operation: Operation, path: Mapping[str, str]) -> None:
    """Check the parameters in the path alone, before a body is read.

    Raises:
        InvalidParameters: one of them is wrong.
    """
    in_path = tuple(parameter for parameter in operation.parameters if parameter.in_path)
    check(msgspec.structs.replace(operation, parameters=in_path), path)


def blob_metadata(request: Request) -> dict[str, str]:
    """Return the attributes in ``X-Deltacloud-Blobmeta-*`` headers; values are read as UTF-8 where they are."""
    return {
        metadata_name(name[len(METADATA_PREFIX) :]): _utf8(value)
        for name, value in request.headers.items()
        if name.startswith(METADATA_PREFIX) and len(name) > len(METADATA_PREFIX)
    }


def metadata_name(name: str) -> str:
    """Return an attribute's name as the API writes it: in lower case, with ``_`` for ``-``."""
    return name.lower().replace("-", "_")


def _utf8(header: str) -> str:
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header


def _require(operation: Operation, collected: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Say what is missing in the original's words, which name what was received as it was spelt."""
    for name in operation.required:
        if name not in collected:
            raise InvalidParameters(
                f"Required parameter '{name}' not found in [{','.join([*given, *_in_path(operation)])}]",
                details={"parameter": name},
            )


def _in_path(operation: Operation) -> list[str]:
    return [parameter.name for parameter in operation.parameters if parameter.in_path]


def _plain(parameter: Parameter, given: Mapping[str, str]) -> str | None:
    return next((given[name] for name in (parameter.name, *parameter.aliases) if name in given), None)


def _list(parameter: Parameter, given: Mapping[str, str]) -> list[str] | None:
    """``firewalls``, ``firewalls1``, ``firewalls2``, …: everything that begins with one of the family's names."""
    found = [given[name] for name in _members(parameter.numbered, given) if given[name]]
    return found or None


def _files(parameter: Parameter, given: Mapping[str, str]) -> list[dict[str, str]] | None:
    """``path1`` with ``content1``, ``path2`` with ``content2``, …; a pair without a path is left out."""
    path, content = parameter.numbered
    found = [
        {"path": given[name], "content": given.get(content + name[len(path) :], "")}
        for name in _members((path,), given)
        if given[name]
    ]
    return found or None


def _map(parameter: Parameter, given: Mapping[str, str]) -> dict[str, str] | None:
    """``group1`` with ``group1owner``, ``group2`` with ``group2owner``, … and so on."""
    names = [name for name in _members(parameter.numbered, given) if name[-1:].isdigit() and given[name]]
    return {given[name]: given.get(f"{name}owner", "") for name in names} or None


def _members(families: tuple[str, ...], given: Mapping[str, str]) -> list[str]:
    pattern = re.compile(rf"(?:{'|'.join(map(re.escape, families))})(\d*)(.*)", re.DOTALL)
    found = [(int(match[1][:9] or 0), name) for name in given if (match := pattern.fullmatch(name)) is not None]
    return [name for _, name in sorted(found)]


_FAMILIES: dict[str, Callable[[Parameter, Mapping[str, str]], Any]] = {"list": _list, "files": _files, "map": _map}


def _pairs(raw: bytes, settings: GatewaySettings, what: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=settings.max_form_fields
        )
    except UnicodeDecodeError:
        raise InvalidRequest(f"The {what} must be percent-encoded UTF-8.") from None
    except ValueError:
        raise InvalidRequest(f"The {what} has more than {settings.max_form_fields} parameters.") from None
    return dict(pairs)


def _multipart(raw: bytes, boundary: bytes, settings: GatewaySettings) -> dict[str, str]:
    collector = _Collector(settings.max_form_fields)
    try:
        parser = MultipartParser(boundary, collector.callbacks())
        parser.write(raw)
        parser.finalize()
    except (ValueError, UnicodeDecodeError):
        raise InvalidRequest("The multipart form is malformed.") from None
    if not collector.is_complete:
        raise InvalidRequest("The multipart form is cut short: its last boundary is missing.")
    return collector.fields


class _Collector:
    """The parts of a small multipart form as texts; files are texts too."""

    def __init__(self, max_fields: int) -> None:
        self.fields: dict[str, str] = {}
        self.is_complete = False
        self._max_fields = max_fields
        self._name = self._value = b""
        self._header: tuple[bytes, bytes] = (b"", b"")

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._complete,
        }

    def _begin(self) -> None:
        self._name = self._value = b""
        self._header = (b"", b"")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._name = parse_options_header(self._header[1])[1].get(b"name", b"")
        self._header = (b"", b"")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end(self) -> None:
        self.fields[self._name.decode()] = self._value.decode()
        if len(self.fields) > self._max_fields:
            raise InvalidRequest(f"The form has more than {self._max_fields} fields.")

    def _complete(self) -> None:
        self.is_complete = True
