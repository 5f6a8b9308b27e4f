"""A driver whose calls a test can hold back, behind the real dispatcher: what the tests of the transports call."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from deltacloud.drivers import ComputeDriver, ProviderTarget, SessionCache
from deltacloud.errors import NotFound
from deltacloud.models import Image, Key, Realm
from deltacloud.rpc.dispatch import Dispatcher
from deltacloud.rpc.seal import Opener

if TYPE_CHECKING:
    from deltacloud.drivers import Session

CANARY = "canary-71c0"
HELD_AT_MOST_S = 30.0


class GatedCloud(ComputeDriver):
    """Images and keys wait at a gate that opens when the test says so; realms do not wait."""

    id = "gated"
    title = "Gated Cloud"
    any_provider = True
    anonymous_operations = frozenset(
        {"list_realms", "get_realm", "list_images", "get_image", "destroy_image", "create_key", "destroy_key"}
    )

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.started: list[str] = []

    def list_realms(self, session: Session) -> list[Realm]:
        """Return two realms."""
        del session
        return [Realm(id="north", name="North"), Realm(id="south", name="South", limit="3")]

    def get_realm(self, session: Session, id: str) -> Realm:
        """Return any realm but `missing`; `broken` is a defect whose text must stay here."""
        if id == "missing":
            raise NotFound(f"Realm '{id}' does not exist.")
        if id == "broken":
            raise KeyError(CANARY)
        return Realm(id=id, name=session.provider.name or "none")

    def get_image(self, session: Session, id: str) -> Image:
        """Wait at the gate, then return any image."""
        self._wait(session, "get_image")
        return Image(id=id)

    def destroy_image(self, session: Session, id: str) -> None:
        """Do nothing."""

    def list_keys(self, session: Session) -> list[Key]:
        """Return the caller's user name as a key; the one operation that needs credentials."""
        return [Key(id=session.credentials.user)]

    def create_key(self, session: Session, name: str) -> Key:
        """Wait at the gate, then return the key."""
        self._wait(session, "create_key")
        return Key(id=name)

    def destroy_key(self, session: Session, id: str) -> None:
        """Wait at the gate."""
        self._wait(session, "destroy_key")

    def _wait(self, session: Session, what: str) -> None:
        del session
        self.started.append(what)
        self.gate.wait(HELD_AT_MOST_S)


def dispatcher(cloud: GatedCloud, opener: Opener | None = None) -> Dispatcher:
    """Return the dispatcher of a gated cloud; without an opener it takes plain credentials."""
    return Dispatcher(
        cloud,
        opener=opener or Opener(allow_plain=True),
        resolve=lambda _, provider: ProviderTarget(name=provider),
        cache=SessionCache(),
    )
