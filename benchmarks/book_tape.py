"""An endless stream of the recorded depth frames, for one market or many. Imports the standard library only."""

import json
import re
from collections.abc import Iterator
from typing import Any

from benchmarks.frames import recorded_frames

IDS = re.compile(rb'"U":(\d+),"u":(\d+)')
NAME = b'"BTCUSDT"'
FRAMES = 2_000  # up to here the price stays within the levels of the snapshot


def bare(frame: bytes) -> bytes:
    """Returns the payload of a combined frame, which is the frame of the raw stream."""
    return frame[frame.index(b'"data":') + 7 : -1]


class BookTape:
    """Repeats the recorded frames: a bridge frame takes the book back to the snapshot, and update ids continue.

    `snapshot` is the body of the REST answer. With several names each frame is repeated for each of them.
    """

    def __init__(self, names: list[str]) -> None:
        snapshot, combined = recorded_frames()
        self.names = names
        self.snapshot = snapshot
        self.frames = [bare(frame) for frame in combined[:FRAMES]]
        self._first_id = json.loads(snapshot)["lastUpdateId"]
        self._last_id = json.loads(self.frames[-1])["u"]

    def __iter__(self) -> Iterator[bytes]:
        """Yields frames of the raw stream, without end."""
        cycle_ids = self._last_id - self._first_id + 1
        frames = [*self.frames, self._bridge()]
        shift = 0
        while True:
            for frame in frames:
                moved = _shifted(frame, shift) if shift else frame
                for name in self.names:
                    yield moved.replace(NAME, b'"%b"' % name.encode(), 1)
            shift += cycle_ids
            # The first delta begins before the snapshot; from now on it follows a bridge.
            frames[0] = IDS.sub(rb'"U":%d,"u":\g<2>' % (self._first_id + 1), frames[0], count=1)

    def _bridge(self) -> bytes:
        """Returns one delta from the book at the end of the recording to the snapshot."""
        start = json.loads(self.snapshot)
        sides: dict[str, Any] = {}
        for short, long in (("b", "bids"), ("a", "asks")):
            target = dict(start[long])
            book = dict(target)
            for frame in self.frames:
                for price, size in json.loads(frame)[short]:
                    book[price] = size
            gone = {price: "0.00000000" for price, size in book.items() if price not in target and float(size)}
            back = {price: size for price, size in target.items() if book[price] != size}
            sides[short] = [*map(list, gone.items()), *map(list, back.items())]
        one_id = self._last_id + 1
        last = json.loads(self.frames[-1])
        event = {"e": "depthUpdate", "E": last["E"], "s": "BTCUSDT", "U": one_id, "u": one_id, **sides}
        return json.dumps(event, separators=(",", ":")).encode()


def _shifted(frame: bytes, shift: int) -> bytes:
    return IDS.sub(lambda found: b'"U":%d,"u":%d' % (int(found[1]) + shift, int(found[2]) + shift), frame, count=1)
