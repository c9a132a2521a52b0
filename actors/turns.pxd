from actors.actor_clock cimport ActorClock
from actors.dispatcher cimport Dispatcher
from actors.effect_queue cimport EffectQueue
from actors.inbox cimport Inbox, StreamIn
from actors.outbox cimport Outbox, StreamOut
from actors.sender cimport Sender
from actors.timers cimport Timers
from protocol._tick_codec cimport FastTickCodec

cdef class Turns:
    cdef EffectQueue _effects
    cdef ActorClock _clock
    cdef Outbox _outbox
    cdef Inbox _inbox
    cdef object _streams
    cdef Sender _sender
    cdef Dispatcher _dispatcher
    cdef Timers _timers
    cdef object _on_tick
    cdef FastTickCodec _codec
    cdef str _clock_name
    cdef long long _patience_ms
    cdef long long _position_wait_ns
    cdef public long long ticks
    cdef public long long positions_missed
    cdef public object held
    cdef str _held_peer
    cdef long long _held_since_ns
    cdef dict _behind
    cdef long _deadline
    cdef long long _ticked_ns
    cdef long long _period_ns
    cdef bint _started
    cdef bint _joined
    cdef StreamOut _joins
    cdef StreamOut _dones
    cpdef on_tick(self, tick, str peer)
    cpdef on_moved(self, StreamIn stream)
    cdef _run(self, tick, str peer, long long waited_ns)
