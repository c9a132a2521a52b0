# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Poller: one epoll with a timer, and the list of the descriptors that have something to read."""

from libc.string cimport memcpy
from libc.stdint cimport uint64_t

cdef extern from "<sys/epoll.h>" nogil:
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_MOD
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

cdef long long FAR_NS = 1 << 62


cdef long long monotonic_ns() noexcept:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <long long>now.tv_sec * 1_000_000_000 + now.tv_nsec


cdef class Poller:
    """`fd` is the epoll: readable when a `wait` would find an event. Raises OSError if no descriptor is left."""

    def __cinit__(self):
        self.slots, self._vacant = [], []
        self._armed_ns = FAR_NS
        self.fd = epoll_create1(EPOLL_CLOEXEC)
        self._timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
        if self.fd < 0 or self._timer_fd < 0:
            raise OSError("no descriptor left for an epoll and a timer: raise `ulimit -n`")
        self.add(None, self._timer_fd, EPOLLIN)

    def __dealloc__(self):
        for fd in (self.fd, self._timer_fd):
            if fd > 0:
                close(fd)

    cdef int add(self, object owner, int fd, unsigned int events) except -1:
        """Wait for `events` of `fd` too; its slot, or NO_SLOT if all are taken."""
        cdef epoll_event event
        cdef int slot
        if self._vacant:
            slot = self._vacant.pop()
        elif len(self.slots) < MAX_SLOTS:
            slot = len(self.slots)
            self.slots.append(None)
        else:
            return NO_SLOT
        event.events, event.data.u32 = events, slot
        if epoll_ctl(self.fd, EPOLL_CTL_ADD, fd, &event) < 0:
            self._vacant.append(slot)
            return NO_SLOT
        self.slots[slot] = owner
        return slot

    cdef void change(self, int slot, int fd, unsigned int events) noexcept:
        cdef epoll_event event
        event.events, event.data.u32 = events, slot
        epoll_ctl(self.fd, EPOLL_CTL_MOD, fd, &event)

    cdef remove(self, int slot):
        """Free a slot. Its descriptor leaves the epoll when it is closed.

        The slot may stay flagged: a flag is one entry in one list, so no list can overflow.
        """
        self.slots[slot] = None
        self._vacant.append(slot)

    # -- what has something to read -----------------------------------------------------------------------

    cdef void flag(self, int slot, int kind) noexcept:
        if not self._flagged[slot]:
            self._flagged[slot] = 1
            self._ready[kind][self._count[kind]] = slot
            self._count[kind] += 1

    cdef bint unflag(self, int slot) noexcept:
        """Whether it was flagged."""
        cdef bint was_flagged = self._flagged[slot]
        self._flagged[slot] = 0
        return was_flagged

    cdef int drain_flagged(self, int kind, int *slots) noexcept:
        """Copies the flagged slots of a kind into `slots` and forgets the list; how many there are."""
        cdef int count = self._count[kind]
        self._count[kind] = 0
        memcpy(slots, self._ready[kind], count * sizeof(int))
        return count

    cdef bint has_flagged(self) noexcept:
        cdef int kind
        for kind in range(KINDS):
            if self._count[kind]:
                return True
        return False

    # -- waiting ------------------------------------------------------------------------------------------

    cdef int wait(self, epoll_event *events, long long timeout_ns) except -2:
        """At most MAX_EVENTS events; how many came. Runs the handlers of signals that arrived before or meanwhile."""
        cdef int count
        PyErr_CheckSignals()
        with nogil:
            count = tb_epoll(self.fd, events, MAX_EVENTS, timeout_ns)
        if count < 0:
            PyErr_CheckSignals()
        return count

    cdef void arm(self, long long at_ns) noexcept:
        """Let the timer ring at `at_ns`, or earlier if it is armed for earlier."""
        cdef itimerspec to
        if at_ns < self._armed_ns:
            self._armed_ns = at_ns
            to.it_interval.tv_sec = to.it_interval.tv_nsec = 0
            to.it_value.tv_sec, to.it_value.tv_nsec = at_ns // 1_000_000_000, at_ns % 1_000_000_000
            timerfd_settime(self._timer_fd, TFD_TIMER_ABSTIME, &to, NULL)

    cdef bint timer_rang(self) noexcept:
        """Whether it rang since the last call; then it has to be armed again."""
        cdef uint64_t count
        if read(self._timer_fd, &count, sizeof(count)) <= 0:
            return False
        self._armed_ns = FAR_NS
        return True
