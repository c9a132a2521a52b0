# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The Cython implementation of actors.stages.PlainStages: one clock_gettime and one increment for each lap."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec *at)
    int CLOCK_MONOTONIC

cdef extern from *:
    int __builtin_clzll(uint64_t) nogil

cdef enum:
    FINE = 3
    BUCKETS = 64 << FINE


cdef inline int bucket(int64_t ns) noexcept nogil:
    cdef int high
    if ns < (1 << FINE):
        return 0 if ns < 0 else <int>ns
    high = 63 - __builtin_clzll(<uint64_t>ns)
    return ((high - FINE + 1) << FINE) | <int>((ns >> (high - FINE)) & ((1 << FINE) - 1))


cdef class FastStages:
    """See PlainStages."""

    cdef uint32_t *counts
    cdef int64_t at_ns, anchor_ns, begun_ns
    cdef int stages
    cdef readonly tuple names

    def __cinit__(self, tuple names, int64_t anchor_ns):
        self.anchor_ns = anchor_ns
        self.names = names
        self.stages = len(names)
        self.counts = <uint32_t *>calloc(self.stages * BUCKETS, sizeof(uint32_t))
        if not self.counts:
            raise MemoryError

    def __dealloc__(self):
        free(self.counts)

    def begin(self, int64_t now_ns):
        self.begun_ns = now_ns
        self.at_ns = now_ns - self.anchor_ns

    def ensure(self, int64_t now_ns):
        if self.begun_ns != now_ns:
            self.begun_ns = now_ns
            self.at_ns = now_ns - self.anchor_ns

    def lap(self, int stage):
        cdef timespec now
        cdef int64_t now_ns
        clock_gettime(CLOCK_MONOTONIC, &now)
        now_ns = <int64_t>now.tv_sec * 1000000000 + now.tv_nsec
        self.counts[stage * BUCKETS + bucket(now_ns - self.at_ns)] += 1
        self.at_ns = now_ns

    def record(self, int stage, int64_t ns):
        self.counts[stage * BUCKETS + bucket(ns)] += 1

    def drain(self):
        cdef int stage, at
        found = []
        for stage in range(self.stages):
            row = self.counts + stage * BUCKETS
            found.append({at: row[at] for at in range(BUCKETS) if row[at]})
        memset(self.counts, 0, self.stages * BUCKETS * sizeof(uint32_t))
        return found
