from actors.runtime cimport Runtime
from clockd.members cimport Member

cdef class Fanout:
    cdef Runtime _runtime
    cdef object _members
    cdef long long _period_ns
    cdef bint _with_marks
    cdef object _finished
    cdef list _plan
    cdef Py_ssize_t _wave
    cdef long _open
    cdef bint _running
    cdef long long _watch_ns
    cdef public long long n
    cdef public long long due_ns
    cdef public list hops
    cdef public list late
    cdef public long long ticks_late
    cpdef begin(self, long long n, long long due_ns)
    cdef _go_on(self)
    cdef _give(self, Member member)
    cdef bint _tick(self, Member member) except -1
    cpdef bint bare_done(self, str name, long long n) except -1
    cpdef done(self, Member member, long long n)
    cpdef close(self, Member member)
    cdef _release(self, Member member)
