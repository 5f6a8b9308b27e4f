"""Ask a service of this machine whether it is ready: ``python -m deltacloud.health``, for container health checks.

The URL is ``DELTACLOUD_HEALTH_URL``, else the ops port's ``/health/ready``. Exit status 0 when it answers 200.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 5.0

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks the service itself, whatever proxy the environment names for the clouds."""


def check(url: str) -> str | None:
    """Return nothing when the URL answers 200, else what is wrong."""
    try:
        with _DIRECT.open(url, timeout=TIMEOUT_S) as response:
            return None if response.status == 200 else f"status {response.status}"  # noqa: PLR2004
    except urllib.error.HTTPError as error:
        return f"status {error.code}: {error.read(200).decode(errors='replace')}"
    except OSError as error:
        return str(error)


def main() -> None:
    """Exit with 0 or say what is wrong and exit with 1."""
    port = os.environ.get("DELTACLOUD_OPS_PORT", "9100")
    problem = check(os.environ.get("DELTACLOUD_HEALTH_URL", f"http://127.0.0.1:{port}/health/ready"))
    if problem is not None:
        sys.exit(problem)


if __name__ == "__main__":
    main()
