"""What memory the all-in-one server takes while it has nothing to do, and what for."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks import ROOT
from benchmarks.bench import Bench
from benchmarks.figure import Figure, Row
from benchmarks.process_facts import MIB, rss
from harness import moto as moto_server
from harness import processes
from harness.fleet import Http
from harness.ports import free_port

CALM_S = 1.0
COLLECTIONS = ("realms", "instances", "images", "hardware_profiles", "keys")


def measure(bench: Bench) -> Figure:
    """Measure the serving process after its start and after use, and add up its imports in one of its own."""
    folder = bench.folder()
    with moto_server.running(folder / "moto.log") as moto:
        providers = folder / "providers.yaml"
        providers.write_text(f'providers: {{ec2: {{lab: {{endpoint: "{moto.endpoint}", region: us-east-1}}}}}}')
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [
            sys.executable,
            "-m",
            "deltacloudd",
            "-r",
            "127.0.0.1",
            "-p",
            str(port),
            "--providers",
            str(providers),
        ]
        environment = {"DELTACLOUD_MOCK_STORAGE": str(folder / "mock")}
        with processes.start(
            command, log=folder / "log", env=environment, until=processes.answers(f"{url}/health/ready")
        ) as process:
            found = [("serving, before the first request", _calm(process.pid))]
            _use(Http(url))
            found.append(("after lists of the mock cloud", _calm(process.pid)))
            _use(Http(url, user=moto.access_key, password=moto.secret_key, driver="ec2", provider="lab"))
            found.append(("after lists of EC2, which load boto3's EC2 client", _calm(process.pid)))
    rows = [Row(measure=f"`deltacloudd` {what}", cells=(f"{bytes_ / MIB:.0f} MiB",)) for what, bytes_ in found]
    rows += [Row(measure=f"… of it {what}", cells=(f"{added} MiB",)) for added, what in _steps(folder)]
    return Figure(
        columns=("resident",),
        rows=tuple(rows),
        how="The steps are what each group of imports adds, in this order, in a process that serves nothing; a package"
        " that two groups need counts for the first. No target.",
    )


def _use(caller: Http) -> None:
    for collection in COLLECTIONS:
        caller.get(collection).raise_for_status()
    caller.close()


def _calm(pid: int) -> int:
    time.sleep(CALM_S)
    return rss(pid)


def _steps(folder: Path) -> list[tuple[str, str]]:
    command = [sys.executable, "-m", "benchmarks.programs.steps", str(folder / "steps")]
    done = subprocess.run(
        command, cwd=ROOT, env=processes.base_environment(), capture_output=True, text=True, timeout=60, check=True
    )
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in done.stdout.splitlines()]
