"""A compact codec of Tick and TickDone for the common case: no positions, and no late actor.

Such frames differ in a few numbers only, so the Cython implementation (_tick_codec.pyx) writes and reads them in
place. All other frames go through `protocol.frame`. Both ways give the same bytes and the same messages.
"""

import os

from protocol.frame import pack
from protocol.ticks import Tick, TickDone


class PlainTickCodec:
    """The Python implementation. It writes through `protocol.frame`, and leaves reading to it."""

    @staticmethod
    def encode_tick(
        prefix: bytes, epoch: int, seq: int, ts_ns: int, n: int, time_ns: int, period_ns: int, skipped: int
    ) -> bytes:
        """The frame of Tick(n, time_ns, period_ns, [], skipped). The last four are not negative."""
        return pack(prefix, epoch, seq, ts_ns, Tick(n, time_ns, period_ns, [], skipped))

    @staticmethod
    def decode_tick(frame: bytes) -> Tick | None:
        """The Tick of a frame that `encode_tick` could have written; None for every other frame."""
        return None

    @staticmethod
    def encode_done(
        prefix: bytes, epoch: int, seq: int, ts_ns: int, n: int, waited_ns: int, trace: int, positions_missed: int
    ) -> bytes:
        """The frame of TickDone(n, [], waited_ns, trace, positions_missed). The last four are not negative."""
        return pack(prefix, epoch, seq, ts_ns, TickDone(n, [], waited_ns, trace, positions_missed))

    @staticmethod
    def decode_done(frame: bytes) -> int:
        """The n of a TickDone without positions and without a trace; -1 for every other frame."""
        return -1


try:
    from protocol import _tick_codec as fast
except ImportError:
    fast = None  # type: ignore[assignment]

FAST = fast is not None and os.environ.get("TICKBUS_PLAIN") != "1"
TICK_CODEC = fast.FastTickCodec() if FAST else PlainTickCodec()
