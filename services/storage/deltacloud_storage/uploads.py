"""Parts of uploads: files beside the blobs, until they are made one or forgotten."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from deltacloud.errors import InvalidParameters, NotFound
from deltacloud.models import UploadPart
from deltacloud_storage.tickets import Ticket

ABANDONED_S = 86_400.0
_PIECE = 1024 * 1024
_ETAG = re.compile(r"[0-9a-f]{32}")


def read_parts(parts: list[dict[str, Any]]) -> list[UploadPart]:
    """Return the parts of a finish as records.

    Raises:
        InvalidParameters: a number is not one, or an ETag not text.
    """
    try:
        return msgspec.convert(parts, list[UploadPart], strict=False)
    except msgspec.ValidationError:
        raise InvalidParameters("Parameter 'parts' must be a list of {number, etag}, a number and a text.") from None


class Uploads:
    """The parts under one folder. An upload is a random name, and a mark that it goes on; its ticket holds the rest.

    Args:
        folder: the folder of the parts, made when needed. It must be on the file system the parts arrive on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, upload: str) -> None:
        """Make an upload known; parts are kept only while it is."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._mark(upload).touch(mode=0o600)

    def keep(self, ticket: Ticket, received: BinaryIO, etag: str) -> None:
        """Keep a received file as a part, over an earlier one of that number and content.

        Raises:
            NotFound: the upload has ended; the part is gone.
        """
        received.flush()
        file = self._file(ticket, ticket.number or 0, etag)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(received.name).replace(file)
        if not self._mark(ticket.upload).exists():  # looked at last, so that no part outlives its upload
            file.unlink(missing_ok=True)
            raise NotFound("This upload has ended.")

    def join(self, ticket: Ticket, parts: Iterable[UploadPart], into: BinaryIO) -> tuple[int, str]:
        """Write the parts, in the order given, into a file. Return its size and MD5.

        Raises:
            InvalidParameters: one of the parts never arrived, or its number or ETag is not as given.
        """
        digest, size = hashlib.md5(usedforsecurity=False), 0
        for part in parts:
            for piece in self._read(ticket, part):
                digest.update(piece)
                size += len(piece)
                into.write(piece)
        return size, digest.hexdigest()

    def forget(self, ticket: Ticket) -> None:
        """End the upload and remove its parts. Safe to repeat."""
        self._mark(ticket.upload).unlink(missing_ok=True)
        for file in self._folder.glob(f"{ticket.upload}.*"):
            file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the parts of uploads that nobody ended for a day."""
        for file in self._folder.glob("*.*"):
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime < time.time() - ABANDONED_S:
                    file.unlink()

    def _read(self, ticket: Ticket, part: UploadPart) -> Iterator[bytes]:
        etag = part.etag.strip('"')
        try:
            with self._file(ticket, part.number, etag if _ETAG.fullmatch(etag) else "none").open("rb") as stream:
                while piece := stream.read(_PIECE):
                    yield piece
        except FileNotFoundError:
            raise InvalidParameters(f"Part {part.number} of this upload with this ETag never arrived.") from None

    def _mark(self, upload: str | None) -> Path:
        return self._folder / f"{upload}.begun"

    def _file(self, ticket: Ticket, number: int, etag: str) -> Path:
        return self._folder / f"{ticket.upload}.{number}.{etag}"
