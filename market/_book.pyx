# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The fast twin of `market.book.PlainBook`: one flat array of int64 pairs a side, the best level at its end."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport NAN
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memmove

from market.levels import state_hash

cdef extern from *:
    """
    #if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "packed rows are little-endian: on this machine the plain twin serves"
    #endif
    typedef __int128 tickbus_int128;
    """
    # Sums of ticks * lots: both are below 2**53, so 2**20 levels fit.
    ctypedef long long int128 "tickbus_int128"

cdef int64_t MAX_INT = (<int64_t>1 << 53) - 1
cdef int64_t EXACT_DOUBLE = <int64_t>1 << 53

cdef struct Level:
    int64_t key  # the price of a bid, minus the price of an ask
    int64_t lots

cdef struct Levels:
    Level* at  # keys ascending: the best is the last
    Py_ssize_t n
    Py_ssize_t room

cdef struct Change:
    Py_ssize_t at  # in the levels as they were: insert before it, or delete it if lots is 0
    Level level


cdef inline int64_t _price(int64_t key) noexcept nogil:
    return key if key > 0 else -key


cdef inline Py_ssize_t _lower_bound(const Level* levels, Py_ssize_t n, int64_t key) noexcept nogil:
    """The first index whose key is not below `key`: leaps of growing size from the end, where most changes are."""
    cdef Py_ssize_t low, leap = 1
    if n == 0 or levels[n - 1].key < key:
        return n
    n -= 1  # from here on levels[n].key >= key
    while n >= leap and levels[n - leap].key >= key:
        n -= leap
        leap *= 2
    low = n - leap if n >= leap else -1  # and levels[low].key < key, or low is -1
    n -= low
    while n > 1:  # without branches that nobody could predict
        leap = n >> 1
        low += leap if levels[low + leap].key < key else 0
        n -= leap
    return low + 1


cdef inline void _move(Level* levels, Py_ssize_t start, Py_ssize_t end, Py_ssize_t by) noexcept nogil:
    memmove(levels + start + by, levels + start, (end - start) * sizeof(Level))


cdef void _put(Levels* side, int64_t key, int64_t lots) noexcept nogil:
    """Set a level. There must be room."""
    cdef Py_ssize_t at = _lower_bound(side.at, side.n, key)
    if at < side.n and side.at[at].key == key:
        if lots:
            side.at[at].lots = lots
        else:
            _move(side.at, at + 1, side.n, -1)
            side.n -= 1
    elif lots:
        _move(side.at, at, side.n, 1)
        side.at[at].key, side.at[at].lots = key, lots
        side.n += 1


cdef void _put_all(Levels* side, const int64_t* pairs, Py_ssize_t n, int64_t sign, Change* changes) noexcept nogil:
    """Set levels. There must be room for them here, and in `changes`.

    Exchanges send the best first. Then every place is found in the levels as they were, sizes change on the spot,
    and what lies between two insertions or deletions moves once, and only as far as they do not make up for each
    other.
    """
    cdef Py_ssize_t i, at = side.n, changes_n = 0
    cdef int64_t key, lots
    for i in range(1, n):
        if sign * pairs[2 * i] >= sign * pairs[2 * i - 2]:
            for i in range(n):
                _put(side, sign * pairs[2 * i], pairs[2 * i + 1])
            return
    for i in range(n):
        key, lots = sign * pairs[2 * i], pairs[2 * i + 1]
        at = _lower_bound(side.at, at, key)
        if at < side.n and side.at[at].key == key:
            if lots:
                side.at[at].lots = lots
                continue
        elif not lots:
            continue
        changes[changes_n].at = at
        changes[changes_n].level.key = key
        changes[changes_n].level.lots = lots
        changes_n += 1
    if changes_n:
        _rearrange(side, changes, changes_n)


