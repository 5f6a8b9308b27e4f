"""How many requests a second one gateway and one worker carry when the cloud takes its time."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus

import aiohttp

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Row, median, percentile
from benchmarks.process_facts import cpu_s
from harness.fleet import MOCK_PASSWORD, MOCK_USER, Http, knows, ready

CLOUD_S = 0.1
CALLERS = 50
WARM_UP_S, MEASURED_S = 2.0, 10.0
TARGET = 300


def measure(bench: Bench) -> Figure:
    """Let 50 callers list the realms of a mock cloud that takes 100 ms, each as fast as it is answered."""
    with bench.fleet(env={"DELTACLOUD_MOCK_FAULTS": f"list_realms: latency_s={CLOUD_S}"}) as fleet:
        members = registry, worker, gateway = fleet.registry(), fleet.compute("mock"), fleet.gateway()
        del registry
        ready(*members)
        caller = Http(gateway.url)
        knows(caller, "mock")
        caller.close()
        bench.say(f"{CALLERS} callers for {WARM_UP_S + MEASURED_S:g} s")
        asyncio.run(_load(f"{gateway.url}/api/realms", WARM_UP_S))
        pids = gateway.process.pid, worker.process.pid
        before = [cpu_s(pid) for pid in pids]
        times = asyncio.run(_load(f"{gateway.url}/api/realms", MEASURED_S))
        used = [(cpu_s(pid) - began) * 1000 / len(times) for pid, began in zip(pids, before, strict=True)]
    rate = len(times) / MEASURED_S
    row = Row(
        measure=f"`GET /api/realms`, {CALLERS} callers",
        cells=(
            f"{rate:.0f}/s",
            f"{median(times) * 1000:.0f} ms",
            f"{percentile(times, 99) * 1000:.0f} ms",
            *(f"{ms:.2f} ms" for ms in used),
        ),
        target=f"≥ {TARGET}/s",
        is_met=rate >= TARGET,
    )
    return Figure(
        columns=("requests", "p50", "p99", "gateway's processor time each", "worker's"),
        rows=(row,),
        how=f"The mock cloud with a latency of {CLOUD_S * 1000:.0f} ms, one gateway, one worker, RabbitMQ;"
        f" {MEASURED_S:g} s after a warm-up. No more than {CALLERS / CLOUD_S:.0f}/s are possible.",
    )


async def _load(url: str, seconds: float) -> list[float]:
    """Return the seconds each request took. Raises RuntimeError at the first that fails."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def one(session: aiohttp.ClientSession) -> None:
        while (begin := time.perf_counter()) < end:
            async with session.get(url) as answer:
                body = await answer.read()
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"the gateway answered {answer.status}: {body[:500]!r}")
            times.append(time.perf_counter() - begin)

    login = aiohttp.BasicAuth(MOCK_USER, MOCK_PASSWORD)
    headers = {"Accept": "application/xml"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(auth=login, headers=headers, connector=connector) as session:
        await asyncio.gather(*(one(session) for _ in range(CALLERS)))
    return times
