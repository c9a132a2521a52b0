# cython: language_level=3
from market._queues cimport Queues

cdef class FastRestingOrders:
    cdef Queues queues
    cdef object __weakref__
