"""Buckets and blobs of S3 and of what speaks its protocol. Source: Amazon S3 API reference, 2006-03-01."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from deltacloud.drivers import Session, StorageDriver, aws
from deltacloud.drivers.aws import SignedRequest
from deltacloud.errors import NotSupported, ProviderError
from deltacloud.models import Blob, Bucket, FeatureDeclaration, Transfer, UploadPlan
from deltacloud_storage.drivers.ec2 import convert, errors
from deltacloud_storage.uploads import read_parts

GIB, MIB = 1024**3, 1024**2
SINGLE_LIMIT = 5 * GIB
"""Bytes that S3 takes in one request."""
PART_SIZE = 8 * MIB
MAX_PARTS = 10_000
QUOTE = '"'
SIGNATURE_LIVES_S = 14 * 60.0
"""S3 takes a signature for 15 minutes; a minute is left for clocks that differ."""


class S3Driver(StorageDriver):
    """S3. A provider is a region, an operator's endpoint, or the URL of an S3-compatible store."""

    id = "ec2"
    title = "EC2"
    credentials = aws.LABELS
    features = (FeatureDeclaration(name="bucket_location", collection="buckets"),)
    providers = aws.providers()
    default_provider = aws.DEFAULT_REGION
    takes_urls = True
    provable_operations = frozenset({"create_bucket"})

    def list_buckets(self, session: Session) -> Iterator[Bucket]:
        """List the caller's buckets, of all regions. Source: ListBuckets (one call for each 10,000)."""
        with aws.calling(session, "s3", errors.CODES) as s3:
            page = s3.list_buckets()
            found = list(page.get("Buckets", ()))
            while token := page.get("ContinuationToken"):
                page = s3.list_buckets(ContinuationToken=token)
                found += page.get("Buckets", ())
        return (convert.bucket(each["Name"]) for each in found)

    def get_bucket(self, session: Session, id: str) -> Bucket:
        """Show a bucket with all its keys. Source: ListObjectsV2 (one call for each 1000 keys)."""
        with aws.calling(session, "s3", errors.CODES) as s3:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=id)
            keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return convert.bucket(id, keys)

    def create_bucket(self, session: Session, name: str, location: str | None = None) -> Bucket:
        """Make a bucket in a location (a region; ``EU``), or in the provider's region. Source: CreateBucket.

        Raises:
            Conflict: the name is taken, by the caller or by anybody.
        """
        where = convert.configuration(location, aws.region_of(session.provider))
        parameters = {"Bucket": convert.bucket_name(name), **where}
        try:
            with aws.calling(session, "s3", errors.CODES) as s3:
                s3.create_bucket(**parameters)
        except errors.OwnBucketExists:
            if not session.is_redelivered:
                raise
        return convert.bucket(name, ())

    def destroy_bucket(self, session: Session, id: str) -> None:
        """Remove an empty bucket. Source: DeleteBucket.

        Raises:
            Conflict: it is not empty.
        """
        with aws.calling(session, "s3", errors.CODES) as s3:
            s3.delete_bucket(Bucket=id)

    def get_blob(self, session: Session, bucket_id: str, id: str) -> Blob:
        """Show what is known of a blob. Source: HeadObject."""
        with errors.about_blob(bucket_id, id), aws.calling(session, "s3", errors.CODES) as s3:
            return convert.blob(bucket_id, id, _head(s3, bucket_id, id))

    def destroy_blob(self, session: Session, bucket_id: str, id: str) -> None:
        """Remove a blob; S3 does not tell whether there was one. Source: DeleteObject."""
        with aws.calling(session, "s3", errors.CODES) as s3:
            s3.delete_object(Bucket=bucket_id, Key=id)

    def update_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        metadata: dict[str, str] | None = None,
    ) -> Blob:
        """Replace a blob's attributes and keep all else. Source: HeadObject, CopyObject onto itself.

        Raises:
            PreconditionFailed: the blob was replaced meanwhile; nothing was changed.
            NotSupported: it is larger than the 5 GiB that S3 copies at once.
        """
        kept = {"Bucket": bucket_id, "Key": id}
        with errors.about_blob(bucket_id, id), aws.calling(session, "s3", errors.CODES) as s3:
            head = _head(s3, bucket_id, id)
            if head["ContentLength"] > SINGLE_LIMIT:
                raise NotSupported("S3 cannot change the attributes of a blob of more than 5 GiB; store it anew.")
            copied = s3.copy_object(
                **kept,
                **convert.to_keep(head),
                CopySource=kept,
                CopySourceIfMatch=head["ETag"],
                MetadataDirective="REPLACE",
                Metadata=convert.metadata_to_s3(metadata or {}),
            )
        result = copied.get("CopyObjectResult", {})
        return convert.blob(bucket_id, id, {**head, **result, "Metadata": convert.metadata_to_s3(metadata or {})})

    def download_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        range: str | None = None,
        conditions: dict[str, str] | None = None,
    ) -> Transfer:
        """Return the request that fetches the bytes; no call is made. Source: GetObject."""
        signed = aws.signing(session, "s3", "get_object", {"Bucket": bucket_id, "Key": id})
        asked = {**(conditions or {}), **({"Range": range} if range else {})}
        return _transfer(session, "GET", signed, asked, accept=(200, 206, 304) if asked else (200,))

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
        """Return how to send the bytes: up to 5 GiB of known length by one request (no call is made), else in parts.

        Source: PutObject; CreateMultipartUpload.
        """
        stored = {"Bucket": bucket_id, "Key": id, **convert.to_store(content_type, metadata, headers)}
        if content_length is not None and content_length <= SINGLE_LIMIT:
            signed = aws.signing(session, "s3", "put_object", stored)
            extra = {**(conditions or {}), "Content-Length": str(content_length)}
            return UploadPlan(single=_transfer(session, "PUT", signed, extra))
        stored.pop("ContentMD5", None)
        with aws.calling(session, "s3", errors.CODES) as s3:
            upload_id = s3.create_multipart_upload(**stored)["UploadId"]
        return UploadPlan(
            upload_id=_upload_id(upload_id, conditions or {}),
            part_size=max(PART_SIZE, -(-(content_length or 0) // MAX_PARTS)),
            max_parts=MAX_PARTS,
        )

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
        """Return the request that sends one part; no call is made. Source: UploadPart."""
        native, _ = _read_upload_id(upload_id)
        part = {"Bucket": bucket_id, "Key": id, "UploadId": native, "PartNumber": number}
        signed = aws.signing(session, "s3", "upload_part", part)
        return _transfer(session, "PUT", signed, {"Content-Length": str(content_length)})

    def finish_upload_blob(
        self,
        session: Session,
        bucket_id: str,
        id: str,
        upload_id: str,
        parts: list[dict[str, Any]],
    ) -> Blob:
        """Make the parts the blob. Source: CompleteMultipartUpload.

        The record has what S3 tells: the ETag. Raises ``precondition_failed`` if a condition of the upload fails.
        """
        native, conditions = _read_upload_id(upload_id)
        listed = [{"PartNumber": part.number, "ETag": f'"{part.etag.strip(QUOTE)}"'} for part in read_parts(parts)]
        with aws.calling(session, "s3", errors.CODES) as s3:
            done = s3.complete_multipart_upload(
                Bucket=bucket_id, Key=id, UploadId=native, MultipartUpload={"Parts": listed}, **conditions
            )
        return convert.blob(bucket_id, id, done)

    def abort_upload_blob(self, session: Session, bucket_id: str, id: str, upload_id: str) -> None:
        """Forget an upload and its parts. Source: AbortMultipartUpload."""
        native, _ = _read_upload_id(upload_id)
        with aws.calling(session, "s3", errors.CODES) as s3:
            s3.abort_multipart_upload(Bucket=bucket_id, Key=id, UploadId=native)


def _head(s3: Any, bucket_id: str, id: str) -> dict[str, Any]:
    """Return what is known of a blob.

    A HEAD that is refused says only "403"; asking for the first byte tells whether the keys or the rights are missing.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - half a second to import

    try:
        head: dict[str, Any] = s3.head_object(Bucket=bucket_id, Key=id)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "403":
            s3.get_object(Bucket=bucket_id, Key=id, Range="bytes=0-0")["Body"].close()
        raise
    if "ETag" not in head:
        raise ProviderError("The cloud's answer is not of its protocol: a blob has no ETag.")
    return head


_CONDITIONS = {"if-match": "IfMatch", "if-none-match": "IfNoneMatch"}


def _upload_id(native: str, conditions: Mapping[str, str]) -> str:
    """Return S3's upload id with the conditions behind a ``?``, since S3 looks at them only at the end."""
    kept = [(_CONDITIONS[name.lower()], value) for name, value in conditions.items() if name.lower() in _CONDITIONS]
    return f"{native}?{urlencode(kept)}" if kept else native


def _read_upload_id(upload_id: str) -> tuple[str, dict[str, str]]:
    native, _, conditions = upload_id.partition("?")
    known = _CONDITIONS.values()
    return native, {name: value for name, value in parse_qsl(conditions) if name in known}


def _transfer(
    session: Session,
    method: Literal["GET", "PUT"],
    signed: SignedRequest,
    headers: Mapping[str, str],
    accept: tuple[int, ...] = (200,),
) -> Transfer:
    target = session.provider
    return Transfer(
        method=method,
        url=signed.url,
        headers={**signed.headers, **headers},
        accept_statuses=accept,
        expires_at=time.time() + SIGNATURE_LIVES_S,
        addresses=aws.checked_addresses(target, urlsplit(signed.url).hostname or ""),
        ca_pem=target.ca_pem,
        errors=errors.REFUSALS,
    )
