# cython: language_level=3
"""Resting orders in C: a queue per price level, the levels of each side in a sorted array, memory in free lists.

Orders lie in one array and are linked into the queue of their level; levels lie in another, and each side has their
keys in ascending order, with the best at the end. Inline in a .pxd, so that the C compiler sees them in the matching
loop.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, qsort, realloc
from libc.string cimport memmove, memset

from market._id_table cimport IdTable, insert_id, rehash, remove_id
from market._ladder cimport lower_bound

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
    int64_t key  # see market._ladder
    int64_t lots  # shown
    int64_t hidden  # by icebergs
    int32_t first
    int32_t last  # of the queue; of a free slot `first` is the next free one
    int32_t is_noted  # its key is among the changes

cdef struct Side:
    int64_t* keys  # ascending: the best is the last
    int32_t* slots  # of the levels
    Py_ssize_t n
    Py_ssize_t room
    int64_t open_lots
    int64_t* changed  # keys, some of them more than once
    Py_ssize_t changed_n
    Py_ssize_t changed_room

cdef struct Queues:
    Side[2] sides
    Order* orders
    Py_ssize_t orders_room
    int32_t free_order
    Level* levels
    Py_ssize_t levels_room
    int32_t free_level
    IdTable ids
    Py_ssize_t open_n
    int64_t seq
    bint notes_changes


# Queries


cdef inline int64_t shown_lots_of(const Queues* q, int32_t slot) noexcept nogil:
    return q.orders[slot].shown if q.orders[slot].peak else q.orders[slot].leaves


cdef inline int64_t takeable_lots(const Queues* q, int32_t level) noexcept nogil:
    """What can be taken at a level, hidden lots included."""
    return q.levels[level].lots + q.levels[level].hidden


cdef inline int32_t level_at(const Queues* q, int index, int64_t key) noexcept nogil:
    """The level at a key, or -1."""
    cdef const Side* side = &q.sides[index]
    cdef Py_ssize_t at = lower_bound(side.keys, 1, side.n, key)
    return side.slots[at] if at < side.n and side.keys[at] == key else -1


cdef inline bint meets(const Queues* q, int index, int64_t price_ticks) noexcept nogil:
    """Whether an order at this price would match one of the other side."""
    cdef const Side* other = &q.sides[1 - index]
    return other.n > 0 and other.keys[other.n - 1] >= (price_ticks if index else -price_ticks)


# Changed levels


cdef inline int descending(const void* a, const void* b) noexcept nogil:
    cdef int64_t x = (<const int64_t*>a)[0], y = (<const int64_t*>b)[0]
    return (x < y) - (x > y)


cdef inline Py_ssize_t sort_unique(int64_t* keys, Py_ssize_t n) noexcept nogil:
    """Sort, greatest first, and drop repeated keys; the number of keys left."""
    cdef Py_ssize_t i, unique = 0
    if n < 2:
        return n
    qsort(keys, n, sizeof(int64_t), descending)
    for i in range(1, n):
        if keys[i] != keys[unique]:
            unique += 1
            keys[unique] = keys[i]
    return unique + 1


cdef inline void note_change(Queues* q, int index, int32_t level) noexcept nogil:
    cdef Side* side = &q.sides[index]
    if q.notes_changes and not q.levels[level].is_noted:
        q.levels[level].is_noted = 1
        side.changed[side.changed_n] = q.levels[level].key
        side.changed_n += 1


cdef inline int reserve_changes(Queues* q, int index) except -1:
    """Room to note every level of a side and one more, so that noting cannot fail."""
    cdef Side* side = &q.sides[index]
    if q.notes_changes and side.changed_n + side.n + 1 > side.changed_room:
        side.changed_n = sort_unique(side.changed, side.changed_n)
        side.changed_room = max(2 * (side.changed_n + side.n + 1), 256)
        side.changed = <int64_t*>grown(side.changed, side.changed_room, sizeof(int64_t))
    return 0


# Memory


cdef inline void* grown(void* memory, Py_ssize_t items, Py_ssize_t size) except NULL:
    memory = realloc(memory, items * size)
    if memory == NULL:
        raise MemoryError
    return memory


cdef inline void free_orders_from(Queues* q, Py_ssize_t low) noexcept nogil:
    """Put the order slots from `low` on before the free ones."""
    cdef Py_ssize_t i
    for i in range(q.orders_room - 1, low - 1, -1):
        q.orders[i].order_id = 0
        q.orders[i].after = q.free_order
        q.free_order = <int32_t>i


cdef inline void free_levels_from(Queues* q, Py_ssize_t low) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(q.levels_room - 1, low - 1, -1):
        q.levels[i].first = q.free_level
        q.free_level = <int32_t>i


cdef inline int grow_orders(Queues* q) except -1:
    cdef Py_ssize_t old = q.orders_room, room = max(2 * old, 256)
    q.orders = <Order*>grown(q.orders, room, sizeof(Order))
    q.orders_room = room
    free_orders_from(q, old)
    return 0


cdef inline int grow_levels(Queues* q) except -1:
    cdef Py_ssize_t old = q.levels_room, room = max(2 * old, 256)
    q.levels = <Level*>grown(q.levels, room, sizeof(Level))
    q.levels_room = room
    free_levels_from(q, old)
    return 0


cdef inline int grow_side(Side* side) except -1:
    cdef Py_ssize_t room = max(2 * side.room, 256)
    side.keys = <int64_t*>grown(side.keys, room, sizeof(int64_t))
    side.slots = <int32_t*>grown(side.slots, room, sizeof(int32_t))
    side.room = room
    return 0


cdef inline int reserve_order(Queues* q, int index) except -1:
    """All memory that one more resting order can need. Raises MemoryError, with nothing changed."""
    if q.free_order < 0:
        grow_orders(q)
    if q.free_level < 0:
        grow_levels(q)
    if q.sides[index].n == q.sides[index].room:
        grow_side(&q.sides[index])
    if 2 * <uint64_t>(q.open_n + 1) > q.ids.mask:
        rehash(&q.ids, 2 * (q.ids.mask + 1))
    return reserve_changes(q, index)


cdef inline void release(Queues* q) noexcept nogil:
    """Give all memory back."""
    cdef int index
    for index in range(2):
        free(q.sides[index].keys)
        free(q.sides[index].slots)
        free(q.sides[index].changed)
    free(q.orders)
    free(q.levels)
    free(q.ids.ids)
    free(q.ids.slots)


cdef inline int remove_all(Queues* q) except -1:
    cdef Py_ssize_t i
    cdef int index
    for index in range(2):
        reserve_changes(q, index)
        for i in range(q.sides[index].n):
            note_change(q, index, q.sides[index].slots[i])
        q.sides[index].n = 0
        q.sides[index].open_lots = 0
    q.free_order = q.free_level = -1
    free_orders_from(q, 0)
    free_levels_from(q, 0)
    memset(q.ids.ids, 0, (q.ids.mask + 1) * sizeof(int64_t))
    q.open_n = 0
    return 0


# Orders come and go


cdef inline int32_t open_level(Queues* q, int index, int64_t key) noexcept nogil:
    """The level at a key, made if there is none."""
    cdef Side* side = &q.sides[index]
    cdef Py_ssize_t at = lower_bound(side.keys, 1, side.n, key)
    cdef int32_t level
    if at < side.n and side.keys[at] == key:
        return side.slots[at]
    level = q.free_level
    q.free_level = q.levels[level].first
    q.levels[level].key = key
    q.levels[level].lots = q.levels[level].hidden = 0
    q.levels[level].first = q.levels[level].last = -1
    q.levels[level].is_noted = 0
    memmove(side.keys + at + 1, side.keys + at, (side.n - at) * sizeof(int64_t))
    memmove(side.slots + at + 1, side.slots + at, (side.n - at) * sizeof(int32_t))
    side.keys[at] = key
    side.slots[at] = level
    side.n += 1
    return level


cdef inline int rest_order(
    Queues* q, int64_t order_id, int64_t account, int index, int64_t price_ticks, int64_t size_lots, int64_t leaves,
    int64_t peak_lots, int64_t shown_lots
) except -1:
    """Put an order at the end of its level's queue."""
    cdef int32_t slot, level
    cdef Order* order
    reserve_order(q, index)
    level = open_level(q, index, -price_ticks if index else price_ticks)
    slot = q.free_order
    order = &q.orders[slot]
    q.free_order = order.after
    order.order_id, order.account, order.size_lots, order.leaves = order_id, account, size_lots, leaves
    order.seq, order.level, order.index = q.seq, level, index
    order.peak, order.shown = 0, leaves
    if shown_lots == 0 or shown_lots > peak_lots:
        shown_lots = peak_lots
    if 0 < shown_lots < leaves:
        order.peak, order.shown = peak_lots, shown_lots
    q.seq += 1
    link_last(q, slot)
    q.levels[level].lots += order.shown
    q.levels[level].hidden += leaves - order.shown
    q.sides[index].open_lots += leaves
    insert_id(&q.ids, order_id, slot)
    q.open_n += 1
    note_change(q, index, level)
    return 0


