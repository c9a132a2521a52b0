cdef enum:
    # what a descriptor that is waited for belongs to, in the order in which it is read; as in actors.live.transport
    PUB = 0
    SUB = 1
    DEALER = 2
    ROUTER = 3
    LISTENER = 4
    TIMER = 5
    KINDS = 6

cdef enum:
    MAX_SLOTS = 1024  # sockets and connections of one actor
    MAX_EVENTS = 64  # of one wait; more come with the next
    NO_SLOT = -2

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        unsigned int u32
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int EPOLLIN, EPOLLOUT
    unsigned int EPOLLET

cdef long long monotonic_ns() noexcept

cdef class Poller:
    cdef readonly int fd
    cdef int _timer_fd
    cdef long long _armed_ns
    cdef list _vacant
    cdef list slots  # what each slot's descriptor belongs to; None: vacant, or the timer (slot 0)
    cdef char _flagged[MAX_SLOTS]
    cdef int _ready[KINDS][MAX_SLOTS]
    cdef int _count[KINDS]
    cdef int add(self, object owner, int fd, unsigned int events) except -1
    cdef void change(self, int slot, int fd, unsigned int events) noexcept
    cdef remove(self, int slot)
    cdef void flag(self, int slot, int kind) noexcept
    cdef bint unflag(self, int slot) noexcept
    cdef int drain_flagged(self, int kind, int *slots) noexcept
    cdef bint has_flagged(self) noexcept
    cdef int wait(self, epoll_event *events, long long timeout_ns) except -2
    cdef void arm(self, long long at_ns) noexcept
    cdef bint timer_rang(self) noexcept
