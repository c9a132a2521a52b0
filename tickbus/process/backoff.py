"""Crash loops: the delay before a process starts again, from how quickly its last runs ended."""

import json
import time
from contextlib import suppress
from pathlib import Path

QUICK_S = 30.0  # a process run shorter than this ended quickly
FREE_RESTARTS = 2  # quick ends in a row that cause no delay
FIRST_WAIT_S = 0.5  # the first delay; each further quick end doubles it
LONGEST_WAIT_S = 30.0
LOOP_CRASHES = 3  # this many crashes within LOOP_S are reported as a crash loop
LOOP_S = 60.0
KEPT_STARTS = 50


class Backoff:
    """The recent starts of one process, kept in `<run folder>/NAME.starts`; a clean exit clears them.

    All times are seconds of CLOCK_BOOTTIME, which no step of the wall clock changes.
    """

    def __init__(self, run_dir: Path, name: str) -> None:
        self._path = run_dir / f"{name}.starts"
        self.recent = 0  # process runs that ended badly within LOOP_S

    def record_start(self, now_s: float | None = None) -> float:
        """Records a start; returns the seconds to wait before the process does its work."""
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME) if now_s is None else now_s
        starts, streak = self._read()
        starts = [one for one in starts if 0 <= now_s - one <= LOOP_S]
        self.recent = len(starts)
        streak = streak + 1 if starts and now_s - starts[-1] < QUICK_S else 0
        wait_s = 0.0
        if streak > FREE_RESTARTS:
            wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(streak - FREE_RESTARTS - 1, 16))
        self._write([*starts, now_s + wait_s], streak)
        return wait_s

    def clear(self) -> None:
        """Forgets all starts, after a clean exit: the next start is not delayed."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def is_troubled(self, now_s: float | None = None) -> bool:
        """Returns whether the process started less than QUICK_S ago, after a quick end."""
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME) if now_s is None else now_s
        starts, streak = self._read()
        return bool(streak and starts and -LONGEST_WAIT_S <= now_s - starts[-1] < QUICK_S)

    @property
    def is_loop(self) -> bool:
        """Whether the last `record_start` found a crash loop."""
        return self.recent >= LOOP_CRASHES

    def _read(self) -> tuple[list[float], int]:
        """Returns (starts, quick ends in a row); a missing or damaged file counts as no starts."""
        try:
            kept = json.loads(self._path.read_text())
            return [float(one) for one in kept["starts"]], int(kept["streak"])
        except (OSError, ValueError, KeyError, TypeError):
            return [], 0

    def _write(self, starts: list[float], streak: int) -> None:
        """Stores the starts. On a full disk they are not stored, and the process starts all the same."""
        fresh = self._path.with_name(self._path.name + ".new")
        with suppress(OSError):
            try:
                fresh.write_text(json.dumps({"starts": starts[-KEPT_STARTS:], "streak": streak}))
                fresh.rename(self._path)
            except OSError:
                fresh.unlink(missing_ok=True)
