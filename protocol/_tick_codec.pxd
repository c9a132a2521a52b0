from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef class FastTickCodec:
    cpdef bytes tick_frame(
        self, bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns, uint64_t n, uint64_t time_ns,
        uint64_t period_ns, uint64_t skipped,
    )
    cpdef tick_of(self, bytes frame)
    cpdef bytes done_frame(
        self, bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns, uint64_t n, uint64_t waited_ns,
        uint64_t trace, uint64_t marks_missed,
    )
    cpdef long long done_of(self, bytes frame) except? -1
