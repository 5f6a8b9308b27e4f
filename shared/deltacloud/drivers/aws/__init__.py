"""What the drivers of EC2-like and S3-like clouds share: credentials, regions, clients, time, errors.

::

    with aws.calling(session, "s3") as s3:      # a botocore client; wrong keys are refused before any call
        s3.list_buckets()                       # bounded by the session's deadline, counted, errors translated

boto3 is an extra of the services; importing this package without it says what to install.
Source: botocore's documentation, and its behaviour as measured.
"""

from importlib.util import find_spec

from deltacloud.drivers.aws.addresses import checked_addresses
from deltacloud.drivers.aws.calls import SignedRequest, calling, signing
from deltacloud.drivers.aws.keys import LABELS, Keys, read_keys
from deltacloud.drivers.aws.once import outcome_unknown
from deltacloud.drivers.aws.regions import DEFAULT_REGION, REGIONS, providers, region_of

if find_spec("botocore") is None:
    raise ImportError("boto3 is not installed")

__all__ = [
    "DEFAULT_REGION",
    "LABELS",
    "REGIONS",
    "Keys",
    "SignedRequest",
    "calling",
    "checked_addresses",
    "outcome_unknown",
    "providers",
    "read_keys",
    "region_of",
    "signing",
]