cdef inline void _rearrange(Levels* side, const Change* changes, Py_ssize_t n) noexcept nogil:
    """Insert and delete; the changes lie from the end of the levels to their beginning."""
    cdef Py_ssize_t i, start, end, shift = 0
    # Each stretch keeps its order, so those that move down can go first, the lowest first, and then those that
    # move up, the highest first: none is overwritten before it has moved.
    for i in range(n - 1, -1, -1):
        start, end = changes[i].at, changes[i - 1].at if i else side.n
        if changes[i].level.lots:
            shift += 1
        else:
            shift -= 1
            start += 1
        if shift < 0 and start < end:
            _move(side.at, start, end, shift)
    end = side.n
    side.n += shift
    for i in range(n):
        start = changes[i].at
        if changes[i].level.lots:
            if shift > 0 and start < end:
                _move(side.at, start, end, shift)
            shift -= 1
            side.at[start + shift] = changes[i].level
        else:
            if shift > 0 and start + 1 < end:
                _move(side.at, start + 1, end, shift)
            shift += 1
        end = start


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
    cdef void* larger
    if wanted <= side.room:
        return 0
    wanted = max(wanted, 2 * side.room, 64)
    larger = realloc(side.at, wanted * sizeof(Level))
    if larger == NULL:
        raise MemoryError
    side.at = <Level*>larger
    side.room = wanted
    return 0


# One buffer for the changes of a delta, for all books: it is used within one call only, under the GIL.
cdef Change* _changes = NULL
cdef Py_ssize_t _changes_room = 0


cdef int _reserve_changes(Py_ssize_t wanted) except -1:
    global _changes, _changes_room
    cdef void* larger
    if wanted <= _changes_room:
        return 0
    wanted = max(wanted, 2 * _changes_room, 64)
    larger = realloc(_changes, wanted * sizeof(Change))
    if larger == NULL:
        raise MemoryError
    _changes = <Change*>larger
    _changes_room = wanted
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
        free(self.bids.at)
        free(self.asks.at)

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
        _reserve_changes(max(bids_n, asks_n))
        _top(&self.bids, &bid_key, &bid_lots)
        _top(&self.asks, &ask_key, &ask_lots)
        _put_all(&self.bids, <const int64_t*>PyBytes_AS_STRING(bids), bids_n, 1, _changes)
        _put_all(&self.asks, <const int64_t*>PyBytes_AS_STRING(asks), asks_n, -1, _changes)
        return _differs(&self.bids, bid_key, bid_lots) or _differs(&self.asks, ask_key, ask_lots)

    def set_level(self, int side, int64_t price_ticks, int64_t size_lots):
        """Set one level of a side's own book (BUY: bids) to an absolute size; 0 deletes."""
        cdef Levels* own = self._own(side)
        if not (1 <= price_ticks <= MAX_INT and 0 <= size_lots <= MAX_INT):
            raise ValueError(f"book: no valid level: price {price_ticks}, size {size_lots}")
        _reserve(own, own.n + 1)
        _put(own, price_ticks if side == 1 else -price_ticks, size_lots)

    def truncate(self, Py_ssize_t n):
        """Keep the best n levels of each side."""
        _keep(&self.bids, max(n, 0))
        _keep(&self.asks, max(n, 0))

    @property
    def best_bid_ticks(self) -> int:
        return self.bids.at[self.bids.n - 1].key if self.bids.n else 0

    @property
    def best_bid_lots(self) -> int:
        return self.bids.at[self.bids.n - 1].lots if self.bids.n else 0

    @property
    def best_ask_ticks(self) -> int:
        return -self.asks.at[self.asks.n - 1].key if self.asks.n else 0

    @property
    def best_ask_lots(self) -> int:
        return self.asks.at[self.asks.n - 1].lots if self.asks.n else 0

    @property
    def mid_x2_ticks(self) -> int:
        """Best bid + best ask, exact; 0 unless both sides have a level."""
        if self.bids.n == 0 or self.asks.n == 0:
            return 0
        return self.bids.at[self.bids.n - 1].key - self.asks.at[self.asks.n - 1].key

    @property
    def mid_ticks(self) -> int:
        """The middle, rounded down to a tick; 0 unless both sides have a level."""
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
        """Whether the best bid is at or above the best ask: such a book is not to be believed."""
        if self.bids.n == 0 or self.asks.n == 0:
            return False
        return self.bids.at[self.bids.n - 1].key >= -self.asks.at[self.asks.n - 1].key

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
        bid, bid_lots = <double>self.bids.at[self.bids.n - 1].key, <double>self.bids.at[self.bids.n - 1].lots
        ask, ask_lots = -<double>self.asks.at[self.asks.n - 1].key, <double>self.asks.at[self.asks.n - 1].lots
        return (bid * ask_lots + ask * bid_lots) / (bid_lots + ask_lots)

    def price_for_volume(self, int side, int64_t lots) -> int:
        """The worst price touched when taking `lots` on `side`; 0 if there are not so many, or lots < 1."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        if lots < 1:
            return 0
        while i > 0:
            i -= 1
            lots -= taken.at[i].lots
            if lots <= 0:
                return _price(taken.at[i].key)
        return 0

    def volume_for_price(self, int side, int64_t price_ticks) -> int:
        """The lots to be had when taking on `side` up to and including the price."""
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
            left -= <int128>_price(taken.at[i].key) * <int128>taken.at[i].lots
            if left <= 0:
                return _price(taken.at[i].key)
        return 0

    def lots_for_notional(self, int side, notional) -> int:
        """The whole lots that at most `notional` (ticks * lots) take on `side`."""
        cdef Levels* taken = self._other(side)
        cdef Py_ssize_t i = taken.n
        cdef int128 left = _from_int(notional), total = 0, cost
        while i > 0:
            i -= 1
            cost = <int128>_price(taken.at[i].key) * <int128>taken.at[i].lots
            if cost > left:
                total += left // <int128>_price(taken.at[i].key)
                break
            total += taken.at[i].lots
            left -= cost
        return _to_int(total)

    def size_at(self, int side, int64_t price_ticks) -> int:
        """The lots that stand at a price of a side's own book (BUY: bids); 0 if none."""
        cdef Levels* own = self._own(side)
        cdef int64_t key = price_ticks if side == 1 else -price_ticks
        cdef Py_ssize_t at = _lower_bound(own.at, own.n, key)
        return own.at[at].lots if at < own.n and own.at[at].key == key else 0

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
            result.append((_price(own.at[i].key), own.at[i].lots))
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
        key[0] = side.at[side.n - 1].key
        lots[0] = side.at[side.n - 1].lots


