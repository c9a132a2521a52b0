"""The time of a run: monotonic, in UTC nanoseconds, and the same for every process of it."""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

FILE = "run.time"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RunTime:
    """`anchor_ns` + CLOCK_MONOTONIC is UTC as it was when the first process of the run since the last boot started.

    All processes share it, so a step of the wall clock moves no deadline and no tick; connectors measure the offsets
    of exchanges' clocks. `started_ns`: the start of the run, from which ticks are counted.
    """

    def __init__(self, folder: Path) -> None:
        self.anchor_ns, self.started_ns = _read_or_make(folder / FILE)

    def now_ns(self) -> int:
        return time.monotonic_ns() + self.anchor_ns


def _boot() -> str:
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""


def _read_or_make(path: Path) -> tuple[int, int]:
    kept = _read(path)
    if kept is None or kept["boot"] != _boot():
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # of several processes that start at once, one makes it
            kept = _read(path)
            if kept is None or kept["boot"] != _boot():
                kept = _make(path, kept["born_ns"] if kept else 0)
        finally:
            os.close(folder)
    return kept["anchor_ns"], kept["born_ns"]


def _read(path: Path) -> dict[str, Any] | None:
    """None if the file is missing, or incomplete after a power cut."""
    try:
        kept = json.loads(path.read_text())
        return {"boot": str(kept["boot"]), "anchor_ns": int(kept["anchor_ns"]), "born_ns": int(kept["born_ns"])}
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def _make(path: Path, born_ns: int) -> dict[str, Any]:
    now_ns = time.time_ns()
    kept = {"boot": _boot(), "anchor_ns": now_ns - time.monotonic_ns(), "born_ns": born_ns or now_ns}
    fresh = path.with_name(f"{FILE}.new")
    try:
        fresh.write_text(json.dumps(kept))
        fresh.replace(path)
    except OSError:  # a full disk: the file of an earlier boot has room for the same numbers
        fresh.unlink(missing_ok=True)
        with path.open("r+") as old:
            old.write(json.dumps(kept))
            old.truncate()
    return kept
