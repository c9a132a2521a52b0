from actors.actor_clock cimport ActorClock
from actors.envelope cimport Envelope
from actors.outbox cimport Outbox
from actors.sender cimport Sender
from actors.timers cimport Timers

cdef class EffectQueue:
    cdef public str name
    cdef public long long epoch
    cdef public list follows
    cdef public object safe_start
    cdef public object log
    cdef public object keys
    cdef public object kill_switch
    cdef public object suspended_ns
    cdef public Envelope envelope
    cdef public ActorClock clock
    cdef public Outbox outbox
    cdef public Sender sender
    cdef public bint real_time
    cdef public str state
    cdef public str detail
    cdef public object pending
    cdef Timers _timers
    cdef object _commands
    cdef object _port
    cdef object _pub
    cdef object _control
    cdef long _links
    cpdef perform(self)
    cpdef publish(self, str topic, message)
