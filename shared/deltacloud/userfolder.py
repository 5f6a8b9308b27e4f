"""The folder that is this user's own on this machine, for what is kept when nothing else is named."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def user_folder() -> Path:
    """Return ``/var/tmp/deltacloud-<USER>``; it need not exist."""
    return Path("/var/tmp") / f"deltacloud-{os.environ.get('USER') or os.getuid()}"  # noqa: S108 - see make_private


def make_private(folder: Path) -> None:
    """Make a folder for this user alone, and refuse one that somebody else laid out in the common temporary place.

    Raises:
        OSError: it cannot be made; ``EPERM``: it is a link, or belongs to another user.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "not this user's folder", str(folder))
