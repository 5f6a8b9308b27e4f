"""Signature version 4, verified as the service does.

Source: the public description of AWS signature version 4 (canonical request, string to sign, key chain).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import parse_qsl, quote

from simulators.ec2.errors import ApiError, auth_failure, missing_parameter
from simulators.serving import Request

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "ec2"
CLOCK_TOLERANCE = timedelta(minutes=5)
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<key>[^/,\s]+)/(?P<scope>[^,\s]+), *"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A pair of keys an account may sign with; temporary ones come with a session token."""

    access_key: str
    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``access-key:secret[:session-token]``. Raises ValueError."""
        access_key, _, rest = text.partition(":")
        secret, _, token = rest.partition(":")
        if not access_key or not secret:
            raise ValueError("a key is written access-key:secret[:session-token]")
        return cls(access_key, secret, token or None)


class Verifier:
    """Checks that requests are signed now, for this region, with one of the keys."""

    def __init__(self, keys: Iterable[Key], region: str) -> None:
        self._keys = {key.access_key: key for key in keys}
        self._region = region

    def verify(self, request: Request) -> None:
        """Return for a well signed request.

        Raises MissingParameter (no signature), IncompleteSignature, RequestExpired or AuthFailure.
        """
        header = request.headers.get("authorization")
        if header is None:
            raise missing_parameter("AWSAccessKeyId")
        found = _AUTHORIZATION.fullmatch(header.strip())
        if found is None:
            raise ApiError("IncompleteSignature", "The request signature does not conform to AWS standards")
        date = request.headers.get("x-amz-date", "")
        key = self._keys.get(found["key"])
        signed = found["headers"].split(";")
        if key is None or not self._is_bound(request, signed) or not _has_token_of(key, request):
            raise auth_failure()
        _check_date(date)
        scope = f"{date[:8]}/{self._region}/{SERVICE}/aws4_request"
        if found["scope"] != scope:
            raise auth_failure()
        expected = _signature(key.secret, scope, date, _canonical(request, signed))
        if not hmac.compare_digest(expected, found["signature"]):
            raise auth_failure()

    @staticmethod
    def _is_bound(request: Request, signed: list[str]) -> bool:
        """Tell if the host and every header that matters to the service are under the signature."""
        own = {name for name in request.headers if name.startswith("x-amz-")}
        return {"host", "x-amz-date", *own} <= set(signed) <= set(request.headers)


def _has_token_of(key: Key, request: Request) -> bool:
    sent = request.headers.get("x-amz-security-token")
    if key.session_token is None:
        return sent is None
    return sent is not None and hmac.compare_digest(sent.encode(), key.session_token.encode())


def _check_date(text: str) -> None:
    try:
        date = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ApiError("IncompleteSignature", "Date must be in ISO-8601 'basic format'") from None
    age = datetime.now(UTC) - date
    if age > CLOCK_TOLERANCE:
        raise ApiError("RequestExpired", "Request has expired.")
    if age < -CLOCK_TOLERANCE:
        raise auth_failure()


def _canonical(request: Request, signed: list[str]) -> str:
    query = sorted(
        (quote(name, safe="~"), quote(value, safe="~"))
        for name, value in parse_qsl(request.query, keep_blank_values=True)
    )
    return "\n".join(
        [
            request.method,
            request.path,
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in signed),
            "",
            ";".join(signed),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )


def _signature(secret: str, scope: str, date: str, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{date}\n{scope}\n{digest}"
    chain = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        chain = hmac.digest(chain, part.encode(), hashlib.sha256)
    return hmac.digest(chain, to_sign.encode(), hashlib.sha256).hex()
