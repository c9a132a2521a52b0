"""Binance Spot's market data, bytes to messages: the Python implementation, and `new_parser` for the one in use."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from connectors.core.market_api import BadFrame, Event, GoingAway, Subscribed
from market.implementation import FORCE_PLAIN
from market.instrument import Instrument
from market.levels import MAX_INT, parse_decimal, parse_levels
from protocol import BookDelta, BookSnapshot, Side, TopOfBook, Trade

MS_NS = 1_000_000
MAX_TIME_MS = 2**43  # the year 2248: ns of it still fit an int64
MAX_TEXT = 200  # of the exchange's text, in our errors

Scale = tuple[str, int, int, int, int]
"""(symbol on the bus, price digits and step, size digits and step)."""


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
        self._scales: dict[str, Scale] = {}

    def add_market(self, name: str, rules: Instrument) -> None:
        """Understand the frames of Binance's market `name` ("BTCUSDT")."""
        self._scales[name] = (
            rules.symbol, rules.price_digits, rules.price_step, rules.size_digits, rules.size_step
        )  # fmt: skip

    def parse(self, frame: bytes, ts_recv_ns: int) -> tuple[Event, ...]:
        """Returns the message in a frame. Raises BadFrame, and nothing else, whatever the bytes are."""
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
            if outer.s in self._scales:
                error.symbol = self._scales[outer.s][0]  # its trouble alone
            raise
        if outer.e == "serverShutdown":
            return (GoingAway("serverShutdown"),)
        if outer.id is not None or outer.code is not None:
            return (_subscribed(outer),)
        raise BadFrame(f"unknown frame: {bytes(frame[:MAX_TEXT])!r}")

    def parse_snapshot(self, name: str, body: bytes, ts_recv_ns: int) -> BookSnapshot:
        """Returns the book in a REST depth answer. Raises BadFrame."""
        book = _snapshot(body)
        symbol, bids, asks = self._levels(name, book.bids, book.asks)
        return BookSnapshot(symbol, _id(book.lastUpdateId), bids, asks, 0, ts_recv_ns)

    def _depth(self, row: _Depth, ts_recv_ns: int) -> BookDelta:
        if _id(row.U) > _id(row.u):
            raise BadFrame(f"{row.s}: U {row.U} is after u {row.u}")
        symbol, bids, asks = self._levels(row.s, row.b, row.a)
        return BookDelta(symbol, row.U, row.u, bids, asks, _time_ns(row.E), ts_recv_ns)

    def _top(self, row: _Top, ts_recv_ns: int) -> TopOfBook:
        symbol, price_digits, price_step, size_digits, size_step = self._scale(row.s)
        try:
            bid_ticks = parse_decimal(row.b, price_digits, price_step)
            bid_lots = _lots(row.B, size_digits, size_step)
            ask_ticks = parse_decimal(row.a, price_digits, price_step)
            ask_lots = _lots(row.A, size_digits, size_step)
        except ValueError as error:
            raise BadFrame(f"{row.s}: bookTicker: {error}") from None
        return TopOfBook(symbol, _id(row.u), bid_ticks, bid_lots, ask_ticks, ask_lots, 0, ts_recv_ns)

    def _trade(self, row: _Trade, ts_recv_ns: int) -> Trade:
        symbol, price_digits, price_step, size_digits, size_step = self._scale(row.s)
        try:
            price_ticks = parse_decimal(row.p, price_digits, price_step)
            size_lots = _lots(row.q, size_digits, size_step)
        except ValueError as error:
            raise BadFrame(f"{row.s}: trade: {error}") from None
        taker = Side.SELL if row.m else Side.BUY  # m: the buyer was the maker
        return Trade(symbol, _id(row.t), taker, price_ticks, size_lots, _time_ns(row.T), ts_recv_ns)

    def _levels(self, name: str, bids: msgspec.Raw, asks: msgspec.Raw) -> tuple[str, bytes, bytes]:
        symbol, price_digits, price_step, size_digits, size_step = self._scale(name)
        try:
            return (
                symbol,
                parse_levels(bytes(bids), price_digits, price_step, size_digits, size_step, True),
                parse_levels(bytes(asks), price_digits, price_step, size_digits, size_step, True),
            )
        except ValueError as error:
            raise BadFrame(f"{name}: {error}") from None

    def _scale(self, name: str) -> Scale:
        scale = self._scales.get(name)
        if scale is None:
            raise BadFrame(f"{name[:MAX_TEXT]!r} is not one of our markets")
        return scale


def _lots(text: str, digits: int, step: int) -> int:
    """Returns a size in whole lots, as levels contain it: the rest of older, smaller lots cannot be traded."""
    whole, _, fraction = text.partition(".")
    if len(fraction) > digits and fraction.isascii() and fraction.isdigit():
        return parse_decimal(f"{whole}.{fraction[:digits] or 0}", digits) // step
    return parse_decimal(text, digits) // step


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
