"""``PUT /buckets/:bucket/:blob``: a blob from a body, or a step of an upload in segments."""

from __future__ import annotations

import re
from http import HTTPStatus

from starlette.responses import Response

from deltacloud.errors import InvalidParameters, InvalidRequest, TooLarge
from deltacloud.models import UploadPart
from deltacloud_gateway import body
from deltacloud_gateway.blobs.source import Source
from deltacloud_gateway.blobs.upload import PART_SIZE, Draft, Upload
from deltacloud_gateway.exchange import Exchange
from deltacloud_gateway.headers import latin
from deltacloud_gateway.parameters import blob_metadata

STORED = ("Content-Encoding", "Content-Disposition", "Content-Language", "Cache-Control", "Content-MD5")
CONDITIONS = ("If-Match", "If-None-Match")
UPLOAD_HEADER = "X-Deltacloud-SegmentedBlob"
SEGMENT_HEADER = "X-Deltacloud-BlobSegmentId"
MAX_SEGMENTS = 10_000
_NUMBER = re.compile(r"[0-9]{1,5}")
_SEGMENT = re.compile(r"\s*([0-9]{1,5})\s*=\s*([^\s,]+)\s*")


async def put(exchange: Exchange) -> Response:
    """Store the body as a blob and answer 200 with its record.

    Raises:
        DeltacloudError: what went wrong; nothing is stored then.
    """
    upload = Upload(exchange, _draft(exchange))
    source = Source(exchange.body())
    if _selector(exchange, "X-Deltacloud-BlobType", "blob_type") == "segmented":
        return await _segmented(exchange, upload, source)
    record = await upload.run(source, body.declared_length(exchange.request))
    return exchange.render(record, status=HTTPStatus.OK)


def _draft(exchange: Exchange) -> Draft:
    sent = exchange.request.headers
    return Draft(
        bucket_id=exchange.path_parameters["bucket_id"],
        blob_id=exchange.path_parameters["id"],
        content_type=sent.get("Content-Type"),
        metadata=blob_metadata(exchange.request),
        headers={name: sent[name] for name in STORED if name in sent},
        conditions={name: sent[name] for name in CONDITIONS if name in sent},
    )


def _selector(exchange: Exchange, header: str, parameter: str) -> str | None:
    """Return what selects a step of a segmented upload: a header, or a parameter of the query."""
    return exchange.request.headers.get(header) or exchange.query.get(parameter) or None


async def _segmented(exchange: Exchange, upload: Upload, source: Source) -> Response:
    upload_id = _selector(exchange, UPLOAD_HEADER, "segmented_blob")
    order = _selector(exchange, "X-Deltacloud-SegmentOrder", "segment_order")
    if upload_id is None:
        plan = await upload.plan(None)
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={UPLOAD_HEADER: latin(plan.upload_id or "")})
    if order is not None:
        return await _segment(exchange, upload, source, upload_id, order)
    listed = await _listed(source, exchange.settings.max_form_bytes)
    await upload.finish(upload_id, _segments(listed))
    record = await upload.call("get_blob")
    return exchange.render(record, status=HTTPStatus.OK)


async def _segment(exchange: Exchange, upload: Upload, source: Source, upload_id: str, order: str) -> Response:
    if not _NUMBER.fullmatch(order):
        raise InvalidParameters(
            "X-Deltacloud-SegmentOrder must be a whole number of at most 5 digits, 1 for the first."
        )
    length = body.declared_length(exchange.request)
    if length is None:
        length = await source.length_within(PART_SIZE)
    if length is None:
        raise InvalidRequest(f"A segment of more than {PART_SIZE} bytes needs Content-Length.")
    part = await upload.send_part(upload_id, int(order), length, source.pieces(length))
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={SEGMENT_HEADER: latin(part.etag)})


async def _listed(source: Source, limit: int) -> str:
    listed = await source.take(limit)
    if not await source.at_end():
        raise TooLarge(f"The list of segments may have {limit} bytes.")
    return listed.decode("utf-8", "replace")


def _segments(text: str) -> list[UploadPart]:
    if text.count(",") >= MAX_SEGMENTS:
        raise InvalidParameters(f"The body lists more than {MAX_SEGMENTS} segments; a blob may have that many.")
    found = [_SEGMENT.fullmatch(each) for each in text.split(",")]
    if not all(found):
        raise InvalidParameters("The body must list the segments: 1=<segment id>, 2=<segment id>, …")
    return [UploadPart(number=int(match[1]), etag=match[2]) for match in found if match is not None]
