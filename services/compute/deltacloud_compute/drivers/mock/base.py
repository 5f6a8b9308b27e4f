"""What the operations of all collections share."""

from __future__ import annotations

from deltacloud.drivers import ComputeDriver, Session
from deltacloud.drivers.mockcloud import Changes, MockCloud
from deltacloud.models import Record


class MockOperations(ComputeDriver):
    """A part of the mock driver."""

    cloud: MockCloud


def is_gone(changes: Changes, session: Session, kind: type[Record], id: str) -> bool:
    """Say whether a redelivered removal has nothing left to do.

    Raises:
        NotFound: there is nothing of that id, and this call is the first.
    """
    if session.is_redelivered:
        return changes.find(kind, id) is None
    changes.get(kind, id)
    return False
