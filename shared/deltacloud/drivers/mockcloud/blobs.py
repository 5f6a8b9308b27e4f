"""Blobs: their records, and their bytes in files with names of our own making.

A blob's record names its file. New bytes go to a new file; storing the record is the moment at which the blob changes,
as a whole, for every process. Whoever reads the old bytes keeps reading them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from deltacloud.catalogue.check import shown
from deltacloud.drivers.mockcloud.database import Database
from deltacloud.drivers.mockcloud.records import Changes, Records
from deltacloud.errors import ProviderError
from deltacloud.models import Blob, Bucket

ABANDONED_S = 86_400.0
READ_ATTEMPTS = 20


class StoredBlob(Blob, frozen=True, kw_only=True):
    """A blob as the mock cloud keeps it: with the name of the file of its bytes and the headers stored with it."""

    file: str
    headers: dict[str, str] = {}

    def to_blob(self) -> Blob:
        """Return the record that callers see."""
        return Blob(**{name: getattr(self, name) for name in Blob.__struct_fields__})


Guard = Callable[[StoredBlob | None], None]
"""Looks at the blob that is about to be replaced or removed; raises to keep it."""


class BlobStore:
    """The blobs under one mock folder.

    Args:
        database: where the records are.
        folder: the mock folder.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._kept = folder / "blobs"
        self._incoming = folder / "incoming"
        self._is_swept = False

    @contextlib.contextmanager
    def receive(self) -> Iterator[BinaryIO]:
        """Give a new file to write bytes into; it is removed at the end unless :meth:`store` took it."""
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._is_swept:
            self._is_swept = True
            self._sweep()
        file = self._incoming / secrets.token_hex(16)
        try:
            with file.open("xb") as stream:
                yield stream
        finally:
            file.unlink(missing_ok=True)

    def store(
        self, blob: Blob, received: BinaryIO, *, headers: dict[str, str] | None = None, guard: Guard | None = None
    ) -> StoredBlob:
        """Make the received bytes the blob, atomically, over one of the same id in the same bucket.

        Args:
            blob: the new record; its bucket must exist.
            received: from :meth:`receive`, all bytes written.
            headers: HTTP headers to give back with the bytes.
            guard: sees the blob that is there now, or ``None``.

        Raises:
            NotFound: the bucket does not exist.
        """
        received.flush()
        stored = msgspec.convert(
            {**msgspec.structs.asdict(blob), "file": Path(received.name).name, "headers": headers or {}}, StoredBlob
        )
        self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            changes = Changes(connection)
            changes.get(Bucket, blob.bucket_id)
            old = changes.find(StoredBlob, blob.id, parent=blob.bucket_id)
            if guard is not None:
                guard(old)
            changes.put(stored, parent=blob.bucket_id)
            Path(received.name).replace(self.path(stored))
        self._discard(old)
        return stored

    def open(self, bucket_id: str, blob_id: str) -> tuple[StoredBlob, BinaryIO]:
        """Return a blob and its bytes, open for reading; they belong together even if the blob is replaced now.

        Raises:
            NotFound: no such blob in that bucket.
            ProviderError: its file is missing.
        """
        for _ in range(READ_ATTEMPTS):
            with self._database.transaction("BEGIN") as connection:
                blob = Records(connection).get(StoredBlob, blob_id, parent=bucket_id)
            with contextlib.suppress(FileNotFoundError):  # replaced meanwhile: the record names another file now
                return blob, self.path(blob).open("rb")
        raise ProviderError(f"The bytes of blob {shown(blob_id)} are missing in the mock cloud's folder.")

    def remove(self, bucket_id: str, blob_id: str, *, guard: Guard | None = None) -> None:
        """Remove a blob and its bytes.

        Raises:
            NotFound: no such blob in that bucket.
        """
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            changes = Changes(connection)
            old = changes.get(StoredBlob, blob_id, parent=bucket_id)
            if guard is not None:
                guard(old)
            changes.remove(StoredBlob, blob_id, parent=bucket_id)
        self._discard(old)

    def path(self, blob: StoredBlob) -> Path:
        """Return the file of a blob's bytes."""
        return self._kept / blob.file

    def keep(self, file: str, content: bytes) -> None:
        """Write a seed blob's bytes under a name of our own; safe to repeat."""
        self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.receive() as stream:
            stream.write(content)
            stream.flush()
            Path(stream.name).replace(self._kept / file)

    def _discard(self, old: StoredBlob | None) -> None:
        if old is not None:
            self.path(old).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what uploads that died more than a day ago left behind."""
        with os.scandir(self._incoming) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat().st_mtime < time.time() - ABANDONED_S:
                        Path(entry.path).unlink()
