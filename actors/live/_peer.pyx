# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""One connection of the bus, by ZMTP 3.0 (https://rfc.zeromq.org/spec/23/): greeting, READY, frames, commands.

Reads and writes a stream socket that does not block; has no loop and no clock (see actors.live._transport). The other
side may be libzmq: to it this is a ZeroMQ socket.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memmove

from actors.live._epoll cimport DEALER, PUB, ROUTER, SUB

from actors.live.transport_limits import MAX_PREFIX_BYTES, MAX_PREFIXES
from protocol.frame import MAX_FRAME_BYTES

cdef extern from "<sys/socket.h>" nogil:
    int MSG_DONTWAIT, MSG_NOSIGNAL
    Py_ssize_t recv(int, void *, size_t, int)
    Py_ssize_t send(int, const void *, size_t, int)

cdef enum:
    FIRST_BYTES = 16384  # a buffer's first size
    KEEP_BYTES = 262144  # a buffer above this size is freed once it is empty
    ROOM_BYTES = 4096  # the least room that a read is given
    GREETING_BYTES = 64

cdef size_t frame_max = 2 * MAX_FRAME_BYTES
cdef int prefixes_max = MAX_PREFIXES
cdef size_t prefix_bytes_max = MAX_PREFIX_BYTES
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
TYPES = {PUB: b"PUB", SUB: b"SUB", DEALER: b"DEALER", ROUTER: b"ROUTER"}
PING = b"\x04PING\0\0"  # time to live 0: the other side sets no limit of its own, since we may be busy for longer
COMPATIBLE = {
    PUB: (b"SUB", b"XSUB"),
    SUB: (b"PUB", b"XPUB"),
    DEALER: (b"ROUTER", b"DEALER", b"REP"),
    ROUTER: (b"DEALER", b"ROUTER", b"REQ"),
}


cdef int reserve(Buffer *one, size_t room) except -1:
    """Make room for `room` bytes behind what the buffer holds."""
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


