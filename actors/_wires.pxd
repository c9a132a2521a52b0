from actors.runtime cimport Runtime

ctypedef int (*f_msg)(void *) noexcept nogil
ctypedef void *(*f_data)(void *) noexcept nogil
ctypedef size_t (*f_size)(void *) noexcept nogil
ctypedef int (*f_recv)(void *, void *, int) noexcept nogil
ctypedef int (*f_send)(void *, const void *, size_t, int) noexcept nogil
ctypedef int (*f_getopt)(void *, int, void *, size_t *) noexcept nogil

cdef class Wires:
    cdef f_msg msg_init, msg_close, msg_more
    cdef f_data msg_data
    cdef f_size msg_size
    cdef f_recv msg_recv
    cdef f_send zmq_send
    cdef f_getopt zmq_getopt
    cdef void **handles
    cdef char *ready
    cdef char *sent
    cdef int *kinds
    cdef int count
    cdef int epoll
    cdef list sockets
    cdef list names
    cdef public dict dealers  # name -> number
    cdef public object open_dealer
    cdef dict peers  # routing id -> name
    cdef dict ids  # and back
    cdef Runtime runtime
    cdef object sink
    cpdef bint send(self, int at, bytes data) except -1
    cpdef bint drain(self) except -1
    cpdef bint settled(self) noexcept
    cpdef bint wait(self, long long timeout_ns) except -1
    cpdef long long now_ns(self) noexcept
    cdef bint drain_one(self, int at, int kind) except -1
    cdef str name_of(self, bytes peer)
    cdef frame(self, bytes data)
    cdef answer(self, str target, bytes data)
    cdef command(self, str peer, bytes data)
    cdef bytes receive(self, int at, bint *more)
    cdef bint pending(self)
