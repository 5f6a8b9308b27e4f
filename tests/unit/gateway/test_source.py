"""A blob's body on its way through: what is taken of it, and what that costs."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from deltacloud_gateway.blobs.source import PIECE, Source

MIB = 1024 * 1024


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for each in chunks:
        yield each


@pytest.mark.parametrize("sizes", [(10,), (4, 6), (3, 3, 4), (1, 9), (2, 0, 8)])
def test_bytes_are_taken_in_order_however_they_come(sizes: tuple[int, ...]) -> None:
    whole, begin = bytes(range(10)), 0
    chunks: list[bytes] = []
    for size in sizes:
        chunks.append(whole[begin : begin + size])
        begin += size

    async def take() -> tuple[bytearray, bytearray, bytearray, int]:
        source = Source(_chunks(*chunks))
        return await source.take(4), await source.take(100), await source.take(1), source.count

    assert asyncio.run(take()) == (whole[:4], whole[4:], b"", 10)


def test_a_part_takes_its_own_size_in_memory_and_no_copy() -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(8 * MIB // PIECE):
            yield bytes(PIECE)

    async def peak() -> int:
        source = Source(stream())
        tracemalloc.start()
        try:
            assert len(await source.take(8 * MIB)) == 8 * MIB
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert asyncio.run(peak()) < 9 * MIB
