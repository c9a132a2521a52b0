# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The Cython implementation of `market.book.PlainBook`: two sides of `_book_side.pxd`."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.math cimport NAN
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free

cimport cython
from market._book_side cimport (
    Changes, Levels, check_packed, differs, fill_empty, keep_best, pack_side, put_level, put_levels, reserve,
    reserve_changes, sum_lots, top, walk,
)
from market._ladder cimport MAX_INT, int128, lower_bound, price_of, side_index

from market.levels import state_hash

cdef int64_t EXACT_DOUBLE = <int64_t>1 << 53

# Scratch for the changes of a delta, for all books: it is used within one call only, under the GIL.
cdef Changes _changes


cdef inline object _to_int(int128 value):
    cdef int64_t low = <int64_t>value
    if <int128>low == value:
        return low
    return (<object><int64_t>(value >> 64) << 64) | <object><uint64_t>value


cdef inline int128 _from_int(object value) except? -1:
    """A Python int as 128 bits; beyond 2**126 (more than any book holds) that limit."""
    cdef int64_t high
    if value < 0:
        return 0
    if value.bit_length() > 126:
        return (<int128>1) << 126
    high = value >> 64
    return ((<int128>high) << 64) | <int128><uint64_t>(value & 0xFFFFFFFFFFFFFFFF)


