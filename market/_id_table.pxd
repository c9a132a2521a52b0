# cython: language_level=3
"""A hash table from order id to slot, in C: open addressing, a power of two of places, at most half of them used."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free

cdef struct IdTable:
    int64_t* ids  # 0 where empty
    int32_t* slots
    uint64_t mask  # places - 1
    int shift


cdef inline uint64_t home_of(const IdTable* table, int64_t order_id) noexcept nogil:
    return (<uint64_t>order_id * 0x9E3779B97F4A7C15ULL) >> table.shift


cdef inline int32_t find_id(const IdTable* table, int64_t order_id) noexcept nogil:
    """The slot of an id, or -1."""
    cdef uint64_t at = home_of(table, order_id)
    if order_id <= 0:
        return -1
    while table.ids[at]:
        if table.ids[at] == order_id:
            return table.slots[at]
        at = (at + 1) & table.mask
    return -1


cdef inline void insert_id(IdTable* table, int64_t order_id, int32_t slot) noexcept nogil:
    """Add an id that is not in the table. There must be room."""
    cdef uint64_t at = home_of(table, order_id)
    while table.ids[at]:
        at = (at + 1) & table.mask
    table.ids[at] = order_id
    table.slots[at] = slot


cdef inline void remove_id(IdTable* table, int64_t order_id) noexcept nogil:
    """Empty the place of an id that is in the table, and move up those behind it that would no longer be found."""
    cdef uint64_t mask = table.mask, home, hole, at = home_of(table, order_id)
    while table.ids[at] != order_id:
        at = (at + 1) & mask
    hole = at
    while True:
        at = (at + 1) & mask
        if table.ids[at] == 0:
            break
        home = home_of(table, table.ids[at])
        if ((at - home) & mask) >= ((at - hole) & mask):
            table.ids[hole] = table.ids[at]
            table.slots[hole] = table.slots[at]
            hole = at
    table.ids[hole] = 0


cdef inline int rehash(IdTable* table, uint64_t places) except -1:
    """Give the table so many places, a power of two. Raises MemoryError, with the table as it was."""
    cdef IdTable old = table[0]
    cdef uint64_t i, old_places = old.mask + 1 if old.ids != NULL else 0
    cdef int64_t* ids = <int64_t*>calloc(places, sizeof(int64_t))
    cdef int32_t* slots = <int32_t*>calloc(places, sizeof(int32_t))
    if ids == NULL or slots == NULL:
        free(ids)
        free(slots)
        raise MemoryError
    table.ids, table.slots, table.mask = ids, slots, places - 1
    table.shift = 64
    while places > 1:
        places >>= 1
        table.shift -= 1
    for i in range(old_places):
        if old.ids[i]:
            insert_id(table, old.ids[i], old.slots[i])
    free(old.ids)
    free(old.slots)
    return 0
