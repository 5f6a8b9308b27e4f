"""AWS' errors as ours: one table of codes, first match wins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from botocore import exceptions as native
from botocore.parsers import ResponseParserError

from deltacloud import retry_after
from deltacloud.errors import (
    AuthenticationFailed,
    Conflict,
    DeltacloudError,
    Forbidden,
    InvalidParameters,
    NotFound,
    NotSupported,
    PreconditionFailed,
    ProviderError,
    ProviderTimeout,
    RangeNotSatisfiable,
    Throttled,
    Unavailable,
)

RETRY_AFTER_S = 2.0
"""What a throttled caller is told when the cloud names no time."""

_SHOWN = 400

CODES: dict[str, type[DeltacloudError]] = {
    **dict.fromkeys(
        (
            "AuthFailure",
            "SignatureDoesNotMatch",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
            "UnrecognizedClientException",
            "InvalidToken",
            "TokenRefreshRequired",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "ExpiredToken*",
            "MissingAuthenticationToken",
            "IncompleteSignature",
            "401",
        ),
        AuthenticationFailed,
    ),
    **dict.fromkeys(
        (
            "RequestLimitExceeded",
            "Throttl*",
            "TooManyRequestsException",
            "SlowDown",
            "BandwidthLimitExceeded",
            "RequestThrottled*",
            "429",
        ),
        Throttled,
    ),
    **dict.fromkeys(
        (
            "UnauthorizedOperation",
            "AccessDenied*",
            "AllAccessDisabled",
            "AccountProblem",
            "OptInRequired",
            "PendingVerification",
            "Blocked",
            "OperationNotPermitted",
            "*LimitExceeded",
            "TooMany*",
            "403",
        ),
        Forbidden,
    ),
    **dict.fromkeys(
        ("*.NotFound", "*NotFound", "NoSuch*", "InvalidInstanceID", "InvalidAMIID.Unavailable", "404"), NotFound
    ),
    **dict.fromkeys(
        (
            "IncorrectInstanceState",
            "IncorrectState*",
            "DependencyViolation",
            "VolumeInUse",
            "*.InUse",
            "*.InUse.*",
            "*Duplicate*",
            "IdempotentParameterMismatch",
            "BucketNotEmpty",
            "BucketAlready*",
            "ConditionalRequestConflict",
            "OperationAborted",
            "Resource.AlreadyAssociated",
            "CannotDelete",
            "409",
        ),
        Conflict,
    ),
    **dict.fromkeys(("PreconditionFailed", "412"), PreconditionFailed),
    **dict.fromkeys(("InvalidRange", "416"), RangeNotSatisfiable),
    **dict.fromkeys(("NotImplemented", "UnsupportedOperation", "MethodNotAllowed", "501"), NotSupported),
    **dict.fromkeys(("Insufficient*", "Unavailable", "ServiceUnavailable", "Server.Unavailable", "503"), Unavailable),
    **dict.fromkeys(("RequestTimeout", "504"), ProviderTimeout),
    **dict.fromkeys(("Internal*", "ServiceFailure", "5[0-9][0-9]"), ProviderError),
    **dict.fromkeys(
        (
            "*.Malformed",
            "Malformed*",
            "Invalid*",
            "Missing*",
            "Unsupported*",
            "Illegal*",
            "Validation*",
            "EntityTooSmall",
            "EntityTooLarge",
            "KeyTooLong*",
            "MetadataTooLarge",
            "VPCIdNotSpecified",
            "BadDigest",
            "400",
        ),
        InvalidParameters,
    ),
}
"""Codes of the EC2, ELB, CloudWatch and S3 APIs, with ``*`` for any rest; where a request has no body to carry a
code (HEAD), botocore makes the HTTP status the code. Source: the services' error code references."""


def aws_error(error: Exception, codes: Mapping[str, type[DeltacloudError]] | None = None) -> DeltacloudError:
    """Return the error of ours that a botocore exception means.

    Args:
        error: what a client raised.
        codes: a driver's own meaning of some codes, looked at before :data:`CODES`.
    """
    if isinstance(error, native.ClientError):
        return _refused(error, codes or {})
    if isinstance(error, native.ParamValidationError):
        named = sorted(set(re.findall(r"parameter:? \"?(\w+)", str(error))))
        return InvalidParameters(f"The cloud's API does not allow this value of {', '.join(named) or 'a parameter'}.")
    for kinds, cls, text in _FAILURES:
        if isinstance(error, kinds):
            return cls(text)
    return ProviderError(f"The cloud cannot be reached or failed ({type(error).__name__}).")


_FAILURES: tuple[tuple[tuple[type[Exception], ...], type[DeltacloudError], str], ...] = (
    ((native.ReadTimeoutError, native.ConnectTimeoutError), ProviderTimeout, "The cloud did not answer in time."),
    (
        (native.NoCredentialsError, native.PartialCredentialsError),
        AuthenticationFailed,
        "The access key or the secret key is missing.",
    ),
    (
        (native.SSLError,),
        ProviderError,
        "The cloud's certificate cannot be verified; an operator names a private CA by the provider's ca_file.",
    ),
    ((ResponseParserError,), ProviderError, "The cloud's answer is not of its protocol."),
)


def _refused(error: native.ClientError, codes: Mapping[str, type[DeltacloudError]]) -> DeltacloudError:
    answer: Mapping[str, Any] = error.response
    code = str(answer.get("Error", {}).get("Code") or "")
    metadata: Mapping[str, Any] = answer.get("ResponseMetadata", {})
    status = str(metadata.get("HTTPStatusCode", ""))
    cls = _match(code, codes) or _match(code, CODES) or _match(status, CODES) or ProviderError
    text = _clean(str(answer.get("Error", {}).get("Message") or "")) or "no reason given"
    if code.isdigit() or not code:
        made = cls(f"The cloud answered {error.operation_name} with {status or code}: {text}.")
    else:
        made = cls(f"{text} ({code})")
    if isinstance(made, Unavailable):
        made.retry_after_s = retry_after.parse(metadata.get("HTTPHeaders", {}).get("retry-after")) or RETRY_AFTER_S
    return made


def _match(code: str, table: Mapping[str, type[DeltacloudError]]) -> type[DeltacloudError] | None:
    return next((cls for pattern, cls in table.items() if fnmatchcase(code, pattern)), None) if code else None


def _clean(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:_SHOWN].strip()
