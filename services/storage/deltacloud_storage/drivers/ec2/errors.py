"""S3's errors that mean something special to blobs, beside the table all AWS drivers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deltacloud.catalogue.check import shown
from deltacloud.errors import DeltacloudError, InvalidParameters, NotFound, NotSupported

CODES: dict[str, type[DeltacloudError]] = {
    "InvalidPart*": InvalidParameters,
    "PermanentRedirect": InvalidParameters,
    "AuthorizationHeaderMalformed": InvalidParameters,
    "IllegalLocationConstraintException": InvalidParameters,
    "InvalidLocationConstraint": InvalidParameters,
    "InvalidStorageClass": NotSupported,
}


@contextmanager
def about_blob(bucket_id: str, blob_id: str) -> Iterator[None]:
    """Name the blob in a ``not_found``: S3 answers a HEAD without a word."""
    try:
        yield
    except NotFound as error:
        raise NotFound(f"There is no blob {shown(blob_id)} in bucket {shown(bucket_id)}.") from error
