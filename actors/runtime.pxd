from actors.actor_clock cimport ActorClock
from actors.dispatcher cimport Dispatcher
from actors.effect_queue cimport EffectQueue
from actors.inbox cimport Inbox, StreamIn
from actors.outbox cimport Outbox, StreamOut
from actors.timers cimport Timers
from actors.turns cimport Turns
from protocol._tick_codec cimport FastTickCodec

cdef class Runtime:
    cdef public str name
    cdef public long long epoch
    cdef public long pid
    cdef public str loop
    cdef public object log
    cdef public bint stop_requested
    cdef public bint stopping
    cdef public bint stopped
    cdef long long _stop_at_ns
    cdef object _port
    cdef FastTickCodec _codec
    cdef public ActorClock clock
    cdef public Inbox inbox
    cdef public Outbox outbox
    cdef public Timers timers
    cdef public Timers runtime_timers
    cdef object _client
    cdef public EffectQueue effects
    cdef public object actor
    cdef public Dispatcher dispatcher
    cdef object _server
    cdef public object gate
    cdef set _senders
    cdef object _snapshots
    cdef public object streams
    cdef public Turns turns
    cdef object _on_short_done
    cdef StreamOut _heartbeats
    cpdef begin(self, long long mono_ns)
    cpdef frame_in(self, bytes data)
    cpdef command_in(self, str peer, bytes data)
    cpdef answer_in(self, str target, bytes data)
    cpdef finish(self)
    cpdef long long wake_ns(self) except? -1
    cdef _count_direct(self, bytes topic, long long epoch, long long seq)
