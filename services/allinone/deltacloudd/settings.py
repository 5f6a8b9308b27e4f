"""Settings of the one process: the gateway's, and the operator's providers."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from deltacloud.settings import LogLevel
from deltacloud_gateway.settings import GatewaySettings


class Settings(GatewaySettings):
    """What ``deltacloudd`` has beside the gateway's settings."""

    log_level: LogLevel = Field(default="warning", description="debug, info, warning or error")
    providers: Path | None = Field(default=None, description="the operator's file of providers and allowed URLs")
