from actors.live._peer cimport Peer
from actors.runtime cimport Runtime

cdef enum:
    KINDS = 6
    MAX_SLOTS = 1024  # sockets and connections of one actor

cdef class Door:
    cdef readonly int kind
    cdef object socket

cdef class Dial:
    cdef readonly int kind
    cdef readonly str target
    cdef str path
    cdef Peer peer  # None while there is no connection
    cdef long long next_ns, delay_ns

cdef class Wires:
    cdef readonly int fd  # an epoll: readable when `wait(0)` would find something
    cdef int timer
    cdef long long now, armed_ns, chores_ns
    cdef bytes name
    cdef object sink
    cdef Runtime runtime
    cdef list slots, vacant, dials, doors
    cdef list hearers  # who is connected to our PUB
    cdef list written  # who has something queued that was not tried yet
    cdef list prefixes
    cdef readonly dict dealers  # target -> its Dial
    cdef dict routes  # name -> who is connected to our ROUTER
    cdef size_t direct_max
    cdef public object open_dealer
    cdef char flagged[MAX_SLOTS]
    cdef int ready[KINDS][MAX_SLOTS]
    cdef int count[KINDS]
    cpdef publish(self, bytes data)
    cpdef bint ask(self, str target, bytes data) except -1
    cpdef bint send_to(self, str peer, bytes data) except -1
    cpdef bint drain(self) except -1
    cpdef flush(self)
    cpdef bint settled(self) noexcept
    cpdef bint wait(self, long long timeout_ns) except -1
    cpdef long long now_ns(self) noexcept
    cdef int place(self, object what, int fd, unsigned int events) except -1
    cdef void mark(self, int at, int kind) noexcept
    cdef bint write(self, Peer peer, bytes data) except -1
    cdef queued(self, Peer peer)
    cdef flush_one(self, Peer peer)
    cdef watch(self, Peer peer)
    cdef bint drain_one(self, int at, int kind) except -1
    cdef bint drain_peer(self, Peer peer) except -1
    cdef take(self, Peer peer, int flags, const char *body, size_t size)
    cdef order(self, Peer peer, const char *body, size_t size)
    cdef frame(self, bytes data)
    cdef answer(self, str target, bytes data)
    cdef command(self, str peer, bytes data)
    cdef welcome(self, Peer peer)
    cdef drop(self, Peer peer)
    cdef let_in(self, Door door)
    cdef dial(self, Dial one)
    cdef arm(self, long long at_ns)
    cdef chores(self)
    cdef check(self, Peer peer, long long now, bint slept)
    cdef bint unread(self) noexcept
    cdef stirred(self, int at, unsigned int events)
