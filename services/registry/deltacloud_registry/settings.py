"""Settings of the registry process."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from deltacloud.rpc.worker.settings import HostSettings
from deltacloud.settings import Seconds
from deltacloud_registry.registry import SILENT_S


class RegistrySettings(HostSettings):
    """What a registry needs beside what every process has."""

    providers: Path | None = Field(default=None, description="the operator's file of providers and allowed URLs")
    worker_silent_s: Seconds = Field(default=SILENT_S, description="seconds after which a silent worker is gone")
    picture_every_s: Seconds = Field(default=5.0, description="seconds between broadcasts of an unchanged picture")
    gather_s: Seconds = Field(
        default=1.0, description="seconds a registry listens to workers after its start before it speaks"
    )
