"""Time as a value: one absolute deadline, handed on and never restarted."""

from __future__ import annotations

import time

import msgspec

from deltacloud.errors import DeadlineExceeded

DEFAULT_S = 60.0
NATIVE_SHARE = 0.9


class Deadline(msgspec.Struct, frozen=True):
    """A moment, in Unix seconds, after which nobody waits for the answer any more."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(time.time() + seconds)

    @property
    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.time())

    @property
    def has_passed(self) -> bool:
        """Whether no time is left."""
        return time.time() >= self.at

    def native_timeout_s(self) -> float:
        """Seconds a native call may take: what remains, less 10 %, so that its failure can still be told.

        Raises:
            DeadlineExceeded: nothing remains.
        """
        remaining = self.remaining_s
        if remaining <= 0:
            raise DeadlineExceeded("The deadline passed before the cloud could be called; nothing was started.")
        return remaining * NATIVE_SHARE
