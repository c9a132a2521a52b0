# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The Cython implementation of protocol.frame's plain functions: it reads and writes the header in place."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

from protocol.errors import BadMessage

cdef uint64_t MAX_SEQ = (1 << 63) - 1

cdef enum:
    HEADER_BYTES = 20
    MAX_TOPIC_BYTES = 250


cpdef bytes join(bytes prefix, uint32_t epoch, uint64_t seq, int64_t ts_ns, bytes body):
    """prefix, header, body."""
    cdef Py_ssize_t head = PyBytes_GET_SIZE(prefix), tail = PyBytes_GET_SIZE(body)
    cdef bytes data = PyBytes_FromStringAndSize(NULL, head + HEADER_BYTES + tail)
    cdef char *at = PyBytes_AS_STRING(data)
    memcpy(at, PyBytes_AS_STRING(prefix), head)
    at += head
    memcpy(at, &epoch, 4)
    memcpy(at + 4, &seq, 8)
    memcpy(at + 12, &ts_ns, 8)
    memcpy(at + HEADER_BYTES, PyBytes_AS_STRING(body), tail)
    return data


cpdef tuple split(bytes frame):
    """(topic, epoch, seq, ts_ns, offset of the body). Raises BadMessage for an invalid frame."""
    cdef char *start = PyBytes_AS_STRING(frame)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(frame), length
    cdef char *end = <char *>memchr(start, 1, size if size < MAX_TOPIC_BYTES else MAX_TOPIC_BYTES)
    cdef uint32_t epoch
    cdef uint64_t seq
    cdef int64_t ts_ns
    length = end - start
    if end == NULL or length == 0 or size <= length + 1 + HEADER_BYTES:
        raise BadMessage(f"{size} bytes are not a frame (or have a newer header version)")
    memcpy(&epoch, end + 1, 4)
    memcpy(&seq, end + 5, 8)
    memcpy(&ts_ns, end + 13, 8)
    if seq > MAX_SEQ:
        raise BadMessage(f"seq {seq} is above the maximum {MAX_SEQ}")
    return PyBytes_FromStringAndSize(start, length), epoch, seq, ts_ns, length + 1 + HEADER_BYTES

