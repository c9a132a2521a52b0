# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The Cython implementation of `market.matching.PlainMatching`, whose docstring has the rules.

Events are rows of nine int64 in a buffer, and become tuples only at the edge.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free

cimport cython
from market._codes cimport (
    ACCEPTED, BAD_FIELD, BAD_PRICE, BAD_SIZE, BUY, CANCELED, DECREMENT, DUPLICATE_ID, EXPIRE_BOTH, EXPIRE_MAKER,
    EXPIRE_TAKER, EXPIRED, FOK, FOK_UNFILLABLE, GTC, IOC, LIMIT, LIMIT_MAKER, MARKET, NO_LIQUIDITY, NONE, OP_CANCEL,
    OP_REDUCE, OP_SUBMIT, PREVENTED, REDUCED, REJECTED, ROW_INTS, SELL, STP_EXPIRED, TRADE, TRANSFER, WOULD_TAKE,
)
from market._id_table cimport find_id
from market._ladder cimport MAX_INT, price_of
from market._queues cimport (
    Order, Side, fill_iceberg, grown, lower_order, meets, remove_all, reserve_changes, rest_order, shown_lots_of,
    takeable_lots,
)
from market._resting cimport FastRestingOrders

cdef enum:
    ROW_BYTES = 8 * ROW_INTS

cdef int64_t ID_MAX = (<int64_t>1 << 62) - 1


cdef object _event(const int64_t* e):
    """An event as the tuple that is given out."""
    cdef int64_t code = e[0]
    if code == ACCEPTED or code == CANCELED or code == REJECTED or code == REDUCED:
        return (code, e[1], e[2])
    if code == EXPIRED:
        return (code, e[1], e[2], e[3])
    return (code, e[1], e[2], e[3], e[4], e[5], e[6], e[7], e[8])


