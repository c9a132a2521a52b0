cdef enum:
    # kinds of connections (and of what else is waited for); as in actors.live.transport
    PUB = 0
    SUB = 1
    DEALER = 2
    ROUTER = 3
    DOOR = 4
    TIMER = 5

cdef enum:
    # flags of a frame
    MORE = 1
    LONG = 2
    COMMAND = 4

cdef enum:
    # what `next` and `shake` have found
    FRAME = 1
    READY = 2

cdef struct Buffer:
    char *at
    size_t start, end, cap

cdef class Peer:
    cdef readonly int fd
    cdef readonly int kind
    cdef int at  # its slot in the wires
    cdef bint greeted, ready, readable, broken, blocked, dirty
    cdef bint skips  # the message in hand goes on in frames that nobody wants
    cdef Buffer got, out
    cdef size_t lacks, out_max
    cdef long long heard_ns, asked_ns  # when it was last heard; since when an answer to a ping is owed, or 0
    cdef readonly bytes ident
    cdef readonly str name
    cdef list prefixes
    cdef object dial
    cdef Py_ssize_t receive(self) except -2
    cdef int next(self, const char **body, size_t *size, int *flags) noexcept
    cdef bint put(self, int flags, const char *data, size_t size) except -1
    cdef bint flush(self) noexcept
    cdef size_t pending(self) noexcept
    cdef int shake(self, size_t *size) except -2
    cdef bint introduced(self, const unsigned char *at, size_t size) except -1
    cdef bint wants(self, bytes data)