cdef void reset(Buffer *one) noexcept:
    """An empty buffer begins at its start again; memory that a burst needed is freed."""
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
    """The other side is sent `own_name` as our identity; its identity is `name`, once the connection is `ready`."""

    def __cinit__(self, int fd, int kind, bytes own_name, size_t outbound_max):
        self.fd, self.kind, self.outbound_max = fd, kind, outbound_max
        self.identity, self.name, self.prefixes = b"", "", []
        cdef bytes hello = ready_body(kind, own_name)
        reserve(&self.outbound, GREETING_BYTES)
        memcpy(self.outbound.at, PyBytes_AS_STRING(GREETING), GREETING_BYTES)
        self.outbound.end = GREETING_BYTES
        self.put(COMMAND, PyBytes_AS_STRING(hello), PyBytes_GET_SIZE(hello))

    def __dealloc__(self):
        free(self.inbound.at)
        free(self.outbound.at)

    cdef Py_ssize_t receive(self) except -2:
        """Reads once; how many bytes came, 0 if there are none now, -1 if the connection is over."""
        cdef Py_ssize_t count
        cdef size_t room
        if self.inbound.start == self.inbound.end:
            reset(&self.inbound)
        reserve(&self.inbound, max(<size_t>ROOM_BYTES, self.missing_bytes))
        room = self.inbound.cap - self.inbound.end
        count = recv(self.fd, self.inbound.at + self.inbound.end, room, MSG_DONTWAIT)
        self.readable = count == <Py_ssize_t>room  # fewer bytes: nothing is left
        if count > 0:
            self.inbound.end += count
            return count
        return 0 if count < 0 and (errno == EAGAIN or errno == EINTR) else -1

    cdef int next_frame(self, const char **body, size_t *size, int *flags) noexcept:
        """The next frame: FRAME; 0 if it is not complete yet; -1 if it is invalid or above the limit.

        The body lies in the buffer, until the next `receive`.
        """
        cdef size_t held = self.inbound.end - self.inbound.start, head = 2
        cdef const unsigned char *at = <const unsigned char *>self.inbound.at + self.inbound.start
        self.missing_bytes = 0
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
            self.missing_bytes = head + size[0] - held
            return 0
        body[0] = <const char *>at + head
        self.inbound.start += head + size[0]
        return FRAME

    cdef bint put(self, int flags, const char *data, size_t size) except -1:
        """Queue a frame. False if more than `outbound_max` bytes would wait for the other side: the frame is dropped."""
        cdef size_t held = self.outbound.end - self.outbound.start
        cdef char *at
        cdef int k
        if self.broken or (held and held + size > self.outbound_max):
            return False
        reserve(&self.outbound, size + 9)
        at = self.outbound.at + self.outbound.end
        if size < 256:
            at[0], at[1] = flags, <char>size
            at += 2
        else:
            at[0] = flags | LONG
            for k in range(8):
                at[8 - k] = <char>(size >> 8 * k)
            at += 9
        memcpy(at, data, size)
        self.outbound.end = at + size - self.outbound.at
        return True

    cdef size_t pending(self) noexcept:
        return self.outbound.end - self.outbound.start

    cdef bint flush(self) noexcept:
        """Write what is queued (`blocked`: the socket took a part of it). False if the connection is over."""
        cdef Py_ssize_t count
        self.blocked = False
        while self.outbound.start < self.outbound.end:
            count = send(self.fd, self.outbound.at + self.outbound.start, self.pending(), MSG_DONTWAIT | MSG_NOSIGNAL)
            if count >= 0:
                self.outbound.start += count
            elif errno == EAGAIN or errno == ENOBUFS:
                self.blocked = True
                return True
            elif errno != EINTR:
                self.broken = True
                return False
        reset(&self.outbound)
        return True

    cdef int handshake(self, size_t *size) except -2:
        """Continue the handshake: READY if it is done, 0 if it waits for bytes, -1 if the other side is refused."""
        cdef const unsigned char *at = <const unsigned char *>self.inbound.at + self.inbound.start
        cdef const char *body
        cdef int flags, found
        if not self.greeted:
            if self.inbound.end - self.inbound.start < GREETING_BYTES:
                return 0
            if at[0] != 0xFF or not at[9] & 1 or at[10] < 3 or memcmp(at + 12, b"NULL", 5):
                return -1
            self.greeted = True
            self.inbound.start += GREETING_BYTES
        found = self.next_frame(&body, size, &flags)
        if found <= 0:
            return found
        if not flags & COMMAND or not self.read_ready(<const unsigned char *>body, size[0]):
            return -1
        self.ready = True
        return READY

    cdef bint read_ready(self, const unsigned char *at, size_t size) except -1:
        """Read a READY command; False if it is invalid or its socket type does not fit to ours."""
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
                self.identity = value
        self.name = self.identity.decode("latin-1")
        return kind in COMPATIBLE[self.kind] and len(self.identity) < 256

    cdef bint ping(self) except -1:
        """Queue a PING. False if the queue is full."""
        return self.put(COMMAND, PyBytes_AS_STRING(PING), PyBytes_GET_SIZE(PING))

    cdef bint handle_command(self, const char *body, size_t size) except -1:
        """Handle a ZMTP command: PING, SUBSCRIBE, CANCEL. True if an answer was queued."""
        cdef bytes command = PyBytes_FromStringAndSize(body, size)
        if command.startswith(b"\4PING"):
            command = b"\4PONG" + command[7:23]
            return self.put(COMMAND, PyBytes_AS_STRING(command), PyBytes_GET_SIZE(command))
        if command.startswith(b"\x09SUBSCRIBE"):
            self.set_subscription(command[10:], True)
        elif command.startswith(b"\6CANCEL"):
            self.set_subscription(command[7:], False)
        return False

    cdef set_subscription(self, bytes prefix, bint is_wanted):
        """Add or remove one subscription. Above MAX_PREFIXES or MAX_PREFIX_BYTES the connection is closed."""
        cdef size_t size = PyBytes_GET_SIZE(prefix)
        if not is_wanted:
            if prefix in self.prefixes:
                self.prefixes.remove(prefix)
                self.prefix_bytes -= size
        elif len(self.prefixes) >= prefixes_max or self.prefix_bytes + size > prefix_bytes_max:
            self.broken = True
        else:
            self.prefixes.append(prefix)  # one entry for each request: each CANCEL takes one back
            self.prefix_bytes += size

    cdef bint is_subscribed(self, bytes data):
        """Whether the other side has subscribed to a prefix of `data`."""
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
    """A READY command with our socket type and identity."""
    rows = [(b"Socket-Type", TYPES[kind])] + ([(b"Identity", name)] if kind in (DEALER, ROUTER) else [])
    return b"\x05READY" + b"".join(
        len(key).to_bytes(1, "big") + key + len(value).to_bytes(4, "big") + value for key, value in rows
    )
