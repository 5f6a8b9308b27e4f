"""A body on its way through: read in pieces, counted, never held whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

from deltacloud.metrics import TRANSFERRED_BYTES

PIECE = 256 * 1024
_UP = TRANSFERRED_BYTES.labels("up")


class Source:
    """The bytes of one blob, from whatever yields them.

    ``count`` is how many were taken so far.

    Args:
        chunks: yields bytes; what it raises goes through.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._held = memoryview(b"")
        self.count = 0

    async def at_end(self) -> bool:
        """Return whether nothing more comes; waits for the next bytes to know."""
        while not self._held:
            try:
                self._held = memoryview(await anext(self._chunks))
            except StopAsyncIteration:
                return True
        return False

    async def length_within(self, size: int) -> int | None:
        """Gather up to ``size`` bytes; return how many there are if that is all, else ``None``. Takes nothing."""
        gathered = bytearray()
        while len(gathered) <= size and not await self.at_end():
            gathered += self._held
            self._held = memoryview(b"")
        self._held = memoryview(gathered)
        return len(gathered) if len(gathered) <= size else None

    async def pieces(self, size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the next ``size`` bytes, all that come without one, as they arrive."""
        left = size
        while left != 0 and not await self.at_end():
            piece = bytes(self._held[: PIECE if left is None else min(left, PIECE)])
            self._held = self._held[len(piece) :]
            self.count += len(piece)
            _UP.inc(len(piece))
            left = None if left is None else left - len(piece)
            yield piece

    async def take(self, size: int) -> bytearray:
        """Return the next ``size`` bytes, or what there is before the end.

        They are written where they stay: a part that grows, and is copied at last, takes three times its size.
        """
        taken, filled = bytearray(size), 0
        while filled < size and not await self.at_end():
            piece = self._held[: size - filled]
            self._held = self._held[len(piece) :]
            taken[filled : filled + len(piece)] = piece
            filled += len(piece)
            self.count += len(piece)
            _UP.inc(len(piece))
        del taken[filled:]
        return taken
