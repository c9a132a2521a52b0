"""Market streams: per trade and change of the best prices, every 100 ms, and every second."""

import msgspec

from venue.base.units import DAY_NS, HOUR_NS
from venue.orders.exchange_order import AggTrade, PublicTrade
from venue.render import stream_events
from venue.streams.stream_subscriptions import StreamSubscriptions
from venue.symbols import klines
from venue.symbols.intervals import INTERVALS_NS
from venue.symbols.symbol import Symbol

DEPTHS = (5, 10, 20)
ZONES_NS = {"": 0, "@+08:00": 8 * HOUR_NS}
"""The time zones of kline streams."""
WINDOWS_NS = {"1h": HOUR_NS, "4h": 4 * HOUR_NS, "1d": DAY_NS}


class DepthState(msgspec.Struct):
    """What a symbol's delta streams have sent so far, every 100 ms and every second."""

    sent_id: int = 0
    sent_second_id: int = 0
    second_bids: dict[int, int] = {}
    second_asks: dict[int, int] = {}
    best: tuple[int, int, int, int] = (0, 0, 0, 0)
    sent_trade: int = -1  # the last trade in the arrays of all markets


class MarketStreams:
    """The real-time streams (a `venue.engine.listeners.MarketListener`) and the periodic ones."""

    def __init__(self, symbols: list[Symbol], subscriptions: StreamSubscriptions) -> None:
        self.symbols = symbols
        self.subscribers = subscriptions.subscribers
        self.push = subscriptions.push
        self.states = {symbol.name: DepthState() for symbol in symbols}

    def start(self) -> None:
        """Starts the deltas: what is in the books now is left to snapshots."""
        for symbol in self.symbols:
            symbol.matching.changes()
            state = self.states[symbol.name]
            state.sent_id = state.sent_second_id = symbol.update_id

    def traded(self, symbol: Symbol, trades: list[PublicTrade], aggregates: list[AggTrade], now_ns: int) -> None:
        """Publishes the trades of one taker order."""
        name = symbol.name.lower()
        if name + "@trade" in self.subscribers:
            for trade in trades:
                self.push(name + "@trade", stream_events.trade(symbol, trade, now_ns), now_ns)
        if name + "@aggTrade" in self.subscribers:
            for row in aggregates:
                self.push(name + "@aggTrade", stream_events.agg_trade(symbol, row, now_ns), now_ns)

    def book_changed(self, symbol: Symbol, now_ns: int) -> None:
        """Publishes the best prices, if they or their sizes changed."""
        stream = symbol.name.lower() + "@bookTicker"
        if stream not in self.subscribers:
            return
        matching = symbol.matching
        best = (
            matching.best_bid_ticks,
            matching.best_bid_lots,
            matching.best_ask_ticks,
            matching.best_ask_lots,
        )
        state = self.states[symbol.name]
        if best != state.best:
            state.best = best
            self.push(stream, stream_events.book_ticker(symbol), now_ns)

    def each_tenth(self, now_ns: int, is_second: bool) -> None:
        """Publishes deltas and partial books; on whole seconds the one-second streams too."""
        for symbol in self.symbols:
            name = symbol.name.lower()
            self._depth(symbol, name, now_ns, is_second)
            for n in DEPTHS:
                self.push(f"{name}@depth{n}@100ms", stream_events.partial(symbol, n), now_ns)
                if is_second:
                    self.push(f"{name}@depth{n}", stream_events.partial(symbol, n), now_ns)
                    self.push(f"{name}@depth{n}@1000ms", stream_events.partial(symbol, n), now_ns)
            if is_second:
                self._each_second(symbol, name, now_ns)
        if is_second:
            self._all_markets(now_ns)

    def _each_second(self, symbol: Symbol, name: str, now_ns: int) -> None:
        self.push(name + "@miniTicker", stream_events.mini_ticker(symbol, now_ns), now_ns)
        self.push(name + "@ticker", stream_events.ticker(symbol, now_ns), now_ns)
        self.push(name + "@avgPrice", stream_events.average(symbol, now_ns), now_ns)
        if symbol.reference is not None and symbol.reference.is_set:
            self.push(name + "@referencePrice", stream_events.reference_price(symbol, symbol.reference, now_ns), now_ns)
        for window, span_ns in WINDOWS_NS.items():
            stream = f"{name}@ticker_{window}"
            if stream in self.subscribers:
                self.push(stream, stream_events.window_ticker(symbol, window, span_ns, now_ns), now_ns)
        is_even = now_ns // 1_000_000_000 % 2 == 0
        for interval in INTERVALS_NS if is_even else ("1s",):
            for zone, zone_ns in ZONES_NS.items():
                stream = f"{name}@kline_{interval}{zone}"
                if stream in self.subscribers:
                    candle = klines.latest(symbol, interval, now_ns - 1, zone_ns)
                    self.push(stream, stream_events.kline(symbol, candle, interval, zone_ns, now_ns), now_ns)

    def _all_markets(self, now_ns: int) -> None:
        """Publishes the arrays of all symbols that have traded since the last arrays."""
        changed: list[Symbol] = []
        for symbol in self.symbols:
            last_id, state = symbol.trades[-1].trade_id if symbol.trades else 0, self.states[symbol.name]
            if last_id != state.sent_trade:
                state.sent_trade = last_id
                changed.append(symbol)
        if not changed:
            return
        minis = [stream_events.mini_ticker(symbol, now_ns) for symbol in changed]
        self.push("!miniTicker@arr", stream_events.each(minis), now_ns)
        for window, span_ns in WINDOWS_NS.items():
            rows = [stream_events.window_ticker(symbol, window, span_ns, now_ns) for symbol in changed]
            self.push(f"!ticker_{window}@arr", stream_events.each(rows), now_ns)

    def _depth(self, symbol: Symbol, name: str, now_ns: int, is_second: bool) -> None:
        state = self.states[symbol.name]
        if symbol.update_id > state.sent_id:
            bids, asks = symbol.matching.changes()
            first_id, state.sent_id = state.sent_id + 1, symbol.update_id
            self.push(name + "@depth@100ms", stream_events.delta(symbol, first_id, bids, asks, now_ns), now_ns)
            state.second_bids.update(stream_events.pairs(bids))
            state.second_asks.update(stream_events.pairs(asks))
        if is_second and state.sent_id > state.sent_second_id:
            first_id, state.sent_second_id = state.sent_second_id + 1, state.sent_id
            bids, asks = stream_events.packed(state.second_bids, reverse=True), stream_events.packed(state.second_asks)
            for stream in (name + "@depth", name + "@depth@1000ms"):
                self.push(stream, stream_events.delta(symbol, first_id, bids, asks, now_ns), now_ns)
            state.second_bids.clear()
            state.second_asks.clear()
