"""Where the mock cloud is and what goes wrong in it, from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deltacloud.errors import Unavailable
from deltacloud.settings import PREFIX
from deltacloud.userfolder import make_private, user_folder


class MockSettings(BaseSettings):
    """``DELTACLOUD_MOCK_STORAGE``, a folder, and ``DELTACLOUD_MOCK_FAULTS``, see the faults module."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    mock_storage: Path | None = Field(default=None, description="folder of the mock cloud's data")
    mock_faults: str = Field(default="", description="what goes wrong in the mock cloud, by operation")


def default_folder() -> Path:
    """Return the folder that is used when none is named: one for each user of the machine."""
    return user_folder() / "mock"


def make_default(folder: Path) -> None:
    """Make the default folder, and refuse one that somebody else laid out for us in the common temporary place.

    Raises:
        Unavailable: it or its parent is a link or belongs to another user.
    """
    try:
        make_private(folder.parent)
        make_private(folder)
    except PermissionError:
        raise Unavailable(
            f"The mock cloud's default folder in '{folder.parent.name}' is not this user's;"
            " name one in DELTACLOUD_MOCK_STORAGE."
        ) from None
