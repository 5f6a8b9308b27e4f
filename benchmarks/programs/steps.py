"""Import the parts of the all-in-one server one after the other and print what each adds to the process's memory.

Each line is ``<MiB added> <what>``. Arguments: a folder for the mock cloud.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

from benchmarks.process_facts import MIB, rss

STEPS = {
    "Python itself": (),
    "records and settings: msgspec, pydantic": ("msgspec", "pydantic", "pydantic_settings"),
    "logs and metrics: structlog, prometheus_client": ("structlog", "prometheus_client"),
    "catalogue, models, dispatch": ("deltacloud.catalogue", "deltacloud.rpc.dispatch", "deltacloud.rpc.inprocess"),
    "pika and PyNaCl (seals, the client for `--broker`)": ("deltacloud.rpc.amqp", "deltacloud.rpc.seal"),
    "HTTP server: starlette, granian": ("starlette.applications", "granian.server.embed"),
    "HTTP client for blobs: aiohttp": ("aiohttp",),
    "XML and pages: lxml, jinja2": ("lxml.etree", "jinja2"),
    "the gateway": ("deltacloud_gateway.app", "deltacloud_gateway.service"),
    "registry and provider file: PyYAML": ("deltacloud_registry.registry", "deltacloud_registry.providers_file"),
    "the command line": ("deltacloudd.__main__",),
}


def main(mock_folder: str) -> None:
    """Print the steps."""
    os.environ["DELTACLOUD_MOCK_STORAGE"] = mock_folder
    known = 0
    for what, modules in STEPS.items():
        for module in modules:
            importlib.import_module(module)
        known = _tell(what, known)
    from deltacloud_registry.providers_file import OperatorProviders  # noqa: PLC0415
    from deltacloudd.house import House  # noqa: PLC0415 - each step is imported when it is its turn

    house = House(OperatorProviders(), "http://127.0.0.1:1")
    _tell(f"the drivers ({', '.join(sorted({each.id for each in house.drivers}))}), loaded and not yet used", known)


def _tell(what: str, known: int) -> int:
    gc.collect()
    now = rss(os.getpid())
    print(f"{(now - known) / MIB:.1f} {what}", flush=True)
    return now


if __name__ == "__main__":
    main(*sys.argv[1:])
