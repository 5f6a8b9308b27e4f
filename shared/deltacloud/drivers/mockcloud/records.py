"""Records by type and id, inside one transaction."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from typing import TypeVar

import msgspec

from deltacloud.catalogue.check import shown
from deltacloud.errors import Conflict, NotFound
from deltacloud.models import Record

CLAIMS_KEPT_S = 86_400.0
"""How long a repeated create with the same idempotency key finds what the first one made."""

R = TypeVar("R", bound=Record)


class Records:
    """What can be read. A record's type is its collection; ``parent`` is the bucket of a blob, else empty."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, kind: type[R], id: str, *, parent: str = "") -> R | None:
        """Return the record, or ``None``."""
        row = self._connection.execute(
            "SELECT body FROM records WHERE collection = ? AND parent = ? AND id = ?", (kind.__name__, parent, id)
        ).fetchone()
        return msgspec.json.decode(row[0], type=kind) if row else None

    def get(self, kind: type[R], id: str, *, parent: str = "") -> R:
        """Return the record.

        Raises:
            NotFound: there is none of that id.
        """
        record = self.find(kind, id, parent=parent)
        if record is None:
            raise NotFound(f"There is no {words(kind)} {shown(id)}.")
        return record

    def all(self, kind: type[R], *, parent: str | None = None) -> list[R]:
        """Return the collection's records in the order of their ids; of all parents unless one is named."""
        rows = self._connection.execute(
            "SELECT body FROM records WHERE collection = ? AND (? IS NULL OR parent = ?) ORDER BY id, parent",
            (kind.__name__, parent, parent),
        )
        decoder = msgspec.json.Decoder(kind)
        return [decoder.decode(body) for (body,) in rows]


class Changes(Records):
    """What can be read and changed, while no other process or thread changes anything."""

    def put(self, record: Record, *, parent: str = "") -> None:
        """Store a record, over one of the same id if there is one."""
        self._connection.execute(
            "INSERT OR REPLACE INTO records (collection, parent, id, body) VALUES (?, ?, ?, ?)",
            (type(record).__name__, parent, record.id, msgspec.json.encode(record)),
        )

    def remove(self, kind: type[Record], id: str, *, parent: str = "") -> None:
        """Remove the record if it is there."""
        self._connection.execute(
            "DELETE FROM records WHERE collection = ? AND parent = ? AND id = ?", (kind.__name__, parent, id)
        )

    def made_before(self, owner: str, key: str, draft: R) -> R | None:
        """Return what this owner's earlier create with the same idempotency key made, or ``None`` for the first.

        Raises:
            Conflict: the key was used for another request, or what it made is gone.
        """
        kind = type(draft)
        row = self._connection.execute(
            "SELECT id, digest FROM claims WHERE owner = ? AND collection = ? AND key = ?", (owner, kind.__name__, key)
        ).fetchone()
        if row is None:
            return None
        made, digest = row
        if digest != _digest(draft):
            raise Conflict(
                f"This idempotency key made {words(kind)} {shown(made)} from another request; use a new one."
            )
        record = self.find(kind, made)
        if record is None:
            raise Conflict(f"This idempotency key made {words(kind)} {shown(made)}, which is gone; use a new one.")
        return record

    def remember_made(self, owner: str, key: str, draft: R, made: R) -> None:
        """Note for a day what a create with this idempotency key made."""
        now = time.time()
        self._connection.execute("DELETE FROM claims WHERE made_at < ?", (now - CLAIMS_KEPT_S,))
        self._connection.execute(
            "INSERT INTO claims (owner, collection, key, id, digest, made_at) VALUES (?, ?, ?, ?, ?, ?)",
            (owner, type(draft).__name__, key, made.id, _digest(draft), now),
        )


def words(kind: type[Record]) -> str:
    """Return what a record of this type is called in a text: ``storage volume``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__.removeprefix("Stored")).lower()


def _digest(draft: Record) -> bytes:
    return hashlib.sha256(msgspec.json.encode(draft)).digest()
