# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The fast twin of actors.live.transport.PlainWires: speaks ZeroMQ's protocol on sockets of its own, in the actor's one thread.

libzmq hands each message to an I/O thread and takes each from one: three threads are woken for a hop. Here it is one,
the other actor's. A compiled Runtime is called without a detour through Python.
"""

import socket
import time

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.string cimport memcmp, memcpy

from actors.live._peer cimport COMMAND, DEALER, DOOR, FRAME, MORE, PUB, READY, ROUTER, SUB, TIMER

from actors.live import transport_limits as limits

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        unsigned int u32
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLIN, EPOLLOUT
    unsigned int EPOLLET
    int epoll_create1(int)
    int epoll_ctl(int, int, int, epoll_event *)

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    struct itimerspec:
        timespec it_interval
        timespec it_value
    int CLOCK_MONOTONIC
    int clock_gettime(int, timespec *)

cdef extern from "<sys/timerfd.h>" nogil:
    int TFD_CLOEXEC, TFD_NONBLOCK, TFD_TIMER_ABSTIME
    int timerfd_create(int, int)
    int timerfd_settime(int, int, const itimerspec *, itimerspec *)

cdef extern from "<unistd.h>" nogil:
    int close(int)
    Py_ssize_t read(int, void *, size_t)

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

cdef extern from *:
    """
    #include <errno.h>
    #include <poll.h>
    #include <signal.h>
    #include <sys/epoll.h>
    #include <sys/syscall.h>
    #include <time.h>
    #include <unistd.h>
    #ifndef SYS_epoll_pwait2
    #define SYS_epoll_pwait2 441
    #endif
    extern int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

    /* epoll_wait to the nanosecond: by its own call since Linux 5.11, before it with a poll of the epoll itself. */
    static int tb_epoll(int fd, struct epoll_event *events, int size, long long timeout_ns)
    {
        static int missing;
        struct timespec limit = {timeout_ns / 1000000000, timeout_ns % 1000000000};
        struct pollfd one = {fd, POLLIN, 0};
        if (!missing) {
            int found = syscall(SYS_epoll_pwait2, fd, events, size, &limit, NULL, 8);
            if (found >= 0 || (errno != ENOSYS && errno != EPERM))
                return found;
            missing = 1;
        }
        return ppoll(&one, 1, &limit, NULL) > 0 ? epoll_wait(fd, events, size, 0) : 0;
    }
    """
    int tb_epoll(int, epoll_event *, int, long long) nogil

cdef enum:
    MAX_EVENTS = 64  # of one wait; more come with the next

cdef int batch_max = limits.BATCH
cdef int prefixes_max = limits.MAX_PREFIXES
cdef size_t flush_bytes = limits.FLUSH_BYTES
cdef long long MS_NS = 1_000_000
cdef long long FAR_NS = 1 << 62
cdef long long heartbeat_ns = limits.HEARTBEAT_MS * MS_NS
cdef long long timeout_ns = limits.HEARTBEAT_TIMEOUT_MS * MS_NS
PING = b"\x04PING\0\0"  # no time to live: who is busy is not dead


cdef class Door:
    """A socket that others connect to."""

    def __cinit__(self, int kind, socket):
        self.kind, self.socket = kind, socket


cdef class Dial:
    """Somebody that we connect to, again and again if need be."""

    def __cinit__(self, int kind, str target, str path):
        self.kind, self.target, self.path, self.delay_ns = kind, target, path, 0


cdef class Wires:
    """Sockets of one actor; see PlainWires for what each method promises."""

    def __cinit__(self, sink, str name="", size_t direct_bytes=limits.DIRECT_MAX_BYTES):
        self.sink, self.name = sink, name.encode("ascii")
        self.runtime = sink if isinstance(sink, Runtime) else None
        self.direct_max = direct_bytes
        self.slots, self.vacant, self.dials, self.doors, self.hearers, self.written = [], [], [], [], [], []
        self.prefixes, self.dealers, self.routes = [], {}, {}
        self.fd = epoll_create1(EPOLL_CLOEXEC)
        self.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
        if self.fd < 0 or self.timer < 0:
            raise OSError("no descriptor left for an epoll and a timer: raise `ulimit -n`")
        self.now = self.chores_ns = self.now_ns()
        self.armed_ns = FAR_NS
        self.place(None, self.timer, EPOLLIN)

    def __dealloc__(self):
        for fd in (self.fd, self.timer):
            if fd > 0:
                close(fd)

    # -- making connections -------------------------------------------------------------------------------

    def bind(self, int kind, str path):
        """Be there for others: a PUB or a ROUTER. Raises OSError."""
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            heard.bind(path)
            heard.listen(128)
        except OSError as error:
            heard.close()
            raise OSError(error.errno, f"{path}: {error.strerror or error}") from None
        door = Door(kind, heard)
        self.doors.append(door)
        if self.place(door, heard.fileno(), EPOLLIN | EPOLLET) < 0:
            raise OSError(f"{path}: cannot be waited for: over {MAX_SLOTS} sockets in one actor")

    def connect(self, int kind, str target, str path):
        """Connect to an actor's PUB or ROUTER as soon as it is there, and anew whenever it has gone."""
        one = Dial(kind, target, path)
        self.dials.append(one)
        if kind == DEALER:
            self.dealers[target] = one
        self.dial(one)

    def subscribe(self, str prefix):
        """Hear what begins so, of all publishers."""
        cdef Dial one
        cdef bytes encoded = prefix.encode("ascii")
        if encoded in self.prefixes:
            return
        self.prefixes.append(encoded)
        for one in self.dials:
            if one.kind == SUB and one.peer is not None and one.peer.ready:
                self.write(one.peer, b"\1" + encoded)

    cdef int place(self, object what, int fd, unsigned int events) except -1:
        """A slot for what is to be waited for; -2 if there is none left."""
        cdef epoll_event event
        cdef int at
        if self.vacant:
            at = self.vacant.pop()
        elif len(self.slots) < MAX_SLOTS:
            at = len(self.slots)
            self.slots.append(None)
        else:
            return -2
        event.events, event.data.u32 = events, at
        if epoll_ctl(self.fd, EPOLL_CTL_ADD, fd, &event) < 0:
            self.vacant.append(at)
            return -2
        self.slots[at] = what
        return at

    cdef let_in(self, Door door):
        """Somebody connects to us."""
        while True:
            try:
                came, _ = door.socket.accept()
            except OSError:  # nobody else; or no descriptor left, then it is tried again with the chores
                return
            self.start(came, door.kind, None)

    cdef dial(self, Dial one):
        call = None
        try:
            call = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            call.connect(one.path)
        except OSError:  # not there, or its queue is full, or no descriptor is left
            if call is not None:
                call.close()
            self.again(one)
        else:
            self.start(call, one.kind, one)

    def again(self, Dial one):
        one.delay_ns = min(max(2 * one.delay_ns, limits.RECONNECT_MS * MS_NS), limits.RECONNECT_MAX_MS * MS_NS)
        one.next_ns = self.now_ns() + one.delay_ns
        self.arm(one.next_ns)

    def start(self, connected, int kind, Dial one):
        """Greet the other side of a connection."""
        cdef Peer peer
        peer = Peer(connected.detach(), kind, self.name, limits.PUB_MAX_BYTES if kind == PUB else self.direct_max)
        peer.at = self.place(peer, peer.fd, EPOLLIN)
        if peer.at < 0:
            close(peer.fd)
            if one is not None:
                self.again(one)
            return
        peer.dial, peer.heard_ns = one, self.now_ns()
        if one is not None:
            one.peer = peer
        self.queued(peer)
        self.flush_one(peer)
        self.arm(peer.heard_ns + heartbeat_ns)

    cdef welcome(self, Peer peer):
        """The handshake is done."""
        cdef Dial one = peer.dial
        cdef Peer before
        if one is not None:
            one.delay_ns = 0
        if peer.kind == PUB:
            self.hearers.append(peer)
        elif peer.kind == SUB:
            for prefix in self.prefixes:
                self.write(peer, b"\1" + prefix)
        elif peer.kind == ROUTER:
            if not peer.ident:
                peer.name = f"\0{peer.at}"
            before = self.routes.get(peer.name)
            if before is not None:  # its newest holder has the name: the one before is a process that has gone
                self.drop(before)
            self.routes[peer.name] = peer

    cdef drop(self, Peer peer):
        """This connection is over."""
        cdef Dial one = peer.dial
        if self.slots[peer.at] is not peer:
            return
        self.slots[peer.at] = None  # it may stay flagged: one entry in `ready` for each flag, so no list can overflow
        self.vacant.append(peer.at)
        close(peer.fd)  # which also takes it out of the epoll
        peer.broken, peer.ready = True, False
        if peer in self.hearers:
            self.hearers.remove(peer)
        if self.routes.get(peer.name) is peer:
            del self.routes[peer.name]
        if one is not None:
            one.peer = None
            self.again(one)

    # -- sending ------------------------------------------------------------------------------------------

    cpdef publish(self, bytes data):
        """To all that have subscribed to it. It leaves with the end of the turn (`flush`)."""
        cdef Peer peer
        for peer in self.hearers:
            if peer.wants(data):
                self.write(peer, data)

    cpdef bint ask(self, str target, bytes data) except -1:
        """To an actor that was connected to as DEALER. False if it cannot leave (nobody there, or its queue is full)."""
        cdef Dial one = self.dealers.get(target)
        if one is None:
            self.open_dealer(target)
            one = self.dealers[target]
        return one.peer is not None and one.peer.ready and self.write(one.peer, data)

    cpdef bint send_to(self, str peer, bytes data) except -1:
        """To one peer of our ROUTER. False if it has gone or its queue is full."""
        cdef Peer to = self.routes.get(peer)
        return to is not None and self.write(to, data)

    cdef bint write(self, Peer peer, bytes data) except -1:
        if not peer.put(0, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)):
            return False
        self.queued(peer)
        if peer.pending() > flush_bytes and not peer.blocked:
            self.flush_one(peer)
        return True

    cdef queued(self, Peer peer):
        if not peer.dirty:
            peer.dirty = True
            self.written.append(peer)

    cpdef flush(self):
        """Let go what was queued. Drivers do this when they have performed what was decided."""
        cdef Peer peer
        if self.written:
            written, self.written = self.written, []
            for peer in written:
                peer.dirty = False
                if not peer.blocked and not peer.broken:
                    self.flush_one(peer)

    cdef flush_one(self, Peer peer):
        cdef bint was_blocked = peer.blocked
        if not peer.flush():
            self.mark(peer.at, peer.kind)  # to be dropped with the next drain
        elif peer.blocked != was_blocked:
            self.watch(peer)

    cdef watch(self, Peer peer):
        """Be woken when the other side takes more, as long as it lags."""
        cdef epoll_event event
        event.events, event.data.u32 = EPOLLIN | (EPOLLOUT if peer.blocked else 0), peer.at
        epoll_ctl(self.fd, EPOLL_CTL_MOD, peer.fd, &event)

    # -- receiving ----------------------------------------------------------------------------------------

    cdef void mark(self, int at, int kind) noexcept:
        if not self.flagged[at]:
            self.flagged[at] = 1
            self.ready[kind][self.count[kind]] = at
            self.count[kind] += 1

    cpdef bint drain(self) except -1:
        """Hand over what has arrived: data before answers before commands. True if there may be more."""
        cdef int batch[MAX_SLOTS]
        cdef int kind, k, at, count
        cdef bint more = False
        for kind in (SUB, DEALER, ROUTER, PUB, DOOR, TIMER):
            count, self.count[kind] = self.count[kind], 0
            memcpy(batch, self.ready[kind], count * sizeof(int))
            for k in range(count):
                at = batch[k]
                if self.flagged[at]:
                    self.flagged[at] = 0
                    if self.drain_one(at, kind):
                        self.mark(at, kind)
                        more = True
        return more

    cdef bint drain_one(self, int at, int kind) except -1:
        cdef uint64_t rung
        what = self.slots[at]
        if kind < DOOR:
            return what is not None and self.drain_peer(what)
        if kind == DOOR:
            self.let_in(what)
        elif read(self.timer, &rung, sizeof(rung)) > 0:
            self.armed_ns = FAR_NS
            self.chores()
        return False

    cdef bint drain_peer(self, Peer peer) except -1:
        cdef const char *body
        cdef size_t size
        cdef int flags, found, step
        for step in range(batch_max):
            if peer.broken:
                break
            found = peer.next(&body, &size, &flags) if peer.ready else peer.shake(&size)
            if found == READY:
                self.welcome(peer)
            elif found == FRAME:
                self.take(peer, flags, body, size)
            elif found == 0:
                if not peer.readable:
                    return False
                if peer.receive() < 0:
                    break
                peer.heard_ns, peer.asked_ns = self.now, 0
            else:
                break
        else:
            return True
        self.drop(peer)
        return False

    cdef take(self, Peer peer, int flags, const char *body, size_t size):
        """A whole frame. Of a message in several parts the first is taken."""
        cdef bytes data
        if flags & COMMAND:
            self.order(peer, body, size)
        elif peer.skips:
            peer.skips = flags & MORE
        else:
            peer.skips = flags & MORE
            if peer.kind == PUB:
                if size and (body[0] == 0 or body[0] == 1):
                    self.listed(peer, PyBytes_FromStringAndSize(body + 1, size - 1), body[0])
                return
            data = PyBytes_FromStringAndSize(body, size)
            if peer.kind == SUB:
                self.frame(data)
            elif peer.kind == DEALER:
                self.answer(peer.dial.target, data)
            else:
                self.command(peer.name, data)

    cdef order(self, Peer peer, const char *body, size_t size):
        """What ZeroMQ's sockets tell one another: a sign of life is wanted, or something is subscribed to."""
        cdef bytes told = PyBytes_FromStringAndSize(body, size)
        if told.startswith(b"\4PING"):
            told = b"\4PONG" + told[7:23]
            if peer.put(COMMAND, PyBytes_AS_STRING(told), PyBytes_GET_SIZE(told)):
                self.queued(peer)
        elif told.startswith(b"\x09SUBSCRIBE"):
            self.listed(peer, told[10:], True)
        elif told.startswith(b"\6CANCEL"):
            self.listed(peer, told[7:], False)

    def listed(self, Peer peer, bytes prefix, bint is_wanted):
        """What a hearer of our PUB wants, and wants no longer."""
        if is_wanted and len(peer.prefixes) >= prefixes_max:
            peer.broken = True
        elif is_wanted:
            peer.prefixes.append(prefix)  # as often as it is asked for: each is taken back by itself
        elif prefix in peer.prefixes:
            peer.prefixes.remove(prefix)

    cdef frame(self, bytes data):
        if self.runtime is not None:
            self.runtime.frame_in(data)
        else:
            self.sink.frame_in(data)

    cdef answer(self, str target, bytes data):
        if self.runtime is not None:
            self.runtime.answer_in(target, data)
        else:
            self.sink.answer_in(target, data)

    cdef command(self, str peer, bytes data):
        if self.runtime is not None:
            self.runtime.command_in(peer, data)
        else:
            self.sink.command_in(peer, data)

    # -- waiting ------------------------------------------------------------------------------------------

    cdef bint unread(self) noexcept:
        cdef int kind
        for kind in range(KINDS):
            if self.count[kind]:
                return True
        return False

    cpdef bint settled(self) noexcept:
        """Whether a sleep on `fd` would miss nothing."""
        return not self.unread() and not self.written

    cpdef bint wait(self, long long timeout_ns) except -1:
        """Sleep until something may have arrived, a signal came, or the time is over. True if something did."""
        cdef epoll_event events[MAX_EVENTS]
        cdef int k, count
        cdef bint found
        self.flush()
        found = self.unread()
        PyErr_CheckSignals()
        if found:
            timeout_ns = 0
        with nogil:
            count = tb_epoll(self.fd, events, MAX_EVENTS, timeout_ns)
        if count < 0:
            PyErr_CheckSignals()
        self.now = self.now_ns()
        for k in range(count):
            self.stirred(events[k].data.u32, events[k].events)
        return found or count > 0

    cdef stirred(self, int at, unsigned int events):
        cdef Peer peer
        what = self.slots[at]
        if at == 0:
            self.mark(at, TIMER)
        elif isinstance(what, Door):
            self.mark(at, DOOR)
        elif what is not None:
            peer = what
            if events & EPOLLOUT:
                self.flush_one(peer)
            if events & ~<unsigned int>EPOLLOUT:
                peer.readable = True
                self.mark(at, peer.kind)

    cpdef long long now_ns(self) noexcept:
        """Monotonic time."""
        cdef timespec now
        clock_gettime(CLOCK_MONOTONIC, &now)
        return <long long>now.tv_sec * 1000000000 + now.tv_nsec

    # -- chores -------------------------------------------------------------------------------------------

    cdef arm(self, long long at_ns):
        """Be woken then, or sooner."""
        cdef itimerspec to
        if at_ns < self.armed_ns:
            self.armed_ns = at_ns
            to.it_interval.tv_sec = to.it_interval.tv_nsec = 0
            to.it_value.tv_sec, to.it_value.tv_nsec = at_ns // 1_000_000_000, at_ns % 1_000_000_000
            timerfd_settime(self.timer, TFD_TIMER_ABSTIME, &to, NULL)

    cdef chores(self):
        """Look for who is not there, and ask who says nothing."""
        cdef long long now = self.now_ns(), due_ns = now + heartbeat_ns
        cdef bint slept = now - self.chores_ns > 2 * heartbeat_ns  # we did: silence then proves nothing
        cdef Dial one
        self.chores_ns = now
        for one in self.dials:
            if one.peer is None and one.next_ns <= now:
                self.dial(one)
            elif one.peer is None:
                due_ns = min(due_ns, one.next_ns)
        for what in self.slots[:]:
            if isinstance(what, Peer):
                self.check(what, now, slept)
        for door in self.doors:
            self.let_in(door)
        self.arm(due_ns)

    cdef check(self, Peer peer, long long now, bint slept):
        if peer.asked_ns and slept:
            peer.asked_ns = now
        elif peer.asked_ns:
            if now - peer.asked_ns > timeout_ns:
                self.drop(peer)
        elif now - peer.heard_ns >= heartbeat_ns:
            peer.asked_ns = now
            if peer.ready and peer.put(COMMAND, PyBytes_AS_STRING(PING), PyBytes_GET_SIZE(PING)):
                self.queued(peer)

    def close(self):
        """Let the last frames leave, then go."""
        cdef Peer peer
        cdef Door door
        cdef long long until_ns = self.now_ns() + limits.LINGER_MS * MS_NS
        for door in self.doors:
            door.socket.close()
        peers = [what for what in self.slots if isinstance(what, Peer)]
        while self.now_ns() < until_ns:
            left = 0
            for peer in peers:
                if not peer.broken and peer.pending() and peer.flush():
                    left += peer.pending()
            if not left:
                break
            time.sleep(0.001)
        self.dials.clear()
        for peer in peers:
            peer.dial = None
            self.drop(peer)