cdef class FastBook:
    """Levels by price, both sides; sizes are absolute, 0 deletes.

    Prices are 1..2**53-1 ticks, sizes 0..2**53-1 lots; `side` is `protocol.Side`. Queries that *take* walk the
    other side: a BUY takes the asks. 0 means "no such price". No level is dropped by itself, and a
    crossed book stays as it was published: see `is_crossed`.
    """

    cdef Levels bids
    cdef Levels asks
    cdef object __weakref__

    def __dealloc__(self):
        free(self.bids.at)
        free(self.asks.at)

    @cython.final
    cdef inline Levels* _own(self, int side) except NULL:
        return &self.asks if side_index(side) else &self.bids

    @cython.final
    cdef inline Levels* _other(self, int side) except NULL:
        return &self.bids if side_index(side) else &self.asks

    def clear(self):
        """Removes all levels."""
        self.bids.n = self.asks.n = 0

    def apply_snapshot(self, bytes bids not None, bytes asks not None):
        """Replaces the book by packed levels, in any order. ValueError on invalid levels leaves the book unchanged."""
        cdef Py_ssize_t bids_n = check_packed(bids), asks_n = check_packed(asks)
        reserve(&self.bids, bids_n)
        reserve(&self.asks, asks_n)
        self.bids.n = self.asks.n = 0
        fill_empty(&self.bids, <const int64_t*>PyBytes_AS_STRING(bids), bids_n, 1)
        fill_empty(&self.asks, <const int64_t*>PyBytes_AS_STRING(asks), asks_n, -1)

    def apply_delta(self, bytes bids not None, bytes asks not None) -> bool:
        """Sets packed levels; returns True if a best price or its size changed.

        Levels are set in order: of two with one price the later stays. Raises ValueError on invalid levels, with
        the book unchanged.
        """
        cdef Py_ssize_t bids_n = check_packed(bids), asks_n = check_packed(asks)
        cdef int64_t bid_key = 0, bid_lots = 0, ask_key = 0, ask_lots = 0
        reserve(&self.bids, self.bids.n + bids_n)
        reserve(&self.asks, self.asks.n + asks_n)
        reserve_changes(&_changes, max(bids_n, asks_n))
        top(&self.bids, &bid_key, &bid_lots)
        top(&self.asks, &ask_key, &ask_lots)
        put_levels(&self.bids, <const int64_t*>PyBytes_AS_STRING(bids), bids_n, 1, _changes.at)
        put_levels(&self.asks, <const int64_t*>PyBytes_AS_STRING(asks), asks_n, -1, _changes.at)
        return differs(&self.bids, bid_key, bid_lots) or differs(&self.asks, ask_key, ask_lots)

    def set_level(self, int side, int64_t price_ticks, int64_t size_lots):
        """Sets one level of a side's own book (BUY: bids) to an absolute size; 0 deletes it."""
        cdef Levels* own = self._own(side)
        if not (1 <= price_ticks <= MAX_INT and 0 <= size_lots <= MAX_INT):
            raise ValueError(f"book: invalid level: price {price_ticks}, size {size_lots}")
        reserve(own, own.n + 1)
        put_level(own, price_ticks if side == 1 else -price_ticks, size_lots)

    def truncate(self, Py_ssize_t n):
        """Keeps the best n levels of each side."""
        keep_best(&self.bids, max(n, 0))
        keep_best(&self.asks, max(n, 0))

    @property
    def best_bid_ticks(self) -> int:
        """The price of the best bid; 0 if there are no bids."""
        return self.bids.at[self.bids.n - 1].key if self.bids.n else 0

    @property
    def best_bid_lots(self) -> int:
        """The lots at the best bid; 0 if there are no bids."""
        return self.bids.at[self.bids.n - 1].lots if self.bids.n else 0

    @property
    def best_ask_ticks(self) -> int:
        """The price of the best ask; 0 if there are no asks."""
        return -self.asks.at[self.asks.n - 1].key if self.asks.n else 0

    @property
    def best_ask_lots(self) -> int:
        """The lots at the best ask; 0 if there are no asks."""
        return self.asks.at[self.asks.n - 1].lots if self.asks.n else 0

    @property
    def mid_x2_ticks(self) -> int:
        """Best bid + best ask, exact; 0 unless both sides have a level."""
        if self.bids.n == 0 or self.asks.n == 0:
            return 0
        return self.bids.at[self.bids.n - 1].key - self.asks.at[self.asks.n - 1].key

    @property
    def mid_ticks(self) -> int:
        """The mid price, rounded down to a tick; 0 unless both sides have a level."""
        if self.bids.n == 0 or self.asks.n == 0:
            return 0
        return (self.bids.at[self.bids.n - 1].key - self.asks.at[self.asks.n - 1].key) >> 1

    @property
    def spread_ticks(self) -> int:
        """Best ask - best bid (negative when crossed); 0 unless both sides have a level."""
        if self.bids.n == 0 or self.asks.n == 0:
            return 0
        return -self.asks.at[self.asks.n - 1].key - self.bids.at[self.bids.n - 1].key

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask: such a book is wrong."""
        if self.bids.n == 0 or self.asks.n == 0:
            return False
        return self.bids.at[self.bids.n - 1].key >= -self.asks.at[self.asks.n - 1].key

    @property
    def is_empty(self) -> bool:
        """Whether a side has no level."""
        return self.bids.n == 0 or self.asks.n == 0

    @property
    def bid_levels(self) -> int:
        """The number of bid levels."""
        return self.bids.n

    @property
    def ask_levels(self) -> int:
        """The number of ask levels."""
        return self.asks.n

    @property
    def micro_ticks(self) -> float:
        """The mid price weighted by the sizes at the top, in ticks; nan unless both sides have a level."""
        cdef double bid, ask, bid_lots, ask_lots
        if self.bids.n == 0 or self.asks.n == 0:
            return NAN
        bid, bid_lots = <double>self.bids.at[self.bids.n - 1].key, <double>self.bids.at[self.bids.n - 1].lots
        ask, ask_lots = -<double>self.asks.at[self.asks.n - 1].key, <double>self.asks.at[self.asks.n - 1].lots
        return (bid * ask_lots + ask * bid_lots) / (bid_lots + ask_lots)

    def price_for_volume(self, int side, int64_t lots) -> int:
        """The worst price reached when taking `lots` on `side`; 0 if there are fewer, or lots < 1."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        if lots < 1:
            return 0
        while i > 0:
            i -= 1
            lots -= taken.at[i].lots
            if lots <= 0:
                return price_of(taken.at[i].key)
        return 0

    def volume_for_price(self, int side, int64_t price_ticks) -> int:
        """The lots available when taking on `side` up to and including the price."""
        cdef Levels* taken = self._other(side)
        cdef int64_t limit = -price_ticks if side == 1 else price_ticks
        cdef Py_ssize_t i = taken.n
        cdef int128 total = 0
        while i > 0 and taken.at[i - 1].key >= limit:
            i -= 1
            total += taken.at[i].lots
        return _to_int(total)

    def cost(self, int side, int64_t lots) -> tuple:
        """(lots filled, notional in ticks * lots, exact) when taking up to `lots` on `side`."""
        cdef int128 notional = 0
        cdef int64_t filled = walk(self._other(side), lots, &notional)
        return filled, _to_int(notional)

    def vwap(self, int side, int64_t lots) -> float:
        """The average price in ticks when taking `lots` on `side`, as a float; nan if there are fewer."""
        cdef int128 notional = 0
        cdef int64_t filled = walk(self._other(side), lots, &notional)
        if lots < 1 or filled != lots:
            return NAN
        if notional <= <int128>EXACT_DOUBLE and lots <= EXACT_DOUBLE:
            return <double><int64_t>notional / <double>lots
        return _to_int(notional) / <object>lots  # rounded once, as in PlainBook

    def price_for_notional(self, int side, notional) -> int:
        """The worst price reached when taking for `notional` (ticks * lots) on `side`; 0 if there is less."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        cdef int128 left = _from_int(notional)
        if left < 1:
            return 0
        while i > 0:
            i -= 1
            left -= <int128>price_of(taken.at[i].key) * <int128>taken.at[i].lots
            if left <= 0:
                return price_of(taken.at[i].key)
        return 0

    def lots_for_notional(self, int side, notional) -> int:
        """The whole lots that at most `notional` (ticks * lots) take on `side`."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        cdef int128 left = _from_int(notional), total = 0, cost
        while i > 0:
            i -= 1
            cost = <int128>price_of(taken.at[i].key) * <int128>taken.at[i].lots
            if cost > left:
                total += left // <int128>price_of(taken.at[i].key)
                break
            total += taken.at[i].lots
            left -= cost
        return _to_int(total)

    def size_at(self, int side, int64_t price_ticks) -> int:
        """The lots at a price of a side's own book (BUY: bids); 0 if there are none."""
        cdef Levels* own = self._own(side)
        cdef int64_t key = price_ticks if side == 1 else -price_ticks
        cdef Py_ssize_t at = lower_bound(<const int64_t*>own.at, 2, own.n, key)
        return own.at[at].lots if at < own.n and own.at[at].key == key else 0

    def imbalance(self, Py_ssize_t n) -> float:
        """(bid lots - ask lots) / their sum over the best n levels a side, -1..1; nan if there are none."""
        cdef int128 bid_lots = sum_lots(&self.bids, n), ask_lots = sum_lots(&self.asks, n)
        if bid_lots + ask_lots == 0:
            return NAN
        if bid_lots + ask_lots <= <int128>EXACT_DOUBLE:
            return <double><int64_t>(bid_lots - ask_lots) / <double><int64_t>(bid_lots + ask_lots)
        return _to_int(bid_lots - ask_lots) / _to_int(bid_lots + ask_lots)

    def levels(self, int side, Py_ssize_t n) -> list:
        """The best n (price_ticks, size_lots) of a side's own book, best first."""
        cdef Levels* own = self._own(side)
        cdef Py_ssize_t i = own.n, low = max(own.n - max(n, 0), 0)
        cdef list result = []
        while i > low:
            i -= 1
            result.append((price_of(own.at[i].key), own.at[i].lots))
        return result

    def depth(self, int side, Py_ssize_t n) -> bytes:
        """`levels`, packed."""
        return pack_side(self._own(side), n)

    def snapshot(self) -> tuple:
        """(bids, asks): all levels, packed, best first."""
        return pack_side(&self.bids, self.bids.n), pack_side(&self.asks, self.asks.n)

    def copy(self):
        """A new book with the same levels."""
        other = type(self)()
        other.apply_snapshot(*self.snapshot())
        return other

    def state_hash(self) -> int:
        """64 bits, equal for equal books of both implementations."""
        return state_hash(*self.snapshot())
