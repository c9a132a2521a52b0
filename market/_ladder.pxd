# cython: language_level=3
"""What both compiled books share: keys of prices, their search, 128-bit sums, and the check of a side.

A key is the price of a bid, or minus the price of an ask: so on both sides the best level has the greatest key, and
an array with ascending keys has the best level at its end, where most changes are.
"""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #ifndef TICKBUS_LADDER
    #define TICKBUS_LADDER
    #if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "packed levels are little-endian: on this machine the Python implementation serves"
    #endif
    typedef __int128 tickbus_int128;
    #define TICKBUS_MAX_INT (((int64_t)1 << 53) - 1)
    #endif
    """
    # Sums of ticks * lots: both are below 2**53, so 2**20 levels fit.
    ctypedef long long int128 "tickbus_int128"
    const int64_t MAX_INT "TICKBUS_MAX_INT"  # market.levels.MAX_INT


cdef inline int side_index(int side) except -1:
    """0 for a bid, 1 for an ask. Raises ValueError for anything but a protocol.Side."""
    if side != 1 and side != 2:
        raise ValueError(f"side {side!r}: use protocol.Side, 1 to buy or 2 to sell")
    return side - 1


cdef inline int64_t price_of(int64_t key) noexcept nogil:
    return key if key > 0 else -key


cdef inline Py_ssize_t lower_bound(const int64_t* keys, Py_ssize_t stride, Py_ssize_t n, int64_t key) noexcept nogil:
    """The first index whose key is not below `key`: leaps of growing size from the end, then a binary search.

    `stride`: int64s from one key to the next; a constant, so that the compiler specializes the search.
    """
    cdef Py_ssize_t low, leap = 1
    if n == 0 or keys[(n - 1) * stride] < key:
        return n
    n -= 1  # from here on the key at n is not below `key`
    while n >= leap and keys[(n - leap) * stride] >= key:
        n -= leap
        leap *= 2
    low = n - leap if n >= leap else -1  # and the key at low is below `key`, or low is -1
    n -= low
    while n > 1:  # without branches that the processor cannot predict
        leap = n >> 1
        low += leap if keys[(low + leap) * stride] < key else 0
        n -= leap
    return low + 1
