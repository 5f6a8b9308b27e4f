"""Settings of the storage worker."""

from __future__ import annotations

from pydantic import Field

from deltacloud.rpc.worker.settings import WorkerSettings


class StorageSettings(WorkerSettings):
    """What a storage worker has beside what every worker has."""

    transfer_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]+/?$",
        description="how gateways reach this ops port, for stores without HTTP of their own; default: its address",
    )
