"""The caller's credentials: HTTP basic auth, or the operator's own pair; they are handed on and kept nowhere."""

from __future__ import annotations

import base64
import binascii

from deltacloud.errors import AuthenticationFailed, DeltacloudError
from deltacloud.rpc.context import CarriedCredentials
from deltacloud_gateway.settings import GatewaySettings

CHALLENGE = "challenge"


def read_credentials(settings: GatewaySettings, authorization: str | None) -> CarriedCredentials | None:
    """Return the credentials of a request, ``None`` when it has none of the basic kind.

    Raises:
        AuthenticationFailed: they are malformed; ``details['challenge']`` is set.
    """
    preset = settings.preset_credentials
    if preset is not None:
        return CarriedCredentials(user=preset[0], password=preset[1])
    scheme, _, encoded = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _missing("The Authorization header is not basic auth: base64 of user:password is expected.") from None
    user, colon, password = _text(raw).partition(":")
    if not colon:
        raise _missing("The Authorization header has no password: base64 of user:password is expected.")
    return CarriedCredentials(user=user, password=password)


def require(credentials: CarriedCredentials | None) -> None:
    """Do nothing if there are credentials.

    Raises:
        AuthenticationFailed: there are none; ``details['challenge']`` is set.
    """
    if credentials is None:
        raise _missing("Unauthorized")


def challenge(error: DeltacloudError, driver: str, settings: GatewaySettings) -> str | None:
    """Return the value of ``WWW-Authenticate`` for an error that comes of missing credentials, else ``None``."""
    if not (isinstance(error, AuthenticationFailed) and CHALLENGE in error.details):
        return None
    realm = f"{driver}-deltacloud@{settings.realm_host}".replace("\\", "").replace('"', "")
    return f'Basic realm="{realm}"'


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _missing(message: str) -> AuthenticationFailed:
    return AuthenticationFailed(message, details={CHALLENGE: "basic"})
