from actors.actor_clock cimport ActorClock
from actors.outbox cimport Outbox, StreamOut
from actors.sender cimport Sender
from protocol._tick_codec cimport FastTickCodec

cdef class TickSender:
    cdef str _name
    cdef Outbox _outbox
    cdef Sender _sender
    cdef ActorClock _clock
    cdef FastTickCodec _codec
    cdef dict _streams
    cpdef bint send(self, str target, message) except -1
    cpdef bint send_tick(self, str target, long long n, long long time_ns, long long period_ns, long long skipped) except -1
    cdef StreamOut _stream(self, str target)
