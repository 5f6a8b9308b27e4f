"""Blob bytes over HTTP: control by message, bytes by HTTP, memory constant whatever the size.

:func:`handle` answers the operations that :func:`moves_bytes` names; the others of blobs are like any other operation.
"""

from __future__ import annotations

from starlette.responses import Response

from deltacloud.catalogue import Operation
from deltacloud_gateway.blobs.download import download
from deltacloud_gateway.blobs.form import create_from_form
from deltacloud_gateway.blobs.put import put
from deltacloud_gateway.exchange import Exchange

__all__ = ["handle", "moves_bytes"]

_HANDLERS = {"content": download, "create": put, "create_form": create_from_form}


def moves_bytes(operation: Operation) -> bool:
    """Whether an operation moves a blob's bytes, so that :func:`handle` answers it and reads its body."""
    return operation.collection == "blobs" and operation.name in _HANDLERS


async def handle(exchange: Exchange, operation: Operation) -> Response:
    """Answer an operation that moves a blob's bytes.

    The exchange's deadline bounds each call and each silence, not the whole: the caller must not enforce it.

    Raises:
        DeltacloudError: anything that goes wrong before the answer begins.
    """
    return await _HANDLERS[operation.name](exchange)
