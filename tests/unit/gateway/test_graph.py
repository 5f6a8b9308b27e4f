"""The drawing of the state machine: Graphviz is run as seldom as can be, and never left behind."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from deltacloud.errors import NotAcceptable
from deltacloud.models import InstanceState
from deltacloud_gateway.representations import graph
from harness.asgi import ask_async
from harness.waiting import wait_until

PNG = "/api/instance_states?format=png"
STATES = (InstanceState(name="start"),)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Installs a Graphviz that notes each run and then does what it is told."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def install(behaviour: str) -> Path:
        command, runs = tmp_path / graph.COMMAND, tmp_path / "runs"
        command.write_text(f"#!/bin/sh\necho $$ >> {runs}\n{behaviour}\n")
        command.chmod(0o755)
        return runs

    return install


def test_many_who_ask_at_once_and_later_get_a_picture_that_is_drawn_once(client: Any, fake: Any) -> None:
    runs = fake("cat >/dev/null; sleep 0.1; printf PNG")

    async def at_once() -> list[bytes]:
        asked = [ask_async(client.app, "GET", PNG, {"Host": "h"}) for _ in range(10)]
        return [answer.body for answer in await asyncio.gather(*asked)]

    assert asyncio.run(at_once()) == [b"PNG"] * 10
    assert client.get(PNG, login=None).body == b"PNG"
    assert len(runs.read_text().split()) == 1


def test_pictures_of_many_machines_are_drawn_one_at_a_time_and_a_few_are_kept(fake: Any, tmp_path: Path) -> None:
    fake(f"mkdir {tmp_path}/busy || exit 1; cat; rmdir {tmp_path}/busy")
    painter = graph.Painter()

    async def draw() -> list[bytes]:
        machines = [(InstanceState(name=f"state{number}"),) for number in range(graph.KEPT + 5)]
        return await asyncio.gather(*map(painter.picture, machines))

    images = asyncio.run(draw())

    assert len(set(images)) == graph.KEPT + 5
    assert len(painter._drawn) == graph.KEPT


def test_a_graphviz_that_fails_is_not_run_again_at_once(client: Any, fake: Any) -> None:
    runs = fake("exit 1")

    assert [client.get(PNG).status for _ in range(3)] == [406, 406, 406]
    assert len(runs.read_text().split()) == 1


def test_a_graphviz_that_does_not_finish_is_ended(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "TIMEOUT_S", 0.2)
    runs = fake("exec sleep 60")

    with pytest.raises(NotAcceptable):
        asyncio.run(graph.Painter().picture(STATES))

    assert not _lives(runs)


def test_a_graphviz_nobody_waits_for_is_ended(fake: Any) -> None:
    runs = fake("exec sleep 60")

    async def leave() -> None:
        drawing = asyncio.create_task(graph.Painter().picture(STATES))
        await asyncio.to_thread(wait_until, lambda: runs.exists() and runs.read_text().strip(), "graphviz to run")
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)

    asyncio.run(leave())

    assert not _lives(runs)


def _lives(runs: Path) -> bool:
    return Path(f"/proc/{int(runs.read_text())}").exists()
