"""Paper: live markets as a connector tells of them on the bus, and the accounts' orders matched in them here."""

import heapq
from collections import deque

from protocol import BookDelta, BookSnapshot, BookStatus, Message, Rules, StreamState, TopOfBook, Trade
from venue.base.settings import MarketSettings, PaperSettings
from venue.base.units import MILLISECOND_NS
from venue.base.wire import Response
from venue.engine.engine import Engine
from venue.sources.queue_market import QueueMarket

REQUEST_EVERY_NS = 500 * MILLISECOND_NS
"""How often the connector is asked for its books while one is not known."""
MAX_WAITING = 100
"""Diffs kept while a market is closed; with more of them a snapshot is too old anyway."""
USED = ("x-mbx-used-weight", "x-mbx-used-weight-1m")


class PaperMarket:
    """One followed market. It is closed (no order taken, none filled) while its book is not known to be right."""

    def __init__(self, market: QueueMarket) -> None:
        self.market = market
        self.book_id = 0  # of the last book message that was heard, which may still be held back
        self.waiting: deque[BookDelta] = deque(maxlen=MAX_WAITING)  # heard before the snapshot that they follow
        self.closed_by_rules = ""  # why the rules keep it closed, whatever the book
        self.close("no book yet")

    @property
    def is_open(self) -> bool:
        return not self.market.symbol.closed

    def close(self, why: str) -> None:
        self.market.symbol.closed = why

    def on_snapshot(self, snapshot: BookSnapshot, now_ns: int) -> list[BookDelta]:
        """Open with this book, or stay closed; what was heard before it and goes on from it."""
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
        """The live market's rules as they are now: it must trade, and count as we do."""
        known = self.market.symbol.settings
        self.closed_by_rules = ""
        if (rules.tick_size, rules.lot_size) != (known.tick_size, known.lot_size):
            self.closed_by_rules = "its tick or lot has changed: start anew, with a fresh ledger"
        elif not rules.trading:
            self.closed_by_rules = "the live market does not trade"
        if self.closed_by_rules:
            self.close(self.closed_by_rules)

    def accepts(self, delta: BookDelta) -> bool:
        """Whether the diff goes on from the book; a gap closes the market until there is a whole book again."""
        if not self.is_open:
            self.waiting.append(delta)
            return False
        if delta.update_id <= self.book_id:
            return False
        if delta.first_id > self.book_id + 1:
            self.close(f"a gap in its book: {self.book_id} then {delta.first_id}")
            self.waiting.append(delta)
            return False
        self.book_id = delta.update_id
        return True


class PaperTrading:
    """`hear` what the connector publishes, `advance` at `next_ns`, and ask it for its books when `asks` says so.

    Fills come from its trades and book moves alone. Book changes wait `book_delay_ms` for the trades that explain
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
        """Let the book changes happen that have waited long enough; see whether the connector still speaks."""
        while self._held and self._held[0][0] <= now_ns:
            due_ns, _, symbol, message = heapq.heappop(self._held)
            if self.markets[symbol].is_open:
                self.markets[symbol].market.on_message(message, max(due_ns, floor_ns))
        if now_ns - self.received_ns > self.settings.silence_ms * MILLISECOND_NS:
            for market in self.markets.values():
                market.close(f"{self.settings.connector} is silent")

    def on_message(self, message: Message, now_ns: int) -> None:
        """One message of the connector; those that are not of our markets say that it lives."""
        self.received_ns = now_ns
        market = self.markets.get(getattr(message, "symbol", ""))
        if market is None:
            return
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
        """Whether to ask the connector for its books now."""
        known = all(market.is_open or market.closed_by_rules for market in self.markets.values())
        if known or now_ns - self._requested_ns < REQUEST_EVERY_NS:
            return False
        self._requested_ns = now_ns
        return True

    def without_weights(self, response: Response) -> Response:
        """Our weights are not told: the connector counts these requests by itself, beside what the live one tells."""
        for name in USED:
            response.headers.pop(name, None)
        return response

    def _hold(self, symbol: str, message: BookDelta | TopOfBook, now_ns: int) -> None:
        self._count += 1
        due_ns = now_ns + self.settings.book_delay_ms * MILLISECOND_NS
        heapq.heappush(self._held, (due_ns, self._count, symbol, message))


def market_settings(rules: Rules, configured: MarketSettings) -> MarketSettings:
    """The market as the live one's rules make it; what they do not tell stays as it was set."""
    tick, lot = rules.tick_size, rules.lot_size
    fields = {name: getattr(configured, name) for name in configured.__struct_fields__}
    fields |= {
        "tick_size": tick,
        "lot_size": lot,
        "min_price": rules.min_price_ticks * tick,
        "max_price": rules.max_price_ticks * tick,
        "min_size": rules.min_size_lots * lot,
        "max_size": rules.max_size_lots * lot,
        "market_max_size": (rules.market_max_size_lots or rules.max_size_lots) * lot,
        "min_notional": rules.min_notional,
        "max_notional": rules.max_notional or configured.max_notional,
    }
    return MarketSettings(**fields)
