# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The fast twin of actors.wires.PlainWires: receives and sends by calling libzmq itself, without a Python loop.

The functions of the libzmq that pyzmq has loaded are handed in as addresses (see actors.wires), so that there is one
libzmq in the process and nothing to link against.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    int POLLIN

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <poll.h>
    extern int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    typedef union { char bytes[64]; void *align; } tb_msg;
    """
    int ppoll(pollfd *, unsigned long, timespec *, void *) nogil
    ctypedef struct tb_msg:
        char bytes[64]

ctypedef int (*f_msg)(void *) noexcept nogil
ctypedef void *(*f_data)(void *) noexcept nogil
ctypedef size_t (*f_size)(void *) noexcept nogil
ctypedef int (*f_recv)(void *, void *, int) noexcept nogil
ctypedef int (*f_send)(void *, const void *, size_t, int) noexcept nogil
ctypedef int (*f_getopt)(void *, int, void *, size_t *) noexcept nogil

cdef enum:
    DONTWAIT = 1
    SNDMORE = 2
    ZMQ_EVENTS = 15
    MAX_SOCKETS = 1024
    BATCH = 256

PUB, SUB, DEALER, ROUTER = 0, 1, 2, 3


cdef class Wires:
    """Sockets of one actor; see PlainWires for what each method promises."""

    cdef f_msg msg_init, msg_close, msg_more
    cdef f_data msg_data
    cdef f_size msg_size
    cdef f_recv msg_recv
    cdef f_send zmq_send
    cdef f_getopt zmq_getopt
    cdef void **handles
    cdef pollfd *fds
    cdef char *ready
    cdef char *sent
    cdef int *kinds
    cdef int count
    cdef list sockets
    cdef list names
    cdef object on_frame, on_command, on_answer

    def __cinit__(self, dict functions, on_frame, on_command, on_answer):
        self.msg_init = <f_msg><uintptr_t>functions["zmq_msg_init"]
        self.msg_close = <f_msg><uintptr_t>functions["zmq_msg_close"]
        self.msg_more = <f_msg><uintptr_t>functions["zmq_msg_more"]
        self.msg_data = <f_data><uintptr_t>functions["zmq_msg_data"]
        self.msg_size = <f_size><uintptr_t>functions["zmq_msg_size"]
        self.msg_recv = <f_recv><uintptr_t>functions["zmq_msg_recv"]
        self.zmq_send = <f_send><uintptr_t>functions["zmq_send"]
        self.zmq_getopt = <f_getopt><uintptr_t>functions["zmq_getsockopt"]
        self.handles = <void **>calloc(MAX_SOCKETS, sizeof(void *))
        self.fds = <pollfd *>calloc(MAX_SOCKETS, sizeof(pollfd))
        self.ready = <char *>calloc(MAX_SOCKETS, 1)
        self.sent = <char *>calloc(MAX_SOCKETS, 1)
        self.kinds = <int *>calloc(MAX_SOCKETS, sizeof(int))
        if not (self.handles and self.fds and self.ready and self.sent and self.kinds):
            raise MemoryError
        self.sockets, self.names = [], []
        self.on_frame, self.on_command, self.on_answer = on_frame, on_command, on_answer

    def __dealloc__(self):
        free(self.handles)
        free(self.fds)
        free(self.ready)
        free(self.sent)
        free(self.kinds)

    def add(self, socket, int kind, str name):
        """The socket's number. PUB sockets are only sent on."""
        cdef int at = self.count
        if at >= MAX_SOCKETS:
            raise ValueError(f"over {MAX_SOCKETS} sockets in one actor")
        self.handles[at] = <void *><uintptr_t>socket.underlying
        self.fds[at].fd = socket.FD if kind != PUB else -1
        self.fds[at].events = POLLIN
        self.ready[at] = kind != PUB
        self.kinds[at] = kind
        self.sockets.append(socket)
        self.names.append(name)
        self.count += 1
        return at

    def send(self, int at, bytes data):
        """False if it cannot leave now (nobody connected, or its queue is full)."""
        cdef int rc = self.zmq_send(self.handles[at], PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), DONTWAIT)
        self.sent[at] = self.kinds[at] != PUB
        return rc >= 0

    def send_to(self, int at, bytes peer, bytes data):
        """On a ROUTER: to one peer. False if it has gone or its queue is full."""
        cdef void *handle = self.handles[at]
        self.sent[at] = 1
        if self.zmq_send(handle, PyBytes_AS_STRING(peer), PyBytes_GET_SIZE(peer), DONTWAIT | SNDMORE) < 0:
            return False
        return self.zmq_send(handle, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), DONTWAIT) >= 0

    def drain(self):
        """Hand over what has arrived: data before answers before commands. True if there may be more."""
        cdef int at, kind, more = 0
        for kind in (SUB, DEALER, ROUTER):
            for at in range(self.count):
                if self.kinds[at] == kind and (self.ready[at] or self.sent[at]):
                    self.ready[at] = self.sent[at] = 0
                    if self.drain_one(at, kind):
                        self.ready[at] = more = 1
        return bool(more)

    cdef bint drain_one(self, int at, int kind) except *:
        cdef int done = 0
        cdef bytes data, peer
        cdef bint more
        name = self.names[at]
        while done < BATCH:
            data = self.receive(at, &more)
            if data is None:
                return False
            if kind == ROUTER:
                peer = data
                if not more:
                    continue
                data = self.receive(at, &more)
            while more:
                self.receive(at, &more)
            done += 1
            if kind == SUB:
                self.on_frame(data)
            elif kind == DEALER:
                self.on_answer(name, data)
            else:
                self.on_command(peer.decode("latin-1"), data)
        return True

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

    def wait(self, long long timeout_ns):
        """Sleep until something may have arrived, a signal came, or the time is over. True if something did."""
        cdef timespec limit
        cdef int at, rc
        cdef bint found = self.pending()
        if found:
            timeout_ns = 0
        limit.tv_sec = timeout_ns // 1000000000
        limit.tv_nsec = timeout_ns % 1000000000
        with nogil:
            rc = ppoll(self.fds, self.count, &limit, NULL)
        if rc > 0:
            for at in range(self.count):
                if self.fds[at].revents:
                    self.ready[at] = 1
        return found or rc > 0
