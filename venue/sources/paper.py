"""PaperTrading: follows live markets that a connector publishes, and matches the accounts' orders in them."""

import heapq
from collections import deque

from market.rules import instrument_of
from protocol import BookDelta, BookSnapshot, BookStatus, Message, Rules, StreamState, TopOfBook, Trade
from venue.base.numbers import atoms
from venue.base.settings import MarketSettings, PaperSettings
from venue.base.units import MILLISECOND_NS
from venue.base.wire import Response
from venue.engine.engine import Engine
from venue.sources.live_units import in_units_of
from venue.sources.queue_market import QueueMarket

REQUEST_EVERY_NS = 500 * MILLISECOND_NS
"""Minimum time between two requests for the connector's snapshots, while a book is missing."""
MAX_WAITING = 100
"""Deltas kept while a market is closed; with more of them a snapshot would be too old."""
USED = ("x-mbx-used-weight", "x-mbx-used-weight-1m")


class PaperMarket:
    """One live market. It is closed (orders are rejected, none are filled) while its book is not reliable."""

    def __init__(self, market: QueueMarket) -> None:
        self.market = market
        self.book_id = 0  # of the last book message received, which may still be held back
        self.waiting: deque[BookDelta] = deque(maxlen=MAX_WAITING)  # received before the snapshot that they follow
        self.closed_by_rules = ""  # the reason why its rules keep it closed; empty: none
        self.close("no snapshot of its book yet")

    @property
    def is_open(self) -> bool:
        return not self.market.symbol.closed

    def close(self, why: str) -> None:
        self.market.symbol.closed = why

    def on_snapshot(self, snapshot: BookSnapshot, now_ns: int) -> list[BookDelta]:
        """Opens with this book, or stays closed; returns the earlier deltas that continue from it."""
        if snapshot.state is not StreamState.LIVE:
            self.close(f"its book is {snapshot.state.name}")
            return []
        later = [delta for delta in self.waiting if delta.update_id > snapshot.update_id]
        self.waiting.clear()
        self.book_id = snapshot.update_id
        self.market.symbol.closed = self.closed_by_rules
        self.market.on_message(snapshot, now_ns)
        return later

    def on_rules(self, rules: Rules) -> None:
        """Adopts the live market's rules: it must be trading, with a tick and lot that are multiples of those here."""
        symbol = self.market.symbol
        known = symbol.settings
        self.closed_by_rules = ""
        if atoms(rules.tick_size) % symbol.tick_atoms or atoms(rules.lot_size) % symbol.lot_atoms:
            self.closed_by_rules = "its tick or lot has become finer: restart with a new ledger"
        elif (rules.tick_size, rules.lot_size) != (known.tick_size, known.lot_size):
            symbol.change_filters(market_settings(rules, known))
        if not self.closed_by_rules and not rules.trading:
            self.closed_by_rules = "the live market is not trading"
        if self.closed_by_rules:
            self.close(self.closed_by_rules)

    def accepts(self, delta: BookDelta) -> bool:
        """Whether the delta continues the book; a gap closes the market until the next snapshot."""
        if not self.is_open:
            self.waiting.append(delta)
            return False
        if delta.update_id <= self.book_id:
            return False
        if delta.first_id > self.book_id + 1:
            self.close(f"gap in its book: {self.book_id}, then {delta.first_id}")
            self.waiting.append(delta)
            return False
        self.book_id = delta.update_id
        return True


class PaperTrading:
    """Call `on_message` with what the connector publishes, `advance` at `next_ns`, and request snapshots when
    `needs_snapshots` is true.

    Fills come only from its trades and book changes. Book changes wait `book_delay_ms` for the trades that explain
    them, as in a replay.
    """

    def __init__(self, engine: Engine, settings: PaperSettings, now_ns: int) -> None:
        self.settings = settings
        self.markets = {
            symbol.settings.symbol: PaperMarket(QueueMarket(engine, symbol, settings.cancels))
            for symbol in engine.symbols.values()
        }
        self.received_ns = now_ns
        self._requested_ns = 0
        self._held: list[tuple[int, int, str, BookDelta | TopOfBook]] = []
        self._count = 0

    @property
    def next_ns(self) -> int | None:
        return self._held[0][0] if self._held else None

    def advance(self, now_ns: int, floor_ns: int) -> None:
        """Applies the book changes that are due; closes all markets if the connector is silent."""
        while self._held and self._held[0][0] <= now_ns:
            due_ns, _, symbol, message = heapq.heappop(self._held)
            if self.markets[symbol].is_open:
                self.markets[symbol].market.on_message(message, max(due_ns, floor_ns))
        if now_ns - self.received_ns > self.settings.silence_ms * MILLISECOND_NS:
            for market in self.markets.values():
                market.close(f"{self.settings.connector} is silent")

    def on_message(self, message: Message, now_ns: int) -> None:
        """Handles a message of the connector; messages of other markets show that it is alive."""
        self.received_ns = now_ns
        market = self.markets.get(getattr(message, "symbol", ""))
        if market is None:
            return
        if isinstance(message, (BookSnapshot, BookDelta, TopOfBook, Trade)):
            converted = in_units_of(market.market.symbol, message)
            if converted is None:
                return
            message = converted
        if isinstance(message, BookSnapshot):
            self._held = [row for row in self._held if row[2] != message.symbol]
            heapq.heapify(self._held)
            for delta in market.on_snapshot(message, now_ns):
                self.on_message(delta, now_ns)
        elif isinstance(message, BookStatus):
            market.close(message.reason or message.state.name)
        elif isinstance(message, BookDelta):
            if market.accepts(message):
                self._hold(message.symbol, message, now_ns)
        elif isinstance(message, Rules):
            market.on_rules(message)
        elif not market.is_open:
            return
        elif isinstance(message, TopOfBook):
            self._hold(message.symbol, message, now_ns)
        elif isinstance(message, Trade):
            market.market.on_message(message, now_ns)

    def needs_snapshots(self, now_ns: int) -> bool:
        """Whether to request the connector's snapshots now."""
        known = all(market.is_open or market.closed_by_rules for market in self.markets.values())
        if known or now_ns - self._requested_ns < REQUEST_EVERY_NS:
            return False
        self._requested_ns = now_ns
        return True

    def without_weights(self, response: Response) -> Response:
        """Removes the weight headers, so that the connector does not mix them with the live exchange's."""
        for name in USED:
            response.headers.pop(name, None)
        return response

    def _hold(self, symbol: str, message: BookDelta | TopOfBook, now_ns: int) -> None:
        self._count += 1
        due_ns = now_ns + self.settings.book_delay_ms * MILLISECOND_NS
        heapq.heappush(self._held, (due_ns, self._count, symbol, message))


def market_settings(rules: Rules, configured: MarketSettings) -> MarketSettings:
    """The market's settings with the live market's rules; other settings stay as configured."""
    live = instrument_of(rules)
    fields = {name: getattr(configured, name) for name in configured.__struct_fields__}
    fields |= {
        "tick_size": rules.tick_size,
        "lot_size": rules.lot_size,
        "min_price": live.price(live.min_price_ticks),
        "max_price": live.price(live.max_price_ticks),
        "min_size": live.size(live.min_size_lots),
        "max_size": live.size(live.max_size_lots),
        "market_max_size": live.size(live.market_max_size_lots or live.max_size_lots),
        "min_notional": rules.min_notional,
        "max_notional": rules.max_notional or configured.max_notional,
    }
    return MarketSettings(**fields)
