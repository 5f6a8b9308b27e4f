"""The bytes of blobs whose store has no HTTP of its own: one WSGI application, opened by signed, short-lived URLs.

``GET`` and ``HEAD <mount>/<ticket>`` read a blob, ``PUT <mount>/<ticket>`` stores one, or a part of one. A ticket says
what may be done with which blob and how many bytes it has, so a body that was cut short is noticed whatever the server
makes of it, and leaves nothing. Bytes pass in pieces; nothing is held in memory whole.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import BinaryIO
from wsgiref.types import StartResponse, WSGIEnvironment

from deltacloud.drivers.mockcloud import BlobStore, StoredBlob, now_text, unusable_folder
from deltacloud.errors import DeltacloudError, InvalidRequest
from deltacloud.logging import get_logger
from deltacloud.models import Blob
from deltacloud_storage.conditions import byte_range, check_write, is_unchanged
from deltacloud_storage.tickets import Ticket, Tickets
from deltacloud_storage.uploads import Uploads

PIECE = 256 * 1024
DEFAULT_TYPE = "application/octet-stream"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ACTIONS = {"GET": ("get",), "HEAD": ("get",), "PUT": ("put", "part")}
_log = get_logger()


class BytesEndpoint:
    """The application.

    Args:
        blobs: where the bytes are.
        tickets: reads the tickets.
        uploads: keeps the parts.
    """

    def __init__(self, blobs: BlobStore, tickets: Tickets, uploads: Uploads) -> None:
        self._blobs = blobs
        self._tickets = tickets
        self._uploads = uploads

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; a full or failing disk is told to its sender and to the log."""
        method = environ["REQUEST_METHOD"]
        try:
            ticket = self._tickets.read(environ.get("PATH_INFO", "").removeprefix("/"))
            if ticket.action not in _ACTIONS.get(method, ()):
                raise InvalidRequest(f"This ticket is not for {method}.")
            if ticket.action == "get":
                return self._read(ticket, environ, start_response)
            return self._write(ticket, environ, start_response)
        except DeltacloudError as error:
            return _refuse(HTTPStatus(error.http_status), error.message, start_response, size=error.details.get("size"))
        except ConnectionError:
            return _refuse(HTTPStatus.BAD_REQUEST, "The connection broke before the whole body came.", start_response)
        except OSError as error:
            status = HTTPStatus.INSUFFICIENT_STORAGE if error.errno in _FULL else HTTPStatus.SERVICE_UNAVAILABLE
            reason = unusable_folder(error).message
            _log.error("bytes_not_moved", method=method, detail=reason)
            return _refuse(status, reason, start_response)

    def _read(self, ticket: Ticket, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        blob, stream = self._blobs.open(ticket.bucket_id, ticket.blob_id)
        try:
            found = os.fstat(stream.fileno())
            etag, asked = blob.etag or blob.file, _headers(environ)
            headers = _describe(blob, etag, found.st_mtime)
            if is_unchanged(asked, etag, found.st_mtime):
                start_response("304 Not Modified", headers)
                stream.close()
                return ()
            wanted = byte_range(asked, found.st_size, etag)
        except BaseException:
            stream.close()
            raise
        part = wanted if wanted is not None else range(found.st_size)
        if wanted is not None:
            headers.append(("Content-Range", f"bytes {part.start}-{part.stop - 1}/{found.st_size}"))
        headers.append(("Content-Length", str(len(part))))
        start_response("200 OK" if wanted is None else "206 Partial Content", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            stream.close()
            return ()
        return _pieces(stream, part)

    def _write(self, ticket: Ticket, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._blobs.receive() as stream:
            digest = _copy(environ, stream, ticket.length or 0)
            etag = digest.hex()
            if ticket.action == "part":
                self._uploads.keep(ticket, stream, etag)
            else:
                _check_digest(ticket, digest)
                store(self._blobs, ticket, stream, size=ticket.length or 0, etag=etag)
        start_response("200 OK", [("ETag", f'"{etag}"'), ("Content-Length", "0"), ("Date", formatdate(usegmt=True))])
        return ()


def store(blobs: BlobStore, ticket: Ticket, stream: BinaryIO, *, size: int, etag: str) -> StoredBlob:
    """Make received bytes the blob a ticket speaks of, if its conditions hold at that moment.

    Raises:
        NotFound: the bucket is gone.
        PreconditionFailed: a condition does not hold.
    """
    blob = Blob(
        id=ticket.blob_id,
        bucket_id=ticket.bucket_id,
        content_length=size,
        content_type=ticket.content_type,
        last_modified=now_text(),
        etag=etag,
        user_metadata=ticket.metadata,
    )
    kept = {name: value for name, value in ticket.headers.items() if name != "content-md5"}
    return blobs.store(
        blob,
        stream,
        headers=kept,
        guard=lambda old: check_write(ticket.conditions, (old.etag or old.file) if old is not None else None),
    )


def _copy(environ: WSGIEnvironment, stream: BinaryIO, length: int) -> bytes:
    """Copy a body of exactly that length and return its MD5; no server is trusted to notice a missing end."""
    declared = environ.get("CONTENT_LENGTH")
    if declared and declared != str(length):
        raise InvalidRequest(f"This ticket is for {length} bytes, not {declared[:20]}.")
    source, digest, received = environ["wsgi.input"], hashlib.md5(usedforsecurity=False), 0
    while received < length:
        piece = source.read(min(PIECE, length - received))
        if not piece:
            raise InvalidRequest(f"The body was cut short: {received} of {length} bytes arrived.")
        received += len(piece)
        digest.update(piece)
        stream.write(piece)
    if not declared and source.read(1):
        raise InvalidRequest(f"The body is longer than the {length} bytes of this ticket.")
    return digest.digest()


def _check_digest(ticket: Ticket, digest: bytes) -> None:
    wanted = ticket.headers.get("content-md5")
    if wanted is not None and wanted.strip() != base64.b64encode(digest).decode():
        raise InvalidRequest("Content-MD5 is not that of the bytes which arrived.")


def _describe(blob: StoredBlob, etag: str, modified: float) -> list[tuple[str, str]]:
    return [
        ("Content-Type", blob.content_type or DEFAULT_TYPE),
        ("ETag", f'"{etag}"'),
        ("Last-Modified", formatdate(modified, usegmt=True)),
        ("Accept-Ranges", "bytes"),
        *((name.title(), value) for name, value in blob.headers.items()),
    ]


def _pieces(stream: BinaryIO, part: range) -> Iterator[bytes]:
    with stream:
        stream.seek(part.start)
        left = len(part)
        while left and (piece := stream.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def _headers(environ: WSGIEnvironment) -> Mapping[str, str]:
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }


def _refuse(
    status: HTTPStatus, message: str, start_response: StartResponse, *, size: str | None = None
) -> Iterable[bytes]:
    body = f"{message}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if size is not None:
        headers.append(("Content-Range", f"bytes */{size}"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
