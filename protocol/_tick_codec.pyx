# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The Cython implementation of protocol.tick_codec: msgpack of a few integers, written and read in place."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from protocol.ticks import Tick

cdef enum:
    HEADER_BYTES = 20
    MAX_TOPIC_BYTES = 250
    EMPTY_LIST = 0x90
    TICK_BYTES = 6
    DONE_BYTES = 10
    # Topic, the byte that ends it, header, tag, and four integers of at most nine bytes with up to three lists.
    MAX_BYTES = MAX_TOPIC_BYTES + 1 + HEADER_BYTES + DONE_BYTES + 4 * 9 + 3

cdef const char *TICK = b"\x98\xa4Tick"  # an array of eight: the tag, then Tick's fields
cdef const char *DONE = b"\x96\xa8TickDone"
cdef uint64_t MAX_INT = (1 << 63) - 1


cdef inline uint8_t *head(uint8_t *p, bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns) except NULL:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(prefix)
    assert size <= MAX_TOPIC_BYTES + 1
    memcpy(p, PyBytes_AS_STRING(prefix), size)
    p += size
    memcpy(p, &epoch, 4)
    memcpy(p + 4, &seq, 8)
    memcpy(p + 12, &ts_ns, 8)
    return p + HEADER_BYTES


cdef inline uint8_t *write_int(uint8_t *p, uint64_t value) noexcept:
    """The shortest msgpack of `value`, as msgspec writes it."""
    cdef int size, i
    if value < 0x80:
        p[0] = <uint8_t>value
        return p + 1
    size = 0 if value <= 0xff else 1 if value <= 0xffff else 2 if value <= 0xffffffff else 3
    p[0] = <uint8_t>(0xcc + size)
    size = 1 << size
    for i in range(size):
        p[1 + i] = <uint8_t>(value >> (8 * (size - 1 - i)))
    return p + 1 + size


cdef inline const uint8_t *read_int(const uint8_t *p, const uint8_t *end, uint64_t *value) noexcept:
    """Reads an integer from 0 to MAX_INT; NULL if there is none, or if `p` is NULL."""
    cdef int size, i
    if p == NULL or p >= end:
        return NULL
    if p[0] < 0x80:
        value[0] = p[0]
        return p + 1
    if p[0] < 0xcc or p[0] > 0xcf:
        return NULL
    size = 1 << (p[0] - 0xcc)
    if end - p < 1 + size:
        return NULL
    value[0] = 0
    for i in range(size):
        value[0] = value[0] << 8 | p[1 + i]
    return p + 1 + size if value[0] <= MAX_INT else NULL


cdef inline const uint8_t *after_header(const uint8_t *start, const uint8_t *end) noexcept:
    """The start of the body; NULL for a frame that `protocol.frame.split` rejects."""
    cdef Py_ssize_t size = end - start
    cdef const uint8_t *p = <const uint8_t *>memchr(start, 1, size if size < MAX_TOPIC_BYTES else MAX_TOPIC_BYTES)
    cdef uint64_t seq
    if p == NULL or p == start or end - p <= 1 + HEADER_BYTES:
        return NULL
    memcpy(&seq, p + 5, 8)
    return p + 1 + HEADER_BYTES if seq <= MAX_INT else NULL


cdef class FastTickCodec:
    """The methods of PlainTickCodec."""

    cpdef bytes encode_tick(
        self, bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns, uint64_t n, uint64_t time_ns,
        uint64_t period_ns, uint64_t skipped,
    ):
        """The frame of Tick(n, time_ns, period_ns, [], skipped)."""
        cdef uint8_t frame[MAX_BYTES]
        cdef uint8_t *p = head(frame, prefix, epoch, seq, ts_ns)
        memcpy(p, TICK, TICK_BYTES)
        p = write_int(write_int(write_int(p + TICK_BYTES, n), time_ns), period_ns)
        p[0] = EMPTY_LIST
        p = write_int(p + 1, skipped)
        p[0] = p[1] = EMPTY_LIST
        return PyBytes_FromStringAndSize(<char *>frame, p + 2 - frame)

    cpdef decode_tick(self, bytes frame):
        """The Tick of a frame that `encode_tick` could have written; None for every other frame."""
        cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(frame)
        cdef const uint8_t *end = start + PyBytes_GET_SIZE(frame)
        cdef const uint8_t *p = after_header(start, end)
        cdef uint64_t n, time_ns, period_ns, skipped
        if p == NULL or end - p < TICK_BYTES or memcmp(p, TICK, TICK_BYTES) != 0:
            return None
        p = read_int(read_int(read_int(p + TICK_BYTES, end, &n), end, &time_ns), end, &period_ns)
        if p == NULL or p >= end or p[0] != EMPTY_LIST:
            return None
        p = read_int(p + 1, end, &skipped)
        if p == NULL or end - p != 2 or p[0] != EMPTY_LIST or p[1] != EMPTY_LIST:
            return None
        return Tick(n, time_ns, period_ns, [], skipped)

    cpdef bytes encode_done(
        self, bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns, uint64_t n, uint64_t waited_ns,
        uint64_t trace, uint64_t positions_missed,
    ):
        """The frame of TickDone(n, [], waited_ns, trace, positions_missed)."""
        cdef uint8_t frame[MAX_BYTES]
        cdef uint8_t *p = head(frame, prefix, epoch, seq, ts_ns)
        memcpy(p, DONE, DONE_BYTES)
        p = write_int(p + DONE_BYTES, n)
        p[0] = EMPTY_LIST
        p = write_int(write_int(write_int(p + 1, waited_ns), trace), positions_missed)
        return PyBytes_FromStringAndSize(<char *>frame, p - frame)

    cpdef long long decode_done(self, bytes frame) except? -1:
        """The n of a TickDone without positions and without a trace; -1 for every other frame."""
        cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(frame)
        cdef const uint8_t *end = start + PyBytes_GET_SIZE(frame)
        cdef const uint8_t *p = after_header(start, end)
        cdef uint64_t n, waited_ns, positions_missed
        if p == NULL or end - p < DONE_BYTES or memcmp(p, DONE, DONE_BYTES) != 0:
            return -1
        p = read_int(p + DONE_BYTES, end, &n)
        if p == NULL or p >= end or p[0] != EMPTY_LIST:
            return -1
        p = read_int(p + 1, end, &waited_ns)
        if p == NULL or p >= end or p[0]:
            return -1
        return <int64_t>n if read_int(p + 1, end, &positions_missed) == end else -1
