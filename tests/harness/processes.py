"""Programs a test starts: waited for until they are ready, logged to a file, never left behind."""

import atexit
import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import requests

from harness.waiting import wait_until

Condition = Callable[["Process"], bool]
"""Whether a process is ready."""

_INHERITED = re.compile(r"PATH|HOME|LANG|LC_ALL|TMPDIR|VIRTUAL_ENV|(PYTHON|COVERAGE|COV_)\w*")
_GUARD = Path(__file__).with_name("guard.py")

_running: set["Process"] = set()
_guards: list["subprocess.Popen[str]"] = []


class Exit(NamedTuple):
    """How a process ended."""

    code: int
    """The exit code, or the negative number of the signal that ended it."""
    seconds: float
    """From SIGTERM to the end."""


class Process:
    """A running program in a process group of its own.

    A context manager: at its end the program and everything it started are killed. Should the test process itself
    be killed, a guard process does it.
    """

    def __init__(self, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path | None) -> None:
        self.name = shlex.join(command)
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_heed_interrupts,  # noqa: PLW1509 - one system call, no lock
            )
        self.pid = self._popen.pid
        _running.add(self)
        _tell_guard(f"+{self.pid}")

    def __repr__(self) -> str:
        return f"<Process {self.pid}: {self.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill9()

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended."""
        return self._popen.poll() is None

    def log_text(self) -> str:
        """Return everything it has written to standard output and standard error."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: Condition, *, timeout_s: float = 30.0) -> None:
        """Return when `condition` holds.

        Raises RuntimeError when the program ends first and TimeoutError after `timeout_s` seconds, each with the
        end of the log.
        """
        try:
            wait_until(lambda: condition(self) or not self.is_running, f"{self.name} to be ready", timeout_s=timeout_s)
        except TimeoutError as error:
            raise TimeoutError(f"{error}{self._log_end()}") from None
        if not self.is_running:
            raise RuntimeError(f"{self.name} ended with code {self._popen.returncode}{self._log_end()}")

    def wait(self, *, timeout_s: float = 10.0) -> int:
        """Wait for the program to end by itself and return its exit code. Raises TimeoutError."""
        try:
            code = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {timeout_s:g} s{self._log_end()}") from None
        self._forget()
        return code

    def terminate(self, *, timeout_s: float = 10.0) -> Exit:
        """Send SIGTERM to the program (alone, as an init would) and wait for its end. Raises TimeoutError."""
        begin = time.monotonic()
        self._popen.terminate()
        code = self.wait(timeout_s=timeout_s)
        return Exit(code, time.monotonic() - begin)

    def kill9(self) -> None:
        """Kill the program and everything it started with SIGKILL. Safe to repeat."""
        self._kill_group()
        self._popen.wait()
        self._forget()

    def _forget(self) -> None:
        if self in _running:
            self._kill_group()  # what the program left behind
            _running.discard(self)
            _tell_guard(f"-{self.pid}")

    def _kill_group(self) -> None:
        if self in _running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def _log_end(self) -> str:
        return "; the end of its log:\n" + "\n".join(self.log_text().splitlines()[-30:])


def _heed_interrupts() -> None:
    """Undo what a test run in the background passes on: its programs would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    until: Condition | None = None,
    timeout_s: float = 30.0,
) -> Process:
    """Start `command` and return when `until` holds; without it, at once.

    `env` is added to a small, clean environment: nothing of the caller's `DELTACLOUD_*` or `AWS_*` reaches the
    program. `log` receives both outputs, after what it held. Raises as `Process.wait_until`, leaving nothing behind.
    """
    process = Process(command, log=log, env=base_environment() | dict(env or {}), cwd=cwd)
    if until is not None:
        try:
            process.wait_until(until, timeout_s=timeout_s)
        except BaseException:  # Ctrl-C as well: the caller never got the process to end it
            process.kill9()
            raise
    return process


def base_environment() -> dict[str, str]:
    """Return what every started program inherits: paths, language, Python and coverage settings."""
    return {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}


def is_answering(url: str) -> bool:
    """Whether a GET of `url` answers 200, within two seconds."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy in the environment is not for loopback
        try:
            return session.get(url, timeout=2).status_code == HTTPStatus.OK
        except requests.RequestException:
            return False


def answers(url: str) -> Condition:
    """Return the condition that a GET of `url` answers 200."""
    return lambda _: is_answering(url)


def logs(pattern: str) -> Condition:
    """Return the condition that a line of the log matches the regular expression `pattern` somewhere."""
    expression = re.compile(pattern)
    return lambda process: any(map(expression.search, process.log_text().splitlines()))


def listens(port: int) -> Condition:
    """Return the condition that something accepts connections on `port` of 127.0.0.1."""

    def condition(_: Process) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    return condition


def end_all() -> None:
    """Kill every process still running, and the guard."""
    for process in list(_running):
        process.kill9()
    for guard in _guards:
        guard.communicate()
    _guards.clear()


def _tell_guard(line: str) -> None:
    if not _guards:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", _GUARD], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        _guards.append(guard)
        atexit.register(end_all)
    stdin = _guards[0].stdin
    if stdin is not None:
        stdin.write(line + "\n")
        stdin.flush()
