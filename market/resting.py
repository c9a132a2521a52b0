"""Resting orders by price and time, and their queries: one half of the Python matching engine."""

import struct
from bisect import bisect_left, insort

from market.levels import pack_levels, state_hash

BUY, SELL = 1, 2  # protocol.Side


class RestingOrder:
    """One resting order."""

    __slots__ = ("account", "index", "key", "leaves", "order_id", "peak_lots", "shown", "size_lots")

    def __init__(self, order_id: int, account: int, index: int, key: int, size_lots: int, leaves: int):
        self.order_id = order_id
        self.account = account
        self.index = index  # 0 for a bid, 1 for an ask
        self.key = key  # the price of a bid, minus the price of an ask
        self.size_lots = size_lots  # as submitted, or as reduced to
        self.leaves = leaves
        self.peak_lots = 0  # of an iceberg: the most that is shown at a time; 0: all of it is shown
        self.shown = leaves

    def row(self) -> tuple[int, int, int, int, int, int]:
        """(order_id, account, side, price_ticks, size_lots, leaves)."""
        return self.order_id, self.account, self.index + 1, abs(self.key), self.size_lots, self.leaves


class RestingOrders:
    """Open orders of both sides in the order in which they would fill; `PlainMatching` adds the commands."""

    def __init__(self) -> None:
        self._keys: tuple[list[int], list[int]] = ([], [])  # ascending, the best last: see RestingOrder
        # key -> id -> order, first come first
        self._queues: tuple[dict[int, dict[int, RestingOrder]], dict[int, dict[int, RestingOrder]]] = ({}, {})
        self._lots: tuple[dict[int, int], dict[int, int]] = ({}, {})  # key -> sum of what is shown
        self._hidden: tuple[dict[int, int], dict[int, int]] = ({}, {})  # key -> sum of what icebergs hide, if any
        self._orders: dict[int, RestingOrder] = {}
        self._changed: tuple[set[int], set[int]] | None = None  # None until the first call of `changes`
        self._open_lots = [0, 0]  # of a side; below MAX_INT, so that no sum overflows in the Cython implementation

    def __len__(self) -> int:
        """Open orders."""
        return len(self._orders)

    @property
    def best_bid_ticks(self) -> int:
        """The price of the best bid; 0 if there are no bids."""
        return self._keys[0][-1] if self._keys[0] else 0

    @property
    def best_bid_lots(self) -> int:
        """The lots at the best bid; 0 if there are no bids."""
        return self._lots[0][self._keys[0][-1]] if self._keys[0] else 0

    @property
    def best_ask_ticks(self) -> int:
        """The price of the best ask; 0 if there are no asks."""
        return -self._keys[1][-1] if self._keys[1] else 0

    @property
    def best_ask_lots(self) -> int:
        """The lots at the best ask; 0 if there are no asks."""
        return self._lots[1][self._keys[1][-1]] if self._keys[1] else 0

    @property
    def is_empty(self) -> bool:
        """Whether a side has no order."""
        return not (self._keys[0] and self._keys[1])

    @property
    def bid_levels(self) -> int:
        """The number of bid levels."""
        return len(self._keys[0])

    @property
    def ask_levels(self) -> int:
        """The number of ask levels."""
        return len(self._keys[1])

    def would_match(self, side: int, price_ticks: int) -> bool:
        """Whether an order at this price would match one of the other side now."""
        index = 1 - _index(side)
        return bool(self._keys[index]) and self._keys[index][-1] >= (-price_ticks if index else price_ticks)

    def size_at(self, side: int, price_ticks: int) -> int:
        """The open lots that are shown at a price of a side's own book (BUY: bids)."""
        index = _index(side)
        return self._lots[index].get(-price_ticks if index else price_ticks, 0)

    def volume_for_price(self, side: int, price_ticks: int) -> int:
        """The lots available when taking on `side` up to and including the price, of all accounts, with hidden lots."""
        index = 1 - _index(side)
        keys = self._keys[index]
        within = keys[bisect_left(keys, -price_ticks if index else price_ticks) :]
        return sum(self._to_take(index, key) for key in within)

    def lots_for_notional(self, side: int, notional: int) -> int:
        """The whole lots that at most `notional` (ticks * lots) take on `side`: orders by quote quantity."""
        index = 1 - _index(side)
        total = 0
        for key in reversed(self._keys[index]):
            size_lots = self._to_take(index, key)
            taken = min(size_lots, max(notional, 0) // abs(key))
            total += taken
            notional -= taken * abs(key)
            if taken < size_lots:
                break
        return total

    def notional_for_lots(self, side: int, lots: int) -> int:
        """The notional (ticks * lots) of taking `lots` on `side`, or of all lots if there are fewer."""
        index = 1 - _index(side)
        total = 0
        for key in reversed(self._keys[index]):
            taken = min(lots, self._to_take(index, key))
            if taken <= 0:
                break
            total += taken * abs(key)
            lots -= taken
        return total

    def queue_ahead(self, order_id: int) -> int:
        """The lots that fill before this order at its price as it is shown; -1 if there is no such open order."""
        order = self._orders.get(order_id)
        if order is None:
            return -1
        ahead = 0
        for other in self._queues[order.index][order.key].values():
            if other is order:
                break
            ahead += other.shown
        return ahead

    def order(self, order_id: int) -> tuple[int, int, int, int, int, int] | None:
        """(order_id, account, side, price_ticks, size_lots, leaves) of an open order, else None."""
        order = self._orders.get(order_id)
        return order.row() if order is not None else None

    def orders(self, account: int) -> list[tuple[int, int, int, int, int, int]]:
        """The open orders of an account as `order` gives them, oldest first."""
        return [order.row() for order in self._orders_of(account)]

    def depth(self, side: int, n: int) -> bytes:
        """The best n levels of a side's own book, packed, best first."""
        index = _index(side)
        keys = self._keys[index]
        best = keys[max(len(keys) - max(n, 0), 0) :]
        return pack_levels((abs(key), self._lots[index][key]) for key in reversed(best))

    def snapshot(self, n: int = 0) -> tuple[bytes, bytes]:
        """(bids, asks): the best n levels a side, or all of them if n is 0, packed, best first."""
        return self.depth(BUY, n or self.bid_levels), self.depth(SELL, n or self.ask_levels)

    def changes(self) -> tuple[bytes, bytes]:
        """(bids, asks): levels changed since the last call, their sizes now (0: gone), packed, best first.

        The first call gives the whole book: changes are noted from then on. Their number is at
        most the number of distinct prices that changed between two calls.
        """
        dirty = self._changed
        self._changed = (set(), set())
        if dirty is None:
            return self.snapshot()
        bids, asks = (
            pack_levels((abs(key), self._lots[index].get(key, 0)) for key in sorted(noted, reverse=True))
            for index, noted in enumerate(dirty)
        )
        return bids, asks

    def state_hash(self) -> int:
        """64 bits over the open orders in their order of filling: equal for equal states of both implementations."""
        parts = []
        for index in (0, 1):
            resting = [o for key in reversed(self._keys[index]) for o in self._queues[index][key].values()]
            parts.append(b"".join(struct.pack("<8q", *o.row(), o.peak_lots, o.shown) for o in resting))
        return state_hash(*parts)

    # For the commands

    def _to_take(self, index: int, key: int) -> int:
        return self._lots[index][key] + self._hidden[index].get(key, 0)

    def _orders_of(self, account: int) -> list[RestingOrder]:
        # Orders enter the dict as they come to rest, so it is in order of arrival.
        return [order for order in self._orders.values() if order.account == account]

    def _rest(
        self,
        order_id: int,
        account: int,
        index: int,
        price_ticks: int,
        size_lots: int,
        leaves: int,
        peak_lots: int,
        shown_lots: int,
    ) -> None:
        key = -price_ticks if index else price_ticks
        order = RestingOrder(order_id, account, index, key, size_lots, leaves)
        shown_lots = min(peak_lots, shown_lots or peak_lots)
        if 0 < shown_lots < leaves:
            order.peak_lots, order.shown = peak_lots, shown_lots
            self._hide(order, leaves - shown_lots)
        if key not in self._queues[index]:
            insort(self._keys[index], key)
            self._queues[index][key] = {}
            self._lots[index][key] = 0
        self._queues[index][key][order_id] = order
        self._lots[index][key] += order.shown
        self._open_lots[index] += leaves
        self._orders[order_id] = order
        self._note_change(index, key)

    def _lower(self, order: RestingOrder, lots: int) -> None:
        """Takes lots off a resting order, hidden ones first; an order with none left is removed."""
        shown = min(order.shown, order.leaves - lots)
        self._hide(order, order.shown - shown - lots)
        self._reduce(order, lots, order.shown - shown)

    def _fill(self, order: RestingOrder, lots: int) -> None:
        """Takes lots off what an order shows; an iceberg then shows more, at the end of its price's queue."""
        self._reduce(order, lots, lots)
        if order.shown or not order.leaves:
            return
        order.shown = min(order.peak_lots, order.leaves)
        self._hide(order, -order.shown)
        self._lots[order.index][order.key] += order.shown
        queue = self._queues[order.index][order.key]
        queue[order.order_id] = queue.pop(order.order_id)

    def _hide(self, order: RestingOrder, lots: int) -> None:
        """Adds to the hidden lots of an order's price."""
        hidden = self._hidden[order.index]
        total = hidden.get(order.key, 0) + lots
        if total:
            hidden[order.key] = total
        else:
            hidden.pop(order.key, None)

    def _reduce(self, order: RestingOrder, lots: int, shown: int) -> None:
        """Takes lots off an order, `shown` of them off what it shows."""
        index, key = order.index, order.key
        order.leaves -= lots
        order.shown -= shown
        self._lots[index][key] -= shown
        self._open_lots[index] -= lots
        if not order.leaves:
            del self._orders[order.order_id]
            queue = self._queues[index][key]
            del queue[order.order_id]
            if not queue:
                keys = self._keys[index]
                del keys[bisect_left(keys, key)], self._queues[index][key], self._lots[index][key]
        self._note_change(index, key)

    def _note_change(self, index: int, key: int) -> None:
        if self._changed is not None:
            self._changed[index].add(key)


def _index(side: int) -> int:
    if side not in (BUY, SELL):
        raise ValueError(f"side {side!r}: use protocol.Side, 1 to buy or 2 to sell")
    return side - 1
