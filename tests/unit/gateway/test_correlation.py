"""What ties a request to its calls: request id, idempotency key, trace context, deadline."""

import time
from typing import Any

import msgspec
import pytest

from deltacloud_gateway.settings import GatewaySettings


def test_the_request_id_comes_back_and_reaches_the_driver(client: Any) -> None:
    answer = client.get("/api/instances", X_Request_Id="req-7")

    assert answer.headers["x-request-id"] == "req-7"
    assert client.cloud.last().session.request_id == "req-7"


@pytest.mark.parametrize("given", ["", "x" * 129, "a\tb", " "])
def test_a_request_id_that_cannot_be_one_is_replaced(client: Any, given: str) -> None:
    assert len(client.get("/api/instances", X_Request_Id=given).headers["x-request-id"]) == 36


def test_an_idempotency_key_reaches_the_driver_and_each_request_without_one_gets_its_own(client: Any) -> None:
    client.post("/api/instances", "image_id=m1", Idempotency_Key="once")
    given = client.cloud.last().session.idempotency_key
    client.post("/api/instances", "image_id=m1")
    first = client.cloud.last().session.idempotency_key
    client.post("/api/instances", "image_id=m1")

    assert given == "once"
    assert len({given, first, client.cloud.last().session.idempotency_key}) == 3


def test_a_malformed_idempotency_key_is_refused(client: Any) -> None:
    assert client.post("/api/instances", "image_id=m1", Idempotency_Key="x" * 129).status == 400
    assert client.cloud.seen == []


def test_a_client_may_shorten_its_deadline_but_not_lengthen_it(client: Any, settings: GatewaySettings) -> None:
    client.get("/api/instances", X_Deltacloud_Deadline="2.5")
    short = client.cloud.last().session.deadline.at - time.time()
    client.get("/api/instances", X_Deltacloud_Deadline="100000")
    long = client.cloud.last().session.deadline.at - time.time()

    assert short <= 2.5
    assert 2.5 < long <= settings.deadline_s


@pytest.mark.parametrize("given", ["0", "-1", "soon", "1e9", "nan"])
def test_a_malformed_deadline_is_refused(client: Any, given: str) -> None:
    answer = client.get("/api/instances", X_Deltacloud_Deadline=given)

    assert answer.status == 400
    assert client.cloud.seen == []


def test_a_traceparent_is_passed_on_when_it_is_one(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: list[Any] = []
    call = client.app._api._transport.call

    async def record(service: str, method: str, context: Any, parameters: Any) -> Any:
        contexts.append(context)
        return await call(service, method, context, parameters)

    monkeypatch.setattr(client.app._api._transport, "call", record)
    given = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    client.get("/api/instances", traceparent=given)
    client.get("/api/instances", traceparent="nonsense")

    assert contexts[0].traceparent == given
    assert msgspec.json.encode(contexts[1].traceparent) != b'"nonsense"'
    assert len(contexts[1].traceparent) == len(given)
