cdef class Envelope:
    cdef public str sender
    cdef public str topic
    cdef public long long epoch
    cdef public long long seq
    cdef public long long ts_ns
