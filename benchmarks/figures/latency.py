"""What the way through gateway, RabbitMQ and worker adds to one native call of EC2."""

from __future__ import annotations

import base64
import http.client
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import msgspec
from botocore.config import Config

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Row, median, percentile
from benchmarks.process_facts import cpu_s
from harness import moto as moto_server
from harness.fleet import Fleet, Http, knows, ready
from harness.moto import Moto

INSTANCES = 10
WARM_UP = 40
ROUNDS = 300
COUNTED = 100
TARGET_MS = 5.0


def measure(bench: Bench) -> Figure:
    """Take ``GET /api/instances`` and ``DescribeInstances`` in turn; count the native calls of each apart."""
    log = bench.folder() / "moto.log"
    with moto_server.running(log) as moto, _gateway(bench, moto) as ours:
        ec2 = boto3.client(
            "ec2",
            endpoint_url=moto.endpoint,
            region_name="us-east-1",
            aws_access_key_id=moto.access_key,
            aws_secret_access_key=moto.secret_key,
            config=Config(proxies={}),
        )
        _seed(ec2)

        def native() -> object:
            return ec2.describe_instances(MaxResults=1000)

        for _ in range(WARM_UP):
            ours(), native()
        costs = [_cost(log, call, pids) for call, pids in ((ours, ours.pids), (native, (os.getpid(),)))]
        bench.say(f"{ROUNDS} calls each way, in turn")
        through, straight = _in_turn(ours, native)
    return _figure(through, straight, costs)


def _figure(through: list[float], straight: list[float], costs: list[Cost]) -> Figure:
    added = median(through) - median(straight)
    return Figure(
        columns=("p50", "p95", "processor time", "native calls"),
        rows=(
            _row("`GET /api/instances` through gateway, RabbitMQ and worker", through, costs[0]),
            _row("`DescribeInstances` by a warm boto3 client", straight, costs[1]),
            Row(
                measure="added",
                cells=(
                    f"{added:.1f} ms",
                    f"{percentile(through, 95) - percentile(straight, 95):.1f} ms",
                    f"{costs[0].cpu_ms - costs[1].cpu_ms:.1f} ms",
                    f"{costs[0].calls - costs[1].calls:g}",
                ),
                target=f"p50 ≤ {TARGET_MS:.0f} ms, as many native calls",
                is_met=added <= TARGET_MS and costs[0].calls == costs[1].calls,
            ),
        ),
        how=f"moto with {INSTANCES} instances, the gateway, a registry and a worker, each a process; {ROUNDS} calls"
        f" each way, one after the other and in turn, over kept-open connections. Native calls are counted in moto's"
        f" log, processor time is that of gateway and worker and of the process of the boto3 client, over {COUNTED}"
        " calls each way.",
    )


class Cost(msgspec.Struct, frozen=True):
    """What one call costs: requests to the cloud, and milliseconds of processor time on our side."""

    calls: float
    cpu_ms: float


def _row(measure: str, times_ms: list[float], cost: Cost) -> Row:
    cells = (
        f"{median(times_ms):.1f} ms",
        f"{percentile(times_ms, 95):.1f} ms",
        f"{cost.cpu_ms:.1f} ms",
        f"{cost.calls:g}",
    )
    return Row(measure=measure, cells=cells)


class Ours:
    """Lists the instances through a fleet of our own; ``pids`` are those who work for it."""

    def __init__(self, fleet: Fleet, moto: Moto) -> None:
        members = registry, worker, gateway = fleet.registry(), fleet.compute("ec2"), fleet.gateway()
        del registry
        ready(*members)
        _wait_known(gateway.url, moto)
        self.pids = (gateway.process.pid, worker.process.pid)
        address = urlsplit(gateway.url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port)
        login = base64.b64encode(f"{moto.access_key}:{moto.secret_key}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {login}",
            "Accept": "application/xml",
            "X-Deltacloud-Driver": "ec2",
            "X-Deltacloud-Provider": "lab",
        }

    def __call__(self) -> bytes:
        """List them. Raises RuntimeError unless the answer is 200."""
        try:
            answer = self._ask()
        except http.client.RemoteDisconnected:  # the connection was idle for too long
            answer = self._ask()
        body = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the gateway answered {answer.status}: {body[:500]!r}")
        return body

    def _ask(self) -> http.client.HTTPResponse:
        self._connection.request("GET", "/api/instances", headers=self._headers)
        return self._connection.getresponse()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def _gateway(bench: Bench, moto: Moto) -> Iterator[Ours]:
    providers = {"ec2": {"lab": {"endpoint": moto.endpoint, "region": "us-east-1"}}}
    with bench.fleet(providers=providers) as fleet, closing(Ours(fleet, moto)) as ours:
        yield ours


def _wait_known(url: str, moto: Moto) -> None:
    caller = Http(url, user=moto.access_key, password=moto.secret_key, driver="ec2", provider="lab")
    knows(caller, "ec2")
    caller.close()


def _seed(ec2: Any) -> None:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=INSTANCES, MaxCount=INSTANCES, InstanceType="t3.micro")


def _cost(log: Path, call: Callable[[], object], pids: tuple[int, ...]) -> Cost:
    """Return what moto's log and the kernel say of a call that is made some times."""
    before, used_s = _requests(log), sum(map(cpu_s, pids))
    for _ in range(COUNTED):
        call()
    used_s = sum(map(cpu_s, pids)) - used_s
    time.sleep(0.2)  # the log is written after the answer
    return Cost((_requests(log) - before) / COUNTED, used_s * 1000 / COUNTED)


def _requests(log: Path) -> int:
    return len(re.findall(r'"POST / HTTP', log.read_text(encoding="utf-8", errors="replace")))


def _in_turn(*calls: Callable[[], object]) -> list[list[float]]:
    """Return the milliseconds of each call, taken one after the other, round after round."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, found in zip(calls, times, strict=True):
            begin = time.perf_counter()
            call()
            found.append((time.perf_counter() - begin) * 1000)
    return times
