"""One frame per message: topic, one byte that ends it and is the header's version, fixed header, msgpack body.

    md.binance.BTC-USDT.book. 01 | epoch u32 | seq u64 | ts_ns i64 | ["BookDelta", ...]

Little-endian. `epoch` is the number of the sender's process run, `seq` counts the messages of this topic in this
epoch from 1, `ts_ns` is the sender's time (UTC, ns). ZeroMQ filters by the leading bytes: the topic comes first.
"""

import os
from struct import Struct

from protocol.errors import BadMessage
from protocol.message import Message, decode, encode

VERSION = b"\x01"
HEADER = Struct("<IQq")
MAX_TOPIC_BYTES = 250
MAX_SEQ = 2**63 - 1
MAX_EPOCH = 2**32 - 1
MAX_FRAME_BYTES = 8 * 1024 * 1024  # a sender's limit; a receiver disconnects at twice as much

_HEADER_BYTES = HEADER.size


def prefix(topic: str) -> bytes:
    """The first bytes of each frame of a topic: the topic, then VERSION."""
    return topic.encode("ascii") + VERSION


def plain_join(prefix: bytes, epoch: int, seq: int, ts_ns: int, body: bytes) -> bytes:
    """prefix, header, body."""
    return prefix + HEADER.pack(epoch, seq, ts_ns) + body


def plain_split(frame: bytes) -> tuple[bytes, int, int, int, int]:
    """(topic, epoch, seq, ts_ns, offset of the body). Raises BadMessage for an invalid frame."""
    end = frame.find(VERSION, 0, MAX_TOPIC_BYTES)
    if end <= 0 or len(frame) <= end + 1 + _HEADER_BYTES:
        raise BadMessage(f"{len(frame)} bytes are not a frame (or have a newer header version)")
    epoch, seq, ts_ns = HEADER.unpack_from(frame, end + 1)
    if seq > MAX_SEQ:
        raise BadMessage(f"seq {seq} is above the maximum {MAX_SEQ}")
    return frame[:end], epoch, seq, ts_ns, end + 1 + _HEADER_BYTES


try:
    from protocol import _frame as fast
except ImportError:
    fast = None  # type: ignore[assignment]

FAST = fast is not None and os.environ.get("TICKBUS_PLAIN") != "1"
IMPLEMENTATION = "cython" if FAST else "plain"
join = fast.join if FAST else plain_join
split = fast.split if FAST else plain_split


def pack(prefix: bytes, epoch: int, seq: int, ts_ns: int, message: Message) -> bytes:
    """The frame of `message`; `prefix` is the topic's bytes with VERSION at their end."""
    return join(prefix, epoch, seq, ts_ns, encode(message))


def body(frame: bytes, offset: int) -> Message:
    """The message that starts at `offset`. Raises BadMessage."""
    return decode(frame[offset:])  # for a short body a copy costs less than a view
