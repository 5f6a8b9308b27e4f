"""Things made at first use that live as long as the application: an HTTP client's connections, for instance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

T = TypeVar("T")


class Resources:
    """Opened once by name, closed together in reverse order."""

    def __init__(self) -> None:
        self._opened: dict[str, Any] = {}
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()

    async def get(self, name: str, opening: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """Return the resource of that name, entering what ``opening`` returns when there is none yet."""
        async with self._lock:
            if name not in self._opened:
                self._opened[name] = await self._stack.enter_async_context(opening())
            found: T = self._opened[name]
            return found

    async def close(self) -> None:
        """Close everything that was opened."""
        self._opened.clear()
        await self._stack.aclose()
