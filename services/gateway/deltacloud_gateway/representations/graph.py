"""The state machine as a graph: Graphviz' language, and a picture of it where Graphviz is installed."""

from __future__ import annotations

import asyncio
import shutil
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence

from deltacloud.errors import NotAcceptable
from deltacloud.models import InstanceState

COMMAND = "dot"
TIMEOUT_S = 10.0
REST_S = 30.0
"""After a failure so long passes before Graphviz is tried again."""
KEPT = 32
"""Pictures kept; there is one for each driver."""


def source(states: Sequence[InstanceState]) -> str:
    """Return the graph in Graphviz' language."""
    lines = ["digraph instance_states {", '  graph [rankdir="LR", dpi="180"];']
    for state in states:
        lines.append(f"  {_quoted(state.name)};")
        for way in state.transitions:
            style = f"label={_quoted(way.action)}" if way.action else 'label="auto", style="dashed"'
            lines.append(f"  {_quoted(state.name)} -> {_quoted(way.to)} [{style}];")
    return "\n".join([*lines, "}", ""])


class Painter:
    """Draws graphs with Graphviz: each once, one at a time, since anybody may ask for one without a login."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._drawn: dict[str, bytes] = {}
        self._rests_until = 0.0

    async def picture(self, states: Sequence[InstanceState]) -> bytes:
        """Return the graph as PNG.

        Raises:
            NotAcceptable: Graphviz is not installed here, or does not work.
        """
        graph = source(states)
        async with self._lock:
            image = self._drawn.get(graph)
            if image is None:
                image = await self._draw(graph)
                while len(self._drawn) >= KEPT:
                    del self._drawn[next(iter(self._drawn))]
                self._drawn[graph] = image
            return image

    async def _draw(self, graph: str) -> bytes:
        command = shutil.which(COMMAND)
        if command is None:
            raise _none(f"{COMMAND} (Graphviz) is not installed here")
        if time.monotonic() < self._rests_until:
            raise _none(f"{COMMAND} failed a moment ago")
        try:
            return await _run(command, graph)
        except NotAcceptable:
            self._rests_until = time.monotonic() + REST_S
            raise


async def _run(command: str, graph: str) -> bytes:
    """Run Graphviz to its end, or end it when nobody waits for it any more."""
    process = await asyncio.create_subprocess_exec(command, "-Tpng", stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            image, _ = await process.communicate(graph.encode())
    except TimeoutError:
        raise _none(f"{COMMAND} did not finish") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _none(f"{COMMAND} failed")
    return image


def _none(reason: str) -> NotAcceptable:
    return NotAcceptable(f"There is no PNG of this: {reason}; use format=gv.")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
