"""The client of a simulator's control endpoint, for tests."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 30.0


class ControlError(Exception):
    """The simulator refused an order; the text says why."""


@dataclass(frozen=True, slots=True)
class Control:
    """Orders and questions to the simulator at ``url``, outside the API it simulates."""

    url: str

    def calls(self) -> dict[str, int]:
        """Count of the calls received since the start or the last reset, by action."""
        counted: dict[str, int] = self._send("GET", "calls")
        return counted

    def forget_calls(self) -> None:
        """Count from zero."""
        self._send("DELETE", "calls")

    def fault(self, **by_action: object) -> None:
        """Replace the table of faults, e.g. ``fault(RunInstances={"close": True, "when": "after"})``."""
        self._send("PUT", "faults", by_action)

    def clear_faults(self) -> None:
        """Let every call go well again."""
        self._send("DELETE", "faults")

    def faults(self) -> dict[str, Any]:
        """What is still to go wrong, by action."""
        left: dict[str, Any] = self._send("GET", "faults")
        return left

    def seed(self, **counts: int) -> dict[str, list[str]]:
        """Make resources in bulk, e.g. ``seed(instances=200)``; gives their ids by kind."""
        made: dict[str, list[str]] = self._send("POST", "seed", counts)
        return made

    def instances(self) -> list[dict[str, Any]]:
        """Every machine there is or was, whatever the API shows of it."""
        machines: list[dict[str, Any]] = self._send("GET", "instances")
        return machines

    def settings(self, **changes: object) -> dict[str, Any]:
        """Change settings of the running simulator; gives all of them as they are then."""
        now: dict[str, Any] = self._send("PUT", "settings", changes)
        return now

    def reset(self) -> None:
        """Go back to the state and the settings it started with."""
        self._send("POST", "reset")

    def _send(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{path}", data=data, method=method)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT_S) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.read().decode(errors="replace")) from None
