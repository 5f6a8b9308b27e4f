"""What goes wrong in the mock cloud, on request: slowness, failures, silence; for tests and demonstrations.

Set at the start by ``DELTACLOUD_MOCK_FAULTS``, and at run time by the file ``faults.json`` in the mock folder, which
counts instead as long as it exists. Both take JSON, an operation (or a pattern with ``*``) to a fault or a list::

    {"list_*": {"latency_s": 0.2}, "create_instance": [{"hang": true, "when": "after"}]}

or the same as a line of text::

    list_*: latency_s=0.2; create_instance: hang, when=after
"""

from __future__ import annotations

import os
import random
import threading
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from deltacloud import catalogue
from deltacloud.catalogue.check import shown
from deltacloud.drivers.loading import BrokenDriver
from deltacloud.errors import BY_CODE, BackendError, OutcomeUnknown, ProviderTimeout
from deltacloud.logging import get_logger
from deltacloud.rpc.deadline import Deadline

When = Literal["before", "after"]
SETTING = "DELTACLOUD_MOCK_FAULTS"
REPEATABLE = frozenset({"read", "idempotent"})


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong with an operation.

    ``latency_s`` is waited first. Then ``hang`` stays silent until the deadline, or ``error``, a code of the error
    tree, is raised, with ``retry_after_s`` seconds. ``rate`` is the share of calls that suffer. ``when`` says whether
    it happens before the operation's effect or after it.
    """

    latency_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    hang: bool = False
    error: str | None = None
    retry_after_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    when: When = "before"


Table = dict[str, Fault | list[Fault]]


class MistakenFaultsError(Exception):
    """The text says what is wrong and what is allowed."""


class Faults:
    """The faults in force.

    Args:
        text: those of the start.
        file: those of the run time; looked at before every operation.

    Raises:
        BrokenDriver: one of them cannot be understood.
    """

    def __init__(self, text: str, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._state: tuple[int, int, int] | None = None
        try:
            self._start = parse(text)
            self._current = self._start
            self._look(is_start=True)
        except MistakenFaultsError as error:
            raise BrokenDriver(str(error)) from None

    def strike(self, service: catalogue.Service, rpc: str, when: When, deadline: Deadline) -> None:
        """Let happen what is due before or after an operation; waits end by the deadline.

        Raises:
            DeltacloudError: the error that was asked for.
            ProviderTimeout: it hung, or was slow, until the deadline.
            OutcomeUnknown: the same, for an operation that may not be repeated.
        """
        for pattern, faults in self.current().items():
            if not fnmatchcase(rpc, pattern):
                continue
            for fault in faults:
                if fault.when == when and random.random() < fault.rate:  # noqa: S311 - no secret
                    _strike(fault, service, rpc, deadline)

    def current(self) -> dict[str, list[Fault]]:
        """Return the faults in force, by operation or pattern. A file that is wrong changes nothing and is logged."""
        try:
            self._look(is_start=False)
        except MistakenFaultsError as error:
            get_logger().error("mock_faults_refused", detail=str(error))
        return self._current

    def _look(self, *, is_start: bool) -> None:
        state = _state(self._file)
        if state == self._state and not is_start:
            return
        with self._lock:
            self._state = state
            if state is None:
                self._current = self._start
                return
            try:
                text = self._file.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise MistakenFaultsError(f"{self._file.name} in the mock folder cannot be read: {error}") from None
            self._current = parse(text, self._file.name)


def parse(text: str, source: str = SETTING) -> dict[str, list[Fault]]:
    """Read faults, JSON or a line of text.

    Raises:
        MistakenFaultsError: they cannot be understood.
    """
    stripped = text.strip()
    try:
        table = msgspec.json.decode(stripped, type=Table) if stripped.startswith("{") else _parse_line(stripped)
    except (msgspec.DecodeError, ValueError) as error:
        raise MistakenFaultsError(
            f"{source}: {error}; write 'create_instance: hang, when=after; list_*: latency_s=0.2, rate=0.5' or JSON;"
            f" a fault has {', '.join(Fault.__struct_fields__)}."
        ) from None
    faults = {name: each if isinstance(each, list) else [each] for name, each in table.items()}
    for name, each in faults.items():
        _check(name, each, source)
    return faults


def _check(name: str, faults: list[Fault], source: str) -> None:
    known = (*catalogue.rpc_operations("compute"), *catalogue.rpc_operations("storage"))
    if not any(fnmatchcase(each, name) for each in known):
        raise MistakenFaultsError(
            f"{source}: no operation is called {shown(name)}; they are {', '.join(sorted(set(known)))}."
        )
    for fault in faults:
        if fault.error is not None and fault.error not in BY_CODE:
            raise MistakenFaultsError(
                f"{source}: no error has the code {shown(fault.error)}; they are {', '.join(sorted(BY_CODE))}."
            )


def _parse_line(text: str) -> Table:
    table: dict[str, list[Fault]] = {}
    for entry in filter(None, (each.strip() for each in text.split(";"))):
        name, colon, rest = entry.partition(":")
        if not colon:
            raise ValueError(f"{shown(entry)} has no colon behind the operation")
        fields: dict[str, Any] = {}
        for field in filter(None, (each.strip() for each in rest.split(","))):
            key, equals, value = field.partition("=")
            fields[key.strip()] = value.strip() if equals else True
        table.setdefault(name.strip(), []).append(msgspec.convert(fields, Fault, strict=False))
    return {**table}


def _strike(fault: Fault, service: catalogue.Service, rpc: str, deadline: Deadline) -> None:
    remaining = deadline.native_timeout_s()
    is_silent = fault.hang or fault.latency_s >= remaining
    if is_silent or fault.latency_s:
        time.sleep(remaining if is_silent else fault.latency_s)
    if is_silent:
        operation = catalogue.rpc_operation(service, rpc)
        if operation is None or operation.effect in REPEATABLE:
            raise ProviderTimeout(f"The mock cloud did not answer {rpc} in time.")
        raise OutcomeUnknown(
            f"The mock cloud did not answer {rpc} in time; whether it happened is unknown."
            " Repeat it with the same idempotency key, or look before repeating it."
        )
    if fault.error is not None:
        raise BY_CODE.get(fault.error, BackendError)(
            f"The mock cloud was told to fail {rpc} so.", retry_after_s=fault.retry_after_s
        )


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - asked before every operation
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
