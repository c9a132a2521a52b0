from actors.inbox cimport StreamIn
from actors.outbox cimport StreamOut
from actors.runtime cimport Runtime

cdef class Turns:
    cdef Runtime _runtime
    cdef str _clock
    cdef long long _patience_ms
    cdef long long _mark_wait_ns
    cdef public object reply
    cdef public long long ticks
    cdef public long long early
    cdef public object held
    cdef str _held_peer
    cdef long long _held_since_ns
    cdef dict _behind
    cdef long _deadline
    cdef long long _ticked_ns
    cdef long long _period_ns
    cdef bint _started
    cdef bint _joined
    cdef StreamOut _asked
    cdef StreamOut _done
    cpdef take(self, tick, str peer)
    cpdef seen(self, StreamIn stream)
    cdef _run(self, tick, str peer, long long waited_ns)
