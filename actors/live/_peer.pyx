# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""One connection of the bus, spoken as ZMTP 3.0 (https://rfc.zeromq.org/spec/23/): greeting, READY, frames.

It reads and writes a stream socket that does not block, and knows no loop and no clock; actors.live._transport has those. libzmq
speaks the same on the other side, and cannot tell the difference.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memmove

from protocol.frame import MAX_FRAME_BYTES

cdef extern from "<sys/socket.h>" nogil:
    int MSG_DONTWAIT, MSG_NOSIGNAL
    Py_ssize_t recv(int, void *, size_t, int)
    Py_ssize_t send(int, const void *, size_t, int)

cdef enum:
    FIRST_BYTES = 16384  # a buffer's first size
    KEEP_BYTES = 262144  # a buffer above this is given back once it is empty
    ROOM_BYTES = 4096  # read no less at once
    GREETING_BYTES = 64

cdef size_t frame_max = 2 * MAX_FRAME_BYTES
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
TYPES = {PUB: b"PUB", SUB: b"SUB", DEALER: b"DEALER", ROUTER: b"ROUTER"}
TALKS_TO = {
    PUB: (b"SUB", b"XSUB"),
    SUB: (b"PUB", b"XPUB"),
    DEALER: (b"ROUTER", b"DEALER", b"REP"),
    ROUTER: (b"DEALER", b"ROUTER", b"REQ"),
}


cdef int reserve(Buffer *one, size_t room) except -1:
    """Make `room` behind what the buffer holds."""
    cdef size_t held = one.end - one.start
    cdef size_t cap = one.cap
    cdef char *at
    if one.end + room <= cap:
        return 0
    if held + room <= cap and one.start >= held:  # a short move; otherwise a long queue would be moved again and again
        memmove(one.at, one.at + one.start, held)
    else:
        cap = max(<size_t>FIRST_BYTES, 2 * cap)
        while cap < held + room:
            cap *= 2
        at = <char *>malloc(cap)
        if at == NULL:
            raise MemoryError
        if held:
            memcpy(at, one.at + one.start, held)
        free(one.at)
        one.at, one.cap = at, cap
    one.start, one.end = 0, held
    return 0


cdef void settle(Buffer *one) noexcept:
    """It is empty: begin at its start again, and give back what a burst needed."""
    one.start = one.end = 0
    if one.cap > KEEP_BYTES:
        free(one.at)
        one.at, one.cap = NULL, 0


cdef unsigned long long big_endian(const unsigned char *at, int size) noexcept:
    cdef unsigned long long value = 0
    cdef int k
    for k in range(size):
        value = value << 8 | at[k]
    return value


