"""S3's words as our records, and our parameters as S3's. Pure functions."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from deltacloud.catalogue.check import shown
from deltacloud.drivers.aws import DEFAULT_REGION
from deltacloud.errors import InvalidParameters
from deltacloud.models import Blob, Bucket

_BUCKET_NAME = re.compile(r"(?!xn--|\d+\.\d+\.\d+\.\d+$)(?!.*(\.\.|-s3alias$))[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PLAIN_NAME = re.compile(r"[a-z0-9._]+")
_HEX = "deltacloud-hex-"
_VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_HEADERS = {
    "content-encoding": "ContentEncoding",
    "content-disposition": "ContentDisposition",
    "content-language": "ContentLanguage",
    "cache-control": "CacheControl",
    "content-md5": "ContentMD5",
}
_KEPT = (*_HEADERS.values(), "ContentType", "Expires", "StorageClass", "WebsiteRedirectLocation")


def bucket(name: str, keys: Iterable[str] | None = None) -> Bucket:
    """Return a bucket's record; with its keys when they were asked for."""
    blobs = tuple(keys) if keys is not None else None
    return Bucket(id=name, name=name, size=len(blobs) if blobs is not None else None, blobs=blobs)


def blob(bucket_id: str, key: str, head: Mapping[str, Any]) -> Blob:
    """Return a blob's record from an answer of HeadObject, CopyObject or CompleteMultipartUpload."""
    return Blob(
        id=key,
        bucket_id=bucket_id,
        content_length=head.get("ContentLength"),
        content_type=head.get("ContentType"),
        last_modified=moment(head.get("LastModified")),
        etag=(head.get("ETag") or "").strip('"') or None,
        user_metadata=metadata_from_s3(head.get("Metadata", {})),
    )


def moment(value: datetime | None) -> str | None:
    """Return a time as the API shows it: ``2020-01-01 10:00:00 +0000``."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S %z") if value is not None else None


def bucket_name(name: str) -> str:
    """Return a name that S3 takes for a new bucket.

    Raises:
        InvalidParameters: it does not.
    """
    if _BUCKET_NAME.fullmatch(name) is None:
        raise InvalidParameters(
            "Parameter 'name' must be 3 to 63 of a-z 0-9 . - for an S3 bucket, begin and end with a letter or digit,"
            f" and not look like an address, not {shown(name)}.",
            details={"parameter": "name"},
        )
    return name


def configuration(location: str | None, region: str) -> dict[str, Any]:
    """Return CreateBucket's parameters that put it into a location, or into the client's region."""
    wanted = location or region
    return {} if wanted == DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": wanted}}


def metadata_to_s3(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return attributes as S3 can keep them: in headers, which have ASCII alone and no case in their names.

    Names become lower-case. One of a-z 0-9 . _ is written with ``-`` for ``_``, since servers and proxies drop headers
    with ``_``; any other is ``deltacloud-hex-`` and its UTF-8 in hex. In values ``%``, what is not printable ASCII, and
    spaces at either end become ``%XX``.
    """
    return {_name_to_s3(name.lower()): _value_to_s3(value) for name, value in metadata.items()}


def metadata_from_s3(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return attributes as they were given; the inverse of :func:`metadata_to_s3` but for the case of names."""
    return {_name_from_s3(name.lower()): unquote(value) for name, value in metadata.items()}


def to_store(
    content_type: str | None, metadata: Mapping[str, str] | None, headers: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return PutObject's parameters for what is to be kept with the bytes."""
    known = {_HEADERS[name.lower()]: value for name, value in (headers or {}).items() if name.lower() in _HEADERS}
    typed = {"ContentType": content_type} if content_type else {}
    return {**known, **typed, "Metadata": metadata_to_s3(metadata or {})}


def to_keep(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return CopyObject's parameters that keep all but the attributes as HeadObject found it."""
    return {name: head[name] for name in _KEPT if head.get(name)}


def _name_to_s3(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return name.replace("_", "-")
    return _HEX + name.encode().hex()


def _name_from_s3(name: str) -> str:
    if name.startswith(_HEX):
        with contextlib.suppress(ValueError):
            return bytes.fromhex(name.removeprefix(_HEX)).decode()
    return name.replace("-", "_")


def _value_to_s3(value: str) -> str:
    quoted = quote(value, safe=_VALUE)
    body = quoted.strip(" ")
    left = len(quoted) - len(quoted.lstrip(" "))
    return "%20" * left + body + "%20" * (len(quoted) - left - len(body)) if body else "%20" * len(quoted)
