"""Reads a recording of a market's streams as messages: gzip, each line a receive time in ns and a raw frame."""

import gzip
import heapq
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from market.levels import parse_decimal, parse_levels
from protocol import BookDelta, BookSnapshot, Message, TopOfBook, Trade
from protocol.enums import Side
from venue.base.units import MILLISECOND_NS
from venue.base.venue_errors import BadVenue
from venue.symbols.symbol import Symbol

DIGITS = 8
OPENING_LINES = 10_000
"""Number of first lines that must hold a REST snapshot, with which the book begins."""

Timed = tuple[int, Message]
"""Receive time in ns, and message."""


class _RecordedLine(msgspec.Struct):
    """Any recorded frame: a combined stream's envelope, or the body of a depth snapshot."""

    data: msgspec.Raw = msgspec.Raw()
    lastUpdateId: int = 0
    bids: msgspec.Raw = msgspec.Raw()
    asks: msgspec.Raw = msgspec.Raw()


class _StreamEvent(msgspec.Struct):
    """Fields of depthUpdate, trade and bookTicker; fields with different types between them are kept raw."""

    s: str
    e: str = ""
    E: int = 0
    U: int = 0
    u: int = 0
    b: msgspec.Raw = msgspec.Raw()
    a: msgspec.Raw = msgspec.Raw()
    B: str = ""
    A: str = ""
    t: int = 0
    p: str = ""
    q: str = ""
    T: int = 0
    m: bool = False


_frame = msgspec.json.Decoder(_RecordedLine).decode
_event = msgspec.json.Decoder(_StreamEvent).decode


class _Reader:
    """Converts frames to the messages of one symbol."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol

    def message(self, raw: bytes, ts_ns: int) -> Message:
        """The message of a frame. Raises ValueError (or msgspec's errors) for an invalid frame or another market."""
        frame = _frame(raw)
        if frame.lastUpdateId:
            bids, asks = self._levels(frame.bids), self._levels(frame.asks)
            return BookSnapshot(self.symbol.settings.symbol, frame.lastUpdateId, bids, asks, 0, ts_ns)
        one = _event(frame.data if len(frame.data) else raw)
        name = self.symbol.settings.symbol
        if one.s != self.symbol.name:
            raise ValueError(f"a frame of {one.s} in a recording of {self.symbol.name}")
        if one.e == "depthUpdate":
            bids, asks = self._levels(one.b), self._levels(one.a)
            return BookDelta(name, one.U, one.u, bids, asks, one.E * MILLISECOND_NS, ts_ns)
        if one.e == "trade":
            taker = Side.SELL if one.m else Side.BUY
            return Trade(name, one.t, taker, self._ticks(one.p), self._lots(one.q), one.T * MILLISECOND_NS, ts_ns)
        if one.e or not one.u:
            raise ValueError(f"a frame of kind {one.e!r}")
        bid, ask = self._ticks(msgspec.json.decode(one.b, type=str)), self._ticks(msgspec.json.decode(one.a, type=str))
        return TopOfBook(name, one.u, bid, self._lots(one.B), ask, self._lots(one.A), 0, ts_ns)

    def _levels(self, raw: msgspec.Raw) -> bytes:
        return parse_levels(bytes(raw), DIGITS, self.symbol.tick_atoms, DIGITS, self.symbol.lot_atoms, True)

    def _ticks(self, text: str) -> int:
        return parse_decimal(text, DIGITS, self.symbol.tick_atoms)

    def _lots(self, text: str) -> int:
        """Whole lots, rounded down: recordings may hold sizes in smaller lots of earlier days."""
        return parse_decimal(text, DIGITS) // self.symbol.lot_atoms


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(line number, receive time in ns, frame). Raises BadVenue."""
    number = 0
    try:
        with gzip.open(path) as lines:
            for number, line in enumerate(lines, 1):
                received, _, raw = line.rstrip(b"\n").partition(b" ")
                yield number, int(received), raw
    except (OSError, EOFError, zlib.error) as error:
        where = f", after line {number}" if number else ""
        raise BadVenue(f"replay {path}{where}: {getattr(error, 'strerror', None) or error}") from None
    except ValueError:
        raise BadVenue(f"replay {path}, line {number}: expected a time in ns, a space, a frame") from None


def symbol_name(path: Path) -> str:
    """The exchange's name of the recorded market ("BTCUSDT"). Raises BadVenue."""
    for number, _, raw in _lines(path):
        if number > OPENING_LINES:
            break
        try:
            frame = _frame(raw)
            if not frame.lastUpdateId:
                return _event(frame.data if len(frame.data) else raw).s
        except msgspec.MsgspecError as error:
            raise BadVenue(f"replay {path}, line {number}: {error}") from None
    raise BadVenue(f"replay {path}: no stream frame among its first {OPENING_LINES} lines")


def messages(path: Path, symbol: Symbol) -> Iterator[Timed]:
    """The messages from the first REST snapshot on: first the book, then everything newer than it.

    Raises BadVenue for a file that cannot be read, has no snapshot, or is a recording of another market.
    """
    reader = _Reader(symbol)
    early: list[Message] = []
    is_open = False
    for number, received_ns, raw in _lines(path):
        try:
            message = reader.message(raw, received_ns)
        except ValueError as error:
            raise BadVenue(f"replay {path}, line {number}: {error}") from None
        if is_open:
            yield received_ns, message
        elif isinstance(message, BookSnapshot):
            is_open = True
            yield received_ns, message
            newer = (one for one in early if isinstance(one, BookDelta | TopOfBook))
            yield from ((received_ns, one) for one in newer if one.update_id > message.update_id)
        elif number <= OPENING_LINES:
            early.append(message)
        else:
            break
    if not is_open:
        raise BadVenue(
            f"replay {path}: no REST snapshot among its first {OPENING_LINES} lines: the replay needs one to start with"
        )


def trades_first(timed: Iterable[Timed], book_delay_ns: int) -> Iterator[Timed]:
    """Delays book messages by `book_delay_ns`, so that a trade comes before the book change that it explains."""
    held: list[tuple[int, int, Message]] = []
    for number, (ts_ns, message) in enumerate(timed):
        while held and held[0][0] <= ts_ns:
            due_ns, _, earlier = heapq.heappop(held)
            yield due_ns, earlier
        if isinstance(message, Trade):
            yield ts_ns, message
        else:
            heapq.heappush(held, (ts_ns + book_delay_ns, number, message))
    while held:
        due_ns, _, earlier = heapq.heappop(held)
        yield due_ns, earlier
