"""The state machine as a graph: Graphviz' language, and a picture of it where Graphviz is installed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence

from deltacloud.errors import NotAcceptable
from deltacloud.models import InstanceState

COMMAND = "dot"
TIMEOUT_S = 10.0


def source(states: Sequence[InstanceState]) -> str:
    """Return the graph in Graphviz' language."""
    lines = ["digraph instance_states {", '  graph [rankdir="LR", dpi="180"];']
    for state in states:
        lines.append(f"  {_quoted(state.name)};")
        for way in state.transitions:
            style = f"label={_quoted(way.action)}" if way.action else 'label="auto", style="dashed"'
            lines.append(f"  {_quoted(state.name)} -> {_quoted(way.to)} [{style}];")
    return "\n".join([*lines, "}", ""])


async def picture(states: Sequence[InstanceState]) -> bytes:
    """Return the graph as PNG.

    Raises:
        NotAcceptable: Graphviz is not installed here, or does not work.
    """
    command = shutil.which(COMMAND)
    if command is None:
        raise NotAcceptable(f"There is no PNG of this: {COMMAND} (Graphviz) is not installed here; use format=gv.")
    process = await asyncio.create_subprocess_exec(
        command, "-Tpng", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            image, _ = await process.communicate(source(states).encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotAcceptable(f"There is no PNG of this: {COMMAND} did not finish; use format=gv.") from None
    if process.returncode != 0:
        raise NotAcceptable(f"There is no PNG of this: {COMMAND} failed; use format=gv.")
    return image


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
