"""Records of the storage collections: volumes, snapshots, buckets, blobs, and transfers of blob bytes."""

from __future__ import annotations

from typing import Literal

import msgspec

from deltacloud.models.base import Record


class StorageVolume(Record, frozen=True, kw_only=True):
    """A block device. ``capacity`` is GB. ``actions`` is ``None`` when the driver does not list any."""

    name: str | None = None
    description: str | None = None
    created: str | None = None
    state: str | None = None
    capacity: int | float | str | None = None
    kind: str | None = None
    realm_id: str | None = None
    instance_id: str | None = None
    device: str | None = None
    actions: tuple[str, ...] | None = None


class StorageSnapshot(Record, frozen=True, kw_only=True):
    """A volume as it was at one moment."""

    name: str | None = None
    description: str | None = None
    state: str | None = None
    created: str | None = None
    storage_volume_id: str | None = None


class Bucket(Record, frozen=True, kw_only=True):
    """A container of blobs. ``size`` is the number of blobs; ``blobs`` are their ids; ``None``: not told in lists."""

    name: str | None = None
    size: int | None = None
    blobs: tuple[str, ...] | None = None


class Blob(Record, frozen=True, kw_only=True):
    """What is known of a blob without its bytes. ``content_length`` is bytes; ``etag`` is unquoted."""

    bucket_id: str
    content_length: int | None = None
    content_type: str | None = None
    last_modified: str | None = None
    etag: str | None = None
    user_metadata: dict[str, str] = {}


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request to a store that moves bytes; whoever holds it may send it until ``expires_at``.

    The bytes never cross the broker. ``url`` and ``headers`` carry a signature or a short-lived token, so a
    transfer is a secret for its life. ``accept_statuses`` are the store's words for success. ``addresses``, when not
    empty, are the only addresses to connect to: they passed the provider policy. ``ca_pem`` is a private CA.
    ``expires_at`` is Unix seconds. ``errors`` gives meaning to refusals: words in their bodies, to codes of ours; what
    is not there is told by the status.
    """

    method: Literal["GET", "PUT", "POST", "HEAD"]
    url: str
    headers: dict[str, str] = {}
    accept_statuses: tuple[int, ...] = (200,)
    expires_at: float
    addresses: tuple[str, ...] = ()
    ca_pem: str | None = None
    errors: dict[str, str] = {}

    def __repr__(self) -> str:
        """Hide the signature."""
        return f"Transfer(method={self.method!r})"


class UploadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to store a blob: one ``single`` transfer, or parts of ``part_size`` bytes under ``upload_id``.

    With ``upload_id`` the caller asks for a transfer for each part (``sign_part_blob``), sends it, keeps the part's
    ETag, and ends with ``finish_upload_blob`` or ``abort_upload_blob``. ``max_parts`` bounds their number.
    """

    single: Transfer | None = None
    upload_id: str | None = None
    part_size: int = 8 * 1024 * 1024
    max_parts: int = 10_000


class UploadPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that was sent: its number, counted from 1, and the ETag the store answered with."""

    number: int
    etag: str
