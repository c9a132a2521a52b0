from actors.actor_clock cimport ActorClock
from actors.envelope cimport Envelope
from actors.inbox cimport StreamIn
from actors.timers cimport Timers

cdef class Dispatcher:
    cdef object _actor
    cdef str _name
    cdef Envelope _envelope
    cdef ActorClock _clock
    cdef Timers _timers
    cdef object _log
    cdef dict _handlers
    cdef dict _queued
    cdef public long long invalid_frames
    cpdef deliver(self, StreamIn stream, long long epoch, long long seq, long long ts_ns, message)
    cpdef advance(self, long long now_ns)
    cpdef handle(self, str sender, str topic, long long epoch, long long seq, long long ts_ns, message)
    cpdef handle_command(self, str peer, long long epoch, long long seq, long long ts_ns, command)
    cpdef dead_letter(self, str source, bytes data, error)
