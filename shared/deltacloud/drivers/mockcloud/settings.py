"""Where the mock cloud is and what goes wrong in it, from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deltacloud.errors import Unavailable
from deltacloud.settings import PREFIX


class MockSettings(BaseSettings):
    """``DELTACLOUD_MOCK_STORAGE``, a folder, and ``DELTACLOUD_MOCK_FAULTS``, see the faults module."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    mock_storage: Path | None = Field(default=None, description="folder of the mock cloud's data")
    mock_faults: str = Field(default="", description="what goes wrong in the mock cloud, by operation")


def default_folder() -> Path:
    """Return the folder that is used when none is named: one for each user of the machine."""
    return Path("/var/tmp") / f"deltacloud-{os.environ.get('USER') or os.getuid()}" / "mock"  # noqa: S108 - see below


def refuse_foreign(folder: Path) -> None:
    """Refuse a default folder that somebody else laid out for us in the common temporary place.

    Raises:
        Unavailable: it or its parent belongs to another user, or is a link.
    """
    for each in (folder.parent, folder):
        if each.is_symlink() or (each.exists() and each.stat().st_uid != os.getuid()):
            raise Unavailable(
                f"The mock cloud's default folder for '{folder.parent.name}' belongs to somebody else;"
                " name one of your own in DELTACLOUD_MOCK_STORAGE."
            )
