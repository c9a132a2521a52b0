cdef class StreamIn:
    cdef public str topic
    cdef public str publisher
    cdef public long long epoch
    cdef public long long seq
    cdef public bint live
    cdef public list held

cdef class Inbox:
    cdef public dict prefixes
    cdef public dict streams
    cdef public dict unsynced
    cdef public long long lost
    cdef public long long duplicates
    cpdef bint accept(self, StreamIn stream, long long epoch, long long seq, bytes frame) except -1
    cpdef StreamIn stream(self, bytes topic)
    cpdef dict behind(self, list positions)
