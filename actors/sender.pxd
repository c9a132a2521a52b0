from actors.actor_clock cimport ActorClock
from actors.outbox cimport Outbox, StreamOut

cdef class Sender:
    cdef Outbox _outbox
    cdef ActorClock _clock
    cdef object _send
    cdef object _reply
    cpdef bint send(self, str target, StreamOut stream, message) except -1
    cpdef bint send_frame(self, str target, StreamOut stream, bytes frame) except -1
    cpdef bint reply(self, str peer, StreamOut stream, message) except -1
    cpdef bint reply_frame(self, str peer, StreamOut stream, bytes frame) except -1
