cdef class Transport:
    cdef public int fd
    cdef public str implementation
    cpdef publish(self, bytes frame)
    cpdef bint send(self, str target, bytes frame) except -1
    cpdef bint reply(self, str peer, bytes frame) except -1
    cpdef flush(self)
    cpdef bint drain(self, sink) except -1
    cpdef bint is_idle(self) except -1
    cpdef bint wait(self, long long timeout_ns) except -1
    cpdef long long now_ns(self) except? -1
