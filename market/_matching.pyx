# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The fast twin of `market.matching.PlainMatching`, which tells the rules.

Orders lie in one C array with a free list and are linked into a queue per level; ids are found by a hash table with
open addressing, levels by a search in a sorted array per side whose end is the best price. Events are rows of nine
int64 in a buffer, and become tuples only at the edge.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free, qsort, realloc
from libc.string cimport memmove, memset

from market.codes import ROW_BYTES
from market.levels import state_hash

cdef extern from *:
    """
    #if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "packed rows are little-endian: on this machine the plain twin serves"
    #endif
    typedef __int128 tickbus_int128;
    """
    ctypedef long long int128 "tickbus_int128"

cdef int64_t MAX_INT = (<int64_t>1 << 53) - 1
cdef int64_t ID_MAX = (<int64_t>1 << 62) - 1

# `market.codes`, known to the compiler; a test compares them.
cdef enum:
    ACCEPTED = 1
    TRADE = 2
    CANCELED = 3
    EXPIRED = 4
    REJECTED = 5
    PREVENTED = 6
    REDUCED = 7

cdef enum:
    WOULD_TAKE = 1
    NO_LIQUIDITY = 2
    FOK_UNFILLABLE = 3
    STP_EXPIRED = 4
    DUPLICATE_ID = 5
    BAD_SIZE = 6
    BAD_PRICE = 7
    BAD_FIELD = 8

cdef enum:
    OP_SUBMIT = 0
    OP_CANCEL = 1
    OP_REDUCE = 2

cdef enum:
    BUY = 1
    SELL = 2
    MARKET = 1
    LIMIT = 2
    LIMIT_MAKER = 101
    GTC = 1
    IOC = 3
    FOK = 4

cdef enum:
    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4

cdef enum:
    ROW = 9  # int64s of a row

cdef struct Order:
    int64_t order_id  # 0: a free slot
    int64_t account
    int64_t size_lots  # as submitted, or as reduced to
    int64_t leaves
    int64_t peak  # of an iceberg: the most that is shown at a time; 0: all of it is shown
    int64_t shown  # of an iceberg
    int64_t seq  # of arrival
    int32_t level
    int32_t before  # in the queue; -1: none
    int32_t after  # in the queue, or the next free slot; -1: none
    int32_t index  # 0 for a bid, 1 for an ask

cdef struct Level:
    int64_t key  # the price of a bid, minus the price of an ask
    int64_t lots  # shown
    int64_t hidden  # by icebergs
    int32_t first
    int32_t last  # of the queue; of a free slot `first` is the next free one
    int32_t noted  # already among the changes

cdef struct Side:
    int64_t* keys  # ascending: the best is the last
    int32_t* slots  # of the levels
    Py_ssize_t n
    Py_ssize_t room
    int64_t open_lots
    int64_t* changed  # keys, some of them more than once
    Py_ssize_t changed_n
    Py_ssize_t changed_room


cdef inline int64_t _price(int64_t key) noexcept nogil:
    return key if key > 0 else -key


cdef inline Py_ssize_t _lower_bound(const int64_t* keys, Py_ssize_t n, int64_t key) noexcept nogil:
    """The first index whose key is not below `key`: leaps of growing size from the end, where most orders are."""
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


cdef int _descending(const void* a, const void* b) noexcept nogil:
    cdef int64_t x = (<const int64_t*>a)[0], y = (<const int64_t*>b)[0]
    return (x < y) - (x > y)


cdef void* _grown(void* memory, Py_ssize_t items, Py_ssize_t size) except NULL:
    memory = realloc(memory, items * size)
    if memory == NULL:
        raise MemoryError
    return memory


cdef object _event(const int64_t* e):
    cdef int64_t code = e[0]
    if code == ACCEPTED or code == CANCELED or code == REJECTED or code == REDUCED:
        return (code, e[1], e[2])
    if code == EXPIRED:
        return (code, e[1], e[2], e[3])
    return (code, e[1], e[2], e[3], e[4], e[5], e[6], e[7], e[8])


