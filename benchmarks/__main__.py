"""``python -m benchmarks [names]``: measure, show, and write docs/performance.md."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from benchmarks import machine
from benchmarks.bench import Bench
from benchmarks.document import DOCUMENT, write
from benchmarks.figure import Figure
from benchmarks.figures import blobs, latency, memory, rate, slow_cloud, start_up
from harness import processes

FIGURES: dict[str, Callable[[Bench], Figure]] = {
    "latency": latency.measure,
    "rate": rate.measure,
    "slow-cloud": slow_cloud.measure,
    "blobs": blobs.measure,
    "start-up": start_up.measure,
    "memory": memory.measure,
}


def main() -> None:
    """Measure the figures named, all without a name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and write docs/performance.md.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(FIGURES)}; default all")
    parser.add_argument("--dry", action="store_true", help="show the tables and leave the document as it is")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(FIGURES)):
        parser.error(f"there is no figure {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    load = os.getloadavg()[0]
    tables = {}
    try:
        with Bench() as bench:
            for name in options.names or FIGURES:
                bench.say(f"{name} …")
                tables[name] = FIGURES[name](bench).table()
                print(f"\n{tables[name]}\n", flush=True)
            version = bench.broker.request("GET", "overview")["rabbitmq_version"]
    finally:
        processes.end_all()
    if not options.dry:
        write({"machine": machine.described(options.names, version, load), **tables})
        print(f"Written to {DOCUMENT}.")


if __name__ == "__main__":
    main()
