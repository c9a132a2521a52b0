"""The frames of a recorded market, or of a run of the order flow."""

import gzip
from collections.abc import Iterable, Iterator
from math import gcd
from pathlib import Path

import msgspec

from market.levels import parse_decimal, parse_levels, unpack_levels
from venue.base.venue_errors import BadVenue

Levels = list[tuple[int, int]]
DIGITS = 8


class RecordedSnapshot(msgspec.Struct):
    """A book snapshot. Prices and sizes in atoms of 10**-8, best first."""

    ts_ns: int
    last_id: int
    bids: Levels
    asks: Levels

    @property
    def tick_atoms(self) -> int:
        """The greatest common divisor of its prices."""
        return gcd(*(price for price, _ in (*self.bids, *self.asks)))


class RecordedDelta(msgspec.Struct):
    """The levels that changed between two update ids; size 0: the level is gone."""

    ts_ns: int
    first_id: int
    last_id: int
    bids: Levels
    asks: Levels


class RecordedTop(msgspec.Struct):
    """The best prices and their sizes."""

    ts_ns: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int


class RecordedTrade(msgspec.Struct):
    """A trade; `time_ms` is the exchange's own."""

    ts_ns: int
    time_ms: int
    price: int
    size: int
    sign: int  # the taker's side: +1 bought, -1 sold


RecordedFrame = RecordedSnapshot | RecordedDelta | RecordedTop | RecordedTrade


class _DepthFrame(msgspec.Struct):
    U: int
    u: int
    b: msgspec.Raw
    a: msgspec.Raw


class _TickerFrame(msgspec.Struct):
    b: str
    B: str
    a: str
    A: str


class _TradeFrame(msgspec.Struct):
    T: int
    p: str
    q: str
    m: bool


class _Message(msgspec.Struct):
    """A combined-stream frame, or the body of a REST snapshot."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    lastUpdateId: int = 0
    bids: msgspec.Raw = msgspec.Raw()
    asks: msgspec.Raw = msgspec.Raw()


_message = msgspec.json.Decoder(_Message)
_depth = msgspec.json.Decoder(_DepthFrame)
_ticker = msgspec.json.Decoder(_TickerFrame)
_trade = msgspec.json.Decoder(_TradeFrame)


def frames(lines: Iterable[bytes]) -> Iterator[RecordedFrame]:
    """The frames of lines `<receive time in ns> <JSON>`; other streams are skipped. Raises BadVenue."""
    for number, line in enumerate(lines, 1):
        stamp, _, raw = line.partition(b" ")
        try:
            frame = _frame(int(stamp), _message.decode(raw))
        except (msgspec.MsgspecError, ValueError) as error:
            raise BadVenue(f"recording, line {number}: {error}") from None
        if frame is not None:
            yield frame


def read(path: Path) -> Iterator[RecordedFrame]:
    """The frames of a file, gzip or plain. Raises BadVenue."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            yield from frames(lines)
    except (OSError, EOFError) as error:
        raise BadVenue(f"recording {path}: {getattr(error, 'strerror', None) or error}") from None


def _frame(ts_ns: int, message: _Message) -> RecordedFrame | None:
    if message.lastUpdateId:
        return RecordedSnapshot(ts_ns, message.lastUpdateId, _levels(message.bids), _levels(message.asks))
    kind = message.stream.partition("@")[2]
    if kind.startswith("depth"):
        delta = _depth.decode(message.data)
        return RecordedDelta(ts_ns, delta.U, delta.u, _levels(delta.b), _levels(delta.a))
    if kind == "bookTicker":
        best = _ticker.decode(message.data)
        return RecordedTop(ts_ns, *(parse_decimal(text, DIGITS) for text in (best.b, best.B, best.a, best.A)))
    if kind == "trade":
        trade = _trade.decode(message.data)
        return RecordedTrade(
            ts_ns, trade.T, parse_decimal(trade.p, DIGITS), parse_decimal(trade.q, DIGITS), -1 if trade.m else 1
        )
    return None


def _levels(raw: msgspec.Raw) -> Levels:
    return unpack_levels(parse_levels(memoryview(raw), DIGITS, 1, DIGITS, 1))
