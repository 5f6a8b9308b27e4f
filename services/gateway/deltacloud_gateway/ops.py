"""What is not the API: health, metrics, robots, the style sheet."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.transport import Transport

STATIC = Path(__file__).parent / "static"
ROBOTS = "User-agent: *\nDisallow: /\n"


class Ops:
    """Answers by exact path.

    Args:
        transport: says whether calls can be carried.
        holder: says whether the drivers are known.
    """

    def __init__(self, transport: Transport, holder: PictureHolder) -> None:
        self._transport = transport
        self._holder = holder
        self.paths: dict[str, Callable[[], Response]] = {
            "/health/live": _live,
            "/health/ready": self._ready,
            "/metrics": _metrics,
            "/robots.txt": lambda: Response(ROBOTS, media_type="text/plain"),
            "/static/style.css": lambda: Response(_file("style.css"), media_type="text/css"),
            "/static/icon.svg": lambda: Response(_file("icon.svg"), media_type="image/svg+xml"),
        }

    def _ready(self) -> Response:
        """Ready is: calls can be carried, and at least one driver is known."""
        reasons = []
        if not self._transport.is_ready:
            reasons.append("the broker is not connected")
        if not self._holder.current.drivers:
            reasons.append("no driver is known yet")
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return _json({"status": "not ready" if reasons else "ready", "reasons": reasons}, status)


def _live() -> Response:
    return _json({"status": "alive"}, HTTPStatus.OK)


def _metrics() -> Response:
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@cache
def _file(name: str) -> bytes:
    return (STATIC / name).read_bytes()


def _json(value: object, status: HTTPStatus) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
