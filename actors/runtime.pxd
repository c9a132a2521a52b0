from actors.inbox cimport Inbox, StreamIn
from actors.outbox cimport Outbox, StreamOut
from actors.timers cimport Timers
from actors.turns cimport Turns
from protocol._tick_codec cimport FastTickCodec

cdef class Envelope:
    cdef public str sender
    cdef public str topic
    cdef public long long epoch
    cdef public long long seq
    cdef public long long ts_ns

cdef class Runtime:
    cdef public str name
    cdef public long long epoch
    cdef public long pid
    cdef public str loop
    cdef public list follows
    cdef public bint lockstep
    cdef public long long anchor_ns
    cdef public object port
    cdef public object log
    cdef public Envelope envelope
    cdef public Inbox inbox
    cdef public Outbox outbox
    cdef public Timers timers
    cdef public Timers chores
    cdef public long long mono_ns
    cdef public long long garbage
    cdef public str state
    cdef public str detail
    cdef public bint stop_asked
    cdef public bint stopping
    cdef public bint stopped
    cdef public object actor
    cdef public object calls
    cdef public object streams
    cdef public Turns turns
    cdef long long _stop_at_ns
    cdef object _effects
    cdef dict _arrived
    cdef long _links
    cdef dict _tells
    cdef public FastTickCodec bare
    cdef public object bare_done
    cdef object _pub
    cdef object _send
    cdef dict _inner
    cdef dict _handlers
    cdef StreamOut _heart
    cpdef begin(self, long long mono_ns)
    cpdef frame_in(self, bytes data)
    cpdef command_in(self, str peer, bytes data)
    cpdef answer_in(self, str target, bytes data)
    cpdef finish(self)
    cpdef long long wake_ns(self) except? -1
    cpdef perform(self)
    cpdef publish(self, str topic, message)
    cpdef bint tell(self, str target, message) except -1
    cpdef bint tell_tick(self, str target, long long n, long long time_ns, long long period_ns, long long skipped) except -1
    cdef StreamOut _told(self, str target)
    cdef bint _tell(self, str target, StreamOut stream, bytes data) except -1
    cpdef deliver(self, StreamIn stream, long long epoch, long long seq, long long ts_ns, message)
    cdef _handle(self, str sender, str topic, long long epoch, long long seq, long long ts_ns, message)
    cdef _direct(self, bytes topic, long long epoch, long long seq)
