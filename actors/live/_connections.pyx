# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Connections: opens, accepts and closes the connections of one actor, queues frames on them, and checks that they live."""

import os
import socket as sockets
import struct
import time

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from actors.live._epoll cimport DEALER, EPOLLET, EPOLLIN, EPOLLOUT, MAX_SLOTS, PUB, ROUTER, SUB, Poller, monotonic_ns
from actors.live._peer cimport Peer

from actors.live import transport_limits as limits
from actors.identity import identity, peer_name

cdef extern from "<unistd.h>" nogil:
    int close(int)

cdef enum:
    LISTEN_BACKLOG = 128

cdef size_t flush_bytes = limits.FLUSH_BYTES
cdef long long MS_NS = 1_000_000
cdef long long heartbeat_ns = limits.HEARTBEAT_MS * MS_NS
cdef long long heartbeat_timeout_ns = limits.HEARTBEAT_TIMEOUT_MS * MS_NS


cdef int peer_uid(object socket) except -2:
    """The user of the process that has connected, by the kernel."""
    return struct.unpack("iii", socket.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, struct.calcsize("iii")))[1]


cdef class Listener:
    """A bound socket to which others connect."""

    def __cinit__(self, int kind, socket):
        self.kind, self.socket = kind, socket


cdef class Dialer:
    """One socket that we connect to, and connect to again whenever the connection is lost."""

    def __cinit__(self, int kind, str target, str path):
        self.kind, self.target, self.path, self.delay_ns = kind, target, path, 0


