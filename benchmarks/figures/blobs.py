"""How fast a large blob passes the gateway, and what memory it takes on its way, against curl straight to the store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benchmarks import ROOT
from benchmarks.bench import Bench
from benchmarks.figure import Figure, Row, median
from benchmarks.process_facts import MIB, cpu_s, forget_peak, peak_rss, rss
from harness import processes
from harness.fleet import Http, Member, knows, ready
from harness.ports import free_port

SIZE = 1024 * MIB
ROUNDS = 3
TARGET_RATIO, TARGET_MIB = 0.8, 64
LOGIN = ["-u", "key:secret", "-H", "X-Deltacloud-Driver: ec2"]
NETWORK_MIB = 300
STORES = {"fast": 0, "networked": NETWORK_MIB}
"""Stores by the name of their provider: one without limit, and one behind a network of 2.5 Gbit/s."""
WAYS = {
    "down": ["-o", "/dev/null"],
    "up, length known": ["-T", "{file}"],
    "up, chunked": ["-T", "-"],
}


class Way(msgspec.Struct):
    """One way of moving the blob: bytes a second straight and through the gateway, and what the latter cost."""

    straight: list[float] = []
    through: list[float] = []
    growth: list[int] = []
    gateway_s: list[float] = []


def measure(bench: Bench) -> Figure:
    """Move 1 GiB each way, straight and through the gateway in turn."""
    folder = bench.folder()
    blob = folder / "blob"
    with blob.open("wb") as file:
        file.truncate(SIZE)
    with ExitStack() as stack:
        stores = {name: stack.enter_context(_store(folder, rate)) for name, rate in STORES.items()}
        providers = {name: {"endpoint": store.url, "region": "us-east-1"} for name, store in stores.items()}
        fleet = stack.enter_context(bench.fleet(providers={"ec2": providers}))
        members = fleet.registry(), fleet.storage("ec2"), fleet.gateway()
        gateway = members[2]
        ready(*members)
        caller = Http(gateway.url, driver="ec2", provider="fast")
        knows(caller, "ec2")
        caller.close()
        ways = {
            (name, way): _moved(bench, name, way, store=store, gateway=gateway, blob=blob)
            for name, store in stores.items()
            for way in WAYS
        }
    return _figure(ways)


@contextmanager
def _store(folder: Path, rate: int) -> Iterator[Member]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.programs.store", str(port), str(rate)]
    log = folder / f"store-{rate}.log"
    with processes.start(command, log=log, cwd=ROOT, until=processes.logs("serving")) as process:
        yield Member(process, f"http://127.0.0.1:{port}")


def _moved(bench: Bench, provider: str, name: str, *, store: Member, gateway: Member, blob: Path) -> Way:
    bench.say(f"1 GiB {name}, {provider} store, {ROUNDS} times each")
    way = Way()
    options = [option.format(file=blob) for option in WAYS[name]]
    content = "/content" if name == "down" else ""
    login = [*LOGIN, "-H", f"X-Deltacloud-Provider: {provider}"]
    for _ in range(ROUNDS):
        way.straight.append(_curl(options, f"{store.url}/bucket/zeros-{SIZE}", blob, store))
        before, used = rss(gateway.process.pid), cpu_s(gateway.process.pid)
        forget_peak(gateway.process.pid)
        url = f"{gateway.url}/api/buckets/bucket/zeros-{SIZE}{content}"
        way.through.append(_curl([*options, *login], url, blob, gateway))
        way.growth.append(peak_rss(gateway.process.pid) - before)
        way.gateway_s.append(cpu_s(gateway.process.pid) - used)
    return way


def _curl(options: list[str], url: str, blob: Path, server: Member) -> float:
    """Return the bytes a second at which curl moved the blob. Raises RuntimeError unless all of it was moved."""
    written = "\n%{http_code} %{size_upload} %{size_download} %{time_total}"
    with blob.open("rb") as file:
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", *options, "--write-out", written, url],
            stdin=file, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    code, up, down, seconds = done.stdout.splitlines()[-1].split()
    moved = max(int(up), int(down))  # curl counts what chunks add
    if code not in {"200", "201"} or not SIZE <= moved <= SIZE * 1.001:
        raise RuntimeError(f"{url}: {done.stdout[-500:]}{done.stderr[-500:]}\n{server.process.log_text()[-1000:]}")
    return SIZE / float(seconds)


def _figure(ways: dict[tuple[str, str], Way]) -> Figure:
    rows = []
    for (store, name), way in ways.items():
        ratio = median([through / straight for through, straight in zip(way.through, way.straight, strict=True)])
        growth = max(way.growth) / MIB
        rows.append(
            Row(
                measure=f"1 GiB {name}, {store} store",
                cells=(
                    f"{median(way.straight) / MIB:,.0f} MiB/s",
                    f"{median(way.through) / MIB:,.0f} MiB/s",
                    f"{ratio:.2f}",
                    f"{median(way.gateway_s):.2f} s",
                    f"{growth:.0f} MiB",
                ),
                target=f"ratio ≥ {TARGET_RATIO}, growth < {TARGET_MIB} MiB",
                is_met=ratio >= TARGET_RATIO and growth < TARGET_MIB,
            )
        )
    return Figure(
        columns=("curl straight", "through the gateway", "ratio", "gateway's processor time", "gateway grows by"),
        rows=tuple(rows),
        how="The stores are ours: they drop what they get and give zeros; the fast one without limit, which is what the"
        f" gateway can do at most, the networked one {NETWORK_MIB} MiB/s in all, which is 2.5 Gbit/s. {ROUNDS} times"
        " each in turn, medians, and the median of the ratios of neighbours. Growth is the gateway's peak of resident"
        " memory over what it had before, the most of all times.",
    )