cdef class FastMatching(FastRestingOrders):
    """Orders in, events out; ints only. Wrong orders get a REJECTED event, never an exception.

    The rules are those of `market.matching.PlainMatching`; only ints that do not fit an int64 raise OverflowError.
    """

    cdef int64_t* events
    cdef Py_ssize_t events_n
    cdef Py_ssize_t events_room

    def __cinit__(self):
        self._reserve_events(64)

    def __dealloc__(self):
        free(self.events)

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
        """Matches a new order and rests the remaining lots; returns the events, in order."""
        self.events_n = 0
        self._submit(order_id, account, side, ord_type, tif, price_ticks, size_lots, stp, peak_lots, shown_lots)
        return self._tuples()

    def cancel(self, int64_t order_id) -> list:
        """Ends an open order; no event if there is none with this id."""
        self.events_n = 0
        self._cancel(order_id)
        return self._tuples()

    def cancel_all(self, int64_t account) -> list:
        """Ends all open orders of an account, oldest first."""
        self.events_n = 0
        for row in self.orders(account):
            self._cancel(row[0])
        return self._tuples()

    def reduce(self, int64_t order_id, int64_t new_size_lots) -> list:
        """Makes an open order smaller in its place; new_size_lots is its total size, filled lots included."""
        self.events_n = 0
        self._reduce(order_id, new_size_lots)
        return self._tuples()

    def submit_many(self, bytes rows not None) -> bytes:
        """Executes many commands: rows of nine int64 in, events as rows of nine int64 out (`market.codes`).

        Raises ValueError, with the book unchanged, if the length is not a multiple of a row's.
        """
        cdef Py_ssize_t length = PyBytes_GET_SIZE(rows), i
        cdef const int64_t* row = <const int64_t*>PyBytes_AS_STRING(rows)
        if length % ROW_BYTES:
            raise ValueError(f"matching: {length} bytes are not rows of {ROW_BYTES}")
        self.events_n = 0
        for i in range(length // ROW_BYTES):
            if row[0] == OP_SUBMIT:
                self._submit(row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], 0, 0)
            elif row[0] == OP_CANCEL:
                self._cancel(row[1])
            elif row[0] == OP_REDUCE:
                self._reduce(row[1], row[7])
            else:
                self._emit(REJECTED, row[1], BAD_FIELD)
            row += ROW_INTS
        return PyBytes_FromStringAndSize(<char*>self.events, self.events_n * ROW_BYTES)

    def clear(self):
        """Ends all orders, without events; `changes` reports their levels as removed."""
        remove_all(&self.queues)

    # Inside: commands

    @cython.final
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
            return self._emit(REJECTED, order_id, reason)
        if ord_type == MARKET:
            limit = -MAX_INT
        else:
            limit = price_ticks if index else -price_ticks
        accepted = self.events_n
        self._emit(ACCEPTED, order_id, 0)
        if tif == FOK and ord_type != LIMIT_MAKER and not self._can_fill(account, index, limit, size_lots, stp):
            return self._emit_reason(EXPIRED, order_id, size_lots, FOK_UNFILLABLE)
        leaves = self._match(order_id, account, index, limit, size_lots, stp)
        if leaves > 0:
            if ord_type == LIMIT_MAKER or (ord_type == LIMIT and tif == GTC):
                rest_order(
                    &self.queues, order_id, account, index, price_ticks, size_lots, leaves, peak_lots, shown_lots
                )
                self.events[accepted * ROW_INTS + 2] = leaves
            else:
                self._emit_reason(EXPIRED, order_id, leaves, NO_LIQUIDITY)
        return 0

    @cython.final
    cdef int _reason_to_reject(
        self, int64_t order_id, int64_t side, int64_t ord_type, int64_t tif,
        int64_t price_ticks, int64_t size_lots, int64_t stp
    ) noexcept nogil:
        if side != BUY and side != SELL:
            return BAD_FIELD
        if ord_type != LIMIT and ord_type != MARKET and ord_type != LIMIT_MAKER:
            return BAD_FIELD
        if (tif != GTC and tif != IOC and tif != FOK) or stp < NONE or stp > TRANSFER:
            return BAD_FIELD
        if order_id < 1 or order_id > ID_MAX or find_id(&self.queues.ids, order_id) >= 0:
            return DUPLICATE_ID
        if size_lots < 1 or size_lots > MAX_INT - self.queues.sides[side == SELL].open_lots:
            return BAD_SIZE
        if ord_type != MARKET and (price_ticks < 1 or price_ticks > MAX_INT):
            return BAD_PRICE
        if ord_type == LIMIT_MAKER and meets(&self.queues, side == SELL, price_ticks):
            return WOULD_TAKE
        return 0

    @cython.final
    cdef int _cancel(self, int64_t order_id) except -1:
        cdef int32_t slot = find_id(&self.queues.ids, order_id)
        cdef int64_t leaves
        if slot < 0:
            return 0
        leaves = self.queues.orders[slot].leaves
        reserve_changes(&self.queues, self.queues.orders[slot].index)
        lower_order(&self.queues, slot, leaves)
        return self._emit(CANCELED, order_id, leaves)

    @cython.final
    cdef int _reduce(self, int64_t order_id, int64_t new_size_lots) except -1:
        cdef int32_t slot = find_id(&self.queues.ids, order_id)
        cdef int64_t leaves
        cdef Order* order
        if slot < 0:
            return 0
        order = &self.queues.orders[slot]
        if new_size_lots >= order.size_lots or new_size_lots <= order.size_lots - order.leaves:
            return self._emit(REJECTED, order_id, BAD_SIZE)
        leaves = new_size_lots - (order.size_lots - order.leaves)
        order.size_lots = new_size_lots
        reserve_changes(&self.queues, order.index)
        lower_order(&self.queues, slot, order.leaves - leaves)
        return self._emit(REDUCED, order_id, leaves)

    @cython.final
    cdef bint _can_fill(self, int64_t account, int index, int64_t limit, int64_t lots, int64_t stp) noexcept nogil:
        cdef Side* taken = &self.queues.sides[1 - index]
        cdef Py_ssize_t i = taken.n
        cdef int64_t shown, leaves
        cdef int32_t slot
        while i > 0 and taken.keys[i - 1] >= limit:
            i -= 1
            shown = leaves = 0
            slot = self.queues.levels[taken.slots[i]].first if stp != NONE else -1
            while slot >= 0:
                if self.queues.orders[slot].account != account:
                    shown += shown_lots_of(&self.queues, slot)
                    leaves += self.queues.orders[slot].leaves
                elif stp != EXPIRE_MAKER:
                    return lots <= shown  # an iceberg's next part stands behind the own order
                slot = self.queues.orders[slot].after
            lots -= leaves if stp != NONE else takeable_lots(&self.queues, taken.slots[i])
            if lots <= 0:
                return True
        return False

    @cython.final
    cdef int64_t _match(
        self, int64_t taker_id, int64_t account, int index, int64_t limit, int64_t leaves, int64_t stp
    ) except -2:
        """Matches against the other side; the lots left, or -1 if prevention has ended the taker."""
        cdef Side* taken = &self.queues.sides[1 - index]
        cdef int64_t key, lots, maker_lots, maker_id, maker_account
        cdef int32_t slot
        cdef int64_t* e
        if taken.n == 0 or taken.keys[taken.n - 1] < limit:
            return leaves
        reserve_changes(&self.queues, 1 - index)
        while leaves and taken.n:
            key = taken.keys[taken.n - 1]
            if key < limit:
                break
            slot = self.queues.levels[taken.slots[taken.n - 1]].first
            maker_account = self.queues.orders[slot].account
            if stp != NONE and maker_account == account:
                leaves = self._prevent(slot, taker_id, price_of(key), leaves, stp)
                if leaves <= 0:
                    return -1
                continue
            maker_id = self.queues.orders[slot].order_id
            maker_lots = self.queues.orders[slot].leaves
            lots = min(leaves, shown_lots_of(&self.queues, slot))
            leaves -= lots
            if self.queues.orders[slot].peak:
                fill_iceberg(&self.queues, slot, lots)
            else:
                lower_order(&self.queues, slot, lots)
            e = self._new_event()
            e[0], e[1], e[2], e[3], e[4] = TRADE, maker_id, taker_id, price_of(key), lots
            e[5], e[6], e[7], e[8] = maker_lots - lots, leaves, maker_account, account
        return leaves

    @cython.final
    cdef int64_t _prevent(
        self, int32_t slot, int64_t taker_id, int64_t price_ticks, int64_t leaves, int64_t stp
    ) except -2:
        """Prevents a self-trade; the lots left of the taker."""
        cdef int64_t maker_id = self.queues.orders[slot].order_id
        cdef int64_t maker_leaves = self.queues.orders[slot].leaves
        cdef int64_t least = min(maker_leaves, leaves) if stp == DECREMENT or stp == TRANSFER else 0
        cdef int64_t maker_lots = maker_leaves if stp == EXPIRE_MAKER or stp == EXPIRE_BOTH else least
        cdef int64_t taker_lots = leaves if stp == EXPIRE_TAKER or stp == EXPIRE_BOTH else least
        cdef int64_t* e
        if maker_lots:
            lower_order(&self.queues, slot, maker_lots)
        e = self._new_event()
        e[0], e[1], e[2], e[3], e[4] = PREVENTED, maker_id, taker_id, price_ticks, maker_lots
        e[5], e[6], e[7], e[8] = taker_lots, maker_leaves - maker_lots, leaves - taker_lots, stp
        if maker_lots == maker_leaves:
            self._emit_reason(EXPIRED, maker_id, maker_lots, STP_EXPIRED)
        if taker_lots == leaves:
            self._emit_reason(EXPIRED, taker_id, taker_lots, STP_EXPIRED)
        return leaves - taker_lots

    # Inside: events

    @cython.final
    cdef inline int64_t* _new_event(self) except NULL:
        """A row at the end of the events, to be filled by the caller."""
        cdef int64_t* e
        if self.events_n == self.events_room:
            self._reserve_events(2 * self.events_room)
        e = self.events + self.events_n * ROW_INTS
        self.events_n += 1
        return e

    @cython.final
    cdef inline int _emit(self, int64_t code, int64_t order_id, int64_t what) except -1:
        return self._emit_reason(code, order_id, what, 0)

    @cython.final
    cdef inline int _emit_reason(self, int64_t code, int64_t order_id, int64_t what, int64_t reason) except -1:
        cdef int64_t* e = self._new_event()
        e[0], e[1], e[2], e[3] = code, order_id, what, reason
        e[4] = e[5] = e[6] = e[7] = e[8] = 0
        return 0

    @cython.final
    cdef int _reserve_events(self, Py_ssize_t room) except -1:
        self.events = <int64_t*>grown(self.events, room, ROW_INTS * sizeof(int64_t))
        self.events_room = room
        return 0

    @cython.final
    cdef list _tuples(self):
        cdef Py_ssize_t i
        cdef list events
        if self.events_n == 1:
            return [_event(self.events)]
        events = []
        for i in range(self.events_n):
            events.append(_event(self.events + i * ROW_INTS))
        return events
