# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The Cython implementation of the parsers in `market.levels`: one pass over the bytes, no object per level."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport realloc

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "packed levels are little-endian: on this machine the Python implementation serves"
    #endif

    /* The number that eight digits write, all of them in one register; -1 if they are not eight digits. */
    static inline int64_t tickbus_eight_digits(const uint8_t *text) {
        uint64_t v;
        memcpy(&v, text, 8);
        if (((v & 0xF0F0F0F0F0F0F0F0ULL) | (((v + 0x0606060606060606ULL) & 0xF0F0F0F0F0F0F0F0ULL) >> 4))
            != 0x3333333333333333ULL)
            return -1;
        v -= 0x3030303030303030ULL;
        v = v * 10 + (v >> 8);  /* pairs, in every second byte */
        return (int64_t)((((v & 0x000000FF000000FFULL) * 0x000F424000000064ULL)
            + (((v >> 16) & 0x000000FF000000FFULL) * 0x0000271000000001ULL)) >> 32 & 0xFFFFFFFFULL);
    }

    /* Divide by a power of ten that the compiler can see, which is several times faster. */
    static inline uint32_t tickbus_cut(uint32_t eight, int digits, uint32_t *rest) {
        switch (digits) {
            case 0: *rest = eight; return 0;
            case 1: *rest = eight % 10000000u; return eight / 10000000u;
            case 2: *rest = eight % 1000000u; return eight / 1000000u;
            case 3: *rest = eight % 100000u; return eight / 100000u;
            case 4: *rest = eight % 10000u; return eight / 10000u;
            case 5: *rest = eight % 1000u; return eight / 1000u;
            case 6: *rest = eight % 100u; return eight / 100u;
            case 7: *rest = eight % 10u; return eight / 10u;
            default: *rest = 0; return eight;
        }
    }
    """
    int64_t tickbus_eight_digits(const uint8_t*) noexcept nogil
    uint32_t tickbus_cut(uint32_t, int, uint32_t*) noexcept nogil

cdef int64_t MAX_INT = (<int64_t>1 << 53) - 1
cdef int MAX_DIGITS = 18
cdef uint64_t UNITS_MAX = (<uint64_t>1 << 63) - 1

cdef uint64_t[19] POW10
cdef int _i
POW10[0] = 1
for _i in range(1, 19):
    POW10[_i] = POW10[_i - 1] * 10

cdef enum Fault:
    OK = 0
    MALFORMED
    OFF_STEP
    TOO_LARGE
    ZERO_PRICE
    TRAILING
    NO_MEMORY

cdef dict _FAULTS = {
    MALFORMED: "not the text of [price, size] string pairs",
    OFF_STEP: "a value that is not a multiple of its step, before",
    TOO_LARGE: "a value that is too large",
    ZERO_PRICE: "price 0",
    TRAILING: "text goes on after the array,",
}

# One buffer for the levels being parsed, reused by every call (each holds the GIL from its first write to its copy).
cdef int64_t* _scratch = NULL
cdef Py_ssize_t _scratch_pairs = 0


cdef inline const uint8_t* _space(const uint8_t* p, const uint8_t* end) noexcept nogil:
    while p < end and (p[0] == 32 or p[0] == 10 or p[0] == 13 or p[0] == 9):
        p += 1
    return p


cdef inline int _digit(uint64_t* value, unsigned int digit) noexcept nogil:
    """Append a digit; not 0 if that is more than UNITS_MAX."""
    if value[0] >= 922337203685477580ULL and (value[0] > 922337203685477580ULL or digit > 7):
        return 1
    value[0] = value[0] * 10 + digit
    return 0


cdef inline int _in_steps(uint64_t value, uint64_t step, bint floor, int64_t* result) noexcept nogil:
    if step != 1:
        if value % step and not floor:
            return OFF_STEP
        value //= step
    if value > <uint64_t>MAX_INT:
        return TOO_LARGE
    result[0] = <int64_t>value
    return OK


cdef inline int _number(
    const uint8_t** at, const uint8_t* end, int digits, uint64_t step, bint floor, int64_t* result
) noexcept nogil:
    """Read the unsigned decimal at `at`, in steps, rounded down if `floor`; `at` moves past it."""
    cdef const uint8_t* p = at[0]
    cdef const uint8_t* first = p
    cdef uint64_t value = 0
    cdef unsigned int digit
    cdef uint32_t rest = 0
    cdef int64_t eight
    cdef int left = digits
    while p < end:
        digit = <unsigned int>p[0] - 48
        if digit > 9:
            break
        if _digit(&value, digit):
            return TOO_LARGE
        p += 1
    if p == first:
        return MALFORMED
    if p < end and p[0] == 46:
        p += 1
        if p >= end or <unsigned int>p[0] - 48 > 9:
            return MALFORMED
        if digits <= 8 and value < 90000000000ULL and end - p > 8 and p[8] == 34:
            # As most exchanges write: eight places, then the quote.
            eight = tickbus_eight_digits(p)
            if eight >= 0:
                value = value * POW10[digits] + tickbus_cut(<uint32_t>eight, digits, &rest)
                at[0] = p + 8
                return OFF_STEP if rest and not floor else _in_steps(value, step, floor, result)
        while left and p < end:
            digit = <unsigned int>p[0] - 48
            if digit > 9:
                break
            if _digit(&value, digit):
                return TOO_LARGE
            left -= 1
            p += 1
        while p < end and p[0] == 48:
            p += 1
        if floor:
            while p < end and <unsigned int>p[0] - 48 <= 9:
                p += 1
        elif p < end and <unsigned int>p[0] - 48 <= 9:
            at[0] = p
            return OFF_STEP
    at[0] = p
    if left and value:
        if value > UNITS_MAX // POW10[left]:
            return TOO_LARGE
        value *= POW10[left]
    return _in_steps(value, step, floor, result)


cdef inline int _text(
    const uint8_t** at, const uint8_t* end, int digits, uint64_t step, bint floor, uint8_t after, int64_t* result
) noexcept nogil:
    """Read a quoted decimal, and the token that must follow it."""
    cdef const uint8_t* p = at[0]
    cdef int fault
    if p >= end or p[0] != 34:
        p = _space(p, end)
        if p >= end or p[0] != 34:
            at[0] = p
            return MALFORMED
    p += 1
    fault = _number(&p, end, digits, step, floor, result)
    at[0] = p
    if fault:
        return fault
    if p >= end or p[0] != 34:
        return MALFORMED
    p += 1
    if p >= end or p[0] != after:
        p = _space(p, end)
        if p >= end or p[0] != after:
            at[0] = p
            return MALFORMED
    at[0] = p + 1
    return OK


cdef int _scan(
    const uint8_t** at, const uint8_t* end,
    int price_digits, uint64_t price_step, int size_digits, uint64_t size_step, bint floor_lots,
    Py_ssize_t* count
) noexcept nogil:
    """Parse an array of pairs into the scratch buffer; `at` moves past it, or to the fault."""
    global _scratch, _scratch_pairs
    cdef Py_ssize_t n = 0, wanted
    cdef void* larger
    cdef int fault
    cdef int64_t* out
    cdef const uint8_t* p = _space(at[0], end)
    count[0] = 0
    at[0] = p
    if p >= end or p[0] != 91:
        return MALFORMED
    p = _space(p + 1, end)
    if p < end and p[0] == 93:
        at[0] = p + 1
        return OK
    while True:
        if n == _scratch_pairs:
            wanted = 2 * n if n else 256
            larger = realloc(_scratch, wanted * 16)
            if larger == NULL:
                return NO_MEMORY
            _scratch = <int64_t*>larger
            _scratch_pairs = wanted
        out = _scratch + 2 * n
        at[0] = p
        if p >= end or p[0] != 91:
            p = _space(p, end)
            at[0] = p
            if p >= end or p[0] != 91:
                return MALFORMED
        p += 1
        fault = _text(&p, end, price_digits, price_step, False, 44, out)
        if not fault:
            fault = _text(&p, end, size_digits, size_step, floor_lots, 93, out + 1)
        at[0] = p
        if fault:
            return fault
        if out[0] == 0:
            return ZERO_PRICE
        n += 1
        if p < end and p[0] == 44:
            p += 1
            continue
        p = _space(p, end)
        at[0] = p
        if p >= end or (p[0] != 44 and p[0] != 93):
            return MALFORMED
        if p[0] == 93:
            at[0] = p + 1
            count[0] = n
            return OK
        p += 1


cdef bytes scan_array(
    const uint8_t** at, const uint8_t* end,
    int price_digits, uint64_t price_step, int size_digits, uint64_t size_step, bint floor_lots
):
    """`scan_levels` for compiled callers: packed levels, with `at` moved past the array; None if there is a fault.

    The scale must be valid, and `end` must be inside one bytes object (whose last byte is followed by a 0).
    """
    cdef Py_ssize_t n
    if _scan(at, end, price_digits, price_step, size_digits, size_step, floor_lots, &n):
        return None
    return PyBytes_FromStringAndSize(<char*>_scratch, n * 16) if n else b""


cdef int _check_scale(int64_t digits, int64_t step) except -1:
    if not (0 <= digits <= MAX_DIGITS and 1 <= step <= MAX_INT):
        raise ValueError(f"levels: invalid scale: {digits} digits (0..{MAX_DIGITS}), step {step} (1..{MAX_INT})")
    return 0


cdef object _raise(int fault, Py_ssize_t where):
    if fault == NO_MEMORY:
        raise MemoryError
    raise ValueError(f"levels: {_FAULTS[fault]} at byte {where}")


cdef object _parse(
    object raw, Py_ssize_t start, bint whole,
    int64_t price_digits, int64_t price_step, int64_t size_digits, int64_t size_step, bint floor_lots
):
    """`parse_levels` (whole) or `scan_levels`."""
    cdef Py_buffer view
    cdef const uint8_t* first
    cdef const uint8_t* p
    cdef const uint8_t* end
    cdef Py_ssize_t n, where
    cdef int fault
    _check_scale(price_digits, price_step)
    _check_scale(size_digits, size_step)
    PyObject_GetBuffer(raw, &view, PyBUF_SIMPLE)
    try:
        first = <const uint8_t*>view.buf
        if not 0 <= start <= view.len:
            raise ValueError(f"levels: start {start} is outside the {view.len} bytes")
        p = first + start
        end = first + view.len
        fault = _scan(&p, end, <int>price_digits, price_step, <int>size_digits, size_step, floor_lots, &n)
        if not fault and whole and p != end:
            p = _space(p, end)
            if p != end:
                fault = TRAILING
        where = p - first
    finally:
        PyBuffer_Release(&view)
    if fault:
        _raise(fault, where)
    packed = PyBytes_FromStringAndSize(<char*>_scratch, n * 16) if n else b""
    return packed if whole else (packed, where)


def fast_parse_levels(
    raw, int64_t price_digits, int64_t price_step, int64_t size_digits, int64_t size_step, bint floor_lots=False
) -> bytes:
    """Packed levels of the JSON text `[["61737.63000000","0.00000000"],...]`, in its order.

    The tick is price_step * 10**-price_digits, the lot size_step * 10**-size_digits. Exact; raises ValueError
    on anything that is not that text (JSON white space is allowed), on values off tick or lot, above MAX_INT,
    and on a price of 0. With floor_lots sizes are rounded down to a lot instead: an exchange that has made its
    lot larger still shows old orders with a remainder that cannot be traded. `raw` is anything with a buffer.
    """
    return _parse(raw, 0, True, price_digits, price_step, size_digits, size_step, floor_lots)


def fast_scan_levels(
    raw, Py_ssize_t start, int64_t price_digits, int64_t price_step, int64_t size_digits, int64_t size_step,
    bint floor_lots=False
) -> tuple:
    """Parse the JSON array of [price, size] string pairs that begins at `start`: (packed levels, end).

    As `parse_levels`, for an array inside a longer text; `end` is the index past it.
    """
    return _parse(raw, start, False, price_digits, price_step, size_digits, size_step, floor_lots)


def fast_parse_decimal(text, int64_t digits, int64_t step=1) -> int:
    """The plain decimal `text` ("61737.63000000") in units of step * 10**-digits.

    Exact, without Decimal. Raises ValueError if it is not an unsigned decimal, off the step, or above MAX_INT.
    """
    cdef Py_buffer view
    cdef const uint8_t* p
    cdef int64_t result = 0
    cdef int fault
    _check_scale(digits, step)
    data = (<str>text).encode() if isinstance(text, str) else text
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    p = <const uint8_t*>view.buf
    fault = _number(&p, p + view.len, <int>digits, step, False, &result)
    if not fault and p != <const uint8_t*>view.buf + view.len:
        fault = MALFORMED
    PyBuffer_Release(&view)
    if fault == OK:
        return result
    shown = bytes(data)[:40]
    if fault == OFF_STEP:
        raise ValueError(f"{shown!r} is not a multiple of {step}e-{digits}")
    if fault == TOO_LARGE:
        raise ValueError(f"{shown!r} is too large in units of {step}e-{digits}")
    raise ValueError(f"not a decimal number: {shown!r}")