cdef class Peer:
    """`own_name` is told to the other side, which names us by it; its own is `name` once it is `ready`."""

    def __cinit__(self, int fd, int kind, bytes own_name, size_t out_max):
        self.fd, self.kind, self.out_max = fd, kind, out_max
        self.ident, self.name, self.prefixes = b"", "", []
        cdef bytes hello = ready_body(kind, own_name)
        reserve(&self.out, GREETING_BYTES)
        memcpy(self.out.at, PyBytes_AS_STRING(GREETING), GREETING_BYTES)
        self.out.end = GREETING_BYTES
        self.put(COMMAND, PyBytes_AS_STRING(hello), PyBytes_GET_SIZE(hello))

    def __dealloc__(self):
        free(self.got.at)
        free(self.out.at)

    cdef Py_ssize_t receive(self) except -2:
        """How many bytes came; 0 if there are none now, -1 if the connection is over."""
        cdef Py_ssize_t count
        cdef size_t room
        if self.got.start == self.got.end:
            settle(&self.got)
        reserve(&self.got, max(<size_t>ROOM_BYTES, self.lacks))
        room = self.got.cap - self.got.end
        count = recv(self.fd, self.got.at + self.got.end, room, MSG_DONTWAIT)
        self.readable = count == <Py_ssize_t>room  # else there was no more
        if count > 0:
            self.got.end += count
            return count
        return 0 if count < 0 and (errno == EAGAIN or errno == EINTR) else -1

    cdef int next(self, const char **body, size_t *size, int *flags) noexcept:
        """Take off the next frame: FRAME; 0 if it is not whole yet; -1 if these bytes are none, or it is too big.

        The body lies in the buffer, until the next `receive`.
        """
        cdef size_t held = self.got.end - self.got.start, head = 2
        cdef const unsigned char *at = <const unsigned char *>self.got.at + self.got.start
        self.lacks = 0
        if held < 2:
            return 0
        flags[0] = at[0]
        if at[0] > (MORE | LONG | COMMAND):
            return -1
        size[0] = at[1]
        if at[0] & LONG:
            if held < 9:
                return 0
            head, size[0] = 9, big_endian(at + 1, 8)
        if size[0] > frame_max:
            return -1
        if held < head + size[0]:
            self.lacks = head + size[0] - held
            return 0
        body[0] = <const char *>at + head
        self.got.start += head + size[0]
        return FRAME

    cdef bint put(self, int flags, const char *data, size_t size) except -1:
        """Queue a frame. False if the other side is `out_max` bytes behind: then it is lost to it."""
        cdef size_t held = self.out.end - self.out.start
        cdef char *at
        cdef int k
        if self.broken or (held and held + size > self.out_max):
            return False
        reserve(&self.out, size + 9)
        at = self.out.at + self.out.end
        if size < 256:
            at[0], at[1] = flags, <char>size
            at += 2
        else:
            at[0] = flags | LONG
            for k in range(8):
                at[8 - k] = <char>(size >> 8 * k)
            at += 9
        memcpy(at, data, size)
        self.out.end = at + size - self.out.at
        return True

    cdef size_t pending(self) noexcept:
        return self.out.end - self.out.start

    cdef bint flush(self) noexcept:
        """Write what is queued, as far as the other side takes it (`blocked`: not all). False: the connection is over."""
        cdef Py_ssize_t count
        self.blocked = False
        while self.out.start < self.out.end:
            count = send(self.fd, self.out.at + self.out.start, self.pending(), MSG_DONTWAIT | MSG_NOSIGNAL)
            if count >= 0:
                self.out.start += count
            elif errno == EAGAIN or errno == ENOBUFS:
                self.blocked = True
                return True
            elif errno != EINTR:
                self.broken = True
                return False
        settle(&self.out)
        return True

    cdef int shake(self, size_t *size) except -2:
        """Go on with the handshake: READY if it is done, 0 if it waits for bytes, -1 if this is nobody for us."""
        cdef const unsigned char *at = <const unsigned char *>self.got.at + self.got.start
        cdef const char *body
        cdef int flags, found
        if not self.greeted:
            if self.got.end - self.got.start < GREETING_BYTES:
                return 0
            if at[0] != 0xFF or not at[9] & 1 or at[10] < 3 or memcmp(at + 12, b"NULL", 5):
                return -1
            self.greeted = True
            self.got.start += GREETING_BYTES
        found = self.next(&body, size, &flags)
        if found <= 0:
            return found
        if not flags & COMMAND or not self.introduced(<const unsigned char *>body, size[0]):
            return -1
        self.ready = True
        return READY

    cdef bint introduced(self, const unsigned char *at, size_t size) except -1:
        """Read a READY command: whether it is one, of a socket that belongs to ours."""
        cdef const unsigned char *end = at + size
        cdef unsigned long long length
        cdef bytes name, value, kind = b""
        if size < 6 or memcmp(at, b"\x05READY", 6):
            return False
        at += 6
        while at < end:
            if at + 1 + at[0] + 4 > end:
                return False
            name = PyBytes_FromStringAndSize(<const char *>at + 1, at[0]).lower()
            at += 1 + at[0]
            length = big_endian(at, 4)
            at += 4
            if length > <unsigned long long>(end - at):
                return False
            value = PyBytes_FromStringAndSize(<const char *>at, length)
            at += length
            if name == b"socket-type":
                kind = value
            elif name == b"identity":
                self.ident = value
        self.name = self.ident.decode("latin-1")
        return kind in TALKS_TO[self.kind] and len(self.ident) < 256

    cdef bint wants(self, bytes data):
        """Whether the other side has subscribed to what begins so."""
        cdef bytes prefix
        cdef Py_ssize_t size
        for prefix in self.prefixes:
            size = PyBytes_GET_SIZE(prefix)
            if size <= PyBytes_GET_SIZE(data) and not memcmp(
                PyBytes_AS_STRING(prefix), PyBytes_AS_STRING(data), size
            ):
                return True
        return False


def ready_body(int kind, bytes name):
    """A READY command: who we are."""
    rows = [(b"Socket-Type", TYPES[kind])] + ([(b"Identity", name)] if kind in (DEALER, ROUTER) else [])
    return b"\x05READY" + b"".join(
        len(key).to_bytes(1, "big") + key + len(value).to_bytes(4, "big") + value for key, value in rows
    )
