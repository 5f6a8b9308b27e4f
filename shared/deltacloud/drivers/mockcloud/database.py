"""One SQLite file used by many processes, threads and green threads at once.

Nobody waits inside SQLite for another's lock: that would stop every green thread of the process. A busy database is
tried again after a cooperative sleep, and no transaction sleeps, logs or calls out while it is open.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

from deltacloud.errors import ProviderError, Unavailable

SCHEMA_VERSION = 1
SCHEMA = f"""
CREATE TABLE records (
    collection TEXT, parent TEXT, id TEXT, body BLOB NOT NULL, PRIMARY KEY (collection, parent, id)
) WITHOUT ROWID;
CREATE TABLE claims (
    owner TEXT, collection TEXT, key TEXT, id TEXT NOT NULL, digest BLOB NOT NULL, made_at REAL NOT NULL,
    PRIMARY KEY (owner, collection, key)
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""
BUSY_S = 10.0
LONGEST_NAP_S = 0.005
IDLE_CONNECTIONS = 32

Begin = Literal["BEGIN", "BEGIN IMMEDIATE"]
T = TypeVar("T")
Seed = Callable[[sqlite3.Connection], None]


class Database:
    """Transactions on one file, which is made complete, or not at all, when it does not exist.

    A connection belongs to one transaction at a time. A file that was removed while in use is made anew.

    Args:
        file: the database.
        prepare: makes the file's folder if need be, or refuses it; called before the file is used.
        seed: fills a new database, before anybody else can see it.
    """

    def __init__(self, file: Path, prepare: Callable[[], None], seed: Seed) -> None:
        self._file = file
        self._prepare = prepare
        self._seed = seed
        self._lock = threading.Lock()
        self._identity: tuple[int, int] | None = None
        self._idle: list[sqlite3.Connection] = []

    @contextlib.contextmanager
    def transaction(self, begin: Begin) -> Iterator[sqlite3.Connection]:
        """Give a connection inside a transaction: committed at the end, rolled back when anything is raised.

        Raises:
            Unavailable: others kept the database busy for 10 s, or the folder cannot be used.
            ProviderError: the database is broken.
        """
        with _explained():
            connection, idle = self._take()
        try:
            with _explained():
                _begin(connection, begin)
            yield connection
            with _explained():
                connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.rollback()
            self._give_back(connection, idle)

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            self._identity = None
            _close_all(self._idle)

    def _take(self) -> tuple[sqlite3.Connection, list[sqlite3.Connection]]:
        if _identity(self._file) != self._identity or self._identity is None:
            self._renew()
        idle = self._idle
        with contextlib.suppress(IndexError):
            return idle.pop(), idle
        return _connect(self._file), idle

    def _give_back(self, connection: sqlite3.Connection, idle: list[sqlite3.Connection]) -> None:
        if idle is self._idle and self._identity is not None and len(idle) < IDLE_CONNECTIONS:
            idle.append(connection)
        else:
            connection.close()

    def _renew(self) -> None:
        with self._lock:
            self._prepare()
            if _identity(self._file) is None:
                self._create()
            identity = _identity(self._file)
            if identity != self._identity:
                old, self._idle, self._identity = self._idle, [], identity
                _close_all(old)

    def _create(self) -> None:
        draft = self._file.with_name(f".{self._file.name}.{secrets.token_hex(8)}")
        try:
            with contextlib.closing(_connect(draft)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(SCHEMA)
                connection.execute("BEGIN IMMEDIATE")
                self._seed(connection)
                connection.execute("COMMIT")
            with contextlib.suppress(FileExistsError):  # another process was first: its database counts
                os.link(draft, self._file)
        finally:
            draft.unlink(missing_ok=True)


def unusable_folder(error: OSError) -> Unavailable:
    """Return the error for a folder of the mock cloud's that is full, forbidden or broken."""
    reason = error.strerror or type(error).__name__
    return Unavailable(f"The mock cloud's folder cannot be used: {reason}; check DELTACLOUD_MOCK_STORAGE.")


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _patiently(lambda: connection.execute("PRAGMA synchronous = NORMAL"))
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - asked before every transaction
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _begin(connection: sqlite3.Connection, begin: Begin) -> None:
    def attempt() -> int:
        try:
            connection.execute(begin)
            # A plain BEGIN locks nothing yet; this first read does, so that a busy database shows here.
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise

    version = _patiently(attempt)
    if version != SCHEMA_VERSION:
        raise ProviderError(
            f"The mock cloud's data is of version {version}, this program's of {SCHEMA_VERSION};"
            " point DELTACLOUD_MOCK_STORAGE at a new folder."
        )


def _patiently(attempt: Callable[[], T]) -> T:
    """Try until the database is not busy; sleep as a green thread does, where SQLite would stop them all."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > until:
                raise
        time.sleep(random.uniform(0, LONGEST_NAP_S))  # noqa: S311 - spreads the waiters, no secret


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unusable_folder(error) from error
    except sqlite3.Error as error:
        if _is_busy(error):
            raise Unavailable(f"The mock cloud was busy for {BUSY_S:.0f} s.", retry_after_s=1.0) from error
        raise ProviderError(f"The mock cloud's database failed: {error}; check DELTACLOUD_MOCK_STORAGE.") from error
