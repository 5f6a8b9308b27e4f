"""S3's errors that mean something special to blobs, beside the table all AWS drivers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deltacloud.catalogue.check import shown
from deltacloud.errors import (
    AuthenticationFailed,
    Conflict,
    DeltacloudError,
    InvalidParameters,
    NotFound,
    NotSupported,
    Throttled,
    TooLarge,
)


class OwnBucketExists(Conflict):
    """The caller has a bucket of that name already: what a repeated create hears. To callers it is a conflict."""


CODES: dict[str, type[DeltacloudError]] = {
    "BucketAlreadyOwnedByYou": OwnBucketExists,
    "InvalidPart*": InvalidParameters,
    "PermanentRedirect": InvalidParameters,
    "AuthorizationHeaderMalformed": InvalidParameters,
    "IllegalLocationConstraintException": InvalidParameters,
    "InvalidLocationConstraint": InvalidParameters,
    "InvalidStorageClass": NotSupported,
}

_REFUSALS: dict[str, type[DeltacloudError]] = {
    **dict.fromkeys(
        ("SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "RequestTimeTooSkewed"),
        AuthenticationFailed,
    ),
    **dict.fromkeys(("BadDigest", "InvalidDigest", "MetadataTooLarge", "KeyTooLongError"), InvalidParameters),
    "EntityTooLarge": TooLarge,
    "SlowDown": Throttled,
}
REFUSALS = {f"<Code>{word}</Code>": error.code for word, error in _REFUSALS.items()}
"""What the body of a refused transfer means where its status does not tell."""


@contextmanager
def about_blob(bucket_id: str, blob_id: str) -> Iterator[None]:
    """Name the blob in a ``not_found``: S3 answers a HEAD without a word."""
    try:
        yield
    except NotFound as error:
        raise NotFound(f"There is no blob {shown(blob_id)} in bucket {shown(bucket_id)}.") from error
