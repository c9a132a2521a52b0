"""Which implementation of the bus a process uses: by the run file's `bus`, and by what is compiled."""

import os

from actors.live.transport import Transport

LIBZMQ = "ipc-libzmq"  # a run file's `bus`: the same sockets, by libzmq

FAST: type[Transport] | None = None
try:
    if os.environ.get("TICKBUS_PLAIN") == "1":  # compiled modules call each other directly: all of them, or none
        raise ImportError("TICKBUS_PLAIN is 1")
    from actors.live import _transport

    FAST = _transport.FastTransport
except ImportError:
    pass

IMPLEMENTATION = "libzmq" if FAST is None else "cython"  # where a run file does not choose


def transport_class(bus: str = "ipc") -> type[Transport]:
    """The compiled implementation where there is one, unless `bus` is LIBZMQ; else libzmq."""
    if FAST is not None and bus != LIBZMQ:
        return FAST
    from actors.live.transport_zmq import ZmqTransport  # pyzmq: memory that a process on the other does without

    return ZmqTransport