cdef class Connections:
    """`name`: ours. `token`: the run's. `direct_bytes`: the maximum that waits for one DEALER or ROUTER connection."""

    def __cinit__(self, Poller poller, str name, size_t direct_bytes, bytes token=b""):
        self._poller, self._name, self._direct_max = poller, name.encode("ascii"), direct_bytes
        self._token = token
        self._listeners, self._dialers, self._prefixes, self._subscribers, self._queued = [], [], [], [], []
        self.dealers, self.routes = {}, {}
        self._maintained_ns = monotonic_ns()

    # -- opening and closing ------------------------------------------------------------------------------

    def bind(self, int kind, str path):
        """Listen at `path`. Raises OSError."""
        bound = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM | sockets.SOCK_NONBLOCK)
        try:
            bound.bind(path)
            bound.listen(LISTEN_BACKLOG)
        except OSError as error:
            bound.close()
            raise OSError(error.errno, f"{path}: {error.strerror or error}") from None
        listener = Listener(kind, bound)
        self._listeners.append(listener)
        if self._poller.add(listener, bound.fileno(), EPOLLIN | EPOLLET) < 0:
            raise OSError(f"{path}: cannot be waited for: over {MAX_SLOTS} sockets in one actor")

    def connect(self, int kind, str target, str path):
        """Connect to `path` as soon as a process listens there, and again whenever the connection is lost."""
        if kind == DEALER and target in self.dealers:
            return
        dialer = Dialer(kind, target, path)
        self._dialers.append(dialer)
        if kind == DEALER:
            self.dealers[target] = dialer
        self.dial(dialer)

    def subscribe(self, str prefix):
        """Subscribe to a prefix at all publishers, now and later."""
        cdef Dialer dialer
        cdef bytes encoded = prefix.encode("ascii")
        if encoded in self._prefixes:
            return
        self._prefixes.append(encoded)
        for dialer in self._dialers:
            if dialer.kind == SUB and dialer.peer is not None and dialer.peer.ready:
                self.write(dialer.peer, b"\1" + encoded)

    cdef accept(self, Listener listener):
        while True:
            try:
                accepted, _ = listener.socket.accept()
            except OSError:  # none is waiting; or no descriptor is left, then `maintain` tries again
                return
            if peer_uid(accepted) == os.geteuid():
                self.start(accepted, listener.kind, None)
            else:
                accepted.close()

    cdef dial(self, Dialer dialer):
        dialled = None
        try:
            dialled = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM | sockets.SOCK_NONBLOCK)
            dialled.connect(dialer.path)
        except OSError:  # no process listens, or its backlog is full, or no descriptor is left
            if dialled is not None:
                dialled.close()
            self.dial_later(dialer)
        else:
            self.start(dialled, dialer.kind, dialer)

    cdef dial_later(self, Dialer dialer):
        dialer.delay_ns = min(max(2 * dialer.delay_ns, limits.RECONNECT_MS * MS_NS), limits.RECONNECT_MAX_MS * MS_NS)
        dialer.next_ns = monotonic_ns() + dialer.delay_ns
        self._poller.arm(dialer.next_ns)

    cdef start(self, object socket, int kind, Dialer dialer):
        """Begin the handshake on a connected socket."""
        cdef Peer peer
        name = identity(self._name, self._token) if kind == DEALER else self._name  # the token is for command sockets
        peer = Peer(socket.detach(), kind, name, limits.PUB_MAX_BYTES if kind == PUB else self._direct_max)
        peer.slot = self._poller.add(peer, peer.fd, EPOLLIN)
        if peer.slot < 0:
            close(peer.fd)
            if dialer is not None:
                self.dial_later(dialer)
            return
        peer.dialer, peer.received_ns = dialer, monotonic_ns()
        if dialer is not None:
            dialer.peer = peer
        self.queue(peer)
        self.flush_one(peer)
        self._poller.arm(peer.received_ns + heartbeat_ns)

    cdef on_handshake(self, Peer peer):
        """The handshake is done: subscribe, or list the connection where frames are sent from."""
        cdef Dialer dialer = peer.dialer
        cdef Peer before
        if dialer is not None:
            dialer.delay_ns = 0
        if peer.kind == PUB:
            self._subscribers.append(peer)
        elif peer.kind == SUB:
            for prefix in self._prefixes:
                self.write(peer, b"\1" + prefix)
        elif peer.kind == ROUTER:
            peer.name = peer_name(peer.identity, self._token)
            if not peer.identity:
                peer.name = f"\0{peer.slot}"
            before = self.routes.get(peer.name)
            if before is not None:  # the newest holder has the name: the one before is a process that has ended
                self.drop(before)
            self.routes[peer.name] = peer

    cdef drop(self, Peer peer):
        """Close a connection; if we opened it, it is opened again later."""
        cdef Dialer dialer = peer.dialer
        if self._poller.slots[peer.slot] is not peer:
            return
        self._poller.remove(peer.slot)
        close(peer.fd)
        peer.broken, peer.ready = True, False
        if peer in self._subscribers:
            self._subscribers.remove(peer)
        if self.routes.get(peer.name) is peer:
            del self.routes[peer.name]
        if dialer is not None:
            dialer.peer = None
            self.dial_later(dialer)

    def close(self):
        """Wait for what is queued to leave, at most LINGER_MS, then close all."""
        cdef Peer peer
        cdef Listener listener
        cdef long long until_ns = monotonic_ns() + limits.LINGER_MS * MS_NS
        for listener in self._listeners:
            listener.socket.close()
        peers = [owner for owner in self._poller.slots if isinstance(owner, Peer)]
        while monotonic_ns() < until_ns:
            left = 0
            for peer in peers:
                if not peer.broken and peer.pending() and peer.flush():
                    left += peer.pending()
            if not left:
                break
            time.sleep(0.001)
        self._dialers.clear()
        for peer in peers:
            peer.dialer = None
            self.drop(peer)

    # -- sending ------------------------------------------------------------------------------------------

    cdef publish(self, bytes data):
        cdef Peer peer
        for peer in self._subscribers:
            if peer.is_subscribed(data):
                self.write(peer, data)

    cdef bint send(self, str target, bytes data) except -1:
        cdef Dialer dialer = self.dealers[target]
        return dialer.peer is not None and dialer.peer.ready and self.write(dialer.peer, data)

    cdef bint reply(self, str peer, bytes data) except -1:
        cdef Peer receiver = self.routes.get(peer)
        return receiver is not None and self.write(receiver, data)

    cdef bint write(self, Peer peer, bytes data) except -1:
        if not peer.put(0, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)):
            return False
        self.queue(peer)
        if peer.pending() > flush_bytes and not peer.blocked:
            self.flush_one(peer)
        return True

    cdef queue(self, Peer peer):
        if not peer.is_queued:
            peer.is_queued = True
            self._queued.append(peer)

    cdef bint has_queued(self) noexcept:
        return len(self._queued) > 0

    cdef flush(self):
        cdef Peer peer
        if self._queued:
            queued, self._queued = self._queued, []
            for peer in queued:
                peer.is_queued = False
                if not peer.blocked and not peer.broken:
                    self.flush_one(peer)

    cdef flush_one(self, Peer peer):
        cdef bint was_blocked = peer.blocked
        if not peer.flush():
            self._poller.flag(peer.slot, peer.kind)  # to be dropped with the next drain
        elif peer.blocked != was_blocked:  # wait for the socket to take more, while it is full
            self._poller.change(peer.slot, peer.fd, EPOLLIN | (EPOLLOUT if peer.blocked else 0))

    # -- once a heartbeat interval, and whenever a connection is to be opened again -----------------------

    cdef maintain(self):
        """Open what is not connected, and ping connections that were silent for a heartbeat interval."""
        cdef long long now = monotonic_ns(), due_ns = now + heartbeat_ns
        cdef bint slept = now - self._maintained_ns > 2 * heartbeat_ns  # this process did: silence then proves nothing
        cdef Dialer dialer
        self._maintained_ns = now
        for dialer in self._dialers:
            if dialer.peer is None and dialer.next_ns <= now:
                self.dial(dialer)
            elif dialer.peer is None:
                due_ns = min(due_ns, dialer.next_ns)
        for owner in self._poller.slots[:]:
            if isinstance(owner, Peer):
                self.check(owner, now, slept)
        for listener in self._listeners:
            self.accept(listener)
        self._poller.arm(due_ns)

    cdef check(self, Peer peer, long long now, bint slept):
        if peer.pinged_ns and slept:
            peer.pinged_ns = now
        elif peer.pinged_ns:
            if now - peer.pinged_ns > heartbeat_timeout_ns:
                self.drop(peer)
        elif now - peer.received_ns >= heartbeat_ns:
            peer.pinged_ns = now
            if peer.ready and peer.ping():
                self.queue(peer)
