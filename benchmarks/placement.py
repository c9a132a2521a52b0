"""Cores: which there are, and starting a process on one of them. Placement weighs more than language here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.result import NotMeasured


def cores() -> list[int]:
    """The cores this process may use, in order."""
    return sorted(os.sched_getaffinity(0))


def one_core() -> int:
    """The core on which all of a sequential chain runs."""
    return cores()[0]


def two_cores() -> tuple[int, int]:
    """Two different cores. Raises NotMeasured on a machine that has one."""
    available = cores()
    if len(available) < 2:
        raise NotMeasured("needs two cores")
    return available[0], available[1]


@contextmanager
def on_cores(*wanted: int) -> Iterator[None]:
    """What is started inside inherits these cores, threads too; afterwards this one has its own back."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