cdef inline void lower_order(Queues* q, int32_t slot, int64_t lots) noexcept nogil:
    """Take lots off a resting order, hidden ones first; an order with none left is removed.

    Room for a change must be reserved.
    """
    cdef Order* order = &q.orders[slot]
    cdef Level* level = &q.levels[order.level]
    cdef int64_t shown
    order.leaves -= lots
    q.sides[order.index].open_lots -= lots
    if order.peak:
        shown = min(order.shown, order.leaves)
        level.hidden -= lots - (order.shown - shown)
        level.lots -= order.shown - shown
        order.shown = shown
    else:
        level.lots -= lots
    note_change(q, order.index, order.level)
    if order.leaves == 0:
        remove_order(q, slot)


cdef inline void fill_iceberg(Queues* q, int32_t slot, int64_t lots) noexcept nogil:
    """Take lots off what an iceberg shows; it then shows more, at the end of its level's queue."""
    cdef Order* order = &q.orders[slot]
    cdef Level* level = &q.levels[order.level]
    order.leaves -= lots
    order.shown -= lots
    level.lots -= lots
    q.sides[order.index].open_lots -= lots
    note_change(q, order.index, order.level)
    if order.leaves == 0:
        remove_order(q, slot)
    elif order.shown == 0:
        order.shown = min(order.peak, order.leaves)
        level.lots += order.shown
        level.hidden -= order.shown
        unlink(q, slot)
        link_last(q, slot)