cdef class FastMatching:
    """Orders in, events out; ints only. Wrong orders get a REJECTED event, never an exception.

    The rules are those of `market.matching.PlainMatching`; only ints that do not fit an int64 raise OverflowError.
    """

    cdef Side[2] sides
    cdef Order* orders_
    cdef Py_ssize_t orders_room
    cdef int32_t free_order
    cdef Level* levels_
    cdef Py_ssize_t levels_room
    cdef int32_t free_level
    cdef int64_t* ids  # hash table: 0 where empty
    cdef int32_t* id_slots
    cdef uint64_t id_mask
    cdef int id_shift
    cdef Py_ssize_t open_n
    cdef int64_t seq
    cdef bint noting
    cdef int64_t* events
    cdef Py_ssize_t events_n
    cdef Py_ssize_t events_room
    cdef object __weakref__

    def __cinit__(self):
        self.free_order = self.free_level = -1
        self._rehash(1024)
        self._reserve_events(64)

    def __dealloc__(self):
        cdef int index
        for index in range(2):
            free(self.sides[index].keys)
            free(self.sides[index].slots)
            free(self.sides[index].changed)
        free(self.orders_)
        free(self.levels_)
        free(self.ids)
        free(self.id_slots)
        free(self.events)

    def __len__(self) -> int:
        """Open orders."""
        return self.open_n

    # Commands

    def submit(
        self,
        int64_t order_id,
        int64_t account,
        int64_t side,
        int64_t ord_type,
        int64_t tif,
        int64_t price_ticks,
        int64_t size_lots,
        int64_t stp=0,
        int64_t peak_lots=0,
        int64_t shown_lots=0,
    ) -> list:
        """Match a new order and rest what is left of it; the events, in order."""
        self.events_n = 0
        self._submit(order_id, account, side, ord_type, tif, price_ticks, size_lots, stp, peak_lots, shown_lots)
        return self._tuples()

    def cancel(self, int64_t order_id) -> list:
        """End an open order; no event if there is none of this id."""
        self.events_n = 0
        self._cancel(order_id)
        return self._tuples()

    def cancel_all(self, int64_t account) -> list:
        """End all open orders of an account, oldest first."""
        self.events_n = 0
        for row in self.orders(account):
            self._cancel(row[0])
        return self._tuples()

    def reduce(self, int64_t order_id, int64_t new_size_lots) -> list:
        """Make an open order smaller in its place; new_size_lots is its total size, filled lots included."""
        self.events_n = 0
        self._reduce(order_id, new_size_lots)
        return self._tuples()

    def submit_many(self, bytes rows not None) -> bytes:
        """Many commands at once: rows of nine int64 in, events as rows of nine int64 out (`market.codes`).

        ValueError, with nothing done, if the length is not a multiple of a row's.
        """
        cdef Py_ssize_t length = PyBytes_GET_SIZE(rows), i
        cdef const int64_t* row = <const int64_t*>PyBytes_AS_STRING(rows)
        if length % (ROW * 8):
            raise ValueError(f"matching: {length} bytes are not rows of {ROW_BYTES}")
        self.events_n = 0
        for i in range(length // (ROW * 8)):
            if row[0] == OP_SUBMIT:
                self._submit(row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], 0, 0)
            elif row[0] == OP_CANCEL:
                self._cancel(row[1])
            elif row[0] == OP_REDUCE:
                self._reduce(row[1], row[7])
            else:
                self._tell(REJECTED, row[1], BAD_FIELD)
            row += ROW
        return PyBytes_FromStringAndSize(<char*>self.events, self.events_n * ROW * 8)

    def clear(self):
        """End all orders, without events; `changes` tells that their levels are gone."""
        cdef Py_ssize_t i
        cdef int index
        for index in range(2):
            self._reserve_changes(index)
            for i in range(self.sides[index].n):
                self._note(index, self.sides[index].slots[i])
            self.sides[index].n = 0
            self.sides[index].open_lots = 0
        self.free_order = _chain_orders(self.orders_, 0, self.orders_room, -1)
        self.free_level = _chain_levels(self.levels_, 0, self.levels_room, -1)
        memset(self.ids, 0, (self.id_mask + 1) * sizeof(int64_t))
        self.open_n = 0

    # Queries

    @property
    def best_bid_ticks(self) -> int:
        return self.sides[0].keys[self.sides[0].n - 1] if self.sides[0].n else 0

    @property
    def best_bid_lots(self) -> int:
        return self.levels_[self.sides[0].slots[self.sides[0].n - 1]].lots if self.sides[0].n else 0

    @property
    def best_ask_ticks(self) -> int:
        return -self.sides[1].keys[self.sides[1].n - 1] if self.sides[1].n else 0

    @property
    def best_ask_lots(self) -> int:
        return self.levels_[self.sides[1].slots[self.sides[1].n - 1]].lots if self.sides[1].n else 0

    @property
    def is_empty(self) -> bool:
        """Whether a side has no order."""
        return self.sides[0].n == 0 or self.sides[1].n == 0

    @property
    def bid_levels(self) -> int:
        return self.sides[0].n

    @property
    def ask_levels(self) -> int:
        return self.sides[1].n

    def would_match(self, int side, int64_t price_ticks) -> bool:
        """Whether an order at this price would meet one of the other side now."""
        return self._would_match(_index(side), price_ticks)

    def size_at(self, int side, int64_t price_ticks) -> int:
        """The open lots that are shown at a price of a side's own book (BUY: bids)."""
        cdef int index = _index(side)
        cdef int32_t slot = self._level_at(index, -price_ticks if index else price_ticks)
        return self.levels_[slot].lots if slot >= 0 else 0

    def volume_for_price(self, int side, int64_t price_ticks) -> int:
        """The lots to be had when taking on `side` up to and including the price, whosoever's, hidden ones too."""
        cdef int index = 1 - _index(side)
        cdef Side* taken = &self.sides[index]
        cdef int64_t limit = -price_ticks if index else price_ticks, total = 0
        cdef Py_ssize_t i = taken.n
        while i > 0 and taken.keys[i - 1] >= limit:
            i -= 1
            total += self._to_take(taken.slots[i])
        return total

    def lots_for_notional(self, int side, notional) -> int:
        """The whole lots that at most `notional` (ticks * lots) take on `side`: orders by quote quantity."""
        cdef Side* taken = &self.sides[1 - _index(side)]
        cdef Py_ssize_t i = taken.n
        cdef int64_t total = 0, lots
        cdef int128 left, cost
        if notional < 0:
            return 0
        notional = min(notional, 1 << 110)  # more than all lots at the highest price
        left = (<int128><int64_t>(notional >> 62) << 62) | <int128><int64_t>(notional & ((1 << 62) - 1))
        while i > 0:
            i -= 1
            lots = self._to_take(taken.slots[i])
            cost = <int128>_price(taken.keys[i]) * <int128>lots
            if cost > left:
                return total + <int64_t>(left // <int128>_price(taken.keys[i]))
            total += lots
            left -= cost
        return total

    def notional_for_lots(self, int side, int64_t lots) -> int:
        """ticks * lots that taking so many lots on `side` moves (less, where there are fewer)."""
        cdef Side* taken = &self.sides[1 - _index(side)]
        cdef Py_ssize_t i = taken.n
        cdef int64_t some
        cdef object total = 0
        while i > 0 and lots > 0:
            i -= 1
            some = min(lots, self._to_take(taken.slots[i]))
            total += <object>some * _price(taken.keys[i])
            lots -= some
        return total

    def queue_ahead(self, int64_t order_id) -> int:
        """The lots that fill before this order at its price as it is shown; -1 if there is no such open order."""
        cdef int32_t slot = self._find(order_id)
        cdef int64_t ahead = 0
        if slot < 0:
            return -1
        slot = self.orders_[slot].before
        while slot >= 0:
            ahead += self._shown(slot)
            slot = self.orders_[slot].before
        return ahead

    def order(self, int64_t order_id):
        """(order_id, account, side, price_ticks, size_lots, leaves) of an open order, else None."""
        cdef int32_t slot = self._find(order_id)
        return self._row(slot) if slot >= 0 else None

    def orders(self, int64_t account) -> list:
        """The open orders of an account as `order` gives them, oldest first."""
        cdef int32_t slot
        cdef list found = []
        for slot in range(<int32_t>self.orders_room):
            if self.orders_[slot].order_id and self.orders_[slot].account == account:
                found.append((self.orders_[slot].seq, self._row(slot)))
        found.sort()
        return [row for _, row in found]

    def depth(self, int side, Py_ssize_t n) -> bytes:
        """The best n levels of a side's own book, packed, best first."""
        return self._depth(_index(side), n)

    def snapshot(self, Py_ssize_t n=0) -> tuple:
        """(bids, asks): the best n levels a side, or all of them if n is 0, packed, best first."""
        return self._depth(0, n or self.sides[0].n), self._depth(1, n or self.sides[1].n)

    def changes(self) -> tuple:
        """(bids, asks): levels changed since the last call, with their sizes now (0: gone), packed, best first.

        The first call gives the whole book: nothing is noted for one who never asks. What is noted is bounded by
        the number of distinct prices touched between two calls.
        """
        if not self.noting:
            self.noting = True
            return self.snapshot()
        return self._changes(0), self._changes(1)

    def state_hash(self) -> int:
        """64 bits over the open orders, in the order they would fill: equal for equal engines of either twin."""
        return state_hash(self._rows(0), self._rows(1))

    # Inside: commands

    cdef int _submit(
        self, int64_t order_id, int64_t account, int64_t side, int64_t ord_type, int64_t tif,
        int64_t price_ticks, int64_t size_lots, int64_t stp, int64_t peak_lots, int64_t shown_lots
    ) except -1:
        cdef int reason = self._reason_to_reject(order_id, side, ord_type, tif, price_ticks, size_lots, stp)
        cdef int index = side == SELL
        cdef int64_t limit, leaves
        cdef Py_ssize_t accepted
        if reason == 0 and (peak_lots < 0 or shown_lots < 0):
            reason = BAD_SIZE
        if reason:
            return self._tell(REJECTED, order_id, reason)
        if ord_type == MARKET:
            limit = -MAX_INT
        else:
            limit = price_ticks if index else -price_ticks
        accepted = self.events_n
        self._tell(ACCEPTED, order_id, 0)
        if tif == FOK and ord_type != LIMIT_MAKER and not self._can_fill(account, index, limit, size_lots, stp):
            return self._tell3(EXPIRED, order_id, size_lots, FOK_UNFILLABLE)
        leaves = self._take(order_id, account, index, limit, size_lots, stp)
        if leaves > 0:
            if ord_type == LIMIT_MAKER or (ord_type == LIMIT and tif == GTC):
                self._rest(order_id, account, index, price_ticks, size_lots, leaves, peak_lots, shown_lots)
                self.events[accepted * ROW + 2] = leaves
            else:
                self._tell3(EXPIRED, order_id, leaves, NO_LIQUIDITY)
        return 0

    cdef int _reason_to_reject(
        self, int64_t order_id, int64_t side, int64_t ord_type, int64_t tif,
        int64_t price_ticks, int64_t size_lots, int64_t stp
    ) noexcept nogil:
        if side != BUY and side != SELL:
            return BAD_FIELD
        if ord_type != LIMIT and ord_type != MARKET and ord_type != LIMIT_MAKER:
            return BAD_FIELD
        if (tif != GTC and tif != IOC and tif != FOK) or stp < NONE or stp > DECREMENT:
            return BAD_FIELD
        if order_id < 1 or order_id > ID_MAX or self._find(order_id) >= 0:
            return DUPLICATE_ID
        if size_lots < 1 or size_lots > MAX_INT - self.sides[side == SELL].open_lots:
            return BAD_SIZE
        if ord_type != MARKET and (price_ticks < 1 or price_ticks > MAX_INT):
            return BAD_PRICE
        if ord_type == LIMIT_MAKER and self._would_match(side == SELL, price_ticks):
            return WOULD_TAKE
        return 0

    cdef int _cancel(self, int64_t order_id) except -1:
        cdef int32_t slot = self._find(order_id)
        cdef int64_t leaves
        if slot < 0:
            return 0
        leaves = self.orders_[slot].leaves
        self._reserve_changes(self.orders_[slot].index)
        self._lower(slot, leaves)
        return self._tell(CANCELED, order_id, leaves)

    cdef int _reduce(self, int64_t order_id, int64_t new_size_lots) except -1:
        cdef int32_t slot = self._find(order_id)
        cdef int64_t leaves
        cdef Order* order
        if slot < 0:
            return 0
        order = &self.orders_[slot]
        if new_size_lots >= order.size_lots or new_size_lots <= order.size_lots - order.leaves:
            return self._tell(REJECTED, order_id, BAD_SIZE)
        leaves = new_size_lots - (order.size_lots - order.leaves)
        order.size_lots = new_size_lots
        self._reserve_changes(order.index)
        self._lower(slot, order.leaves - leaves)
        return self._tell(REDUCED, order_id, leaves)

    cdef bint _can_fill(self, int64_t account, int index, int64_t limit, int64_t lots, int64_t stp) noexcept nogil:
        cdef Side* taken = &self.sides[1 - index]
        cdef Py_ssize_t i = taken.n
        cdef int64_t shown, leaves
        cdef int32_t slot
        while i > 0 and taken.keys[i - 1] >= limit:
            i -= 1
            shown = leaves = 0
            slot = self.levels_[taken.slots[i]].first if stp != NONE else -1
            while slot >= 0:
                if self.orders_[slot].account != account:
                    shown += self._shown(slot)
                    leaves += self.orders_[slot].leaves
                elif stp != EXPIRE_MAKER:
                    return lots <= shown  # an iceberg's next part stands behind the own order
                slot = self.orders_[slot].after
            lots -= leaves if stp != NONE else self._to_take(taken.slots[i])
            if lots <= 0:
                return True
        return False

    cdef int64_t _take(
        self, int64_t taker_id, int64_t account, int index, int64_t limit, int64_t leaves, int64_t stp
    ) except -2:
        """Match against the other side; the lots left, -1 if prevention has ended the taker."""
        cdef Side* taken = &self.sides[1 - index]
        cdef int64_t key, lots, maker_lots, maker_id, maker_account
        cdef int32_t slot
        cdef int64_t* e
        if taken.n == 0 or taken.keys[taken.n - 1] < limit:
            return leaves
        self._reserve_changes(1 - index)
        while leaves and taken.n:
            key = taken.keys[taken.n - 1]
            if key < limit:
                break
            slot = self.levels_[taken.slots[taken.n - 1]].first
            maker_account = self.orders_[slot].account
            if stp != NONE and maker_account == account:
                leaves = self._prevent(slot, taker_id, _price(key), leaves, stp)
                if leaves <= 0:
                    return -1
                continue
            maker_id = self.orders_[slot].order_id
            maker_lots = self.orders_[slot].leaves
            lots = min(leaves, self._shown(slot))
            leaves -= lots
            if self.orders_[slot].peak:
                self._fill_iceberg(slot, lots)
            else:
                self._lower(slot, lots)
            e = self._row_to_tell()
            e[0], e[1], e[2], e[3], e[4] = TRADE, maker_id, taker_id, _price(key), lots
            e[5], e[6], e[7], e[8] = maker_lots - lots, leaves, maker_account, account
        return leaves

    cdef int64_t _prevent(
        self, int32_t slot, int64_t taker_id, int64_t price_ticks, int64_t leaves, int64_t stp
    ) except -2:
        """Keep an account from trading with itself; the lots left of the taker."""
        cdef int64_t maker_id = self.orders_[slot].order_id
        cdef int64_t maker_leaves = self.orders_[slot].leaves
        cdef int64_t least = min(maker_leaves, leaves) if stp == DECREMENT else 0
        cdef int64_t maker_lots = maker_leaves if stp == EXPIRE_MAKER or stp == EXPIRE_BOTH else least
        cdef int64_t taker_lots = leaves if stp == EXPIRE_TAKER or stp == EXPIRE_BOTH else least
        cdef int64_t* e
        if maker_lots:
            self._lower(slot, maker_lots)
        e = self._row_to_tell()
        e[0], e[1], e[2], e[3], e[4] = PREVENTED, maker_id, taker_id, price_ticks, maker_lots
        e[5], e[6], e[7], e[8] = taker_lots, maker_leaves - maker_lots, leaves - taker_lots, stp
        if maker_lots == maker_leaves:
            self._tell3(EXPIRED, maker_id, maker_lots, STP_EXPIRED)
        if taker_lots == leaves:
            self._tell3(EXPIRED, taker_id, taker_lots, STP_EXPIRED)
        return leaves - taker_lots

    cdef int _rest(
        self, int64_t order_id, int64_t account, int index, int64_t price_ticks, int64_t size_lots, int64_t leaves,
        int64_t peak_lots, int64_t shown_lots
    ) except -1:
        cdef Side* side = &self.sides[index]
        cdef int64_t key = -price_ticks if index else price_ticks
        cdef Py_ssize_t at
        cdef int32_t slot, level
        cdef Order* order
        # All memory first: nothing is changed if there is none.
        if self.free_order < 0:
            self._more_orders()
        if self.free_level < 0:
            self._more_levels()
        if side.n == side.room:
            self._more_keys(index)
        if 2 * <uint64_t>(self.open_n + 1) > self.id_mask:
            self._rehash(2 * (self.id_mask + 1))
        self._reserve_changes(index)
        at = _lower_bound(side.keys, side.n, key)
        if at < side.n and side.keys[at] == key:
            level = side.slots[at]
        else:
            level = self.free_level
            self.free_level = self.levels_[level].first
            self.levels_[level].key = key
            self.levels_[level].lots = self.levels_[level].hidden = 0
            self.levels_[level].first = self.levels_[level].last = -1
            self.levels_[level].noted = 0
            memmove(side.keys + at + 1, side.keys + at, (side.n - at) * sizeof(int64_t))
            memmove(side.slots + at + 1, side.slots + at, (side.n - at) * sizeof(int32_t))
            side.keys[at] = key
            side.slots[at] = level
            side.n += 1
        slot = self.free_order
        order = &self.orders_[slot]
        self.free_order = order.after
        order.order_id, order.account, order.size_lots, order.leaves = order_id, account, size_lots, leaves
        order.seq, order.level, order.index = self.seq, level, index
        order.peak, order.shown = 0, leaves
        if shown_lots == 0 or shown_lots > peak_lots:
            shown_lots = peak_lots
        if 0 < shown_lots < leaves:
            order.peak, order.shown = peak_lots, shown_lots
        self.seq += 1
        self._to_the_end(slot)
        self.levels_[level].lots += order.shown
        self.levels_[level].hidden += leaves - order.shown
        side.open_lots += leaves
        self._insert_id(order_id, slot)
        self.open_n += 1
        self._note(index, level)
        return 0

    cdef inline void _lower(self, int32_t slot, int64_t lots) noexcept nogil:
        """Take lots off a resting order, hidden ones first; one with none left is gone.

        Room for a change must be reserved.
        """
        cdef Order* order = &self.orders_[slot]
        cdef Level* level = &self.levels_[order.level]
        cdef int64_t shown
        order.leaves -= lots
        self.sides[order.index].open_lots -= lots
        if order.peak:
            shown = min(order.shown, order.leaves)
            level.hidden -= lots - (order.shown - shown)
            level.lots -= order.shown - shown
            order.shown = shown
        else:
            level.lots -= lots
        self._note(order.index, order.level)
        if order.leaves == 0:
            self._remove(slot)

    cdef inline void _fill_iceberg(self, int32_t slot, int64_t lots) noexcept nogil:
        """Take lots off what an iceberg shows; it shows more then, behind all others at its price."""
        cdef Order* order = &self.orders_[slot]
        cdef Level* level = &self.levels_[order.level]
        order.leaves -= lots
        order.shown -= lots
        level.lots -= lots
        self.sides[order.index].open_lots -= lots
        self._note(order.index, order.level)
        if order.leaves == 0:
            self._remove(slot)
        elif order.shown == 0:
            order.shown = min(order.peak, order.leaves)
            level.lots += order.shown
            level.hidden -= order.shown
            self._unlink(slot)
            self._to_the_end(slot)

    cdef inline void _to_the_end(self, int32_t slot) noexcept nogil:
        """Link an order to the end of its level's queue."""
        cdef Order* order = &self.orders_[slot]
        cdef Level* level = &self.levels_[order.level]
        order.before, order.after = level.last, -1
        if order.before >= 0:
            self.orders_[order.before].after = slot
        else:
            level.first = slot
        level.last = slot

    cdef inline void _unlink(self, int32_t slot) noexcept nogil:
        """Take an order out of its level's queue."""
        cdef Order* order = &self.orders_[slot]
        cdef Level* level = &self.levels_[order.level]
        if order.before >= 0:
            self.orders_[order.before].after = order.after
        else:
            level.first = order.after
        if order.after >= 0:
            self.orders_[order.after].before = order.before
        else:
            level.last = order.before

    cdef inline void _remove(self, int32_t slot) noexcept nogil:
        """Forget an order, and its level with the last of it."""
        cdef Order* order = &self.orders_[slot]
        cdef Level* level = &self.levels_[order.level]
        cdef Side* side = &self.sides[order.index]
        cdef Py_ssize_t at
        self._unlink(slot)
        if level.first < 0:
            at = _lower_bound(side.keys, side.n, level.key)
            side.n -= 1
            memmove(side.keys + at, side.keys + at + 1, (side.n - at) * sizeof(int64_t))
            memmove(side.slots + at, side.slots + at + 1, (side.n - at) * sizeof(int32_t))
            level.first = self.free_level
            self.free_level = order.level
        self._remove_id(order.order_id)
        self.open_n -= 1
        order.order_id = 0
        order.after = self.free_order
        self.free_order = slot

    cdef inline int64_t _shown(self, int32_t slot) noexcept nogil:
        return self.orders_[slot].shown if self.orders_[slot].peak else self.orders_[slot].leaves

    cdef inline int64_t _to_take(self, int32_t level) noexcept nogil:
        return self.levels_[level].lots + self.levels_[level].hidden

    # Inside: events

    cdef inline int64_t* _row_to_tell(self) except NULL:
        """A row at the end of the events, to be filled by the caller."""
        cdef int64_t* e
        if self.events_n == self.events_room:
            self._reserve_events(2 * self.events_room)
        e = self.events + self.events_n * ROW
        self.events_n += 1
        return e

    cdef inline int _tell(self, int64_t code, int64_t order_id, int64_t what) except -1:
        return self._tell3(code, order_id, what, 0)

    cdef inline int _tell3(self, int64_t code, int64_t order_id, int64_t what, int64_t reason) except -1:
        cdef int64_t* e = self._row_to_tell()
        e[0], e[1], e[2], e[3] = code, order_id, what, reason
        e[4] = e[5] = e[6] = e[7] = e[8] = 0
        return 0

    cdef int _reserve_events(self, Py_ssize_t room) except -1:
        self.events = <int64_t*>_grown(self.events, room, ROW * sizeof(int64_t))
        self.events_room = room
        return 0

    cdef list _tuples(self):
        cdef Py_ssize_t i
        cdef list told
        if self.events_n == 1:
            return [_event(self.events)]
        told = []
        for i in range(self.events_n):
            told.append(_event(self.events + i * ROW))
        return told

    # Inside: ids

    cdef inline int32_t _find(self, int64_t order_id) noexcept nogil:
        cdef uint64_t at = (<uint64_t>order_id * 0x9E3779B97F4A7C15ULL) >> self.id_shift
        if order_id <= 0:
            return -1
        while self.ids[at]:
            if self.ids[at] == order_id:
                return self.id_slots[at]
            at = (at + 1) & self.id_mask
        return -1

    cdef inline void _insert_id(self, int64_t order_id, int32_t slot) noexcept nogil:
        cdef uint64_t at = (<uint64_t>order_id * 0x9E3779B97F4A7C15ULL) >> self.id_shift
        while self.ids[at]:
            at = (at + 1) & self.id_mask
        self.ids[at] = order_id
        self.id_slots[at] = slot

    cdef inline void _remove_id(self, int64_t order_id) noexcept nogil:
        """Empty its place, and move those behind it up that would no longer be found."""
        cdef uint64_t mask = self.id_mask, home, hole, at
        at = (<uint64_t>order_id * 0x9E3779B97F4A7C15ULL) >> self.id_shift
        while self.ids[at] != order_id:
            at = (at + 1) & mask
        hole = at
        while True:
            at = (at + 1) & mask
            if self.ids[at] == 0:
                break
            home = (<uint64_t>self.ids[at] * 0x9E3779B97F4A7C15ULL) >> self.id_shift
            if ((at - home) & mask) >= ((at - hole) & mask):
                self.ids[hole] = self.ids[at]
                self.id_slots[hole] = self.id_slots[at]
                hole = at
        self.ids[hole] = 0

    cdef int _rehash(self, uint64_t places) except -1:
        """Give the table of ids as many places, a power of two."""
        cdef int64_t* old_ids = self.ids
        cdef int32_t* old_slots = self.id_slots
        cdef uint64_t i, old = self.id_mask + 1 if old_ids != NULL else 0
        cdef int64_t* ids = <int64_t*>calloc(places, sizeof(int64_t))
        cdef int32_t* slots = <int32_t*>calloc(places, sizeof(int32_t))
        if ids == NULL or slots == NULL:
            free(ids)
            free(slots)
            raise MemoryError
        self.ids, self.id_slots, self.id_mask = ids, slots, places - 1
        self.id_shift = 64
        while places > 1:
            places >>= 1
            self.id_shift -= 1
        for i in range(old):
            if old_ids[i]:
                self._insert_id(old_ids[i], old_slots[i])
        free(old_ids)
        free(old_slots)
        return 0

    # Inside: memory and levels

    cdef int _more_orders(self) except -1:
        cdef Py_ssize_t room = max(2 * self.orders_room, 256)
        self.orders_ = <Order*>_grown(self.orders_, room, sizeof(Order))
        self.free_order = _chain_orders(self.orders_, self.orders_room, room, self.free_order)
        self.orders_room = room
        return 0

    cdef int _more_levels(self) except -1:
        cdef Py_ssize_t room = max(2 * self.levels_room, 256)
        self.levels_ = <Level*>_grown(self.levels_, room, sizeof(Level))
        self.free_level = _chain_levels(self.levels_, self.levels_room, room, self.free_level)
        self.levels_room = room
        return 0

    cdef int _more_keys(self, int index) except -1:
        cdef Side* side = &self.sides[index]
        cdef Py_ssize_t room = max(2 * side.room, 256)
        side.keys = <int64_t*>_grown(side.keys, room, sizeof(int64_t))
        side.slots = <int32_t*>_grown(side.slots, room, sizeof(int32_t))
        side.room = room
        return 0

    cdef inline int _reserve_changes(self, int index) except -1:
        """Room to note every level of a side and one more, so that noting cannot fail."""
        if self.noting and self.sides[index].changed_n + self.sides[index].n + 1 > self.sides[index].changed_room:
            self._compact_changes(index)
        return 0

    cdef int _compact_changes(self, int index) except -1:
        cdef Side* side = &self.sides[index]
        side.changed_n = _sort_unique(side.changed, side.changed_n)
        side.changed_room = max(2 * (side.changed_n + side.n + 1), 256)
        side.changed = <int64_t*>_grown(side.changed, side.changed_room, sizeof(int64_t))
        return 0

    cdef inline void _note(self, int index, int32_t slot) noexcept nogil:
        cdef Side* side = &self.sides[index]
        if self.noting and not self.levels_[slot].noted:
            self.levels_[slot].noted = 1
            side.changed[side.changed_n] = self.levels_[slot].key
            side.changed_n += 1

    cdef inline int32_t _level_at(self, int index, int64_t key) noexcept nogil:
        cdef Side* side = &self.sides[index]
        cdef Py_ssize_t at = _lower_bound(side.keys, side.n, key)
        return side.slots[at] if at < side.n and side.keys[at] == key else -1

    cdef inline bint _would_match(self, int index, int64_t price_ticks) noexcept nogil:
        cdef Side* other = &self.sides[1 - index]
        return other.n > 0 and other.keys[other.n - 1] >= (price_ticks if index else -price_ticks)

    # Inside: what is told

    cdef tuple _row(self, int32_t slot):
        cdef Order* order = &self.orders_[slot]
        cdef int64_t price_ticks = _price(self.levels_[order.level].key)
        return order.order_id, order.account, order.index + 1, price_ticks, order.size_lots, order.leaves

    cdef bytes _rows(self, int index):
        cdef Side* side = &self.sides[index]
        cdef Py_ssize_t i
        cdef int32_t slot
        cdef Order* order
        cdef Py_ssize_t n = 0
        cdef bytes packed
        cdef int64_t* row
        for i in range(side.n):
            slot = self.levels_[side.slots[i]].first
            while slot >= 0:
                n += 1
                slot = self.orders_[slot].after
        packed = PyBytes_FromStringAndSize(NULL, n * 64)
        row = <int64_t*>PyBytes_AS_STRING(packed)
        for i in range(side.n - 1, -1, -1):
            slot = self.levels_[side.slots[i]].first
            while slot >= 0:
                order = &self.orders_[slot]
                row[0], row[1], row[2] = order.order_id, order.account, index + 1
                row[3], row[4], row[5] = _price(side.keys[i]), order.size_lots, order.leaves
                row[6], row[7] = order.peak, self._shown(slot)
                row += 8
                slot = order.after
        return packed

    cdef bytes _depth(self, int index, Py_ssize_t n):
        cdef Side* side = &self.sides[index]
        cdef Py_ssize_t i
        cdef bytes packed
        cdef int64_t* pair
        n = min(max(n, 0), side.n)
        packed = PyBytes_FromStringAndSize(NULL, n * 16)
        pair = <int64_t*>PyBytes_AS_STRING(packed)
        for i in range(side.n - 1, side.n - 1 - n, -1):
            pair[0], pair[1] = _price(side.keys[i]), self.levels_[side.slots[i]].lots
            pair += 2
        return packed

    cdef bytes _changes(self, int index):
        cdef Side* side = &self.sides[index]
        cdef Py_ssize_t i, n = _sort_unique(side.changed, side.changed_n)
        cdef bytes packed = PyBytes_FromStringAndSize(NULL, n * 16)
        cdef int64_t* pair = <int64_t*>PyBytes_AS_STRING(packed)
        cdef int32_t slot
        for i in range(n):
            slot = self._level_at(index, side.changed[i])
            pair[0], pair[1] = _price(side.changed[i]), 0
            if slot >= 0:
                pair[1] = self.levels_[slot].lots
                self.levels_[slot].noted = 0
            pair += 2
        side.changed_n = 0
        return packed


cdef inline int _index(int side) except -1:
    if side != BUY and side != SELL:
        raise ValueError(f"side {side!r}: use protocol.Side, 1 to buy or 2 to sell")
    return side - 1


cdef int32_t _chain_orders(Order* orders, Py_ssize_t low, Py_ssize_t high, int32_t rest) noexcept nogil:
    """Make slots low..high-1 free, before the free ones from `rest` on."""
    cdef Py_ssize_t i
    for i in range(high - 1, low - 1, -1):
        orders[i].order_id = 0
        orders[i].after = rest
        rest = <int32_t>i
    return rest


cdef int32_t _chain_levels(Level* levels, Py_ssize_t low, Py_ssize_t high, int32_t rest) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(high - 1, low - 1, -1):
        levels[i].first = rest
        rest = <int32_t>i
    return rest


cdef Py_ssize_t _sort_unique(int64_t* keys, Py_ssize_t n) noexcept nogil:
    """Sort, greatest first, and drop what is there twice; how many are left."""
    cdef Py_ssize_t i, unique = 0
    if n < 2:
        return n
    qsort(keys, n, sizeof(int64_t), _descending)
    for i in range(1, n):
        if keys[i] != keys[unique]:
            unique += 1
            keys[unique] = keys[i]
    return unique + 1
