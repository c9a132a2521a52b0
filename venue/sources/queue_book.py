"""QueueBook: an external market's book in matching: its levels are orders, among which the accounts' orders queue."""

from itertools import count

from market import codes
from market.book import Book
from protocol.enums import OrdType, Side, TimeInForce
from venue.base.settings import CancelModel
from venue.sources.queue_level import QueueLevel, shares
from venue.symbols.symbol import FLOW_ACCOUNT, Symbol

Event = tuple[int, ...]

FIRST_ID = 2**61
"""Ids of the orders that represent levels start here, beyond all ids of accounts; they are not published."""
EXPLAINED_IN = 2
"""Number of deltas by which a trade must be visible in the book; after that the book alone is used."""


class QueueBook:
    """`set_level` and `trade` return the accounts' trades as events of matching, for settlement.

    An order of an account rests behind the size at its price. Size that is added later is behind it; trades consume
    the queue from its front; size that disappears without a trade is distributed by the cancel model. Without orders
    and trades of accounts, the book equals the external market's, level by level.
    """

    def __init__(self, symbol: Symbol, cancels: CancelModel) -> None:
        self.symbol = symbol
        self.matching = symbol.matching
        self.cancels = cancels
        self.recorded = Book()
        self.levels: dict[Side, dict[int, QueueLevel]] = {Side.BUY: {}, Side.SELL: {}}
        self.deltas = 0
        self._owed: dict[tuple[Side, int], QueueLevel] = {}  # trades consumed here that the book does not show yet
        self._ids = count(FIRST_ID)

    def set_level(self, side: Side, price_ticks: int, size_lots: int) -> list[Event]:
        """The external market now has `size_lots` at this price; 0: the level is gone."""
        levels = self.levels[side]
        level = levels.get(price_ticks)
        if level is None:
            if not size_lots:
                return []
            level = levels[price_ticks] = QueueLevel()
        elif level.recorded_lots == size_lots and not level.traded_lots:
            return []
        self._count_own_trades(level)
        level.record(size_lots)
        self.recorded.set_level(side, price_ticks, size_lots)
        if level.traded_lots and not self._is_queued(side, price_ticks, level):
            level.traded_lots = 0  # no account's order waits here: only the book counts
        events = self._adjust(side, price_ticks, level)
        if not size_lots:
            del levels[price_ticks]
            self._owed.pop((side, price_ticks), None)
        return events

    def trade(self, taker: Side, price_ticks: int, size_lots: int, own_ticks: list[int]) -> list[Event]:
        """Applies a trade of the external market: the accounts' orders at `own_ticks` that come first fill.

        Its price proves that the external market has no better price left.
        """
        side = taker.opposite
        if not own_ticks:
            return []
        for better_ticks in self.better_than(side, price_ticks):
            level = self.levels[side][better_ticks]
            self._count_own_trades(level)
            self._consumed(side, better_ticks, level, level.standing_lots)
            self._shrink(level, level.standing_lots)
        limit_ticks = min(own_ticks) if side is Side.BUY else max(own_ticks)
        level_here = self.levels[side].get(price_ticks)
        if level_here is not None:
            self._count_own_trades(level_here)
        events = self._submit(taker, TimeInForce.IOC, limit_ticks, size_lots)[1]
        for _, maker_id, _, at_ticks, lots, leaves, *_ in self._flow_trades(events):
            level = self.levels[side][at_ticks]
            self._consumed(side, at_ticks, level, lots)
            level.orders[maker_id] = leaves
            if not leaves:
                del level.orders[maker_id]
        return self._account_trades(events)

    def on_delta(self) -> list[tuple[Side, list[Event]]]:
        """Counts one more delta; trades that the book should show by now and does not are reverted."""
        self.deltas += 1
        late = [key for key, level in self._owed.items() if self.deltas - level.traded_at >= EXPLAINED_IN]
        found = []
        for side, price_ticks in late:
            level = self._owed.pop((side, price_ticks))
            self._count_own_trades(level)
            level.traded_lots = 0
            found.append((side, self._adjust(side, price_ticks, level)))
        return found

    def better_than(self, side: Side, price_ticks: int) -> list[int]:
        """The prices of the external market's levels on this side that are better than this one, best first."""
        best_ticks = self.recorded.best_bid_ticks if side is Side.BUY else self.recorded.best_ask_ticks
        if not best_ticks or (best_ticks - price_ticks) * side.sign <= 0:
            return []
        n = 8
        while True:
            rows = self.recorded.levels(side, n)
            found = [price for price, _ in rows if (price - price_ticks) * side.sign > 0]
            if len(found) < n or len(rows) < n:
                return found
            n *= 4

    # Inside

    def _adjust(self, side: Side, price_ticks: int, level: QueueLevel) -> list[Event]:
        """Adjusts the size in our book to the target."""
        more = level.target_lots - level.standing_lots
        if more < 0:
            self._shrink(level, -more)
            return []
        return self._grow(side, price_ticks, level, more) if more else []

    def _shrink(self, level: QueueLevel, lots: int) -> None:
        for order_id, cut in shares(level.orders, lots, self.cancels).items():
            if not cut:
                continue
            level.orders[order_id] -= cut
            if level.orders[order_id]:
                row = self.matching.order(order_id)
                assert row is not None
                self.matching.reduce(order_id, row[4] - cut)
            else:
                self.matching.cancel(order_id)
                del level.orders[order_id]

    def _grow(self, side: Side, price_ticks: int, level: QueueLevel, lots: int) -> list[Event]:
        """Adds size at the back of the queue; it trades with resting orders of accounts that it crosses."""
        for crossed_ticks in self._crossed(side, price_ticks):
            self.set_level(side.opposite, crossed_ticks, 0)  # the newer information applies
        merged = lots
        last = next(reversed(level.orders), 0)
        while last and self._is_last(side, price_ticks, last):
            merged += level.orders.pop(last)  # no order waits between: merge into one order
            self.matching.cancel(last)
            last = next(reversed(level.orders), 0)
        order_id, events = self._submit(side, TimeInForce.GTC, price_ticks, merged)
        resting = events[0][2]
        if resting:
            level.orders[order_id] = resting
        own = self._account_trades(events)
        level.taken_lots += sum(event[4] for event in own)
        return own

    def _crossed(self, side: Side, price_ticks: int) -> list[int]:
        """Levels of the other side that a new one at this price would cross."""
        return self.better_than(side.opposite, price_ticks - side.opposite.sign)

    def _is_last(self, side: Side, price_ticks: int, order_id: int) -> bool:
        row = self.matching.order(order_id)
        assert row is not None
        return self.matching.queue_ahead(order_id) + row[5] == self.matching.size_at(side, price_ticks)

    def _is_queued(self, side: Side, price_ticks: int, level: QueueLevel) -> bool:
        """Whether an account has an order at this price."""
        return self.matching.size_at(side, price_ticks) != level.standing_lots

    def _count_own_trades(self, level: QueueLevel) -> None:
        """Size that is missing since the last check was traded by an order of an account."""
        for order_id, leaves in list(level.orders.items()):
            row = self.matching.order(order_id)
            now = row[5] if row is not None else 0
            if now == leaves:
                continue
            level.taken_lots += leaves - now
            if now:
                level.orders[order_id] = now
            else:
                del level.orders[order_id]

    def _consumed(self, side: Side, price_ticks: int, level: QueueLevel, lots: int) -> None:
        if lots:
            level.traded_lots += lots
            level.traded_at = self.deltas
            self._owed[side, price_ticks] = level

    def _submit(self, side: Side, tif: TimeInForce, price_ticks: int, lots: int) -> tuple[int, list[Event]]:
        order_id = next(self._ids)
        events = self.matching.submit(order_id, FLOW_ACCOUNT, side, OrdType.LIMIT, tif, price_ticks, lots)
        assert events[0][0] == codes.ACCEPTED, events
        return order_id, events

    def _account_trades(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event[0] == codes.TRADE and event[7] != FLOW_ACCOUNT]

    def _flow_trades(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event[0] == codes.TRADE and event[7] == FLOW_ACCOUNT]
