# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""FastTransport: the bus over ZeroMQ's protocol on sockets of its own, in the actor's one thread. Compiled only.

libzmq hands each message to an I/O thread and takes each from one: three threads are woken for a hop. Here it is one,
the other actor's. A compiled Runtime is called without a detour through Python.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize

from actors.live._connections cimport Connections, Dialer, Listener
from actors.live._epoll cimport (
    DEALER,
    EPOLLOUT,
    LISTENER,
    MAX_EVENTS,
    MAX_SLOTS,
    PUB,
    ROUTER,
    SUB,
    TIMER,
    Poller,
    epoll_event,
    monotonic_ns,
)
from actors.live._peer cimport COMMAND, FRAME, MORE, READY, Peer
from actors.live.transport cimport Transport
from actors.runtime cimport Runtime

from actors.live import transport_limits as limits

cdef int batch_max = limits.BATCH


cdef class FastTransport(Transport):
    """See Transport for what each method promises."""

    def __cinit__(
        self, str name, command_path, size_t direct_bytes=limits.DIRECT_MAX_BYTES, bytes token=b""
    ):
        self.implementation = "cython"
        self._command_path = command_path
        self._poller = Poller()
        self._connections = Connections(self._poller, name, direct_bytes, token)
        self.fd = self._poller.fd
        self._now_ns = monotonic_ns()

    def bind(self, int kind, str path):
        self._connections.bind(kind, path)

    def connect(self, int kind, str target, str path):
        self._connections.connect(kind, target, path)

    def subscribe(self, str prefix):
        self._connections.subscribe(prefix)

    def close(self):
        self._connections.close()

    # -- sending ------------------------------------------------------------------------------------------

    cpdef publish(self, bytes frame):
        self._connections.publish(frame)

    cpdef bint send(self, str target, bytes frame) except -1:
        if target not in self._connections.dealers:
            self._connections.connect(DEALER, target, self._command_path(target))
        return self._connections.send(target, frame)

    cpdef bint reply(self, str peer, bytes frame) except -1:
        return self._connections.reply(peer, frame)

    cpdef flush(self):
        self._connections.flush()

    # -- receiving ----------------------------------------------------------------------------------------

    cpdef bint drain(self, sink) except -1:
        cdef int slots[MAX_SLOTS]
        cdef int kind, k, slot
        cdef bint more = False
        for kind in (SUB, DEALER, ROUTER, PUB, LISTENER, TIMER):
            for k in range(self._poller.drain_flagged(kind, slots)):
                slot = slots[k]
                if self._poller.unflag(slot) and self.drain_slot(slot, kind, sink):
                    self._poller.flag(slot, kind)
                    more = True
        return more

    cdef bint drain_slot(self, int slot, int kind, object sink) except -1:
        """True if there may be more."""
        owner = self._poller.slots[slot]
        if kind < LISTENER:
            return owner is not None and self.drain_peer(owner, sink)
        if kind == LISTENER:
            self._connections.accept(owner)
        elif self._poller.timer_rang():
            self._connections.maintain()
        return False

    cdef bint drain_peer(self, Peer peer, object sink) except -1:
        """Handle what one connection has sent, at most BATCH frames. True if there may be more."""
        cdef const char *body
        cdef size_t size
        cdef int flags, found, step
        for step in range(batch_max):
            if peer.broken:
                break
            found = peer.next_frame(&body, &size, &flags) if peer.ready else peer.handshake(&size)
            if found == READY:
                self._connections.on_handshake(peer)
            elif found == FRAME:
                self.on_frame(peer, flags, body, size, sink)
            elif found == 0:
                if not peer.readable:
                    return False
                if peer.receive() < 0:
                    break
                peer.received_ns, peer.pinged_ns = self._now_ns, 0
            else:
                break
        else:
            return True
        self._connections.drop(peer)
        return False

    cdef on_frame(self, Peer peer, int flags, const char *body, size_t size, object sink):
        """Deliver a whole frame. Of a message in several parts only the first is delivered."""
        cdef bytes data
        if flags & COMMAND:
            if peer.handle_command(body, size):
                self._connections.queue(peer)
            return
        if peer.skips_parts:
            peer.skips_parts = flags & MORE
            return
        peer.skips_parts = flags & MORE
        if peer.kind == PUB:
            if size and (body[0] == 0 or body[0] == 1):
                peer.set_subscription(PyBytes_FromStringAndSize(body + 1, size - 1), body[0])
            return
        data = PyBytes_FromStringAndSize(body, size)
        if isinstance(sink, Runtime):
            if peer.kind == SUB:
                (<Runtime>sink).frame_in(data)
            elif peer.kind == DEALER:
                (<Runtime>sink).answer_in((<Dialer>peer.dialer).target, data)
            else:
                (<Runtime>sink).command_in(peer.name, data)
        elif peer.kind == SUB:
            sink.frame_in(data)
        elif peer.kind == DEALER:
            sink.answer_in((<Dialer>peer.dialer).target, data)
        else:
            sink.command_in(peer.name, data)

    # -- waiting ------------------------------------------------------------------------------------------

    cpdef bint is_idle(self) except -1:
        return not self._poller.has_flagged() and not self._connections.has_queued()

    cpdef bint wait(self, long long timeout_ns) except -1:
        cdef epoll_event events[MAX_EVENTS]
        cdef int k, count
        cdef bint found
        self._connections.flush()
        found = self._poller.has_flagged()
        count = self._poller.wait(events, 0 if found else timeout_ns)
        self._now_ns = monotonic_ns()
        for k in range(count):
            self.on_event(events[k].data.u32, events[k].events)
        return found or count > 0

    cdef on_event(self, int slot, unsigned int events):
        cdef Peer peer
        owner = self._poller.slots[slot]
        if slot == 0:
            self._poller.flag(slot, TIMER)
        elif isinstance(owner, Listener):
            self._poller.flag(slot, LISTENER)
        elif owner is not None:
            peer = owner
            if events & EPOLLOUT:
                self._connections.flush_one(peer)
            if events & ~<unsigned int>EPOLLOUT:
                peer.readable = True
                self._poller.flag(slot, peer.kind)

    cpdef long long now_ns(self) except? -1:
        return monotonic_ns()
