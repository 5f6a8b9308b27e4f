"""A cloud that does what a test tells it through the ids it asks for, and writes down what it was asked.

Its distribution lies beside it: with this folder in PYTHONPATH the workers find it as they would an installed one.
Each line of the file in PROBE_LOG is `<begin or end> <operation> <argument>`.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltacloud.drivers import ComputeDriver, StorageDriver
from deltacloud.models import Bucket, Key, Realm

if TYPE_CHECKING:
    from deltacloud.drivers import Session


def _note(line: str) -> None:
    if path := os.environ.get("PROBE_LOG"):
        with Path(path).open("a", encoding="utf-8") as log:
            log.write(line + "\n")


class ProbeDriver(ComputeDriver):
    id = "probe"
    title = "Probe"
    anonymous_operations = frozenset({"list_realms", "get_realm", "create_key", "destroy_key"})

    def list_realms(self, session: Session) -> list[Realm]:
        del session
        return [Realm(id="here", name="Here")]

    def get_realm(self, session: Session, id: str) -> Any:
        """Sleep (`sleep-<seconds>`), fail (`raise-<text>`), answer what cannot be encoded (`junk`), or tell."""
        _note(f"begin get_realm {id}")
        what, _, argument = id.partition("-")
        if what == "sleep":
            time.sleep(float(argument))
        elif what == "raise":
            raise ValueError(argument)
        elif what == "junk":
            return object()
        elif what == "redelivered":
            return Realm(id=id, name=str(session.is_redelivered))
        elif what == "socket":
            return Realm(id=id, name=socket.socket.__module__)
        _note(f"end get_realm {id}")
        return Realm(id=id, name=str(os.getpid()))

    def create_key(self, session: Session, name: str) -> Key:
        """Make a key; a name of the form `sleep-<seconds>` takes that long."""
        del session
        _note(f"begin create_key {name}")
        what, _, argument = name.partition("-")
        if what == "sleep":
            time.sleep(float(argument))
        _note(f"end create_key {name}")
        return Key(id=name)

    def destroy_key(self, session: Session, id: str) -> None:
        del session
        _note(f"end destroy_key {id}")


class ProbeStorageDriver(StorageDriver):
    id = "probe"
    title = "Probe"
    anonymous_operations = frozenset({"list_buckets"})

    def list_buckets(self, session: Session) -> list[Bucket]:
        del session
        return [Bucket(id="bucket")]
