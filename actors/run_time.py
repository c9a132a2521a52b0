"""The time of a run: monotonic, in UTC nanoseconds, and the same for every process of it."""

import contextlib
import json
import os
import time
from pathlib import Path

FILE = "run.time"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RunTime:
    """`anchor_ns` + CLOCK_MONOTONIC is UTC as it was when the run's first process of this boot asked.

    All processes share it, so a step of the wall clock moves no deadline and no tick; exchanges' clocks are followed
    by measured offsets (connectors). `born_ns`: when the run began, from which ticks are counted.
    """

    def __init__(self, folder: Path) -> None:
        self.anchor_ns, self.born_ns = _read_or_make(folder / FILE)

    def now_ns(self) -> int:
        return time.monotonic_ns() + self.anchor_ns


def _boot() -> str:
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""


def _read_or_make(path: Path) -> tuple[int, int]:
    born_ns = 0
    for _ in range(100):  # bounded: each turn either reads a whole file or loses a race to somebody who made one
        with contextlib.suppress(FileNotFoundError):
            kept = json.loads(path.read_text())
            born_ns = kept["born_ns"]
            if kept["boot"] == _boot():
                return kept["anchor_ns"], born_ns
            path.unlink(missing_ok=True)
        now_ns = time.time_ns()
        anchor_ns = now_ns - time.monotonic_ns()
        kept = {"boot": _boot(), "anchor_ns": anchor_ns, "born_ns": born_ns or now_ns}
        fresh = path.with_name(f"{FILE}.{os.getpid()}")
        fresh.write_text(json.dumps(kept))
        try:
            os.link(fresh, path)
        except FileExistsError:
            continue
        finally:
            fresh.unlink()
    raise RuntimeError(f"{path} keeps changing")
