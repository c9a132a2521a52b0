from actors.live._epoll cimport Poller
from actors.live._peer cimport Peer

cdef class Listener:
    cdef readonly int kind
    cdef object socket

cdef class Dialer:
    cdef readonly int kind
    cdef readonly str target
    cdef str path
    cdef Peer peer  # None while there is no connection
    cdef long long next_ns, delay_ns

cdef class Connections:
    cdef Poller _poller
    cdef bytes _name, _token
    cdef size_t _direct_max
    cdef list _listeners, _dialers
    cdef list _prefixes  # to which our SUB has subscribed
    cdef list _subscribers  # connected to our PUB
    cdef list _queued  # with frames that no `flush` has tried to write
    cdef long long _maintained_ns
    cdef readonly dict dealers  # target -> its Dialer
    cdef dict routes  # identity -> the connection to our ROUTER
    cdef bint has_queued(self) noexcept
    cdef publish(self, bytes data)
    cdef bint send(self, str target, bytes data) except -1
    cdef bint reply(self, str peer, bytes data) except -1
    cdef bint write(self, Peer peer, bytes data) except -1
    cdef queue(self, Peer peer)
    cdef flush(self)
    cdef flush_one(self, Peer peer)
    cdef accept(self, Listener listener)
    cdef dial(self, Dialer dialer)
    cdef dial_later(self, Dialer dialer)
    cdef start(self, object socket, int kind, Dialer dialer)
    cdef on_handshake(self, Peer peer)
    cdef drop(self, Peer peer)
    cdef maintain(self)
    cdef check(self, Peer peer, long long now, bint slept)
