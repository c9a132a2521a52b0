# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The fast twin of `market.book.PlainBook`: two flat int64 arrays a side, the best level at their end."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport NAN
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memmove

from market.levels import state_hash

cdef extern from *:
    """
    typedef __int128 tickbus_int128;
    """
    # Sums of ticks * lots: both are below 2**53, so 2**20 levels fit.
    ctypedef long long int128 "tickbus_int128"

cdef int64_t MAX_INT = (<int64_t>1 << 53) - 1
cdef int64_t EXACT_DOUBLE = <int64_t>1 << 53

cdef struct Levels:
    int64_t* keys  # ascending; the price of a bid, minus the price of an ask: the best is the last
    int64_t* sizes
    Py_ssize_t n
    Py_ssize_t room


cdef inline int64_t _price(int64_t key) noexcept nogil:
    return key if key > 0 else -key


cdef inline Py_ssize_t _lower_bound(const int64_t* keys, Py_ssize_t n, int64_t key) noexcept nogil:
    """The first index whose key is not below `key`: leaps of growing size from the end, where most changes are."""
    cdef Py_ssize_t low, high, middle, leap = 1
    if n == 0 or keys[n - 1] < key:
        return n
    high = n - 1
    while True:
        low = high - leap
        if low < 0:
            low = -1
            break
        if keys[low] < key:
            break
        high = low
        leap *= 2
    while high - low > 1:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle
        else:
            high = middle
    return high


cdef inline Py_ssize_t _put(Levels* side, Py_ssize_t within, int64_t key, int64_t size_lots) noexcept nogil:
    """Set a level that is known to belong below index `within`; where it is. There must be room."""
    cdef Py_ssize_t at = _lower_bound(side.keys, within, key)
    cdef Py_ssize_t above = side.n - at
    if above and side.keys[at] == key:
        if size_lots:
            side.sizes[at] = size_lots
        else:
            side.n -= 1
            memmove(side.keys + at, side.keys + at + 1, (above - 1) * sizeof(int64_t))
            memmove(side.sizes + at, side.sizes + at + 1, (above - 1) * sizeof(int64_t))
    elif size_lots:
        memmove(side.keys + at + 1, side.keys + at, above * sizeof(int64_t))
        memmove(side.sizes + at + 1, side.sizes + at, above * sizeof(int64_t))
        side.keys[at] = key
        side.sizes[at] = size_lots
        side.n += 1
    return at


cdef inline void _put_all(Levels* side, const int64_t* pairs, Py_ssize_t n, int64_t sign) noexcept nogil:
    cdef Py_ssize_t i, at = side.n
    cdef int64_t key, last = 0
    for i in range(n):
        key = sign * pairs[2 * i]
        # Exchanges send the best first: then each level lies below the one before.
        at = _put(side, at if i and key < last else side.n, key, pairs[2 * i + 1])
        last = key


