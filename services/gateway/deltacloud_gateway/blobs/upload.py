"""Storing a blob: the plan comes by message, the bytes go by HTTP.

Of known length, they pass straight through. Of unknown length, they are gathered into parts: a body that ends inside
the first part is one request; else each full part is sent while the next fills, two on their way at once. Parts double
in size each thousand, so that ten thousand of them hold any blob S3 takes (5 TiB). The three parts in hand are 24 MiB
for the first eight gibibytes (the process was seen to grow by 32 MiB) and near 3/1000 of what has passed beyond.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from deltacloud.errors import DeltacloudError, NotSupported, ProviderError, TooLarge
from deltacloud.models import Blob, Transfer, UploadPart, UploadPlan
from deltacloud.rpc.deadline import Deadline
from deltacloud_gateway.blobs.source import Source
from deltacloud_gateway.blobs.store import Body, opened
from deltacloud_gateway.exchange import Exchange

PART_SIZE = 8 * 1024 * 1024
PARTS_IN_FLIGHT = 2
PARTS_OF_A_SIZE = 1000
AT_HAND = 256 * 1024
"""A body of at most so many bytes is read first and sent whole, over a kept-open connection."""
SETTLE_S = 5.0
"""Parts on their way when an upload fails get so long to arrive before they are cut off."""
ABORT_S = 30.0

_ending: set[asyncio.Task[None]] = set()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A blob that is to be stored: its place, what is kept with it, and on what conditions."""

    bucket_id: str
    blob_id: str
    content_type: str | None = None
    metadata: dict[str, str] = {}
    headers: dict[str, str] = {}
    conditions: dict[str, str] = {}


