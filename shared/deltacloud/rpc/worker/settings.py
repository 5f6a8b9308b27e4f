"""Settings of a worker process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from deltacloud.settings import CommaList, CommonSettings, Port


class HostSettings(CommonSettings):
    """Settings of every process that serves calls from RabbitMQ, the registry's as well.

    ``max_workers`` calls run at once per service; as many are fetched from the broker. After SIGTERM the calls in hand
    have ``drain_s`` seconds to finish. ``ops_host`` and ``ops_port`` serve health and metrics.
    """

    ops_host: str = Field(default="127.0.0.1", description="address of the health and metrics port")
    ops_port: Port = Field(default=0, description="port of health and metrics; 0 picks a free one")
    max_workers: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100, description="calls of one service that run at once"
    )
    drain_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=20.0, description="seconds the calls in hand have to finish after SIGTERM"
    )


class WorkerSettings(HostSettings):
    """Settings of the compute and storage workers. ``drivers`` empty means every driver installed."""

    drivers: CommaList = Field(default=(), description="drivers to serve, separated by commas; default: all installed")
    sealing_key_file: Path | None = Field(
        default=None,
        description="file with the private key (base64, a line each, at most two) that opens credentials; default: one"
        " for all workers of this user on this machine",
    )
    allow_plain_credentials: bool = Field(default=False, description="whether callers may send credentials unsealed")
    session_cache_size: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=256, description="native clients kept for reuse"
    )

    @field_validator("drivers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value
