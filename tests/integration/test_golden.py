"""The sessions that were recorded from the original server, replayed against ours over the mock drivers."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from deltacloud_gateway.settings import GatewaySettings
from harness.asgi import ask_async
from harness.embedded import mock_gateway
from integration import golden
from integration.golden_differences import ACCEPTED

ENVIRONMENT = "DELTACLOUD_GOLDEN"
FILE = Path(os.environ.get(ENVIRONMENT, "")) / "mock.jsonl"
RECORDED_ON = "dchost"

SESSIONS = golden.sessions(FILE) if FILE.is_file() else {}

pytestmark = pytest.mark.skipif(
    not SESSIONS, reason=f"no recorded exchanges: set {ENVIRONMENT} to the folder that has mock.jsonl"
)


@pytest.mark.parametrize("session", sorted(SESSIONS) or ["none"])
def test_a_recorded_session_is_answered_as_the_original_did_but_for_accepted_differences(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTNAME", RECORDED_ON)
    for name, value in SESSIONS[session][0].get("server_env", {}).items():
        monkeypatch.setenv(name, value)
    with mock_gateway(tmp_path, GatewaySettings()) as app:
        wrong = asyncio.run(_replay(app, session))

    assert not wrong, "\n\n".join(wrong)


def test_every_accepted_difference_is_of_an_exchange_that_exists() -> None:
    recorded = {(session, exchange["name"]) for session, exchanges in SESSIONS.items() for exchange in exchanges}

    assert set(ACCEPTED) <= recorded


async def _replay(app: Any, session: str) -> list[str]:
    """Return what differs and was not accepted, and what was accepted and does not differ."""
    captured: dict[str, str] = {}
    wrong = []
    for exchange in SESSIONS[session]:
        request = exchange["request"]
        answer = await ask_async(
            app,
            request["method"],
            golden.fill(request["path"], captured),
            request["headers"],
            golden.fill(request["body"] or "", captured),
        )
        captured.update(golden.capture(exchange, answer))
        found = golden.differences(exchange, answer, captured)
        accepted = ACCEPTED.get((session, exchange["name"]))
        listed = sorted(accepted.aspects) if accepted else []
        if sorted(found) != listed:
            wrong.append(f"{exchange['name']} ({request['method']} {request['path']}): {found}; accepted: {listed}")
    await app.close()
    return wrong
