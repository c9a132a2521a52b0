from actors.actor_clock cimport ActorClock
from clockd.members cimport Member
from clockd.tick_sender cimport TickSender

cdef class Fanout:
    cdef object _effects
    cdef object _members
    cdef TickSender _sender
    cdef ActorClock _clock
    cdef long long _period_ns
    cdef bint _sends_positions
    cdef object _finished
    cdef list _plan
    cdef Py_ssize_t _wave
    cdef long _open
    cdef bint _running
    cdef long long _timer_ns
    cdef public long long n
    cdef public long long due_ns
    cdef public list hops
    cdef public list late
    cdef public long long ticks_late
    cpdef begin(self, long long n, long long due_ns)
    cdef _next_wave(self)
    cdef _give_turn(self, Member member)
    cdef bint _send_tick(self, Member member) except -1
    cpdef bint on_short_done(self, str name, long long n) except -1
    cpdef done(self, Member member, long long n)
    cpdef close(self, Member member)
    cdef _release(self, Member member)
