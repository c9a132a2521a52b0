cdef class StreamOut:
    cdef public str topic
    cdef public bytes prefix
    cdef public long long seq
    cdef public bint marked

cdef class Outbox:
    cdef public long long epoch
    cdef public dict streams
    cdef dict _moved
    cdef object _trace
    cpdef StreamOut stream(self, str topic, bint marked=*)
    cpdef bytes pack(self, StreamOut stream, long long ts_ns, message)
    cpdef bytes next(self, StreamOut stream, long long ts_ns, message)
    cpdef commit(self, StreamOut stream, bytes data)
    cpdef list drain_positions(self)
