cdef class Member:
    cdef public str name
    cdef public long long epoch
    cdef public list follows
    cdef public tuple prefixes
    cdef public long long patience_ns
    cdef public bint joined
    cdef public bint late
    cdef public bint absent
    cdef public bint has_turn
    cdef public long long turn
    cdef public long long last_n
    cdef public long long sent_ns
    cdef public object trace
    cdef public dict positions
