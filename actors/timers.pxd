cdef class Timers:
    cdef list _heap
    cdef dict _calls
    cdef long _count
    cdef public long long due_ns
    cpdef cancel(self, long timer)
    cpdef pop_due(self, long long now_ns)
    cdef _trim(self)
