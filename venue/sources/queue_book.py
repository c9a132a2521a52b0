"""Another market's book inside a matching engine: its levels as orders, among which the accounts' orders queue."""

from itertools import count

from market import codes
from market.book import Book
from protocol.enums import OrdType, Side, TimeInForce
from venue.base.settings import CancelModel
from venue.sources.queue_level import QueueLevel, shares
from venue.symbols.symbol import FLOW_ACCOUNT, Symbol

Event = tuple[int, ...]

FIRST_ID = 2**61
"""Ids of the orders that stand for levels: beyond all that accounts get, and nobody is told of them."""
EXPLAINED_IN = 2
"""A trade must have shown in the book by this many diffs; then the book's word counts alone."""


class QueueBook:
    """`set_level` and `trade` give the accounts' trades, as matching told them, for the settlement to carry out.

    An order of an account rests behind what stood at its price. What is added later stands behind it; trades
    consume the queue from its front; what vanishes without a trade is shared by the cancel model. Where no account
    has an order, and none has taken anything, the book is the other market's, level by level.
    """

    def __init__(self, symbol: Symbol, cancels: CancelModel) -> None:
        self.symbol = symbol
        self.matching = symbol.matching
        self.cancels = cancels
        self.recorded = Book()
        self.levels: dict[Side, dict[int, QueueLevel]] = {Side.BUY: {}, Side.SELL: {}}
        self.diffs = 0
        self._owed: dict[tuple[Side, int], QueueLevel] = {}  # trades consumed here, and the book has not told of it
        self._ids = count(FIRST_ID)

    def set_level(self, side: Side, price_ticks: int, size_lots: int) -> list[Event]:
        """The other market has so many lots at this price now; 0: the level is gone."""
        levels = self.levels[side]
        level = levels.get(price_ticks)
        if level is None:
            if not size_lots:
                return []
            level = levels[price_ticks] = QueueLevel()
        elif level.recorded_lots == size_lots and not level.traded_lots:
            return []
        self._count_taken(level)
        level.record(size_lots)
        self.recorded.set_level(side, price_ticks, size_lots)
        if level.traded_lots and not self._is_queued(side, price_ticks, level):
            level.traded_lots = 0  # nobody waits here: the book's word alone
        events = self._follow(side, price_ticks, level)
        if not size_lots:
            del levels[price_ticks]
            self._owed.pop((side, price_ticks), None)
        return events

    def trade(self, taker: Side, price_ticks: int, size_lots: int, own_ticks: list[int]) -> list[Event]:
        """A trade of the other market: of the accounts' orders at `own_ticks`, those it would have met first fill.

        Its price proves that nothing of the other market stands at a better one.
        """
        side = taker.opposite
        if not own_ticks:
            return []
        for better_ticks in self.better_than(side, price_ticks):
            level = self.levels[side][better_ticks]
            self._count_taken(level)
            self._consumed(side, better_ticks, level, level.standing_lots)
            self._shrink(level, level.standing_lots)
        limit_ticks = min(own_ticks) if side is Side.BUY else max(own_ticks)
        level_here = self.levels[side].get(price_ticks)
        if level_here is not None:
            self._count_taken(level_here)
        events = self._submit(taker, TimeInForce.IOC, limit_ticks, size_lots)[1]
        for _, maker_id, _, at_ticks, lots, leaves, *_ in self._foreign(events):
            level = self.levels[side][at_ticks]
            self._consumed(side, at_ticks, level, lots)
            level.orders[maker_id] = leaves
            if not leaves:
                del level.orders[maker_id]
        return self._own(events)

    def diff_came(self) -> list[tuple[Side, list[Event]]]:
        """One more diff is in: trades that the book should have told of by now, and has not, are taken back."""
        self.diffs += 1
        late = [key for key, level in self._owed.items() if self.diffs - level.traded_at >= EXPLAINED_IN]
        found = []
        for side, price_ticks in late:
            level = self._owed.pop((side, price_ticks))
            self._count_taken(level)
            level.traded_lots = 0
            found.append((side, self._follow(side, price_ticks, level)))
        return found

    def better_than(self, side: Side, price_ticks: int) -> list[int]:
        """Prices of the other market's levels on this side that are better than this one, best first."""
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

    def _follow(self, side: Side, price_ticks: int, level: QueueLevel) -> list[Event]:
        """Make what stands in our book what should."""
        more = level.wanted_lots - level.standing_lots
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
        """Add to the back of the queue; what meets resting orders of accounts trades with them."""
        for crossed_ticks in self._crossed(side, price_ticks):
            self.set_level(side.opposite, crossed_ticks, 0)  # the newer word counts
        merged = lots
        last = next(reversed(level.orders), 0)
        while last and self._is_last(side, price_ticks, last):
            merged += level.orders.pop(last)  # nobody waits between: one order will do
            self.matching.cancel(last)
            last = next(reversed(level.orders), 0)
        order_id, events = self._submit(side, TimeInForce.GTC, price_ticks, merged)
        resting = events[0][2]
        if resting:
            level.orders[order_id] = resting
        own = self._own(events)
        level.taken_lots += sum(event[4] for event in own)
        return own

    def _crossed(self, side: Side, price_ticks: int) -> list[int]:
        """Levels of the other side that a new one at this price would meet."""
        return self.better_than(side.opposite, price_ticks - side.opposite.sign)

    def _is_last(self, side: Side, price_ticks: int, order_id: int) -> bool:
        row = self.matching.order(order_id)
        assert row is not None
        return self.matching.queue_ahead(order_id) + row[5] == self.matching.size_at(side, price_ticks)

    def _is_queued(self, side: Side, price_ticks: int, level: QueueLevel) -> bool:
        """Whether an account has an order here."""
        return self.matching.size_at(side, price_ticks) != level.standing_lots

    def _count_taken(self, level: QueueLevel) -> None:
        """What is missing since we last looked was taken by an order of an account."""
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
            level.traded_at = self.diffs
            self._owed[side, price_ticks] = level

    def _submit(self, side: Side, tif: TimeInForce, price_ticks: int, lots: int) -> tuple[int, list[Event]]:
        order_id = next(self._ids)
        events = self.matching.submit(order_id, FLOW_ACCOUNT, side, OrdType.LIMIT, tif, price_ticks, lots)
        assert events[0][0] == codes.ACCEPTED, events
        return order_id, events

    def _own(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event[0] == codes.TRADE and event[7] != FLOW_ACCOUNT]

    def _foreign(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event[0] == codes.TRADE and event[7] == FLOW_ACCOUNT]
