"""SuspendClock: how long the machine was suspended, which the monotonic clock does not count."""

import time
from collections.abc import Callable


def _boot_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class SuspendClock:
    """Call it for the total time in ns that the machine was suspended since this object was made.

    CLOCK_BOOTTIME goes on during a suspension, CLOCK_MONOTONIC does not.
    """

    def __init__(self, boot_ns: Callable[[], int] = _boot_ns, mono_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._boot_ns = boot_ns
        self._mono_ns = mono_ns
        self._begun_ns = boot_ns() - mono_ns()

    def __call__(self) -> int:
        return self._boot_ns() - self._mono_ns() - self._begun_ns
