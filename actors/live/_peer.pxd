cdef enum:
    # flags of a frame
    MORE = 1
    LONG = 2
    COMMAND = 4

cdef enum:
    # what `next_frame` and `handshake` have found
    FRAME = 1
    READY = 2

cdef struct Buffer:
    char *at
    size_t start, end, cap

cdef class Peer:
    cdef readonly int fd
    cdef readonly int kind
    cdef int slot  # in the poller
    cdef bint greeted, ready, readable, broken, blocked
    cdef bint is_queued  # it is in the list of connections with frames that no `flush` has tried to write
    cdef bint skips_parts  # the message in hand goes on in frames that are not delivered
    cdef Buffer inbound, outbound
    cdef size_t missing_bytes, outbound_max, prefix_bytes
    cdef long long received_ns, pinged_ns  # when bytes came last; since when a PONG is owed, or 0
    cdef readonly bytes identity
    cdef readonly str name
    cdef list prefixes
    cdef object dialer  # the Dialer that opened it, or None
    cdef Py_ssize_t receive(self) except -2
    cdef int next_frame(self, const char **body, size_t *size, int *flags) noexcept
    cdef bint put(self, int flags, const char *data, size_t size) except -1
    cdef bint flush(self) noexcept
    cdef size_t pending(self) noexcept
    cdef int handshake(self, size_t *size) except -2
    cdef bint read_ready(self, const unsigned char *at, size_t size) except -1
    cdef bint ping(self) except -1
    cdef bint handle_command(self, const char *body, size_t size) except -1
    cdef set_subscription(self, bytes prefix, bint is_wanted)
    cdef bint is_subscribed(self, bytes data)
