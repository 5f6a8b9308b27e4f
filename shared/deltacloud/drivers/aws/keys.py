"""An AWS caller's keys, out of the two fields that Basic authentication has."""

from __future__ import annotations

import msgspec

from deltacloud.drivers.session import Credentials
from deltacloud.errors import AuthenticationFailed
from deltacloud.models import CredentialLabels

TOKEN_SEPARATOR = "+"  # noqa: S105 - Basic forbids a colon here, and no access key has a plus
LABELS = CredentialLabels(
    username="Access Key ID (of temporary keys: Access Key ID+Session Token)",
    password="Secret Access Key",  # noqa: S106
)


class Keys(msgspec.Struct, frozen=True):
    """An access key, its secret, and the session token that temporary keys need."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        """Hide everything."""
        return "Keys(…)"

    def redact(self, text: str) -> str:
        """Return the text without any of the keys."""
        for secret in (self.token, self.secret_key, self.access_key):
            if secret:
                text = text.replace(secret, "…")
        return text


def read_keys(credentials: Credentials) -> Keys:
    """Return the keys: the password is the secret; the user name is ``access_key`` or ``access_key+session_token``.

    Raises:
        AuthenticationFailed: a part is empty or not printable ASCII. No cloud would take it, so none is asked.
    """
    access_key, separator, token = credentials.user.partition(TOKEN_SEPARATOR)
    keys = Keys(access_key, credentials.password, token if separator else None)
    if not all(_is_usable(part) for part in (keys.access_key, keys.secret_key, keys.token) if part is not None):
        raise AuthenticationFailed(
            "The access key, the secret key and the session token (user name ACCESS_KEY+TOKEN) must be printable"
            " ASCII without spaces at the ends, and not empty."
        )
    return keys


def _is_usable(part: str) -> bool:
    return bool(part) and part.isascii() and part.isprintable() and part == part.strip()
