"""Checks of this machine: open files, loopback, clock, disk, memory."""

import resource
import shutil
import socket
import time
from pathlib import Path
from typing import NamedTuple

from tickbus.doctor.check import BAD, OK, WARN, Check

MIN_FILES = 256  # open files: a few for each actor, and a reserve for cancelling orders
GOOD_FILES = 1024
MIN_DISK_BYTES = 256 * 1024 * 1024
GOOD_MEMORY_BYTES = 512 * 1024 * 1024  # scrypt needs 128 MiB while a key file is opened
MAX_CLOCK_ERROR_S = 365 * 86_400
UNKNOWN_MEMORY_BYTES = 1 << 40
MEMINFO = Path("/proc/meminfo")


class Facts(NamedTuple):
    """What is known of the machine. `installed_s`: when this installation was made (Unix time)."""

    open_files: int
    open_files_max: int
    disk_free_bytes: int
    memory_free_bytes: int
    now_s: float
    installed_s: float
    clock_read_us: float


def read_facts() -> Facts:
    """Returns the facts of this machine; the disk is that of the current folder."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Facts(
        open_files=soft,
        open_files_max=hard,
        disk_free_bytes=shutil.disk_usage(Path.cwd()).free,
        memory_free_bytes=_memory_free_bytes(),
        now_s=time.time(),
        installed_s=Path(__file__).stat().st_mtime,
        clock_read_us=min(_clock_read_us() for _ in range(5)),
    )


def machine(facts: Facts) -> list[Check]:
    """Returns all checks of the machine."""
    return [open_files(facts), loopback(), clock(facts), disk(facts), memory(facts)]


def open_files(facts: Facts) -> Check:
    """The limit of open files is high enough."""
    limit = facts.open_files
    if limit < MIN_FILES:
        return Check(BAD, "open files", f"limit {limit}: raise it (ulimit -n {GOOD_FILES})")
    if limit < GOOD_FILES:
        return Check(WARN, "open files", f"limit {limit}: enough for a small bot (ulimit -n {GOOD_FILES} raises it)")
    return Check(OK, "open files", f"limit {limit} (maximum {facts.open_files_max})")


def loopback() -> Check:
    """A port can be bound on 127.0.0.1, where the local exchange listens."""
    try:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
    except OSError as error:
        return Check(BAD, "loopback", f"no port can be bound on 127.0.0.1: {error}")
    return Check(OK, "loopback", f"ports can be bound (127.0.0.1:{port})")


def clock(facts: Facts) -> Check:
    """The clock is not set to a time long before this installation was made."""
    text = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(facts.now_s))} UTC"
    if facts.installed_s - facts.now_s > MAX_CLOCK_ERROR_S:
        return Check(BAD, "clock", f"{text} is before this installation was made: exchanges reject it (set up NTP)")
    return Check(OK, "clock", f"{text}, one reading takes {facts.clock_read_us:.2f} us")


def disk(facts: Facts) -> Check:
    """The current folder has room for journals and logs."""
    text = f"{facts.disk_free_bytes / 1e9:.1f} GB free in {Path.cwd()}"
    if facts.disk_free_bytes < MIN_DISK_BYTES:
        return Check(BAD, "disk", f"{text}: without space for its journal, a connector accepts no new orders")
    return Check(OK, "disk", text)


def memory(facts: Facts) -> Check:
    """There is memory for a default bot, and for opening a key file."""
    text = f"{facts.memory_free_bytes / 1e9:.1f} GB available"
    if facts.memory_free_bytes < GOOD_MEMORY_BYTES:
        return Check(WARN, "memory", f"{text}: close other programs, or expect slow starts")
    return Check(OK, "memory", text)


def _memory_free_bytes() -> int:
    if MEMINFO.exists():
        for line in MEMINFO.read_text().splitlines():
            name, _, rest = line.partition(":")
            if name == "MemAvailable":
                return int(rest.split()[0]) * 1024
    return UNKNOWN_MEMORY_BYTES


def _clock_read_us() -> float:
    begun = time.monotonic_ns()
    for _ in range(1000):
        time.monotonic_ns()
    return (time.monotonic_ns() - begun) / 1e6
