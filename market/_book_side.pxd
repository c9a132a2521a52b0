# cython: language_level=3
"""One side of a book in C: a flat array of (key, lots) pairs in ascending order, the best level at its end.

Inline in a .pxd, as a C header would be: `_book.pyx` has the queries, and the two sides.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memmove

from market._ladder cimport MAX_INT, int128, lower_bound, price_of

cdef struct Level:
    int64_t key  # see market._ladder
    int64_t lots

cdef struct Levels:
    Level* at  # keys ascending: the best is the last
    Py_ssize_t n
    Py_ssize_t room

cdef struct Change:
    Py_ssize_t at  # in the levels as they were: insert before it, or delete it if lots is 0
    Level level

cdef struct Changes:  # scratch of one call
    Change* at
    Py_ssize_t room


cdef inline void move_levels(Level* levels, Py_ssize_t start, Py_ssize_t end, Py_ssize_t by) noexcept nogil:
    memmove(levels + start + by, levels + start, (end - start) * sizeof(Level))


cdef inline void put_level(Levels* side, int64_t key, int64_t lots) noexcept nogil:
    """Set a level. There must be room."""
    cdef Py_ssize_t at = lower_bound(<const int64_t*>side.at, 2, side.n, key)
    if at < side.n and side.at[at].key == key:
        if lots:
            side.at[at].lots = lots
        else:
            move_levels(side.at, at + 1, side.n, -1)
            side.n -= 1
    elif lots:
        move_levels(side.at, at, side.n, 1)
        side.at[at].key, side.at[at].lots = key, lots
        side.n += 1


cdef inline void put_levels(
    Levels* side, const int64_t* pairs, Py_ssize_t n, int64_t sign, Change* changes
) noexcept nogil:
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
                put_level(side, sign * pairs[2 * i], pairs[2 * i + 1])
            return
    for i in range(n):
        key, lots = sign * pairs[2 * i], pairs[2 * i + 1]
        at = lower_bound(<const int64_t*>side.at, 2, at, key)
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
        rearrange(side, changes, changes_n)


cdef inline void rearrange(Levels* side, const Change* changes, Py_ssize_t n) noexcept nogil:
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
            move_levels(side.at, start, end, shift)
    end = side.n
    side.n += shift
    for i in range(n):
        start = changes[i].at
        if changes[i].level.lots:
            if shift > 0 and start < end:
                move_levels(side.at, start, end, shift)
            shift -= 1
            side.at[start + shift] = changes[i].level
        else:
            if shift > 0 and start + 1 < end:
                move_levels(side.at, start + 1, end, shift)
            shift += 1
        end = start


cdef inline Py_ssize_t first_invalid(const int64_t* pairs, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        # As unsigned numbers negative ones are large: one comparison each.
        if <uint64_t>(pairs[2 * i] - 1) >= <uint64_t>MAX_INT or <uint64_t>pairs[2 * i + 1] > <uint64_t>MAX_INT:
            return i
    return -1


cdef inline Py_ssize_t check_packed(bytes packed) except -1:
    """The number of levels. Raises ValueError on invalid levels."""
    cdef Py_ssize_t length = PyBytes_GET_SIZE(packed), bad
    cdef const int64_t* pairs = <const int64_t*>PyBytes_AS_STRING(packed)
    if length & 15:
        raise ValueError(f"levels: {length} bytes are not a multiple of 16")
    bad = first_invalid(pairs, length >> 4)
    if bad >= 0:
        raise ValueError(f"levels: invalid level, index {bad}: price {pairs[2 * bad]}, size {pairs[2 * bad + 1]}")
    return length >> 4


cdef inline int reserve(Levels* side, Py_ssize_t wanted) except -1:
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


cdef inline int reserve_changes(Changes* changes, Py_ssize_t wanted) except -1:
    cdef void* larger
    if wanted <= changes.room:
        return 0
    wanted = max(wanted, 2 * changes.room, 64)
    larger = realloc(changes.at, wanted * sizeof(Change))
    if larger == NULL:
        raise MemoryError
    changes.at = <Change*>larger
    changes.room = wanted
    return 0


cdef inline void top(Levels* side, int64_t* key, int64_t* lots) noexcept nogil:
    if side.n:
        key[0] = side.at[side.n - 1].key
        lots[0] = side.at[side.n - 1].lots


cdef inline bint differs(Levels* side, int64_t key, int64_t lots) noexcept nogil:
    if side.n == 0:
        return key != 0
    return side.at[side.n - 1].key != key or side.at[side.n - 1].lots != lots


cdef inline void fill_empty(Levels* side, const int64_t* pairs, Py_ssize_t n, int64_t sign) noexcept nogil:
    """Levels into an empty side with room for them: from behind if the best come first, else one by one."""
    cdef Py_ssize_t i
    for i in range(1, n):
        if sign * pairs[2 * i] >= sign * pairs[2 * i - 2]:
            for i in range(n):
                put_level(side, sign * pairs[2 * i], pairs[2 * i + 1])
            return
    for i in range(n - 1, -1, -1):
        side.at[side.n].key = sign * pairs[2 * i]
        side.at[side.n].lots = pairs[2 * i + 1]
        side.n += pairs[2 * i + 1] != 0


cdef inline void keep_best(Levels* side, Py_ssize_t n) noexcept nogil:
    if n < side.n:
        move_levels(side.at, side.n - n, side.n, n - side.n)
        side.n = n


cdef inline int64_t walk(Levels* taken, int64_t lots, int128* notional) noexcept nogil:
    """Takes up to `lots` from the best level on; returns the lots found, and sets their cost."""
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


cdef inline int128 sum_lots(Levels* side, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i = side.n, low = side.n - n if 0 < n < side.n else (side.n if n <= 0 else 0)
    cdef int128 total = 0
    while i > low:
        i -= 1
        total += side.at[i].lots
    return total


cdef inline bytes pack_side(Levels* side, Py_ssize_t n):
    cdef Py_ssize_t i = side.n, low, at = 0
    cdef bytes packed
    cdef int64_t* pairs
    n = min(max(n, 0), side.n)
    low = side.n - n
    packed = PyBytes_FromStringAndSize(NULL, n * 16)
    pairs = <int64_t*>PyBytes_AS_STRING(packed)
    while i > low:
        i -= 1
        pairs[at] = price_of(side.at[i].key)
        pairs[at + 1] = side.at[i].lots
        at += 2
    return packed
