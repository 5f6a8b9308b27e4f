"""Keys."""

from __future__ import annotations

import msgspec

from deltacloud.drivers import Session
from deltacloud.drivers.mockcloud import Changes, check_name, fake_fingerprint, fake_private_key
from deltacloud.models import Key
from deltacloud_compute.drivers.mock.base import MockOperations, is_gone
from deltacloud_compute.drivers.mock.errors import key_exists


class KeyOperations(MockOperations):
    """Keys, made up: they open nothing."""

    def list_keys(self, session: Session) -> list[Key]:
        """Return the keys."""
        with self.cloud.read() as records:
            return records.all(Key)

    def get_key(self, session: Session, id: str) -> Key:
        """Return a key. Raises not_found."""
        with self.cloud.read() as records:
            return records.get(Key, id)

    def create_key(self, session: Session, name: str) -> Key:
        """Make a key; its name is its id. Raises forbidden if the name is taken."""
        return self.cloud.create(session, Key(id=check_name(name)), _finish)

    def destroy_key(self, session: Session, id: str) -> None:
        """Destroy a key. Raises not_found."""
        with self.cloud.change() as changes:
            if not is_gone(changes, session, Key, id):
                changes.remove(Key, id)


def _finish(changes: Changes, draft: Key) -> Key:
    if changes.find(Key, draft.id) is not None:
        raise key_exists()
    key = msgspec.structs.replace(draft, fingerprint=fake_fingerprint(), pem=fake_private_key())
    changes.put(key)
    return key
