"""Crash loops: the delay before a process starts again, from how quickly its last runs ended, and its last error."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

QUICK_S = 30.0  # a process run shorter than this ended quickly
FREE_RESTARTS = 2  # quick ends in a row that cause no delay
FIRST_WAIT_S = 0.5  # the first delay; each further quick end doubles it
LONGEST_WAIT_S = 30.0
LOOP_CRASHES = 3  # this many crashes within LOOP_S are reported as a crash loop
LOOP_S = 60.0
KEPT_STARTS = 50
ERROR_CHARS = 300  # of an error's text that are kept
NO_EXCEPTION = "it was killed, or ended without an exception"


class Crashes(NamedTuple):
    """The recent crashes of one process. `error`: how the last one ended; "" if there is none."""

    number: int  # within LOOP_S
    error: str

    @property
    def is_loop(self) -> bool:
        """Whether they are so many that the process is in a crash loop."""
        return self.number >= LOOP_CRASHES

    @property
    def text(self) -> str:
        """Returns the crashes in one line."""
        return f"{self.number} crashes in {LOOP_S:.0f} s, last: {self.error}"


class _Kept(NamedTuple):
    """The content of the file. `error`: how the run before the present one ended; `ended`: how the present one did."""

    starts: list[float]
    streak: int
    error: str
    ended: str
    rested: bool


EMPTY = _Kept([], 0, "", "", False)


class Backoff:
    """The recent starts of one process, kept in `<run folder>/NAME.starts`; a clean exit clears them.

    All times are seconds of CLOCK_BOOTTIME, which no step of the wall clock changes.
    """

    def __init__(self, run_dir: Path, name: str) -> None:
        self._path = run_dir / f"{name}.starts"

    def record_start(self, now_s: float | None = None) -> float:
        """Records a start; returns the seconds to wait before the process does its work, from which its run counts."""
        now_s = _now_s() if now_s is None else now_s
        kept = self._read()
        starts = [one for one in kept.starts if one - LONGEST_WAIT_S <= now_s <= one + LOOP_S]
        if kept.rested:  # it has spent its delay in a process run of its own
            self._write(_Kept([*starts[:-1], now_s], kept.streak, kept.error, "", False))
            return 0.0
        is_quick = bool(starts) and now_s - starts[-1] < QUICK_S
        streak = kept.streak + 1 if is_quick else 0
        wait_s = 0.0
        if streak > FREE_RESTARTS:
            wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(streak - FREE_RESTARTS - 1, 16))
        error = (kept.ended or NO_EXCEPTION) if starts else ""
        self._write(_Kept([*starts, now_s + wait_s], streak, error, "", False))
        return wait_s

    def ended_in_delay(self, now_s: float | None = None) -> bool:
        """Returns whether the last process run ended before its delay was over: its safe work, if any, fails too."""
        now_s = _now_s() if now_s is None else now_s
        kept = self._read()
        return not kept.rested and bool(kept.starts) and now_s < kept.starts[-1] <= now_s + LONGEST_WAIT_S

    def record_error(self, text: str) -> None:
        """The process run ends by this error."""
        self._write(self._read()._replace(ended=text[:ERROR_CHARS]))

    def record_rest(self) -> None:
        """This process run was the delay of the next one, which starts at once."""
        self._write(self._read()._replace(rested=True))

    def clear(self) -> None:
        """Forgets all starts, after a clean exit: the next start is not delayed."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def crashes(self, now_s: float | None = None) -> Crashes:
        """Returns the crashes of the last minute; a run that goes on is none."""
        now_s = _now_s() if now_s is None else now_s
        kept = self._read()
        recent = sum(1 for one in kept.starts[:-1] if now_s - one <= LOOP_S)
        error = kept.ended or kept.error
        return Crashes(recent + bool(kept.ended), error) if recent or kept.ended else Crashes(0, "")

    def is_troubled(self, now_s: float | None = None) -> bool:
        """Returns whether the process started less than QUICK_S ago, after a quick end."""
        now_s = _now_s() if now_s is None else now_s
        kept = self._read()
        return bool(kept.streak and kept.starts and -LONGEST_WAIT_S <= now_s - kept.starts[-1] < QUICK_S)

    def _read(self) -> _Kept:
        """Returns the content of the file; a missing or damaged file counts as no starts."""
        try:
            kept = json.loads(self._path.read_text())
            starts = [float(one) for one in kept["starts"]]
            error, ended = str(kept.get("error", "")), str(kept.get("ended", ""))
            return _Kept(starts, int(kept["streak"]), error, ended, bool(kept.get("rested")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return EMPTY

    def _write(self, kept: _Kept) -> None:
        """Stores the starts. On a full disk they are not stored, and the process starts all the same."""
        fresh = self._path.with_name(self._path.name + ".new")
        with suppress(OSError):
            try:
                fresh.write_text(json.dumps(kept._replace(starts=kept.starts[-KEPT_STARTS:])._asdict()))
                fresh.rename(self._path)
            except OSError:
                fresh.unlink(missing_ok=True)


def _now_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
