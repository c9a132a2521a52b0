# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The Cython implementation of `market.resting.RestingOrders`: queries over the queues of `_queues.pxd`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t

from market._id_table cimport find_id, rehash
from market._ladder cimport int128, price_of, side_index
from market._queues cimport Order, Queues, Side, level_at, meets, release, shown_lots_of, sort_unique, takeable_lots

from market.levels import state_hash

cdef enum:
    PLACES = 1024  # of the id table at first


cdef class FastRestingOrders:
    """Open orders of both sides in the order in which they would fill; `FastMatching` adds the commands."""

    def __cinit__(self):
        self.queues.free_order = self.queues.free_level = -1
        rehash(&self.queues.ids, PLACES)

    def __dealloc__(self):
        release(&self.queues)

    def __len__(self) -> int:
        """Open orders."""
        return self.queues.open_n

    @property
    def best_bid_ticks(self) -> int:
        """The price of the best bid; 0 if there are no bids."""
        cdef Side* side = &self.queues.sides[0]
        return side.keys[side.n - 1] if side.n else 0

    @property
    def best_bid_lots(self) -> int:
        """The lots at the best bid; 0 if there are no bids."""
        cdef Side* side = &self.queues.sides[0]
        return self.queues.levels[side.slots[side.n - 1]].lots if side.n else 0

    @property
    def best_ask_ticks(self) -> int:
        """The price of the best ask; 0 if there are no asks."""
        cdef Side* side = &self.queues.sides[1]
        return -side.keys[side.n - 1] if side.n else 0

    @property
    def best_ask_lots(self) -> int:
        """The lots at the best ask; 0 if there are no asks."""
        cdef Side* side = &self.queues.sides[1]
        return self.queues.levels[side.slots[side.n - 1]].lots if side.n else 0

    @property
    def is_empty(self) -> bool:
        """Whether a side has no order."""
        return self.queues.sides[0].n == 0 or self.queues.sides[1].n == 0

    @property
    def bid_levels(self) -> int:
        """The number of bid levels."""
        return self.queues.sides[0].n

    @property
    def ask_levels(self) -> int:
        """The number of ask levels."""
        return self.queues.sides[1].n

    def would_match(self, int side, int64_t price_ticks) -> bool:
        """Whether an order at this price would match one of the other side now."""
        return meets(&self.queues, side_index(side), price_ticks)

    def size_at(self, int side, int64_t price_ticks) -> int:
        """The open lots that are shown at a price of a side's own book (BUY: bids)."""
        cdef int index = side_index(side)
        cdef int32_t slot = level_at(&self.queues, index, -price_ticks if index else price_ticks)
        return self.queues.levels[slot].lots if slot >= 0 else 0

    def volume_for_price(self, int side, int64_t price_ticks) -> int:
        """The lots available when taking on `side` up to and including the price, of all accounts, with hidden lots."""
        cdef int index = 1 - side_index(side)
        cdef Side* taken = &self.queues.sides[index]
        cdef int64_t limit = -price_ticks if index else price_ticks, total = 0
        cdef Py_ssize_t i = taken.n
        while i > 0 and taken.keys[i - 1] >= limit:
            i -= 1
            total += takeable_lots(&self.queues, taken.slots[i])
        return total

    def lots_for_notional(self, int side, notional) -> int:
        """The whole lots that at most `notional` (ticks * lots) take on `side`: orders by quote quantity."""
        cdef Side* taken = &self.queues.sides[1 - side_index(side)]
        cdef Py_ssize_t i = taken.n
        cdef int64_t total = 0, lots
        cdef int128 left, cost
        if notional < 0:
            return 0
        notional = min(notional, 1 << 110)  # more than all lots at the highest price
        left = (<int128><int64_t>(notional >> 62) << 62) | <int128><int64_t>(notional & ((1 << 62) - 1))
        while i > 0:
            i -= 1
            lots = takeable_lots(&self.queues, taken.slots[i])
            cost = <int128>price_of(taken.keys[i]) * <int128>lots
            if cost > left:
                return total + <int64_t>(left // <int128>price_of(taken.keys[i]))
            total += lots
            left -= cost
        return total

    def notional_for_lots(self, int side, int64_t lots) -> int:
        """The notional (ticks * lots) of taking `lots` on `side`, or of all lots if there are fewer."""
        cdef Side* taken = &self.queues.sides[1 - side_index(side)]
        cdef Py_ssize_t i = taken.n
        cdef int64_t some
        cdef object total = 0
        while i > 0 and lots > 0:
            i -= 1
            some = min(lots, takeable_lots(&self.queues, taken.slots[i]))
            total += <object>some * price_of(taken.keys[i])
            lots -= some
        return total

    def queue_ahead(self, int64_t order_id) -> int:
        """The lots that fill before this order at its price as it is shown; -1 if there is no such open order."""
        cdef int32_t slot = find_id(&self.queues.ids, order_id)
        cdef int64_t ahead = 0
        if slot < 0:
            return -1
        slot = self.queues.orders[slot].before
        while slot >= 0:
            ahead += shown_lots_of(&self.queues, slot)
            slot = self.queues.orders[slot].before
        return ahead

    def order(self, int64_t order_id):
        """(order_id, account, side, price_ticks, size_lots, leaves) of an open order, else None."""
        cdef int32_t slot = find_id(&self.queues.ids, order_id)
        return _order_row(&self.queues, slot) if slot >= 0 else None

    def orders(self, int64_t account) -> list:
        """The open orders of an account as `order` gives them, oldest first."""
        cdef int32_t slot
        cdef list found = []
        for slot in range(<int32_t>self.queues.orders_room):
            if self.queues.orders[slot].order_id and self.queues.orders[slot].account == account:
                found.append((self.queues.orders[slot].seq, _order_row(&self.queues, slot)))
        found.sort()
        return [row for _, row in found]

    def depth(self, int side, Py_ssize_t n) -> bytes:
        """The best n levels of a side's own book, packed, best first."""
        return _packed_depth(&self.queues, side_index(side), n)

    def snapshot(self, Py_ssize_t n=0) -> tuple:
        """(bids, asks): the best n levels a side, or all of them if n is 0, packed, best first."""
        cdef Queues* q = &self.queues
        return _packed_depth(q, 0, n or q.sides[0].n), _packed_depth(q, 1, n or q.sides[1].n)

    def changes(self) -> tuple:
        """(bids, asks): levels changed since the last call, with their sizes now (0: gone), packed, best first.

        The first call gives the whole book: changes are noted from then on. Their number is at most the number of
        distinct prices that changed between two calls.
        """
        if not self.queues.notes_changes:
            self.queues.notes_changes = True
            return self.snapshot()
        return _packed_changes(&self.queues, 0), _packed_changes(&self.queues, 1)

    def state_hash(self) -> int:
        """64 bits over the open orders in their order of filling: equal for equal states of both implementations."""
        return state_hash(_packed_orders(&self.queues, 0), _packed_orders(&self.queues, 1))


cdef tuple _order_row(const Queues* q, int32_t slot):
    cdef Order* order = &q.orders[slot]
    cdef int64_t price_ticks = price_of(q.levels[order.level].key)
    return order.order_id, order.account, order.index + 1, price_ticks, order.size_lots, order.leaves


cdef bytes _packed_orders(const Queues* q, int index):
    cdef Side* side = &q.sides[index]
    cdef Py_ssize_t i
    cdef int32_t slot
    cdef Order* order
    cdef Py_ssize_t n = 0
    cdef bytes packed
    cdef int64_t* row
    for i in range(side.n):
        slot = q.levels[side.slots[i]].first
        while slot >= 0:
            n += 1
            slot = q.orders[slot].after
    packed = PyBytes_FromStringAndSize(NULL, n * 64)
    row = <int64_t*>PyBytes_AS_STRING(packed)
    for i in range(side.n - 1, -1, -1):
        slot = q.levels[side.slots[i]].first
        while slot >= 0:
            order = &q.orders[slot]
            row[0], row[1], row[2] = order.order_id, order.account, index + 1
            row[3], row[4], row[5] = price_of(side.keys[i]), order.size_lots, order.leaves
            row[6], row[7] = order.peak, shown_lots_of(q, slot)
            row += 8
            slot = order.after
    return packed


cdef bytes _packed_depth(const Queues* q, int index, Py_ssize_t n):
    cdef Side* side = &q.sides[index]
    cdef Py_ssize_t i
    cdef bytes packed
    cdef int64_t* pair
    n = min(max(n, 0), side.n)
    packed = PyBytes_FromStringAndSize(NULL, n * 16)
    pair = <int64_t*>PyBytes_AS_STRING(packed)
    for i in range(side.n - 1, side.n - 1 - n, -1):
        pair[0], pair[1] = price_of(side.keys[i]), q.levels[side.slots[i]].lots
        pair += 2
    return packed


cdef bytes _packed_changes(Queues* q, int index):
    cdef Side* side = &q.sides[index]
    cdef Py_ssize_t i, n = sort_unique(side.changed, side.changed_n)
    cdef bytes packed = PyBytes_FromStringAndSize(NULL, n * 16)
    cdef int64_t* pair = <int64_t*>PyBytes_AS_STRING(packed)
    cdef int32_t slot
    for i in range(n):
        slot = level_at(q, index, side.changed[i])
        pair[0], pair[1] = price_of(side.changed[i]), 0
        if slot >= 0:
            pair[1] = q.levels[slot].lots
            q.levels[slot].is_noted = 0
        pair += 2
    side.changed_n = 0
    return packed
