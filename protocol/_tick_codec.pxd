from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef class FastTickCodec:
    cpdef bytes encode_tick(
        self, bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns, uint64_t n, uint64_t time_ns,
        uint64_t period_ns, uint64_t skipped,
    )
    cpdef decode_tick(self, bytes frame)
    cpdef bytes encode_done(
        self, bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns, uint64_t n, uint64_t waited_ns,
        uint64_t trace, uint64_t positions_missed,
    )
    cpdef long long decode_done(self, bytes frame) except? -1
