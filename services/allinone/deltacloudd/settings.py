"""Settings of the one process: the gateway's, and the operator's providers."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from deltacloud_gateway.settings import GatewaySettings


class Settings(GatewaySettings):
    """What ``deltacloudd`` has beside the gateway's settings."""

    providers: Path | None = Field(default=None, description="the operator's file of providers and allowed URLs")
