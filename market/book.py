"""An order book of one instrument in integer ticks and lots. `Book` is the implementation in use."""

from bisect import bisect_left
from math import nan
from typing import TYPE_CHECKING

from market.implementation import FORCE_PLAIN
from market.levels import MAX_INT, check_levels, pack_levels, state_hash

BUY, SELL = 1, 2  # protocol.Side


class PlainBook:
    """Levels by price, both sides; sizes are absolute, 0 deletes.

    Prices are 1..2**53-1 ticks, sizes 0..2**53-1 lots; `side` is `protocol.Side`. Queries that *take* walk
    the other side: a BUY takes the asks. 0 means "no such price". No level is dropped by itself,
    and a crossed book stays as it was published: see `is_crossed`.
    """

    def __init__(self) -> None:
        # Per side, keys ascending with the best at the end: price of a bid, minus the price of an ask.
        self._keys: tuple[list[int], list[int]] = ([], [])
        self._sizes: tuple[list[int], list[int]] = ([], [])

    def clear(self) -> None:
        """Removes all levels."""
        for index in (0, 1):
            self._keys[index].clear()
            self._sizes[index].clear()

    def apply_snapshot(self, bids: bytes, asks: bytes) -> None:
        """Replaces the book by packed levels, in any order. ValueError on invalid levels leaves the book unchanged."""
        levels = check_levels(bids), check_levels(asks)
        self.clear()
        for index in (0, 1):
            for price_ticks, size_lots in levels[index]:
                self._set(index, price_ticks, size_lots)

    def apply_delta(self, bids: bytes, asks: bytes) -> bool:
        """Sets packed levels; returns True if a best price or its size changed.

        Levels are set in order: of two with one price the later stays. Raises ValueError on invalid levels, with
        the book unchanged.
        """
        levels = check_levels(bids), check_levels(asks)
        before = self._top()
        for index in (0, 1):
            for price_ticks, size_lots in levels[index]:
                self._set(index, price_ticks, size_lots)
        return self._top() != before

    def set_level(self, side: int, price_ticks: int, size_lots: int) -> None:
        """Sets one level of a side's own book (BUY: bids) to an absolute size; 0 deletes it."""
        index = _index(side)
        if not (1 <= price_ticks <= MAX_INT and 0 <= size_lots <= MAX_INT):
            raise ValueError(f"book: invalid level: price {price_ticks}, size {size_lots}")
        self._set(index, price_ticks, size_lots)

    def truncate(self, n: int) -> None:
        """Keeps the best n levels of each side."""
        for values in (*self._keys, *self._sizes):
            del values[: max(len(values) - max(n, 0), 0)]

    @property
    def best_bid_ticks(self) -> int:
        """The price of the best bid; 0 if there are no bids."""
        return self._keys[0][-1] if self._keys[0] else 0

    @property
    def best_bid_lots(self) -> int:
        """The lots at the best bid; 0 if there are no bids."""
        return self._sizes[0][-1] if self._sizes[0] else 0

    @property
    def best_ask_ticks(self) -> int:
        """The price of the best ask; 0 if there are no asks."""
        return -self._keys[1][-1] if self._keys[1] else 0

    @property
    def best_ask_lots(self) -> int:
        """The lots at the best ask; 0 if there are no asks."""
        return self._sizes[1][-1] if self._sizes[1] else 0

    @property
    def mid_x2_ticks(self) -> int:
        """Best bid + best ask, exact; 0 unless both sides have a level."""
        return self._keys[0][-1] - self._keys[1][-1] if self._keys[0] and self._keys[1] else 0

    @property
    def mid_ticks(self) -> int:
        """The mid price, rounded down to a tick; 0 unless both sides have a level."""
        return self.mid_x2_ticks // 2

    @property
    def spread_ticks(self) -> int:
        """Best ask - best bid (negative when crossed); 0 unless both sides have a level."""
        return -self._keys[1][-1] - self._keys[0][-1] if self._keys[0] and self._keys[1] else 0

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask: such a book is wrong."""
        return bool(self._keys[0] and self._keys[1]) and self.spread_ticks <= 0

    @property
    def is_empty(self) -> bool:
        """Whether a side has no level."""
        return not (self._keys[0] and self._keys[1])

    @property
    def bid_levels(self) -> int:
        """The number of bid levels."""
        return len(self._keys[0])

    @property
    def ask_levels(self) -> int:
        """The number of ask levels."""
        return len(self._keys[1])

    @property
    def micro_ticks(self) -> float:
        """The mid price weighted by the sizes at the top, in ticks; nan unless both sides have a level."""
        if self.is_empty:
            return nan
        bid_lots, ask_lots = float(self.best_bid_lots), float(self.best_ask_lots)
        weighted = self.best_bid_ticks * ask_lots + self.best_ask_ticks * bid_lots
        return weighted / (bid_lots + ask_lots)

    def price_for_volume(self, side: int, lots: int) -> int:
        """The worst price reached when taking `lots` on `side`; 0 if there are fewer, or lots < 1."""
        index = 1 - _index(side)
        if lots < 1:
            return 0
        for key, size_lots in zip(reversed(self._keys[index]), reversed(self._sizes[index]), strict=True):
            lots -= size_lots
            if lots <= 0:
                return abs(key)
        return 0

    def volume_for_price(self, side: int, price_ticks: int) -> int:
        """The lots available when taking on `side` up to and including the price."""
        index = 1 - _index(side)
        keys = self._keys[index]
        return sum(self._sizes[index][bisect_left(keys, -price_ticks if index else price_ticks) :])

    def cost(self, side: int, lots: int) -> tuple[int, int]:
        """(lots filled, notional in ticks * lots, exact) when taking up to `lots` on `side`."""
        index = 1 - _index(side)
        left = max(lots, 0)
        wanted, notional = left, 0
        for key, size_lots in zip(reversed(self._keys[index]), reversed(self._sizes[index]), strict=True):
            taken = min(left, size_lots)
            notional += abs(key) * taken
            left -= taken
            if not left:
                break
        return wanted - left, notional

    def vwap(self, side: int, lots: int) -> float:
        """The average price in ticks when taking `lots` on `side`, as a float; nan if there are fewer."""
        filled, notional = self.cost(side, lots)
        return notional / filled if filled == lots and lots > 0 else nan

    def price_for_notional(self, side: int, notional: int) -> int:
        """The worst price reached when taking for `notional` (ticks * lots) on `side`; 0 if there is less."""
        index = 1 - _index(side)
        if notional < 1:
            return 0
        for key, size_lots in zip(reversed(self._keys[index]), reversed(self._sizes[index]), strict=True):
            notional -= abs(key) * size_lots
            if notional <= 0:
                return abs(key)
        return 0

    def lots_for_notional(self, side: int, notional: int) -> int:
        """The whole lots that at most `notional` ticks * lots take on `side`."""
        index = 1 - _index(side)
        total = 0
        for key, size_lots in zip(reversed(self._keys[index]), reversed(self._sizes[index]), strict=True):
            taken = min(size_lots, max(notional, 0) // abs(key))
            total += taken
            notional -= taken * abs(key)
            if taken < size_lots:
                break
        return total

    def size_at(self, side: int, price_ticks: int) -> int:
        """The lots at a price of a side's own book (BUY: bids); 0 if there are none."""
        index = _index(side)
        keys, key = self._keys[index], -price_ticks if index else price_ticks
        at = bisect_left(keys, key)
        return self._sizes[index][at] if at < len(keys) and keys[at] == key else 0

    def imbalance(self, n: int) -> float:
        """(bid lots - ask lots) / their sum over the best n levels a side, -1..1; nan if there are none."""
        bid_lots, ask_lots = (sum(sizes[max(len(sizes) - max(n, 0), 0) :]) for sizes in self._sizes)
        return (bid_lots - ask_lots) / (bid_lots + ask_lots) if bid_lots + ask_lots else nan

    def levels(self, side: int, n: int) -> list[tuple[int, int]]:
        """The best n (price_ticks, size_lots) of a side's own book, best first."""
        index = _index(side)
        low = max(len(self._keys[index]) - max(n, 0), 0)
        prices = [abs(key) for key in reversed(self._keys[index][low:])]
        return list(zip(prices, reversed(self._sizes[index][low:]), strict=True))

    def depth(self, side: int, n: int) -> bytes:
        """`levels`, packed."""
        return pack_levels(self.levels(side, n))

    def snapshot(self) -> tuple[bytes, bytes]:
        """(bids, asks): all levels, packed, best first."""
        return self.depth(BUY, self.bid_levels), self.depth(SELL, self.ask_levels)

    def copy(self) -> "PlainBook":
        """A new book with the same levels."""
        other = type(self)()
        other.apply_snapshot(*self.snapshot())
        return other

    def state_hash(self) -> int:
        """64 bits, equal for equal books of both implementations."""
        return state_hash(*self.snapshot())

    def _top(self) -> tuple[int, int, int, int]:
        return self.best_bid_ticks, self.best_bid_lots, self.best_ask_ticks, self.best_ask_lots

    def _set(self, index: int, price_ticks: int, size_lots: int) -> None:
        keys, sizes = self._keys[index], self._sizes[index]
        key = -price_ticks if index else price_ticks
        at = bisect_left(keys, key)
        found = at < len(keys) and keys[at] == key
        if size_lots and found:
            sizes[at] = size_lots
        elif size_lots:
            keys.insert(at, key)
            sizes.insert(at, size_lots)
        elif found:
            del keys[at], sizes[at]


def _index(side: int) -> int:
    if side not in (BUY, SELL):
        raise ValueError(f"side {side!r}: use protocol.Side, 1 to buy or 2 to sell")
    return side - 1


try:
    from market._book import FastBook
except ImportError:
    FastBook = None  # type: ignore[assignment,misc]

if TYPE_CHECKING or FastBook is None or FORCE_PLAIN:
    IMPLEMENTATION = "plain"
    Book = PlainBook
else:
    IMPLEMENTATION = "cython"
    Book = FastBook
