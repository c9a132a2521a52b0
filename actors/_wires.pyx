# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The fast twin of actors.wires.PlainWires: receives and sends by calling libzmq itself, without a Python loop.

The functions of the libzmq that pyzmq has loaded are handed in as addresses (see actors.wires), so that there is one
libzmq in the process and nothing to link against. A compiled Runtime is called without a detour through Python.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        unsigned int u32
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLIN
    int epoll_create1(int)
    int epoll_ctl(int, int, int, epoll_event *)

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int CLOCK_MONOTONIC
    int clock_gettime(int, timespec *)

cdef extern from "<unistd.h>" nogil:
    int close(int)

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
    typedef union { char bytes[64]; void *align; } tb_msg;

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
    ctypedef struct tb_msg:
        char bytes[64]

cdef enum:
    DONTWAIT = 1
    SNDMORE = 2
    ZMQ_EVENTS = 15
    MAX_SOCKETS = 1024
    MAX_EVENTS = 16  # of one wait; more come with the next
    MAX_PEERS = 4096  # names kept at hand
    BATCH = 256
    PUB = 0
    SUB = 1
    DEALER = 2
    ROUTER = 3


cdef class Wires:
    """Sockets of one actor; see PlainWires for what each method promises."""

    def __cinit__(self, dict functions, sink):
        self.msg_init = <f_msg><uintptr_t>functions["zmq_msg_init"]
        self.msg_close = <f_msg><uintptr_t>functions["zmq_msg_close"]
        self.msg_more = <f_msg><uintptr_t>functions["zmq_msg_more"]
        self.msg_data = <f_data><uintptr_t>functions["zmq_msg_data"]
        self.msg_size = <f_size><uintptr_t>functions["zmq_msg_size"]
        self.msg_recv = <f_recv><uintptr_t>functions["zmq_msg_recv"]
        self.zmq_send = <f_send><uintptr_t>functions["zmq_send"]
        self.zmq_getopt = <f_getopt><uintptr_t>functions["zmq_getsockopt"]
        self.handles = <void **>calloc(MAX_SOCKETS, sizeof(void *))
        self.ready = <char *>calloc(MAX_SOCKETS, 1)
        self.sent = <char *>calloc(MAX_SOCKETS, 1)
        self.kinds = <int *>calloc(MAX_SOCKETS, sizeof(int))
        if not (self.handles and self.ready and self.sent and self.kinds):
            raise MemoryError
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.epoll < 0:
            raise OSError("no descriptor left for an epoll: raise `ulimit -n`")
        self.sockets, self.names, self.dealers, self.peers, self.ids = [], [], {}, {}, {}
        self.sink = sink
        self.runtime = sink if isinstance(sink, Runtime) else None

    def __dealloc__(self):
        free(self.handles)
        free(self.ready)
        free(self.sent)
        free(self.kinds)
        if self.epoll > 0:
            close(self.epoll)

    def add(self, socket, int kind, str name):
        """The socket's number. PUB sockets are only sent on."""
        cdef int at = self.count
        cdef epoll_event event
        if at >= MAX_SOCKETS:
            raise ValueError(f"over {MAX_SOCKETS} sockets in one actor")
        self.handles[at] = <void *><uintptr_t>socket.underlying
        self.kinds[at] = kind
        if kind != PUB:
            event.events, event.data.u32 = EPOLLIN, at
            if epoll_ctl(self.epoll, EPOLL_CTL_ADD, socket.FD, &event) < 0:
                raise OSError(f"socket {name or at} cannot be waited for")
            self.ready[at] = 1
        self.sockets.append(socket)
        self.names.append(name)
        if kind == DEALER:
            self.dealers[name] = at
        self.count += 1
        return at

    def ask(self, str target, bytes data):
        """`send` on the DEALER of that name; the first time for a name, `open_dealer(name)` adds it."""
        known = self.dealers.get(target)
        return self.send(self.open_dealer(target) if known is None else known, data)

    cpdef bint send(self, int at, bytes data) except -1:
        """False if it cannot leave now (nobody connected, or its queue is full)."""
        cdef int rc = self.zmq_send(self.handles[at], PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), DONTWAIT)
        self.sent[at] = self.kinds[at] != PUB
        return rc >= 0

    def send_to(self, int at, str peer, bytes data):
        """On a ROUTER: to one peer. False if it has gone or its queue is full."""
        cdef void *handle = self.handles[at]
        cdef bytes name = self.ids.get(peer)
        if name is None:
            name = peer.encode("latin-1")
        self.sent[at] = 1
        if self.zmq_send(handle, PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name), DONTWAIT | SNDMORE) < 0:
            return False
        return self.zmq_send(handle, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), DONTWAIT) >= 0

    cpdef bint drain(self) except -1:
        """Hand over what has arrived: data before answers before commands. True if there may be more."""
        cdef int at, kind
        cdef bint more = False
        for kind in range(SUB, ROUTER + 1):
            for at in range(self.count):
                if self.kinds[at] == kind and (self.ready[at] or self.sent[at]):
                    self.ready[at] = self.sent[at] = 0
                    if self.drain_one(at, kind):
                        self.ready[at] = more = True
        return more

    cdef bint drain_one(self, int at, int kind) except -1:
        cdef int done
        cdef bytes data, peer
        cdef bint more
        for done in range(BATCH):
            data = self.receive(at, &more)
            if data is None:
                self.sent[at] = 0  # there is nothing, also after what was sent meanwhile
                return False
            if kind == ROUTER:
                peer = data
                if not more:
                    continue
                data = self.receive(at, &more)
            while more:
                self.receive(at, &more)
            if kind == SUB:
                self.frame(data)
            elif kind == DEALER:
                self.answer(self.names[at], data)
            else:
                self.command(self.name_of(peer), data)
        return True

    cdef str name_of(self, bytes peer):
        cdef str name = self.peers.get(peer)
        if name is None:
            name = peer.decode("latin-1")
            if len(self.peers) >= MAX_PEERS:
                self.peers.clear()
                self.ids.clear()
            self.peers[peer], self.ids[name] = name, peer
        return name

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

    cdef bytes receive(self, int at, bint *more):
        cdef tb_msg msg
        cdef bytes data
        self.msg_init(&msg)
        if self.msg_recv(&msg, self.handles[at], DONTWAIT) < 0:
            self.msg_close(&msg)
            more[0] = False
            return None
        data = PyBytes_FromStringAndSize(<char *>self.msg_data(&msg), self.msg_size(&msg))
        more[0] = self.msg_more(&msg) != 0
        self.msg_close(&msg)
        return data

    cdef bint pending(self):
        # A send on a socket swallows the wake-up of what arrived meanwhile: look at EVENTS before sleeping.
        cdef int at, events
        cdef size_t size
        cdef bint found = False
        for at in range(self.count):
            if self.sent[at]:
                self.sent[at] = 0
                size = sizeof(int)
                if self.zmq_getopt(self.handles[at], ZMQ_EVENTS, &events, &size) == 0 and events & 1:
                    self.ready[at] = 1
            found = found or self.ready[at]
        return found

    cpdef bint settled(self) noexcept:
        cdef int at
        for at in range(self.count):
            if self.ready[at] or self.sent[at]:
                return False
        return True

    cpdef bint wait(self, long long timeout_ns) except -1:
        """Sleep until something may have arrived, a signal came, or the time is over. True if something did."""
        cdef epoll_event events[MAX_EVENTS]
        cdef int at, count
        cdef bint found = self.pending()
        PyErr_CheckSignals()
        if found:
            timeout_ns = 0
        with nogil:
            count = tb_epoll(self.epoll, events, MAX_EVENTS, timeout_ns)
        if count < 0:
            PyErr_CheckSignals()
        for at in range(count):
            self.ready[events[at].data.u32] = 1
        return found or count > 0

    cpdef long long now_ns(self) noexcept:
        """Monotonic time."""
        cdef timespec now
        clock_gettime(CLOCK_MONOTONIC, &now)
        return <long long>now.tv_sec * 1000000000 + now.tv_nsec
