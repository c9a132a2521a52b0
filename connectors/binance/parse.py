"""Binance Spot's market data, bytes to messages: the Python implementation, and `new_parser` for the one in use."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from connectors.core.market_api import BadFrame, Event, FinerFrame, GoingAway, Subscribed
from market.implementation import FORCE_PLAIN
from market.instrument import Instrument
from market.levels import MAX_DIGITS, MAX_INT, parse_decimal, parse_levels
from market.scale import Scale
from protocol import BookDelta, BookSnapshot, Side, StreamState, TopOfBook, Trade

MS_NS = 1_000_000
MAX_TIME_MS = 2**43  # the year 2248: ns of it still fit an int64
MAX_TEXT = 200  # of the exchange's text, in our errors

Known = tuple[str, int, int]
"""(symbol on the bus, price digits, size digits)."""


class _Outer(msgspec.Struct):
    """Each field that distinguishes one kind of frame from another; a frame may be wrapped in stream and data."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    e: str = ""
    s: str = ""
    u: int | None = None
    a: msgspec.Raw = msgspec.Raw()
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    code: int | None = None
    msg: str = ""


class _Depth(msgspec.Struct):
    E: int
    s: str
    U: int
    u: int
    b: msgspec.Raw
    a: msgspec.Raw


class _Top(msgspec.Struct):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


class _Trade(msgspec.Struct):
    T: int
    s: str
    t: int
    p: str
    q: str
    m: bool


class _Snapshot(msgspec.Struct):
    lastUpdateId: int
    bids: msgspec.Raw
    asks: msgspec.Raw


T = TypeVar("T")


