"""The mock cloud as the drivers see it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from deltacloud.drivers.mockcloud.blobs import BlobStore
from deltacloud.drivers.mockcloud.database import Database
from deltacloud.drivers.mockcloud.faults import Faults
from deltacloud.drivers.mockcloud.records import Changes, Records
from deltacloud.drivers.mockcloud.seed import seed
from deltacloud.drivers.mockcloud.settings import MockSettings, default_folder, make_default
from deltacloud.drivers.session import Session
from deltacloud.models import Record

DATABASE = "cloud.sqlite3"
FAULTS = "faults.json"

R = TypeVar("R", bound=Record)


class MockCloud:
    """All of the mock cloud's state, in one folder; any number of processes and threads may use it at once.

    Nothing is touched before the first use; the first one ever seeds the folder. To start afresh, remove the folder.

    Args:
        folder: the folder; without one, ``DELTACLOUD_MOCK_STORAGE``, else ``/var/tmp/deltacloud-<USER>/mock``.
        faults: what goes wrong; without it, ``DELTACLOUD_MOCK_FAULTS``.

    Raises:
        BrokenDriver: the faults cannot be understood.
    """

    def __init__(self, folder: Path | None = None, faults: str | None = None) -> None:
        settings = MockSettings()
        self._is_default = folder is None and settings.mock_storage is None
        self.folder = folder or settings.mock_storage or default_folder()
        self.faults = Faults(settings.mock_faults if faults is None else faults, self.folder / FAULTS)
        self._database = Database(self.folder / DATABASE, self._prepare, self._seed)
        self.blobs = BlobStore(self._database, self.folder)

    @contextlib.contextmanager
    def read(self) -> Iterator[Records]:
        """Give the records as they are at one moment. Do nothing slow inside."""
        with self._database.transaction("BEGIN") as connection:
            yield Records(connection)

    @contextlib.contextmanager
    def change(self) -> Iterator[Changes]:
        """Give the records to change: all changes happen, or none when anything is raised. Do nothing slow inside."""
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            yield Changes(connection)

    def create(self, session: Session, draft: R, finish: Callable[[Changes, R], R]) -> R:
        """Make a resource once for each idempotency key of a caller.

        Args:
            session: the call.
            draft: what was asked for, before anything is chosen for it; a repeated request has the same.
            finish: chooses what is missing (the id), stores the record and returns it.

        Raises:
            Conflict: the key was used for another request, or what it made is gone.
        """
        key = session.idempotency_key
        with self.change() as changes:
            if key is None:
                return finish(changes, draft)
            owner = session.credentials.user
            made = changes.made_before(owner, key, draft)
            if made is None:
                made = finish(changes, draft)
                changes.remember_made(owner, key, draft, made)
            return made

    def close(self) -> None:
        """Let go of the database's files; the next use opens them again."""
        self._database.close()

    def _prepare(self) -> None:
        if self._is_default:
            make_default(self.folder)
        else:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _seed(self, connection: sqlite3.Connection) -> None:
        seed(Changes(connection), self.blobs)