cdef inline Py_ssize_t _first_invalid(const int64_t* pairs, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        # As unsigned numbers negative ones are large: one comparison each.
        if <uint64_t>(pairs[2 * i] - 1) >= <uint64_t>MAX_INT or <uint64_t>pairs[2 * i + 1] > <uint64_t>MAX_INT:
            return i
    return -1


cdef Py_ssize_t _check(bytes packed) except -1:
    """The number of levels, or ValueError."""
    cdef Py_ssize_t length = PyBytes_GET_SIZE(packed), bad
    cdef const int64_t* pairs = <const int64_t*>PyBytes_AS_STRING(packed)
    if length & 15:
        raise ValueError(f"levels: {length} bytes are not a multiple of 16")
    bad = _first_invalid(pairs, length >> 4)
    if bad >= 0:
        raise ValueError(f"levels: no valid level, index {bad}: price {pairs[2 * bad]}, size {pairs[2 * bad + 1]}")
    return length >> 4


cdef int _reserve(Levels* side, Py_ssize_t wanted) except -1:
    cdef Py_ssize_t room = side.room
    cdef void* larger
    if wanted <= room:
        return 0
    room = max(wanted, 2 * room, 64)
    larger = realloc(side.keys, room * sizeof(int64_t))
    if larger == NULL:
        raise MemoryError
    side.keys = <int64_t*>larger
    larger = realloc(side.sizes, room * sizeof(int64_t))
    if larger == NULL:
        raise MemoryError
    side.sizes = <int64_t*>larger
    side.room = room
    return 0


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
    other side: a BUY takes the asks. 0 stands for "no such price". Nothing is thrown away by itself, and a
    crossed book is kept as told: see `is_crossed`.
    """

    cdef Levels bids
    cdef Levels asks
    cdef object __weakref__

    def __dealloc__(self):
        free(self.bids.keys)
        free(self.bids.sizes)
        free(self.asks.keys)
        free(self.asks.sizes)

    cdef inline Levels* _own(self, int side) except NULL:
        if side == 1:
            return &self.bids
        if side == 2:
            return &self.asks
        raise ValueError(f"side {side!r}: use protocol.Side, 1 to buy or 2 to sell")

    cdef inline Levels* _other(self, int side) except NULL:
        if side == 1:
            return &self.asks
        if side == 2:
            return &self.bids
        raise ValueError(f"side {side!r}: use protocol.Side, 1 to buy or 2 to sell")

    def clear(self):
        """Forget all levels."""
        self.bids.n = self.asks.n = 0

    def apply_snapshot(self, bytes bids not None, bytes asks not None):
        """Replace the book by packed levels (any order). ValueError on garbage, with the book as it was."""
        cdef Py_ssize_t bids_n = _check(bids), asks_n = _check(asks)
        _reserve(&self.bids, bids_n)
        _reserve(&self.asks, asks_n)
        self.bids.n = self.asks.n = 0
        # From the last to the first, because the best first is how they come; but of two with one price the later
        # holds, so out of order they go in as they come.
        _fill(&self.bids, <const int64_t*>PyBytes_AS_STRING(bids), bids_n, 1)
        _fill(&self.asks, <const int64_t*>PyBytes_AS_STRING(asks), asks_n, -1)

    def apply_delta(self, bytes bids not None, bytes asks not None) -> bool:
        """Set the packed levels given; True if a best price or its size changed.

        Levels are taken in order (of two with one price the later holds). ValueError on garbage, with the book
        as it was.
        """
        cdef Py_ssize_t bids_n = _check(bids), asks_n = _check(asks)
        cdef int64_t bid_key = 0, bid_lots = 0, ask_key = 0, ask_lots = 0
        _reserve(&self.bids, self.bids.n + bids_n)
        _reserve(&self.asks, self.asks.n + asks_n)
        _top(&self.bids, &bid_key, &bid_lots)
        _top(&self.asks, &ask_key, &ask_lots)
        _put_all(&self.bids, <const int64_t*>PyBytes_AS_STRING(bids), bids_n, 1)
        _put_all(&self.asks, <const int64_t*>PyBytes_AS_STRING(asks), asks_n, -1)
        return _differs(&self.bids, bid_key, bid_lots) or _differs(&self.asks, ask_key, ask_lots)

    def set_level(self, int side, int64_t price_ticks, int64_t size_lots):
        """Set one level of a side's own book (BUY: bids) to an absolute size; 0 deletes."""
        cdef Levels* own = self._own(side)
        if not (1 <= price_ticks <= MAX_INT and 0 <= size_lots <= MAX_INT):
            raise ValueError(f"book: no valid level: price {price_ticks}, size {size_lots}")
        _reserve(own, own.n + 1)
        _put(own, own.n, price_ticks if side == 1 else -price_ticks, size_lots)

    def truncate(self, Py_ssize_t n):
        """Keep the best n levels of each side."""
        _keep(&self.bids, max(n, 0))
        _keep(&self.asks, max(n, 0))

    @property
    def best_bid_ticks(self) -> int:
        return self.bids.keys[self.bids.n - 1] if self.bids.n else 0

    @property
    def best_bid_lots(self) -> int:
        return self.bids.sizes[self.bids.n - 1] if self.bids.n else 0

    @property
    def best_ask_ticks(self) -> int:
        return -self.asks.keys[self.asks.n - 1] if self.asks.n else 0

    @property
    def best_ask_lots(self) -> int:
        return self.asks.sizes[self.asks.n - 1] if self.asks.n else 0

    @property
    def mid_x2_ticks(self) -> int:
        """Best bid + best ask, exact; 0 unless both sides have a level."""
        if self.bids.n == 0 or self.asks.n == 0:
            return 0
        return self.bids.keys[self.bids.n - 1] - self.asks.keys[self.asks.n - 1]

    @property
    def mid_ticks(self) -> int:
        """The middle, rounded down to a tick; 0 unless both sides have a level."""
        if self.bids.n == 0 or self.asks.n == 0:
            return 0
        return (self.bids.keys[self.bids.n - 1] - self.asks.keys[self.asks.n - 1]) >> 1

    @property
    def spread_ticks(self) -> int:
        """Best ask - best bid (negative when crossed); 0 unless both sides have a level."""
        if self.bids.n == 0 or self.asks.n == 0:
            return 0
        return -self.asks.keys[self.asks.n - 1] - self.bids.keys[self.bids.n - 1]

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask: such a book is not to be believed."""
        if self.bids.n == 0 or self.asks.n == 0:
            return False
        return self.bids.keys[self.bids.n - 1] >= -self.asks.keys[self.asks.n - 1]

    @property
    def is_empty(self) -> bool:
        """Whether a side has no level."""
        return self.bids.n == 0 or self.asks.n == 0

    @property
    def bid_levels(self) -> int:
        return self.bids.n

    @property
    def ask_levels(self) -> int:
        return self.asks.n

    @property
    def micro_ticks(self) -> float:
        """The middle weighted by the sizes at the top, in ticks; nan unless both sides have a level."""
        cdef double bid, ask, bid_lots, ask_lots
        if self.bids.n == 0 or self.asks.n == 0:
            return NAN
        bid, bid_lots = <double>self.bids.keys[self.bids.n - 1], <double>self.bids.sizes[self.bids.n - 1]
        ask, ask_lots = -<double>self.asks.keys[self.asks.n - 1], <double>self.asks.sizes[self.asks.n - 1]
        return (bid * ask_lots + ask * bid_lots) / (bid_lots + ask_lots)

    def price_for_volume(self, int side, int64_t lots) -> int:
        """The worst price touched when taking `lots` on `side`; 0 if there are not so many, or lots < 1."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        if lots < 1:
            return 0
        while i > 0:
            i -= 1
            lots -= taken.sizes[i]
            if lots <= 0:
                return _price(taken.keys[i])
        return 0

    def volume_for_price(self, int side, int64_t price_ticks) -> int:
        """The lots to be had when taking on `side` up to and including the price."""
        cdef Levels* taken = self._other(side)
        cdef int64_t limit = -price_ticks if side == 1 else price_ticks
        cdef Py_ssize_t i = taken.n
        cdef int128 total = 0
        while i > 0 and taken.keys[i - 1] >= limit:
            i -= 1
            total += taken.sizes[i]
        return _to_int(total)

    def cost(self, int side, int64_t lots) -> tuple:
        """(lots filled, notional in ticks * lots, exact) when taking up to `lots` on `side`."""
        cdef int128 notional = 0
        cdef int64_t filled = _walk(self._other(side), lots, &notional)
        return filled, _to_int(notional)

    def vwap(self, int side, int64_t lots) -> float:
        """The average price in ticks when taking `lots` on `side` (an indicator); nan if there are too few."""
        cdef int128 notional = 0
        cdef int64_t filled = _walk(self._other(side), lots, &notional)
        if lots < 1 or filled != lots:
            return NAN
        if notional <= <int128>EXACT_DOUBLE and lots <= EXACT_DOUBLE:
            return <double><int64_t>notional / <double>lots
        return _to_int(notional) / <object>lots  # rounded once, as the plain twin does

    def price_for_notional(self, int side, notional) -> int:
        """The worst price touched when taking for `notional` (ticks * lots) on `side`; 0 if that is not there."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        cdef int128 left = _from_int(notional)
        if left < 1:
            return 0
        while i > 0:
            i -= 1
            left -= <int128>_price(taken.keys[i]) * <int128>taken.sizes[i]
            if left <= 0:
                return _price(taken.keys[i])
        return 0

    def lots_for_notional(self, int side, notional) -> int:
        """The whole lots that at most `notional` (ticks * lots) take on `side`."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        cdef int128 left = _from_int(notional), total = 0, cost
        while i > 0:
            i -= 1
            cost = <int128>_price(taken.keys[i]) * <int128>taken.sizes[i]
            if cost > left:
                total += left // <int128>_price(taken.keys[i])
                break
            total += taken.sizes[i]
            left -= cost
        return _to_int(total)

    def size_at(self, int side, int64_t price_ticks) -> int:
        """The lots that stand at a price of a side's own book (BUY: bids); 0 if none."""
        cdef Levels* own = self._own(side)
        cdef int64_t key = price_ticks if side == 1 else -price_ticks
        cdef Py_ssize_t at = _lower_bound(own.keys, own.n, key)
        return own.sizes[at] if at < own.n and own.keys[at] == key else 0

    def imbalance(self, Py_ssize_t n) -> float:
        """(bid lots - ask lots) / their sum over the best n levels a side, -1..1; nan if there are none."""
        cdef int128 bid_lots = _sum(&self.bids, n), ask_lots = _sum(&self.asks, n)
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
            result.append((_price(own.keys[i]), own.sizes[i]))
        return result

    def depth(self, int side, Py_ssize_t n) -> bytes:
        """`levels`, packed."""
        return _pack(self._own(side), n)

    def snapshot(self) -> tuple:
        """(bids, asks): all levels, packed, best first."""
        return _pack(&self.bids, self.bids.n), _pack(&self.asks, self.asks.n)

    def copy(self):
        """A book of its own with the same levels."""
        twin = type(self)()
        twin.apply_snapshot(*self.snapshot())
        return twin

    def state_hash(self) -> int:
        """64 bits, equal for equal books of either twin."""
        return state_hash(*self.snapshot())


cdef inline void _top(Levels* side, int64_t* key, int64_t* lots) noexcept nogil:
    if side.n:
        key[0] = side.keys[side.n - 1]
        lots[0] = side.sizes[side.n - 1]


cdef inline bint _differs(Levels* side, int64_t key, int64_t lots) noexcept nogil:
    if side.n == 0:
        return key != 0
    return side.keys[side.n - 1] != key or side.sizes[side.n - 1] != lots


cdef void _fill(Levels* side, const int64_t* pairs, Py_ssize_t n, int64_t sign) noexcept nogil:
    """Levels into an empty side with room for them."""
    cdef Py_ssize_t i, at = 0
    for i in range(1, n):
        if sign * pairs[2 * i] >= sign * pairs[2 * i - 2]:
            _put_all(side, pairs, n, sign)
            return
    for i in range(n - 1, -1, -1):
        side.keys[at] = sign * pairs[2 * i]
        side.sizes[at] = pairs[2 * i + 1]
        at += side.sizes[at] != 0
    side.n = at


cdef void _keep(Levels* side, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t gone = side.n - n
    if gone > 0:
        memmove(side.keys, side.keys + gone, n * sizeof(int64_t))
        memmove(side.sizes, side.sizes + gone, n * sizeof(int64_t))
        side.n = n


cdef inline int64_t _walk(Levels* taken, int64_t lots, int128* notional) noexcept nogil:
    """Take up to `lots` from the best on; how many there were, and what they cost."""
    cdef Py_ssize_t i = taken.n
    cdef int64_t left = lots if lots > 0 else 0, size_lots
    cdef int128 total = 0
    while i > 0 and left > 0:
        i -= 1
        size_lots = taken.sizes[i]
        if size_lots > left:
            size_lots = left
        total += <int128>taken.keys[i] * <int128>size_lots
        left -= size_lots
    notional[0] = total if total > 0 else -total
    return (lots if lots > 0 else 0) - left


cdef int128 _sum(Levels* side, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i = side.n, low = side.n - n if 0 < n < side.n else (side.n if n <= 0 else 0)
    cdef int128 total = 0
    while i > low:
        i -= 1
        total += side.sizes[i]
    return total


cdef bytes _pack(Levels* side, Py_ssize_t n):
    cdef Py_ssize_t i = side.n, low, at = 0
    cdef bytes packed
    cdef int64_t* pairs
    n = min(max(n, 0), side.n)
    low = side.n - n
    packed = PyBytes_FromStringAndSize(NULL, n * 16)
    pairs = <int64_t*>PyBytes_AS_STRING(packed)
    while i > low:
        i -= 1
        pairs[at] = _price(side.keys[i])
        pairs[at + 1] = side.sizes[i]
        at += 2
    return packed
