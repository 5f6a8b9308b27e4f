"""Bounds on the load, and what is not the API: health, metrics."""

from typing import Any

from deltacloud.providers.holder import PictureHolder
from deltacloud.rpc.inprocess import InProcessTransport
from deltacloud_gateway.app import create_app
from deltacloud_gateway.settings import GatewaySettings
from harness.asgi import ask


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
