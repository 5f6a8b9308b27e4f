"""Where a process keeps the picture: fed by whoever hears the registries, read by everybody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from deltacloud.providers.picture import Picture

SILENT_S = 15.0
"""Seconds after which a registry that said nothing more no longer outranks others whose clocks are behind its own."""


class PictureHolder:
    """The latest picture this process has heard of. Safe for threads and green threads.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._current = Picture()
        self._updated_at = clock()

    @property
    def current(self) -> Picture:
        """The latest picture; an empty one (``issued_at`` 0) before the first has arrived."""
        return self._current

    def update(self, picture: Picture) -> bool:
        """Keep the picture if it is the newest, and return whether it was kept.

        The newest is the one last issued. Registries' clocks differ, so an older one is kept too when nothing newer
        was heard for :data:`SILENT_S`: else a registry with a fast clock would outlive itself.
        """
        with self._lock:
            now = self._clock()
            if picture.issued_at < self._current.issued_at and now - self._updated_at < SILENT_S:
                return False
            self._current = picture
            self._updated_at = now
        self._arrived.set()
        return True

    def wait(self, timeout_s: float) -> bool:
        """Return whether there is a picture, waiting up to so many seconds for the first one."""
        return self._arrived.wait(timeout_s)