cdef inline bint _differs(Levels* side, int64_t key, int64_t lots) noexcept nogil:
    if side.n == 0:
        return key != 0
    return side.at[side.n - 1].key != key or side.at[side.n - 1].lots != lots


cdef void _fill(Levels* side, const int64_t* pairs, Py_ssize_t n, int64_t sign) noexcept nogil:
    """Levels into an empty side with room for them: from behind if the best come first, else one by one."""
    cdef Py_ssize_t i
    for i in range(1, n):
        if sign * pairs[2 * i] >= sign * pairs[2 * i - 2]:
            for i in range(n):
                _put(side, sign * pairs[2 * i], pairs[2 * i + 1])
            return
    for i in range(n - 1, -1, -1):
        side.at[side.n].key = sign * pairs[2 * i]
        side.at[side.n].lots = pairs[2 * i + 1]
        side.n += pairs[2 * i + 1] != 0


cdef void _keep(Levels* side, Py_ssize_t n) noexcept nogil:
    if n < side.n:
        _move(side.at, side.n - n, side.n, n - side.n)
        side.n = n


cdef inline int64_t _walk(Levels* taken, int64_t lots, int128* notional) noexcept nogil:
    """Take up to `lots` from the best on; how many there were, and what they cost."""
    cdef Py_ssize_t i = taken.n
    cdef int64_t left = lots if lots > 0 else 0, size_lots
    cdef int128 total = 0
    while i > 0 and left > 0:
        i -= 1
        size_lots = taken.at[i].lots
        if size_lots > left:
            size_lots = left
        total += <int128>taken.at[i].key * <int128>size_lots
        left -= size_lots
    notional[0] = total if total > 0 else -total
    return (lots if lots > 0 else 0) - left


cdef int128 _sum(Levels* side, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i = side.n, low = side.n - n if 0 < n < side.n else (side.n if n <= 0 else 0)
    cdef int128 total = 0
    while i > low:
        i -= 1
        total += side.at[i].lots
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
        pairs[at] = _price(side.at[i].key)
        pairs[at + 1] = side.at[i].lots
        at += 2
    return packed
