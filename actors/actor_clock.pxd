cdef class ActorClock:
    cdef public long long anchor_ns
    cdef public bint lockstep
    cdef public long long mono_ns
    cdef public long long now_ns
