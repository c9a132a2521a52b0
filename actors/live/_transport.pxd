from actors.live._connections cimport Connections
from actors.live._epoll cimport Poller
from actors.live._peer cimport Peer
from actors.live.transport cimport Transport

cdef class FastTransport(Transport):
    cdef Poller _poller
    cdef Connections _connections
    cdef object _command_path
    cdef long long _now_ns  # of the last `wait`
    cdef on_event(self, int slot, unsigned int events)
    cdef bint drain_slot(self, int slot, int kind, object sink) except -1
    cdef bint drain_peer(self, Peer peer, object sink) except -1
    cdef on_frame(self, Peer peer, int flags, const char *body, size_t size, object sink)
