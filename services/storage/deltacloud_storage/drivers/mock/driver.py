"""Buckets and blobs of the mock cloud. Source: Apache Deltacloud 1.1.3's mock driver, its mistakes put right."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, Literal
from wsgiref.types import WSGIApplication

import msgspec

from deltacloud.drivers import Session, StorageDriver
from deltacloud.drivers.mockcloud import Changes, MockCloud, StoredBlob, check_name, mocked
from deltacloud.errors import Forbidden, InvalidParameters, NotFound, Unavailable
from deltacloud.models import Blob, Bucket, Transfer, UploadPlan
from deltacloud_storage.bytes_endpoint import BytesEndpoint, store
from deltacloud_storage.tickets import Ticket, Tickets
from deltacloud_storage.uploads import Uploads, read_parts

TICKET_LIVES_S = 900.0
UPLOAD_LIVES_S = 86_400.0
METADATA_LIMIT = 2048
"""Bytes of all attributes of a blob together, as S3 has it: they travel in a URL."""


@mocked
class MockStorageDriver(StorageDriver):
    """The mock cloud's buckets; its bytes are served by :class:`~deltacloud_storage.bytes_endpoint.BytesEndpoint`.

    Args:
        cloud: the state; by default that of ``DELTACLOUD_MOCK_STORAGE``.
    """

    id = "mock"
    title = "Mock"
    any_provider = True
    provable_operations = frozenset({"create_bucket"})

    def __init__(self, cloud: MockCloud | None = None) -> None:
        self.cloud = cloud or MockCloud()
        self._tickets = Tickets(self.cloud.folder)
        self._uploads = Uploads(self.cloud.folder / "parts")
        self._endpoint: str | None = None

    def bytes_app(self) -> WSGIApplication:
        """Return the application that serves the mock cloud's bytes."""
        return BytesEndpoint(self.cloud.blobs, self._tickets, self._uploads)

    def bytes_at(self, url: str) -> None:
        """Take the URL under which the application is mounted."""
        self._endpoint = url.rstrip("/")

    def list_buckets(self, session: Session) -> list[Bucket]:
        """List all buckets with the ids of their blobs."""
        with self.cloud.read() as records:
            blobs = records.all(StoredBlob)
            return [_filled(bucket, blobs) for bucket in records.all(Bucket)]

    def get_bucket(self, session: Session, id: str) -> Bucket:
        """Show a bucket with the ids of its blobs."""
        with self.cloud.read() as records:
            return _filled(records.get(Bucket, id), records.all(StoredBlob, parent=id))

    def create_bucket(self, session: Session, name: str, location: str | None = None) -> Bucket:
        """Make a bucket; one of that name stays as it is, with its blobs."""
        draft = Bucket(id=check_name(name), name=name)

        def finish(changes: Changes, bucket: Bucket) -> Bucket:
            if changes.find(Bucket, bucket.id) is None:
                changes.put(bucket)
            return bucket

        made = self.cloud.create(session, draft, finish)
        return self.get_bucket(session, id=made.id)

    def destroy_bucket(self, session: Session, id: str) -> None:
        """Remove an empty bucket.

        Raises:
            Forbidden: it is not empty (403, as the original declared).
        """
        with self.cloud.change() as changes:
            changes.get(Bucket, id)
            if changes.all(StoredBlob, parent=id):
                raise Forbidden(f"BucketNotEmpty: bucket '{id}' holds blobs; destroy them first.")
            changes.remove(Bucket, id)

    def get_blob(self, session: Session, bucket_id: str, id: str) -> Blob:
        """Show what is known of a blob."""
        with self.cloud.read() as records:
            return records.get(StoredBlob, id, parent=bucket_id).to_blob()

    def destroy_blob(self, session: Session, bucket_id: str, id: str) -> None:
        """Remove a blob."""
        self.cloud.blobs.remove(bucket_id, id)

    def update_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        metadata: dict[str, str] | None = None,
    ) -> Blob:
        """Replace a blob's attributes."""
        _check_size(metadata or {})
        with self.cloud.change() as changes:
            old = changes.get(StoredBlob, id, parent=bucket_id)
            new = msgspec.structs.replace(old, user_metadata=metadata or {})
            changes.put(new, parent=bucket_id)
            return new.to_blob()

    def download_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        range: str | None = None,
        conditions: dict[str, str] | None = None,
    ) -> Transfer:
        """Return the request that fetches the bytes."""
        with self.cloud.read() as records:
            records.get(StoredBlob, id, parent=bucket_id)
        asked = {**(conditions or {}), **({"Range": range} if range else {})}
        ticket = Ticket(action="get", bucket_id=bucket_id, blob_id=id, expires_at=time.time() + TICKET_LIVES_S)
        return self._transfer("GET", ticket, asked, accept=(200, 206, 304) if asked else (200,))

    def upload_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        *,
        content_length: int | None = None,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        conditions: dict[str, str] | None = None,
    ) -> UploadPlan:
        """Return how to send the bytes: by one request when their number is known, else in parts."""
        _check_size(metadata or {})
        with self.cloud.read() as records:
            records.get(Bucket, bucket_id)
        ticket = Ticket(
            action="upload" if content_length is None else "put",
            bucket_id=bucket_id,
            blob_id=check_name(id, "id"),
            expires_at=time.time() + (UPLOAD_LIVES_S if content_length is None else TICKET_LIVES_S),
            length=content_length,
            content_type=content_type,
            metadata=metadata or {},
            headers=_lower(headers),
            conditions=_lower(conditions),
            upload=secrets.token_hex(16) if content_length is None else None,
        )
        if content_length is not None:
            return UploadPlan(single=self._transfer("PUT", ticket, {"Content-Length": str(content_length)}))
        signed = self._tickets.sign(ticket)
        self._uploads.sweep()
        self._uploads.begin(ticket.upload or "")
        return UploadPlan(upload_id=signed)

    def sign_part_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        *,
        upload_id: str,
        number: int,
        content_length: int,
    ) -> Transfer:
        """Return the request that sends one part."""
        upload = self._upload(bucket_id, id, upload_id)
        ticket = Ticket(
            action="part",
            bucket_id=bucket_id,
            blob_id=id,
            expires_at=time.time() + TICKET_LIVES_S,
            length=content_length,
            upload=upload.upload,
            number=number,
        )
        return self._transfer("PUT", ticket, {"Content-Length": str(content_length)})

    def finish_upload_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        upload_id: str,
        parts: list[dict[str, Any]],
    ) -> Blob:
        """Make the parts the blob."""
        upload = self._upload(bucket_id, id, upload_id)
        with self.cloud.blobs.receive() as stream:
            size, etag = self._uploads.join(upload, read_parts(parts), stream)
            stored = store(self.cloud.blobs, upload, stream, size=size, etag=etag)
        self._uploads.forget(upload)
        return stored.to_blob()

    def abort_upload_blob(self, session: Session, bucket_id: str, id: str, upload_id: str) -> None:
        """Forget an upload and its parts."""
        self._uploads.forget(self._upload(bucket_id, id, upload_id))

    def _upload(self, bucket_id: str, blob_id: str, upload_id: str) -> Ticket:
        try:
            ticket = self._tickets.read(upload_id)
        except Forbidden:
            ticket = None
        if ticket is None or (ticket.action, ticket.bucket_id, ticket.blob_id) != ("upload", bucket_id, blob_id):
            raise NotFound(f"There is no such upload of blob '{blob_id}'.")
        return ticket

    def _transfer(
        self,
        method: Literal["GET", "PUT"],
        ticket: Ticket,
        headers: Mapping[str, str],
        accept: tuple[int, ...] = (200,),
    ) -> Transfer:
        if self._endpoint is None:
            raise Unavailable("This worker does not serve bytes; set DELTACLOUD_TRANSFER_URL.")
        url = f"{self._endpoint}/{self._tickets.sign(ticket)}"
        return Transfer(
            method=method, url=url, headers=dict(headers), accept_statuses=accept, expires_at=ticket.expires_at
        )


def _filled(bucket: Bucket, blobs: list[StoredBlob]) -> Bucket:
    ids = tuple(blob.id for blob in blobs if blob.bucket_id == bucket.id)
    return msgspec.structs.replace(bucket, size=len(ids), blobs=ids)


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _check_size(metadata: Mapping[str, str]) -> None:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > METADATA_LIMIT:
        raise InvalidParameters(f"A blob's attributes may have {METADATA_LIMIT} bytes together, not {size}.")
