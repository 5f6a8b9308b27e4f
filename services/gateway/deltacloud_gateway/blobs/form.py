"""``POST /buckets/:bucket``: a blob from a form.

A multipart form is read as it arrives. Up to 8 MiB of the file are held, so that fields may stand behind it; the
``blob_id`` of a larger file must stand before it, and attributes behind a larger file are set when it is stored.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.responses import Response

from deltacloud.errors import InvalidParameters, InvalidRequest, RequestTimedOut, TooLarge
from deltacloud_gateway import parameters
from deltacloud_gateway.blobs.source import Source
from deltacloud_gateway.blobs.upload import PART_SIZE, Draft, Upload
from deltacloud_gateway.exchange import Exchange

FILES = ("blob_data", "blob")
PLAIN = "text/plain"
_META = re.compile(r"meta_name(\d{1,4})")


async def create_from_form(exchange: Exchange) -> Response:
    """Store the form's file, or text, as a blob and answer 201 with its record.

    Raises:
        DeltacloudError: what went wrong; nothing is stored then.
    """
    if exchange.form is not None:
        return await _from_text(exchange, {**exchange.query, **exchange.form})
    form = _Form(exchange)
    if not await form.reach_file():
        raise _missing(FILES[0], {**exchange.query, **form.fields})
    source = Source(form.file())
    length = await source.length_within(PART_SIZE)
    draft = _draft(exchange, {**exchange.query, **form.fields}, form.content_type)
    upload = Upload(exchange, draft)
    record = await upload.run(source, length)
    metadata = _metadata({**exchange.query, **form.fields})
    if metadata != draft.metadata:
        await upload.call("update_blob", metadata=metadata)
        record = msgspec.structs.replace(record, user_metadata=metadata)
    return exchange.render(record)


async def _from_text(exchange: Exchange, given: Mapping[str, str]) -> Response:
    text = next((given[name] for name in FILES if name in given), None)
    draft = _draft(exchange, given if text is None else {**given, FILES[0]: ""}, PLAIN)
    data = (text or "").encode()
    return exchange.render(await Upload(exchange, draft).run(Source(_once(data)), len(data)))


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _draft(exchange: Exchange, given: Mapping[str, str], content_type: str) -> Draft:
    if "blob_id" not in given:
        raise _missing("blob_id", given)
    checked = parameters.collect(exchange.operation, exchange.path_parameters, given, {})
    return Draft(
        bucket_id=exchange.path_parameters["bucket_id"],
        blob_id=checked["blob_id"],
        content_type=content_type,
        metadata=_metadata(given),
    )


def _missing(name: str, given: Mapping[str, str]) -> InvalidParameters:
    received = ",".join([*given, "bucket_id"])
    return InvalidParameters(
        f"Required parameter '{name}' not found in [{received}]"
        + (f"; before a file of more than {PART_SIZE} bytes it must come first" if FILES[0] in given else ""),
        details={"parameter": name},
    )


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    """Return the pairs of ``meta_name1``, ``meta_value1``, … in order, names as the API writes them."""
    numbers = sorted(int(match[1]) for name in given if (match := _META.fullmatch(name)) is not None)
    pairs = ((given.get(f"meta_name{number}", ""), given.get(f"meta_value{number}", "")) for number in numbers)
    return {parameters.metadata_name(name): value for name, value in pairs if name}


class _Form:
    """A multipart form read as it arrives.

    ``fields`` are the texts so far. ``content_type`` is the file's own, known once it is reached.
    """

    def __init__(self, exchange: Exchange) -> None:
        _, options = parse_options_header(exchange.request.headers.get("content-type"))
        self.fields: dict[str, str] = {}
        self.content_type = PLAIN
        self._settings = exchange.settings
        self._chunks = exchange.body()
        self._events: deque[bytes | dict[bytes, bytes] | None] = deque()
        self._header = (b"", b"")
        self._headers: dict[bytes, bytes] = {}
        self._is_complete = False
        self._size = self._parts = 0
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._headers_begin,
                    "on_header_field": lambda data, start, end: self._header_part(data[start:end], b""),
                    "on_header_value": lambda data, start, end: self._header_part(b"", data[start:end]),
                    "on_header_end": self._header_end,
                    "on_headers_finished": lambda: self._events.append(dict(self._headers)),
                    "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                    "on_part_end": lambda: self._events.append(None),
                    "on_end": self._complete,
                },
            )
        except (FormParserError, ValueError):
            raise InvalidRequest("The multipart form has no usable boundary.") from None

    async def reach_file(self) -> bool:
        """Read up to the file, behind it up to the end; return whether there is one.

        Raises:
            TooLarge: the other parts are too many, or too long.
            RequestTimedOut: they took longer than a form may.
        """
        seconds = self._settings.form_timeout_s
        try:
            async with asyncio.timeout(seconds):
                return await self._reach_file()
        except TimeoutError:
            raise RequestTimedOut(f"The form's fields were not complete after {seconds:g} seconds.") from None

    async def _reach_file(self) -> bool:
        while (headers := await self._next()) is not None:
            if not isinstance(headers, dict):
                continue
            _, options = parse_options_header(headers.get(b"content-disposition"))
            name = options.get(b"name", b"").decode("utf-8", "replace")
            if name in FILES and FILES[0] not in self.fields:
                self.fields[FILES[0]] = ""
                self.content_type = headers.get(b"content-type", b"").decode("latin-1") or PLAIN
                return True
            await self._keep(name)
        return False

    async def file(self) -> AsyncIterator[bytes]:
        """Yield the file's bytes; ends when the whole form was read and is complete."""
        while isinstance(piece := await self._event(), bytes):
            yield piece
        await self.reach_file()

    async def _keep(self, name: str) -> None:
        value = bytearray()
        while isinstance(piece := await self._event(), bytes):
            value += piece
            self._count(len(piece))
        self.fields[name] = value.decode("utf-8", "replace")

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._settings.max_form_bytes:
            raise TooLarge(f"The form's fields and headers may have {self._settings.max_form_bytes} bytes.")

    async def _next(self) -> bytes | dict[bytes, bytes] | None:
        """Return the next event between parts, ``None`` at the end of a complete form."""
        while not self._events and not self._is_complete:
            await self._feed()
        return self._events.popleft() if self._events else None

    async def _event(self) -> bytes | dict[bytes, bytes] | None:
        """Return the next event inside a part, ``None`` at its end."""
        while not self._events:
            await self._feed()
        return self._events.popleft()

    async def _feed(self) -> None:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise InvalidRequest("The multipart form is cut short: its last boundary is missing.")
        try:
            self._parser.write(chunk)
        except (FormParserError, ValueError):
            raise InvalidRequest("The multipart form is malformed.") from None

    def _headers_begin(self) -> None:
        self._headers = {}
        self._parts += 1
        if self._parts > self._settings.max_form_fields:
            raise TooLarge(f"The form has more than {self._settings.max_form_fields} parts.")

    def _header_part(self, field: bytes, value: bytes) -> None:
        self._count(len(field) + len(value))
        self._header = (self._header[0] + field, self._header[1] + value)

    def _header_end(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = (b"", b"")

    def _complete(self) -> None:
        self._is_complete = True
