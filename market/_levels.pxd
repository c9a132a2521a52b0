from libc.stdint cimport uint8_t, uint64_t

cdef bytes scan_array(
    const uint8_t** at, const uint8_t* end,
    int price_digits, uint64_t price_step, int size_digits, uint64_t size_step, bint floor_lots
)
