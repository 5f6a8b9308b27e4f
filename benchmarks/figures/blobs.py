"""How fast a large blob passes the gateway, and what memory it takes on its way, against curl straight to the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks import ROOT
from benchmarks.bench import Bench
from benchmarks.figure import Figure, Row, median
from benchmarks.process_facts import MIB, cpu_s, forget_peak, peak_rss, rss
from harness import processes
from harness.fleet import Http, Member, knows, ready
from harness.ports import free_port
from harness.processes import Process

SIZE = 1024 * MIB
ROUNDS = 3
TARGET_RATIO, TARGET_MIB = 0.8, 64
LOGIN = ["-u", "key:secret", "-H", "X-Deltacloud-Driver: ec2", "-H", "X-Deltacloud-Provider: lab"]
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
    port = free_port()
    store_url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "benchmarks.programs.store", str(port)]
    providers = {"ec2": {"lab": {"endpoint": store_url, "region": "us-east-1"}}}
    with (
        processes.start(command, log=folder / "store.log", cwd=ROOT, until=processes.logs("serving")) as store,
        bench.fleet(providers=providers) as fleet,
    ):
        members = fleet.registry(), fleet.storage("ec2"), fleet.gateway()
        gateway = members[2]
        ready(*members)
        caller = Http(gateway.url, driver="ec2", provider="lab")
        knows(caller, "ec2")
        caller.close()
        ways = {name: _moved(bench, name, store, store_url, gateway, blob) for name in WAYS}
    return _figure(ways)


def _moved(bench: Bench, name: str, store: Process, store_url: str, gateway: Member, blob: Path) -> Way:
    bench.say(f"{SIZE // MIB} MiB {name}, {ROUNDS} times each")
    way = Way()
    options = [option.format(file=blob) for option in WAYS[name]]
    content = "/content" if name == "down" else ""
    for _ in range(ROUNDS):
        way.straight.append(_curl(options, f"{store_url}/bucket/zeros-{SIZE}", blob, store))
        before, used = rss(gateway.process.pid), cpu_s(gateway.process.pid)
        forget_peak(gateway.process.pid)
        url = f"{gateway.url}/api/buckets/bucket/zeros-{SIZE}{content}"
        way.through.append(_curl([*options, *LOGIN], url, blob, gateway.process))
        way.growth.append(peak_rss(gateway.process.pid) - before)
        way.gateway_s.append(cpu_s(gateway.process.pid) - used)
    return way


def _curl(options: list[str], url: str, blob: Path, server: Process) -> float:
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
        raise RuntimeError(f"{url}: {done.stdout[-500:]}{done.stderr[-500:]}\n{server.log_text()[-1000:]}")
    return SIZE / float(seconds)


def _figure(ways: dict[str, Way]) -> Figure:
    rows = []
    for name, way in ways.items():
        ratio = median([through / straight for through, straight in zip(way.through, way.straight, strict=True)])
        growth = max(way.growth) / MIB
        rows.append(
            Row(
                measure=f"1 GiB {name}",
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
        how=f"A store of our own that drops what it gets and gives zeros, without limit; {ROUNDS} times each in turn,"
        " medians, and the median of the ratios of neighbours. Growth is the gateway's peak of resident memory over what"
        " it had before, the most of all times.",
    )
