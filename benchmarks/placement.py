"""The cores of this machine, and starting a process on one of them. Placement changes a result more than language."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.result import NotMeasured


def cores() -> list[int]:
    """Returns the cores that this process may use, in order."""
    return sorted(os.sched_getaffinity(0))


def one_core() -> int:
    """Returns the core for all processes of a sequential chain."""
    return cores()[0]


def two_cores() -> tuple[int, int]:
    """Returns two different cores. Raises NotMeasured on a machine that has one."""
    available = cores()
    if len(available) < 2:
        raise NotMeasured("needs two cores")
    return available[0], available[1]


@contextmanager
def on_cores(*wanted: int) -> Iterator[None]:
    """Processes and threads that are started inside run on these cores; afterwards this process has its own again."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
