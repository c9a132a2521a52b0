"""QueueMarket: a symbol that follows an external market's book and trades; the accounts' orders queue in it."""

from collections.abc import Iterable

from market.levels import unpack_levels
from protocol import BookDelta, BookSnapshot, Message, TopOfBook, Trade
from protocol.enums import Side
from venue.base.settings import CancelModel
from venue.engine.engine import Engine
from venue.engine.ledger_records import IdCounter
from venue.engine.recovery import rest
from venue.orders.exchange_order import AggTrade, ExchangeOrder, PublicTrade
from venue.sources.queue_book import Event, QueueBook
from venue.symbols.symbol import Symbol

Change = tuple[Side, int, int]
"""Side, price in ticks, new size in lots."""


class IdMapper:
    """Maps the external market's ids to ours: shifted by the ids of our own events, and always increasing."""

    def __init__(self, counter: IdCounter) -> None:
        self.counter = counter
        self.shift = 0

    def next_id(self, recorded_id: int) -> int:
        self.counter.skip_to(recorded_id + self.shift)
        number = self.counter.next_id()
        self.shift = number - recorded_id
        return number


class QueueMarket:
    """Call `on_message` with the external market's messages in their order; deltas have absolute sizes."""

    def __init__(self, engine: Engine, symbol: Symbol, cancels: CancelModel) -> None:
        self.engine = engine
        self.symbol = symbol
        self.book = QueueBook(symbol, cancels)
        self.update_ids = IdMapper(engine.records.counter("book:" + symbol.name))
        self.trade_ids = IdMapper(engine.records.counter("trade:" + symbol.name))
        self.update_id = 0  # of the external market: the latest known
        self.book_id = 0  # and that of its whole book
        self.trade_id = 0
        self.top: TopOfBook | None = None

    def on_message(self, message: Message, now_ns: int) -> None:
        """Applies a message; messages older than the known state are skipped."""
        if isinstance(message, TopOfBook):
            self._on_top(message, now_ns)
        elif isinstance(message, Trade):
            self._on_trade(message, now_ns)
        elif isinstance(message, BookDelta):
            self._on_delta(message, now_ns)
        elif isinstance(message, BookSnapshot):
            self._on_snapshot(message, now_ns)

    # -- messages ----------------------------------------------------------------------------------------

    def _on_snapshot(self, snapshot: BookSnapshot, now_ns: int) -> None:
        """Applies a whole book: other levels are gone, and the numbering may restart."""
        is_first = not self.book_id
        self.update_id, self.book_id, self.trade_id, self.top = 0, snapshot.update_id, 0, None
        book = {(Side.BUY, p): lots for p, lots in unpack_levels(snapshot.bids)}
        book |= {(Side.SELL, p): lots for p, lots in unpack_levels(snapshot.asks)}
        gone = [(side, p, 0) for side, levels in self.book.levels.items() for p in levels if (side, p) not in book]
        self._apply([*gone, *((*key, lots) for key, lots in book.items())], snapshot.update_id, now_ns)
        if is_first:
            self._requeue_own_orders()
            if not self.symbol.trades:
                matching = self.symbol.matching
                self.symbol.last_ticks = (matching.best_bid_ticks + matching.best_ask_ticks) // 2

    def _on_delta(self, delta: BookDelta, now_ns: int) -> None:
        if delta.update_id <= self.book_id:
            return
        self.book_id = delta.update_id
        for side, events in self.book.on_delta():
            self._settle(side, events, now_ns)
        changes = [(Side.BUY, p, lots) for p, lots in unpack_levels(delta.bids)]
        changes += [(Side.SELL, p, lots) for p, lots in unpack_levels(delta.asks)]
        if self.top is not None and self.top.update_id > delta.update_id:
            changes = [self._limited_by_top(change, self.top) for change in changes]
        self._apply(changes, delta.update_id, now_ns)

    def _on_top(self, top: TopOfBook, now_ns: int) -> None:
        if top.update_id <= self.update_id or not (top.bid_ticks and top.ask_ticks):
            return
        self.top = top
        better = self.book.better_than
        changes = [(Side.BUY, p, 0) for p in better(Side.BUY, top.bid_ticks)]
        changes += [(Side.SELL, p, 0) for p in better(Side.SELL, top.ask_ticks)]
        changes += [(Side.BUY, top.bid_ticks, top.bid_lots), (Side.SELL, top.ask_ticks, top.ask_lots)]
        self._apply(changes, top.update_id, now_ns)

    def _on_trade(self, trade: Trade, now_ns: int) -> None:
        """Fills our orders that come first, and publishes the rest of the trade unchanged."""
        if trade.trade_id <= self.trade_id:
            return
        self.trade_id = trade.trade_id
        own = self.book.trade(trade.side, trade.price_ticks, trade.size_lots, self._own_ticks(trade))
        rest_lots = trade.size_lots - sum(event[4] for event in own)
        if rest_lots:
            self._publish_trade(trade, rest_lots, now_ns)
        self._settle(trade.side, own, now_ns)
        self.engine.finish(now_ns)

    # -- what they do ----------------------------------------------------------------------------------------

    def _own(self) -> list[ExchangeOrder]:
        """The orders of accounts that rest in this book, in time priority."""
        name, in_book = self.symbol.name, self.symbol.matching.order
        found = self.engine.settlement.open_orders.values()
        return [order for order in found if order.symbol == name and in_book(order.order_id) is not None]

    def _own_ticks(self, trade: Trade) -> list[int]:
        """The prices of accounts' orders on the maker's side of a trade, at its price or better."""
        side, limit_ticks = trade.side.opposite, trade.price_ticks
        own = (order.price_ticks for order in self._own() if order.side is side)
        return [price_ticks for price_ticks in own if (price_ticks - limit_ticks) * side.sign >= 0]

    def _requeue_own_orders(self) -> None:
        """Moves the orders of an earlier process run to the back: the size ahead of them is unknown after a restart."""
        for order in self._own():
            self.symbol.matching.cancel(order.order_id)
            events = rest(self.symbol, self.engine.accounts.by_name[order.account], order)
            assert len(events) == 1, events  # orders that the book crosses have traded already

    def _limited_by_top(self, change: Change, top: TopOfBook) -> Change:
        """A change that is older than the known best prices: those decide about their own and better levels."""
        side, price_ticks, lots = change
        best = (top.bid_ticks, top.bid_lots) if side is Side.BUY else (top.ask_ticks, top.ask_lots)
        if price_ticks == best[0]:
            return side, price_ticks, best[1]
        return side, price_ticks, 0 if (price_ticks - best[0]) * side.sign > 0 else lots

    def _apply(self, changes: Iterable[Change], update_id: int, now_ns: int) -> None:
        """Sets levels: first decreases, then increases, so that no level crosses one that is gone."""
        size_at = self.book.recorded.size_at
        falling: list[Change] = []
        growing: list[Change] = []
        for change in changes:
            (falling if change[2] <= size_at(change[0], change[1]) else growing).append(change)
        for side, price_ticks, lots in falling + growing:
            self._settle(side, self.book.set_level(side, price_ticks, lots), now_ns)
        if update_id > self.update_id:
            self.update_id = update_id
            self.symbol.update_id = self.update_ids.next_id(update_id)
        self.engine.settlement.market_listener.book_changed(self.symbol, now_ns)
        self.engine.finish(now_ns)

    def _settle(self, taker: Side, events: list[Event], now_ns: int) -> None:
        if events:
            self.engine.settlement.apply(self.symbol, taker, events, now_ns)

    def _publish_trade(self, trade: Trade, lots: int, now_ns: int) -> None:
        """Publishes a trade of the external market."""
        maker_buys = trade.side is Side.SELL
        trade_id = self.trade_ids.next_id(trade.trade_id)
        published = PublicTrade(trade_id, trade.price_ticks, lots, now_ns, maker_buys)
        self.symbol.add_trade(published)
        if self.symbol.stops:
            self.engine.settlement.trigger_stops(self.symbol, trade.price_ticks, now_ns)
        next_id = self.engine.records.counter("agg:" + self.symbol.name).next_id
        aggregates: list[AggTrade] = self.symbol.aggregate([published], next_id)
        self.engine.settlement.market_listener.traded(self.symbol, [published], aggregates, now_ns)
