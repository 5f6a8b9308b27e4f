"""What the way through gateway, RabbitMQ and worker adds to one native call of EC2."""

from __future__ import annotations

import base64
import http.client
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Row, median, percentile
from harness import moto as moto_server
from harness.fleet import Fleet, Http, knows, ready
from harness.moto import Moto

INSTANCES = 10
WARM_UP = 40
ROUNDS = 300
COUNTED = 25
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
        counts = [_count(log.read_text, call) for call in (ours, native)]
        bench.say(f"{ROUNDS} calls each way, in turn")
        through, straight = _in_turn(ours, native)
    return _figure(through, straight, counts)


def _figure(through: list[float], straight: list[float], counts: list[int]) -> Figure:
    added = median(through) - median(straight)
    return Figure(
        columns=("p50", "p95", "native calls for each"),
        rows=(
            _row("`GET /api/instances` through gateway, RabbitMQ and worker", through, counts[0]),
            _row("`DescribeInstances` by a warm boto3 client", straight, counts[1]),
            Row(
                measure="added",
                cells=(f"{added:.1f} ms", f"{percentile(through, 95) - percentile(straight, 95):.1f} ms", ""),
                target=f"p50 ≤ {TARGET_MS:.0f} ms, as many native calls",
                is_met=added <= TARGET_MS and counts[0] == counts[1],
            ),
        ),
        how=f"moto with {INSTANCES} instances, the gateway, a registry and a worker, each a process; {ROUNDS} calls each"
        f" way, one after the other and in turn, over kept-open connections. Native calls are counted in moto's log"
        f" over {COUNTED} calls each way.",
    )


def _row(measure: str, times_ms: list[float], calls: int) -> Row:
    cells = (f"{median(times_ms):.1f} ms", f"{percentile(times_ms, 95):.1f} ms", f"{calls / COUNTED:g}")
    return Row(measure=measure, cells=cells)


@contextmanager
def _gateway(bench: Bench, moto: Moto) -> Iterator[Callable[[], bytes]]:
    """Give a function that lists the instances through a fleet of our own."""
    providers = {"ec2": {"lab": {"endpoint": moto.endpoint, "region": "us-east-1"}}}
    with bench.fleet(providers=providers) as fleet:
        members = fleet.registry(), fleet.compute("ec2"), fleet.gateway()
        ready(*members)
        _wait_known(members[2].url, moto)
        address = urlsplit(members[2].url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        login = base64.b64encode(f"{moto.access_key}:{moto.secret_key}".encode()).decode()
        headers = {
            "Authorization": f"Basic {login}",
            "Accept": "application/xml",
            "X-Deltacloud-Driver": "ec2",
            "X-Deltacloud-Provider": "lab",
        }

        def call() -> bytes:
            connection.request("GET", "/api/instances", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != http.client.OK:
                raise RuntimeError(f"the gateway answered {answer.status}: {body[:500]!r}{_log_end(fleet)}")
            return body

        yield call
        connection.close()


def _wait_known(url: str, moto: Moto) -> None:
    caller = Http(url, user=moto.access_key, password=moto.secret_key, driver="ec2", provider="lab")
    knows(caller, "ec2")
    caller.close()


def _log_end(fleet: Fleet) -> str:
    return "\n" + fleet.log_text()[-2000:]


def _seed(ec2: Any) -> None:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=INSTANCES, MaxCount=INSTANCES, InstanceType="t3.micro")


def _count(read_log: Callable[[], str], call: Callable[[], object]) -> int:
    """Return how many requests moto answers while the call is made so many times."""
    before = _requests(read_log())
    for _ in range(COUNTED):
        call()
    time.sleep(0.2)  # the log is written after the answer
    return _requests(read_log()) - before


def _requests(log: str) -> int:
    return len(re.findall(r'"POST / HTTP', log))


def _in_turn(*calls: Callable[[], object]) -> list[list[float]]:
    """Return the milliseconds of each call, taken one after the other, round after round."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, found in zip(calls, times, strict=True):
            begin = time.perf_counter()
            call()
            found.append((time.perf_counter() - begin) * 1000)
    return times
