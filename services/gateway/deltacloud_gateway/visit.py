"""What is known of a request so far; it fills up on the way, and an error at any point is told with what there is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from starlette.requests import Request

from deltacloud.catalogue import Operation
from deltacloud_gateway import urls
from deltacloud_gateway.negotiation import Format
from deltacloud_gateway.selection import Selection

UNMATCHED = "unmatched"


@dataclass(slots=True)
class Visit:
    """One request under way.

    ``route`` is its label in metrics and logs, ``path`` what errors and logs show of its URL. ``given`` are the query
    and form parameters, secrets included: only :meth:`shown_parameters` may be shown.
    """

    request: Request
    request_id: str
    started: float = field(default_factory=time.perf_counter)
    route: str = UNMATCHED
    path: str = "/"
    base_url: str = urls.ROOT
    selection: Selection | None = None
    operation: Operation | None = None
    query: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    path_parameters: dict[str, str] = field(default_factory=dict)
    format: Format | None = None
    backend_s: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the request arrived."""
        return time.perf_counter() - self.started

    @property
    def is_head(self) -> bool:
        """Whether the answer goes without its body."""
        return self.request.method == "HEAD"

    def shown_parameters(self) -> dict[str, str]:
        """Return the caller's parameters that an error may repeat: those the operation declares, without secrets."""
        if self.operation is None:
            return {}
        declared = {
            name for each in self.operation.parameters if not each.is_secret for name in (each.name, *each.aliases)
        }
        known = {**self.given, **self.path_parameters}
        return {name: value[:200] for name, value in known.items() if name in declared and value}

    def __repr__(self) -> str:
        """Show nothing of the caller."""
        return f"Visit({self.request_id!r})"
