"""How many calls a second a worker of ours answers, against a consumer that does nothing but send them back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks import ROOT
from benchmarks.bench import Bench
from benchmarks.figure import Figure, Row, median
from benchmarks.process_facts import cpu_s
from deltacloud.rpc.client import RpcClient
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.envelope import encode_call
from deltacloud.rpc.seal import Sealer
from harness import processes
from harness.fleet import Fleet, ready
from harness.waiting import wait_until

DRIVERS = Path(__file__).resolve().parents[1] / "drivers"
IN_FLIGHT = 32
CALLS = 2000
ROUNDS = 7
REQUEST_ID = "5f0c0f2e-0f5e-4b3b-9a39-2f7d5a2b8c11"
TARGET, AIM = 0.35, 0.5


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """Something that answers calls: how it is called, and which process pays for it."""

    measure: str
    routing_key: str
    body: bytes
    pid: int


class Caller:
    """The calling process; the same one calls everybody."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        command = [sys.executable, "-m", "benchmarks.programs.caller", url, str(IN_FLIGHT)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=processes.base_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, whom: Answering, count: int) -> float:
        """Make so many calls and return the seconds it took. Raises RuntimeError when they end in errors."""
        file = self._folder / "body.json"
        file.write_bytes(whom.body)
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the caller has no pipes")
        self._process.stdin.write(f"{whom.routing_key} {count} {file}\n")
        self._process.stdin.flush()
        seconds, _, reply = self._process.stdout.readline().partition(" ")
        if not reply or '"exc_type"' in reply:
            raise RuntimeError(f"{whom.routing_key} does not answer as it should: {reply}")
        return float(seconds)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def measure(bench: Bench) -> Figure:
    """Call the echo and our worker in turn, 32 calls in flight, the same caller and the same body for both."""
    with bench.fleet() as fleet, _echo(fleet) as echo:
        registry = fleet.registry()
        worker = fleet.compute("noop", PYTHONPATH=str(DRIVERS))
        ready(registry, worker)
        plain, sealed = _bodies(fleet)
        answering = (
            Answering(measure="bare pika echo", routing_key="echo.list_realms", body=plain, pid=echo.pid),
            Answering(
                measure="our worker, `list_realms` of a no-op driver",
                routing_key="compute.noop.list_realms",
                body=plain,
                pid=worker.process.pid,
            ),
            Answering(
                measure="the same with sealed credentials, `get_realm`",
                routing_key="compute.noop.get_realm",
                body=sealed,
                pid=worker.process.pid,
            ),
        )
        caller = Caller(fleet.broker, fleet.folder)
        try:
            bench.say(f"{ROUNDS} rounds of {CALLS} calls to each")
            return _figure(answering, _in_turn(caller, answering))
        finally:
            caller.close()


@contextmanager
def _echo(fleet: Fleet) -> Iterator[processes.Process]:
    command = [sys.executable, "-m", "benchmarks.programs.echo", fleet.broker, "echo"]
    log = fleet.folder / "echo.log"
    with processes.start(command, log=log, cwd=ROOT, until=processes.logs("consuming")) as process:
        yield process


def _bodies(fleet: Fleet) -> tuple[bytes, bytes]:
    """Return a call without credentials and one with sealed ones, as a gateway writes them."""
    deadline = Deadline.after(1800)
    with RpcClient(fleet.broker) as client:
        wait_until(lambda: client.picture.sealing_keys, "a sealing key")
        keys = client.picture.sealing_keys
    sealed = Sealer(keys).seal(
        "user", "password", driver="noop", method="get_realm", request_id=REQUEST_ID, deadline=deadline
    )
    return (
        encode_call(_context(deadline, None), {}),
        encode_call(_context(deadline, sealed), {"id": "here"}),
    )


def _context(deadline: Deadline, credentials: CarriedCredentials | None) -> Context:
    return Context(
        request_id=REQUEST_ID,
        deadline=deadline.at,
        idempotency_key="5f0c0f2e-0f5e-4b3b-9a39-2f7d5a2b8c12",
        credentials=credentials,
    )


class Taken(msgspec.Struct):
    """What was measured of one that answers: calls a second and processor milliseconds a call, for each round."""

    rates: list[float] = []
    cpu_ms: list[float] = []


def _in_turn(caller: Caller, answering: tuple[Answering, ...]) -> list[Taken]:
    for whom in answering:
        caller.run(whom, CALLS // 2)
    taken = [Taken() for _ in answering]
    for _ in range(ROUNDS):
        for whom, found in zip(answering, taken, strict=True):
            before = cpu_s(whom.pid)
            found.rates.append(CALLS / caller.run(whom, CALLS))
            found.cpu_ms.append((cpu_s(whom.pid) - before) * 1000 / CALLS)
    return taken


def _figure(answering: tuple[Answering, ...], taken: list[Taken]) -> Figure:
    echo = taken[0]
    rows = []
    for whom, found in zip(answering, taken, strict=True):
        ratio = median([ours / bare for ours, bare in zip(found.rates, echo.rates, strict=True)])
        is_ours = found is not echo
        rows.append(
            Row(
                measure=whom.measure,
                cells=(
                    f"{median(found.rates):,.0f}/s",
                    f"{ratio:.2f}" if is_ours else "1",
                    f"{median(found.cpu_ms):.2f} ms",
                ),
                target=f"ratio ≥ {TARGET}, aim {AIM}" if whom is answering[1] else "",
                is_met=ratio >= TARGET if whom is answering[1] else None,
            )
        )
    return Figure(
        columns=("calls", "ratio", "its processor time a call"),
        rows=tuple(rows),
        how=f"One bare pika caller with {IN_FLIGHT} calls in flight, the same body for both; {ROUNDS} rounds of {CALLS}"
        " calls to each in turn, medians, and the median of the ratios within a round. The worker is one process.",
    )