class Upload:
    """The storing of one blob.

    Args:
        exchange: the request it belongs to.
        draft: what is to be stored.
    """

    def __init__(self, exchange: Exchange, draft: Draft) -> None:
        self._exchange = exchange
        self._draft = draft
        self._silence_s = max(1.0, exchange.deadline.remaining_s)

    async def run(self, source: Source, length: int | None) -> Blob:
        """Store the bytes and return the blob's record; after a failure nothing is stored.

        Raises:
            DeltacloudError: what the driver, the store or the sender of the body did wrong.
        """
        if length is None:
            length = await source.length_within(PART_SIZE)
        plan = await self.plan(length)
        if plan.single is not None and length is not None:
            body = await source.take(length) if length <= AT_HAND else source.pieces(length)
            etag, stored_at = await self._send(plan.single, body)
            return self._record(length, etag, stored_at)
        if plan.upload_id is None:
            raise NotSupported("This driver stores no blob whose length is not told: send Content-Length.")
        tasks: list[asyncio.Task[UploadPart]] = []
        try:
            sending = self._gathered(plan, source, tasks) if length is None else self._slices(plan, source, length)
            finished = await self.finish(plan.upload_id, await sending)
        except BaseException:  # a cancelled request must leave no parts behind either
            await _to_the_end(self._give_up(plan.upload_id, tasks))
            raise
        return self._record(source.count, finished.etag, finished.last_modified)

    async def plan(self, length: int | None) -> UploadPlan:
        """Ask the driver how to store so many bytes."""
        draft = self._draft
        plan: UploadPlan = await self.call(
            "upload_blob",
            content_length=length,
            content_type=draft.content_type,
            metadata=draft.metadata,
            headers=draft.headers or None,
            conditions=draft.conditions or None,
        )
        return plan

    async def send_part(self, upload_id: str, number: int, length: int, body: Body) -> UploadPart:
        """Send one part and return what the store calls it."""
        transfer = await self.call("sign_part_blob", upload_id=upload_id, number=number, content_length=length)
        etag, _ = await self._send(transfer, body)
        if etag is None:
            raise ProviderError("The store took a part and did not name it.")
        return UploadPart(number=number, etag=etag)

    async def finish(self, upload_id: str, parts: list[UploadPart]) -> Blob:
        """Make the parts the blob; returns what the driver knows of it."""
        listed = [{"number": part.number, "etag": part.etag} for part in sorted(parts, key=lambda part: part.number)]
        blob: Blob = await self.call("finish_upload_blob", upload_id=upload_id, parts=listed)
        return blob

    async def abort(self, upload_id: str) -> None:
        """Forget an upload. That this fails is not told: the caller learns what failed before."""
        try:
            async with asyncio.timeout(ABORT_S):
                await self.call("abort_upload_blob", upload_id=upload_id)
        except (DeltacloudError, TimeoutError):
            return

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call a method for this blob, each time with a deadline of its own: a stream outlives the request's."""
        self._exchange.deadline = Deadline.after(self._silence_s)
        draft = self._draft
        return await self._exchange.call(method, bucket_id=draft.bucket_id, id=draft.blob_id, **parameters)

    async def _slices(self, plan: UploadPlan, source: Source, length: int) -> list[UploadPart]:
        """Send a body of known length that is too large for one request: part after part, none held in memory."""
        parts: list[UploadPart] = []
        while source.count < length or not parts:
            size = min(plan.part_size, length - source.count)
            parts.append(await self.send_part(plan.upload_id or "", len(parts) + 1, size, source.pieces(size)))
        return parts

    async def _gathered(
        self, plan: UploadPlan, source: Source, tasks: list[asyncio.Task[UploadPart]]
    ) -> list[UploadPart]:
        """Send a body of unknown length; ``tasks`` are the sendings that were begun."""
        gate = asyncio.Semaphore(PARTS_IN_FLIGHT)

        async def send(number: int, data: bytearray) -> UploadPart:
            try:
                return await self.send_part(plan.upload_id or "", number, len(data), data)
            finally:
                gate.release()

        while not await source.at_end():
            if len(tasks) >= plan.max_parts:
                raise TooLarge("The blob is larger than the store takes in parts.")
            data = await source.take(plan.part_size << len(tasks) // PARTS_OF_A_SIZE)
            await gate.acquire()
            for task in tasks:
                if task.done():
                    task.result()  # what it raised is raised here, and no more is read
            tasks.append(asyncio.create_task(send(len(tasks) + 1, data)))
            del data
        return list(await asyncio.gather(*tasks))

    async def _give_up(self, upload_id: str, tasks: list[asyncio.Task[UploadPart]]) -> None:
        """Forget an upload once nothing of it is on its way: a part that arrives later would stay."""
        if tasks:
            await asyncio.wait(tasks, timeout=SETTLE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.abort(upload_id)

    async def _send(self, transfer: Transfer, body: Body) -> tuple[str | None, str | None]:
        store = await self._exchange.resources.get("store", opened)
        async with store.send(transfer, silence_s=self._silence_s, body=body) as answer:
            await answer.read()
            headers = answer.headers
        etag = headers.get("ETag", "").strip('"')
        return etag or None, _moment(headers.get("Last-Modified") or headers.get("Date"))

    def _record(self, length: int, etag: str | None, stored_at: str | None) -> Blob:
        return Blob(
            id=self._draft.blob_id,
            bucket_id=self._draft.bucket_id,
            content_length=length,
            content_type=self._draft.content_type,
            last_modified=stored_at or datetime.now(UTC).strftime(_TIME),
            etag=etag,
            user_metadata=self._draft.metadata,
        )


_TIME = "%Y-%m-%d %H:%M:%S %z"


def _moment(header: str | None) -> str | None:
    if header is None:
        return None
    try:
        return parsedate_to_datetime(header).astimezone(UTC).strftime(_TIME)
    except (ValueError, OverflowError):
        return None


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for work that goes on even if whoever waits is cancelled."""
    task = asyncio.create_task(work)
    _ending.add(task)
    task.add_done_callback(_ending.discard)
    await asyncio.shield(task)
