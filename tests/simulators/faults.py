"""Faults a test can order for the calls to come: late, lost, broken and refused answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from simulators.serving import Reply

EVERY_ACTION = "*"
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong with a call.

    ``when`` says whether the call has its effect: with ``before`` (the default) the fault comes instead of
    it, with ``after`` the effect happens and its answer is late or lost. A bare ``latency_s`` only delays.
    ``truncate`` needs an answer to cut and ``trickle_s``, the pause before each byte, one to send, so they are always
    ``after``. ``hang_s`` holds the connection that
    long and then drops it. ``times`` None means until the table is replaced. All durations are seconds.
    """

    when: Literal["before", "after"] | None = None
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    latency_s: Seconds = 0.0
    hang_s: Seconds = 0.0
    throttle: bool = False
    error: str | None = None
    status: int | None = None
    garbage: bool = False
    truncate: bool = False
    close: bool = False
    trickle_s: Seconds = 0.0

    def __post_init__(self) -> None:
        if (self.truncate or self.trickle_s) and self.when == "before":
            raise ValueError("truncate and trickle_s spoil an answer, so they cannot come before the call")


Table = dict[str, Fault | list[Fault]]
Refusal = Callable[[Fault], Reply]


class FaultTable:
    """The faults in force, by action; ``*`` stands for every action."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._lock = threading.Lock()
        self._faults: dict[str, list[Fault]] = {}

    def replace(self, document: bytes) -> None:
        """Put the table of a JSON document in force. Raises msgspec.ValidationError, naming the place."""
        table = msgspec.json.decode(document, type=Table)
        with self._lock:
            self._faults = {
                action: faults if isinstance(faults, list) else [faults] for action, faults in table.items()
            }

    def clear(self) -> None:
        """Let every call go well again."""
        with self._lock:
            self._faults = {}

    def remaining(self) -> dict[str, list[Fault]]:
        """What is still to happen."""
        with self._lock:
            return {action: list(faults) for action, faults in self._faults.items() if faults}

    def run(self, action: str, act: Callable[[], Reply], refusal: Refusal) -> Reply:
        """Make the call, with the fault that is due for it. ``refusal`` words throttling and native errors."""
        fault = self._take(action)
        if fault is None:
            return act()
        if fault.truncate or fault.trickle_s or fault.when == "after":
            reply = act()
            self._stopping.wait(fault.latency_s)
            return self._spoil(fault, refusal) or replace(reply, truncate=fault.truncate, trickle_s=fault.trickle_s)
        self._stopping.wait(fault.latency_s)
        return self._spoil(fault, refusal) or act()

    def _take(self, action: str) -> Fault | None:
        with self._lock:
            for name in (action, EVERY_ACTION):
                faults = self._faults.get(name)
                if not faults:
                    continue
                fault = faults[0]
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        faults.pop(0)
                return fault
        return None

    def _spoil(self, fault: Fault, refusal: Refusal) -> Reply | None:
        if fault.hang_s:
            self._stopping.wait(fault.hang_s)
            return Reply(close=True)
        if fault.close:
            return Reply(close=True)
        if fault.garbage:
            return Reply(body=b"\x00\xff<<not a document", content_type="text/xml")
        if fault.throttle or fault.error:
            return refusal(fault)
        if fault.status:
            body = b"<html><body><h1>Upstream trouble</h1></body></html>"
            return Reply(status=fault.status, body=body, content_type="text/html")
        return None