cdef inline void link_last(Queues* q, int32_t slot) noexcept nogil:
    cdef Order* order = &q.orders[slot]
    cdef Level* level = &q.levels[order.level]
    order.before, order.after = level.last, -1
    if order.before >= 0:
        q.orders[order.before].after = slot
    else:
        level.first = slot
    level.last = slot


cdef inline void unlink(Queues* q, int32_t slot) noexcept nogil:
    cdef Order* order = &q.orders[slot]
    cdef Level* level = &q.levels[order.level]
    if order.before >= 0:
        q.orders[order.before].after = order.after
    else:
        level.first = order.after
    if order.after >= 0:
        q.orders[order.after].before = order.before
    else:
        level.last = order.before


cdef inline void remove_order(Queues* q, int32_t slot) noexcept nogil:
    """Free an order's slot, and its level with the last order."""
    cdef Order* order = &q.orders[slot]
    cdef Level* level = &q.levels[order.level]
    cdef Side* side = &q.sides[order.index]
    cdef Py_ssize_t at
    unlink(q, slot)
    if level.first < 0:
        at = lower_bound(side.keys, 1, side.n, level.key)
        side.n -= 1
        memmove(side.keys + at, side.keys + at + 1, (side.n - at) * sizeof(int64_t))
        memmove(side.slots + at, side.slots + at + 1, (side.n - at) * sizeof(int32_t))
        level.first = q.free_level
        q.free_level = order.level
    remove_id(&q.ids, order.order_id)
    q.open_n -= 1
    order.order_id = 0
    order.after = q.free_order
    q.free_order = slot
