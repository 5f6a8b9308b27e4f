"""Frames that py-amqp cannot decode, made into ones that it can.

A property or a routing key need not be UTF-8, and a header may hold a time that no calendar has. Where decoding
raises, the connection is lost with all calls in hand, the broker hands the message to the next worker, and so on
until none is left. So such a message loses its properties, and is rejected like any other without ``reply_to``;
in a routing key the bytes that are no text become question marks, which no method has.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import amqp
from amqp import spec
from amqp.method_framing import frame_handler

Frame = tuple[int, int, bytes]
Handler = Callable[[Frame], bool]

_HEADER = 2
_FIXED = 12
"""Bytes of a header before the properties: class, weight, size of the body."""
_NO_PROPERTIES = b"\0\0"
_CLASS_AND_METHOD, _TAG_AND_FLAG = 4, 9
_ASCII = 128
_UNREADABLE = (ValueError, OverflowError, OSError, RecursionError, LookupError, TypeError, struct.error, amqp.AMQPError)


def tolerant_frames(connection: Any, callback: Callable[..., Any]) -> Handler:
    """Return py-amqp's handler of frames, which takes a message without the properties it cannot decode."""

    def on_method(channel: int, method: tuple[int, int], payload: bytes, content: Any) -> Any:
        if method == spec.Basic.Deliver:
            payload = _with_readable_key(bytes(payload))
        return callback(channel, method, payload, content)

    handle: Handler = frame_handler(connection, on_method)

    def on_frame(frame: Frame) -> bool:
        try:
            return handle(frame)
        except _UNREADABLE:
            kind, channel, payload = frame
            if kind != _HEADER or _is_readable(payload):
                raise
        return handle((kind, channel, bytes(payload[:_FIXED]) + _NO_PROPERTIES))

    return on_frame


def _is_readable(header: bytes) -> bool:
    try:
        amqp.Message().inbound_header(header)
    except _UNREADABLE:
        return False
    return True


def _with_readable_key(deliver: bytes) -> bytes:
    """Return a Basic.Deliver: class and method, consumer tag, delivery tag, flag, exchange, routing key."""
    exchange = _CLASS_AND_METHOD + 1 + deliver[_CLASS_AND_METHOD] + _TAG_AND_FLAG
    begin = exchange + 1 + deliver[exchange] + 1
    key = deliver[begin:]
    try:
        key.decode()
    except UnicodeDecodeError:
        return deliver[:begin] + bytes(each if each < _ASCII else ord("?") for each in key)
    return deliver
