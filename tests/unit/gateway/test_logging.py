"""The log of requests: one line each, and no secret in any."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

CANARY = "canary-9f3a"


def test_a_request_is_one_line_with_its_id_driver_and_operation(client: Any) -> None:
    with capture_logs() as lines:
        client.get("/api/instances/i1", X_Request_Id="req-3")

    (line,) = [each for each in lines if each["event"] == "request answered"]
    assert line["request_id"] == "req-3"
    assert line["driver"] == "tiny"
    assert line["operation"] == "get_instance"
    assert line["route"] == "/api/instances/{id}"
    assert line["status"] == 200


@pytest.mark.parametrize("failing", [False, True])
def test_no_line_and_no_error_body_holds_a_secret(client: Any, failing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if failing:
        monkeypatch.setattr("deltacloud_gateway.outcome.run", None)
    with capture_logs() as lines:
        answers = [
            client.post(f"/api/instances?password={CANARY}", f"image_id=m1&user_data={CANARY}&content1={CANARY}"),
            client.get("/api/instances", login=f"Basic {CANARY}"),
            client.get(f"/api/instances?format={CANARY}x"),
            client.get(f"/api;provider=http:%2F%2Fu:{CANARY}@h/instances"),
        ]

    assert CANARY not in json.dumps(lines, default=repr)
    assert all(CANARY not in answer.text for answer in answers[:2])
    assert any(each["event"] == "request answered" for each in lines)
