"""On what the figures were taken."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import ROOT

_PACKAGES = (
    "pika",
    "nameko",
    "kombu",
    "amqp",
    "eventlet",
    "granian",
    "starlette",
    "aiohttp",
    "msgspec",
    "boto3",
    "moto",
)


def described(names: list[str], broker_version: str | None, load: float) -> str:
    """Return the machine, the versions, the commit, the command and how busy the machine was before, in Markdown."""
    broker = f", RabbitMQ {broker_version}" if broker_version else ""
    when = f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, `make bench{_arguments(names)}`"
    processors = f"{_processor()}, {os.cpu_count()} processors visible, {_memory_gib():.0f} GiB"
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}{broker}"
    return "\n".join(
        [
            f"- {when}.",
            f"- {processors}; load average before the run {load:.1f}.",
            f"- {system}; {', '.join(_versions())}.",
        ]
    )


def _arguments(names: list[str]) -> str:
    return f' ARGS="{" ".join(names)}"' if names else ""


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def _versions() -> list[str]:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found
