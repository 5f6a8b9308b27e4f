"""Tickets: what may be done with which bytes, until when, signed so that any worker on the same data believes it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec

from deltacloud.errors import Forbidden, InvalidParameters, Unavailable

KEY_FILE = "transfer.key"
KEY_SIZE = 32
LONGEST = 8000
"""Characters of a ticket. Servers bound a request's first line, which holds one, at 8192."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one request, or one upload in parts, may do.

    ``get`` reads a blob, ``put`` stores one of exactly ``length`` bytes, ``upload`` stands for an upload in parts and
    ``part`` sends its part ``number``. ``expires_at`` is Unix seconds.
    """

    action: Literal["get", "put", "upload", "part"]
    bucket_id: str
    blob_id: str
    expires_at: float
    length: int | None = None
    content_type: str | None = None
    metadata: dict[str, str] = {}
    headers: dict[str, str] = {}
    conditions: dict[str, str] = {}
    upload: str | None = None
    number: int | None = None


class Tickets:
    """Signs and reads tickets with a key that all workers on one folder share.

    Args:
        folder: where the key file is, or is made at the first use: complete, or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / KEY_FILE
        self._lock = threading.Lock()
        self._key: bytes | None = None

    def sign(self, ticket: Ticket) -> str:
        """Return the ticket as text for a URL.

        Raises:
            InvalidParameters: what it says of the blob is too long for a URL.
            Unavailable: the key cannot be read or made.
        """
        body = msgspec.json.encode(ticket)
        text = f"{_text(body)}.{_text(self._signature(body))}"
        if len(text) > LONGEST:
            raise InvalidParameters(
                "The names of the bucket and the blob, its content type, attributes, stored headers and conditions are"
                f" too long together: {len(text)} characters as part of a URL, of which {LONGEST} are allowed."
            )
        return text

    def read(self, text: str) -> Ticket:
        """Return the ticket in a text.

        Raises:
            Forbidden: it is not one of ours, was changed, or has expired.
        """
        try:
            body, signature = (_bytes(part) for part in text[:LONGEST].split("."))
            ticket = msgspec.json.decode(body, type=Ticket)
        except (ValueError, binascii.Error, msgspec.DecodeError):
            raise Forbidden("This is not a ticket.") from None
        if not hmac.compare_digest(signature, self._signature(body)):
            raise Forbidden("This ticket was not signed here.")
        if ticket.expires_at < time.time():
            raise Forbidden("This ticket has expired; ask for a new transfer.")
        return ticket

    def _signature(self, body: bytes) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = self._load()
            return hmac.digest(self._key, body, hashlib.sha256)

    def _load(self) -> bytes:
        try:
            if not self._file.exists():
                self._make()
            key = self._file.read_bytes()
        except OSError as error:
            raise Unavailable(f"The transfer key {self._file.name} cannot be used: {error.strerror}.") from error
        if len(key) != KEY_SIZE:
            raise Unavailable(f"The transfer key {self._file.name} is damaged; remove it and a new one is made.")
        return key

    def _make(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._file.with_name(f".{KEY_FILE}.{secrets.token_hex(8)}")
        try:
            draft.touch(mode=0o600)
            draft.write_bytes(secrets.token_bytes(KEY_SIZE))
            os.link(draft, self._file)
        except FileExistsError:
            return  # another process was first, and its key counts
        finally:
            draft.unlink(missing_ok=True)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
