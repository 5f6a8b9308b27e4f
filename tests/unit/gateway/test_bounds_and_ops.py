"""Bounds on the load, and what is not the API: health, metrics."""

import asyncio
from typing import Any

import pytest

from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.inprocess import InProcessTransport
from deltacloud_gateway.app import create_app
from deltacloud_gateway.settings import GatewaySettings
from harness.asgi import Answer, ask, ask_async


def test_too_much_at_once_is_503_and_nothing_is_started(client: Any) -> None:
    client.app._settings = client.app._settings.model_copy(update={"max_in_flight": 1})
    client.app._in_flight = 1

    answer = client.get("/api/instances")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert client.cloud.seen == []
    assert client.get("/health/live").status == 200


def test_health_tells_that_the_process_lives_and_whether_it_can_answer(client: Any, settings: GatewaySettings) -> None:
    lonely = create_app(settings, InProcessTransport({}), PictureHolder())

    assert client.get("/health/live", login=None).status == 200
    assert client.get("/health/ready", login=None).json == {"status": "ready", "reasons": []}
    assert ask(lonely, "GET", "/health/ready").status == 503


def test_metrics_count_requests_by_route_and_never_by_what_a_client_writes(client: Any) -> None:
    client.get("/api/instances/some-id")
    client.ask("FROB", "/nosuch/path")

    text = client.get("/metrics", login=None).text

    assert 'deltacloud_http_requests_total{method="GET",route="/api/instances/{id}",status="404"}' in text
    assert 'method="other",route="unmatched"' in text
    assert "some-id" not in text
    assert "FROB" not in text


def test_what_is_not_the_api_can_only_be_read(client: Any) -> None:
    assert client.get("/robots.txt", login=None).text.startswith("User-agent: *")
    assert client.post("/robots.txt", login=None).status == 405


async def _mounted(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["root_path"].encode()})


@pytest.fixture
def mounting(settings: GatewaySettings) -> Any:
    """A gateway with a mounted application and room for one request."""
    small = settings.model_copy(update={"max_in_flight": 1, "max_header_bytes": 8192})
    return create_app(small, InProcessTransport({}), PictureHolder(), mounts={"/transfers": _mounted})


def test_a_mounted_application_answers_below_its_path(mounting: Any) -> None:
    assert ask(mounting, "PUT", "/transfers/x", {"Host": "h"}).body == b"/transfers"


def test_headers_that_are_too_large_reach_no_mounted_application(mounting: Any) -> None:
    answer = ask(mounting, "PUT", "/transfers/x", {"Host": "h", "X-Long": "x" * 8192})

    assert answer.status == 413
    assert "8192" in answer.text


def test_too_much_at_once_is_503_for_a_mounted_application_too_and_no_place_is_lost(mounting: Any) -> None:
    holding, entered = asyncio.Event(), asyncio.Event()

    async def held(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await holding.wait()
        await _mounted(scope, receive, send)

    async def both() -> tuple[Answer, Answer, Answer]:
        mounting._mounts = {"/transfers": held}
        first = asyncio.create_task(ask_async(mounting, "GET", "/transfers/x", {"Host": "h"}))
        await entered.wait()
        second = await ask_async(mounting, "GET", "/transfers/x", {"Host": "h"})
        ours = await ask_async(mounting, "GET", "/", {"Host": "h"})
        holding.set()
        assert (await first).status == 200
        return second, ours, await ask_async(mounting, "GET", "/transfers/x", {"Host": "h"})

    second, ours, third = asyncio.run(both())

    assert (second.status, second.headers["retry-after"]) == (503, "1")
    assert (ours.status, third.status) == (200, 200)
