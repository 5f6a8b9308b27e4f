"""A cloud without a cloud: its operations cost nothing, so that what is measured is the way to them.

Its distribution lies beside it: with this folder in PYTHONPATH the workers find it as they would an installed one.
"""

from __future__ import annotations

from deltacloud.drivers import ComputeDriver, Session
from deltacloud.models import Realm


class NoopDriver(ComputeDriver):
    """Answers from nowhere."""

    id = "noop"
    title = "Nothing"
    anonymous_operations = frozenset({"list_realms"})

    def list_realms(self, session: Session) -> list[Realm]:
        """Return one realm to whoever asks."""
        del session
        return [Realm(id="here", name="Here")]

    def get_realm(self, session: Session, id: str) -> Realm:
        """Return the realm asked for to a caller with credentials."""
        return Realm(id=id, name=session.credentials.user)
