"""Actors for tests of the clock."""

import json
import time
from pathlib import Path

from actors import Actor
from clockd import Clock
from protocol import Message, Settings, Tick

__all__ = ["Clock", "Feed", "Follower", "Sleeper"]

UPDATES = 1_000


class Update(Message):
    """The `n`-th update of a feed."""

    n: int


class Account(Message):
    """What a follower has seen when its turn came."""

    tick: int
    seen: int
    short: int


class Feed(Actor):
    """Tells UPDATES updates in each of its turns."""

    class Settings(Settings):
        updates: int = UPDATES

    n = 0

    def on_tick(self, tick: Tick) -> None:
        for _ in range(self.settings.updates):
            self.n += 1
            self.publish(f"md.{self.name}.X.update.", Update(self.n))


class Follower(Actor):
    """Counts the turns in which it had not seen every update of the turn that went before its own."""

    class Settings(Settings):
        feed: str = "feed"
        report: str = ""
        updates: int = UPDATES

    seen = short = turns = 0
    late: tuple[str, ...] = ()

    def on_start(self) -> None:
        self.subscribe(f"md.{self.settings.feed}.X.update.")

    def on_update(self, update: Update) -> None:
        self.seen = update.n

    def on_tick(self, tick: Tick) -> None:
        self.turns += 1
        # The feed tells whole batches: in the middle of one means that this turn overtook its data.
        if self.seen % self.settings.updates:
            self.short += 1
        self.late = tuple(sorted({*self.late, *tick.late}))
        self.publish(f"md.{self.name}.X.account.", Account(tick.n, self.seen, self.short))

    def on_stop(self) -> None:
        if self.settings.report:
            inbox, turns = self.runtime.inbox, self.runtime.turns
            counted = {
                "turns": self.turns, "short": self.short, "seen": self.seen, "lost": inbox.lost,
                "marks_missed": turns.marks_missed, "late": self.late, "trace": self.effects.outbox.trace,
            }  # fmt: skip
            Path(self.settings.report).write_text(json.dumps(counted))


class Sleeper(Actor):
    """Hangs in the turn in which it finds the file `cue` (and takes it away), or dies in it."""

    class Settings(Settings):
        cue: str = ""
        hang_ms: int = 0

    def on_tick(self, tick: Tick) -> None:
        cue = Path(self.settings.cue)
        if self.settings.cue and cue.exists():
            cue.unlink()
            if not self.settings.hang_ms:
                raise RuntimeError("this actor was told to die")
            time.sleep(self.settings.hang_ms / 1e3)


def step_the_wall_clock() -> None:
    """From now on the wall clock jumps by an hour, there and back, ten times a second."""
    wall_ns, start_ns = time.time_ns, time.monotonic_ns()

    def stepping_ns() -> int:
        hours = ((time.monotonic_ns() - start_ns) // 100_000_000) % 3 - 1
        return wall_ns() + hours * 3_600_000_000_000

    time.time_ns = stepping_ns
    time.time = lambda: stepping_ns() / 1e9
