"""How a call travels. Two ways exist: RabbitMQ, and threads of this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from deltacloud.rpc.context import Context


class Transport(Protocol):
    """Carries calls to the services."""

    async def call(self, service: str, method: str, context: Context, parameters: Mapping[str, Any]) -> Any:
        """Return what the operation answers: its record, :class:`~deltacloud.models.Page`, or ``None``.

        Ends by ``context.deadline`` (required here) whatever dies.

        Raises:
            NoWorker: nobody serves this service; nothing was started.
            BrokerUnavailable: the broker cannot be reached (nothing was started) or was lost with a call in hand.
            DeadlineExceeded: no answer in time.
            OutcomeUnknown: no answer, and the operation is one that may have happened.
            DeltacloudError: what the operation raised.
        """
        ...

    @property
    def is_ready(self) -> bool:
        """Whether calls can be carried now."""
        ...

    async def close(self) -> None:
        """Stop, failing the calls in hand."""
        ...