def _typed(kind: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """Returns a decoder whose one error is BadFrame."""
    decode = msgspec.json.Decoder(kind).decode

    def typed(raw: bytes | msgspec.Raw) -> T:
        try:
            return decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadFrame(f"{kind.__name__.strip('_')}: {error}"[:MAX_TEXT]) from None

    return typed


_outer, _depth, _top, _trade, _snapshot = (
    _typed(_Outer), _typed(_Depth), _typed(_Top), _typed(_Trade), _typed(_Snapshot)
)  # fmt: skip


class PlainParser:
    """Parses frames of the market streams, raw or combined, into messages in ticks and lots of the added markets."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def add_market(self, name: str, rules: Instrument) -> None:
        """Understand the frames of Binance's market `name` ("BTCUSDT")."""
        self._known[name] = rules.symbol, rules.price_digits, rules.size_digits

    def parse(self, frame: bytes, ts_recv_ns: int) -> tuple[Event, ...]:
        """Returns the message in a frame. Raises BadFrame or FinerFrame, and nothing else, whatever the bytes are."""
        raw: bytes | msgspec.Raw = frame
        outer = _outer(raw)
        if outer.stream and len(outer.data):
            raw = outer.data
            outer = _outer(raw)
        try:
            if outer.e == "depthUpdate":
                return (self._depth(_depth(raw), ts_recv_ns),)
            if outer.e == "trade":
                return (self._trade(_trade(raw), ts_recv_ns),)
            if not outer.e and outer.u is not None and outer.s:
                return (self._top(_top(raw), ts_recv_ns),)
        except BadFrame as error:
            if outer.s in self._known:
                error.symbol = self._known[outer.s][0]  # its trouble alone
            raise
        if outer.e == "serverShutdown":
            return (GoingAway("serverShutdown"),)
        if outer.id is not None or outer.code is not None:
            return (_subscribed(outer),)
        raise BadFrame(f"unknown frame: {bytes(frame[:MAX_TEXT])!r}")

    def parse_snapshot(self, name: str, body: bytes, ts_recv_ns: int) -> BookSnapshot:
        """Returns the book in a REST depth answer. Raises BadFrame or FinerFrame."""
        book = _snapshot(body)
        (symbol, *scale), bids, asks = self._levels(name, book.bids, book.asks)
        return BookSnapshot(symbol, _id(book.lastUpdateId), bids, asks, 0, ts_recv_ns, StreamState.LIVE, *scale)

    def _depth(self, row: _Depth, ts_recv_ns: int) -> BookDelta:
        if _id(row.U) > _id(row.u):
            raise BadFrame(f"{row.s}: U {row.U} is after u {row.u}")
        (symbol, *scale), bids, asks = self._levels(row.s, row.b, row.a)
        return BookDelta(symbol, row.U, row.u, bids, asks, _time_ns(row.E), ts_recv_ns, *scale)

    def _top(self, row: _Top, ts_recv_ns: int) -> TopOfBook:
        symbol, *scale = self._market(row.s)
        bid_ticks, ask_ticks, bid_lots, ask_lots = _numbers(symbol, scale, (row.b, row.a), (row.B, row.A))
        return TopOfBook(symbol, _id(row.u), bid_ticks, bid_lots, ask_ticks, ask_lots, 0, ts_recv_ns, *scale)

    def _trade(self, row: _Trade, ts_recv_ns: int) -> Trade:
        symbol, *scale = self._market(row.s)
        price_ticks, size_lots = _numbers(symbol, scale, (row.p,), (row.q,))
        taker = Side.SELL if row.m else Side.BUY  # m: the buyer was the maker
        return Trade(symbol, _id(row.t), taker, price_ticks, size_lots, _time_ns(row.T), ts_recv_ns, *scale)

    def _levels(self, name: str, bids: msgspec.Raw, asks: msgspec.Raw) -> tuple[Known, bytes, bytes]:
        known = self._market(name)
        _, price_digits, size_digits = known
        try:
            return (
                known,
                parse_levels(bytes(bids), price_digits, 1, size_digits, 1),
                parse_levels(bytes(asks), price_digits, 1, size_digits, 1),
            )
        except ValueError as error:
            rows = _texts(bids) + _texts(asks)
            raise _fault(error, known, [row[0] for row in rows], [row[1] for row in rows]) from None

    def _market(self, name: str) -> Known:
        known = self._known.get(name)
        if known is None:
            raise BadFrame(f"{name[:MAX_TEXT]!r} is not one of our markets")
        return known


def _numbers(symbol: str, scale: list[int], prices: tuple[str, ...], sizes: tuple[str, ...]) -> list[int]:
    """Returns the prices in ticks, then the sizes in lots. Raises BadFrame or FinerFrame."""
    price_digits, size_digits = scale
    try:
        return [parse_decimal(text, price_digits) for text in prices] + [
            parse_decimal(text, size_digits) for text in sizes
        ]
    except ValueError as error:
        raise _fault(error, (symbol, price_digits, size_digits), prices, sizes) from None


def _texts(levels: msgspec.Raw) -> list[tuple[str, str]]:
    try:
        return msgspec.json.decode(levels, type=list[tuple[str, str]])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def _fault(error: ValueError, known: Known, prices: Sequence[str], sizes: Sequence[str]) -> BadFrame:
    """Returns FinerFrame if all numbers fit a finer scale, else BadFrame."""
    symbol, price_digits, size_digits = known
    finer = Scale(max(price_digits, *map(_digits, prices)), max(size_digits, *map(_digits, sizes))) if prices else None
    if finer is None or finer == Scale(price_digits, size_digits):
        return BadFrame(f"{symbol}: {error}"[:MAX_TEXT], symbol)
    try:
        for text in prices:
            parse_decimal(text, min(finer.price_digits, MAX_DIGITS))
        for text in sizes:
            parse_decimal(text, min(finer.size_digits, MAX_DIGITS))
    except ValueError as too_fine:
        return BadFrame(f"{symbol}: {too_fine}"[:MAX_TEXT], symbol)
    return FinerFrame(f"{symbol}: {error}"[:MAX_TEXT], symbol, finer)


def _digits(text: str) -> int:
    return len(text.partition(".")[2].rstrip("0"))


def _id(value: int) -> int:
    if not 0 <= value <= MAX_INT:
        raise BadFrame(f"id {value} is out of range")
    return value


def _time_ns(time_ms: int) -> int:
    if not 0 <= time_ms < MAX_TIME_MS:
        raise BadFrame(f"time {time_ms} ms is out of range")
    return time_ms * MS_NS


def _subscribed(outer: _Outer) -> Subscribed:
    request_id = outer.id if isinstance(outer.id, int) else -1
    error = ""
    if outer.code is not None:
        error = f"{outer.code} {outer.msg}"
    elif len(outer.error):
        error = bytes(outer.error).decode("utf-8", "replace")
    return Subscribed(request_id, error[:MAX_TEXT])


try:
    from connectors.binance._parse import FastParser
except ImportError:
    FastParser = None  # type: ignore[assignment,misc]

IMPLEMENTATION = "plain" if FastParser is None or FORCE_PLAIN else "cython"


def new_parser() -> "PlainParser | FastParser":
    """Returns a parser of the implementation in use; both have the same methods."""
    plain = PlainParser()
    return plain if IMPLEMENTATION == "plain" else FastParser(plain)
