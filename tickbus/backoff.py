"""Crash loops: how long a process waits at its start, by how quickly its earlier lives ended."""

import json
import time
from pathlib import Path

QUICK_S = 30.0  # a life shorter than this was a quick one
FREE_RESTARTS = 2  # quick ends that cost nothing: a kill, and one more
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
LOOP_CRASHES = 3  # so many within LOOP_S are told as a crash loop
LOOP_S = 60.0


class Backoff:
    """The lives of one actor, in `<run dir>/NAME.lives`; a clean end clears them."""

    def __init__(self, run_dir: Path, name: str) -> None:
        self._path = run_dir / f"{name}.lives"
        self.recent = 0  # lives that ended badly within LOOP_S

    def begin(self, now_s: float | None = None) -> float:
        """Note the start of a life; the seconds to wait before it. `now_s` is CLOCK_BOOTTIME."""
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

    def end(self) -> None:
        """A clean end: the next life starts at once."""
        self._path.unlink(missing_ok=True)

    def is_troubled(self, now_s: float | None = None) -> bool:
        """Whether its latest life follows on a quick end, and is young itself."""
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME) if now_s is None else now_s
        starts, streak = self._read()
        return bool(streak and starts and -LONGEST_WAIT_S <= now_s - starts[-1] < QUICK_S)

    @property
    def is_loop(self) -> bool:
        return self.recent >= LOOP_CRASHES

    def _read(self) -> tuple[list[float], int]:
        try:
            kept = json.loads(self._path.read_text())
            return [float(one) for one in kept["starts"]], int(kept["streak"])
        except (OSError, ValueError, KeyError, TypeError):
            return [], 0

    def _write(self, starts: list[float], streak: int) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(json.dumps({"starts": starts[-50:], "streak": streak}))
        fresh.rename(self._path)
