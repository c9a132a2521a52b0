"""Actors that tests run in processes of their own (see actor_process.py) or in the sim driver."""

import json
import time
from pathlib import Path

from actors import Actor
from clockd import Clock
from protocol import Message, Settings, Tick
from protocol.message import Command

__all__ = ["BatchFollower", "BatchPublisher", "BurstClient", "Clock", "Sleeper", "SumFollower", "SumPublisher"]

TOPIC = "md.publisher.X.change."
MS_NS = 1_000_000
UPDATES = 1_000


# -- a stream with a state: a sum of changes ------------------------------------------------------------


class Change(Message):
    """One change: a follower that applies all of them in order has the publisher's sum."""

    value: int
    ballast: bytes = b""


class Sum(Message):
    """The sum of all changes up to here: the stream's snapshot."""

    total: int


class Copy(Message):
    """The follower's sum, the position that it belongs to, and what the follower has counted."""

    total: int
    epoch: int
    seq: int
    lost: int
    sums: int
    stale: int
    is_live: bool
    breaks: int  # changes that did not follow the one before them


class Burst(Command):
    """Publish `steps` changes at once."""

    steps: int
    ballast_bytes: int


def applied(total: int, value: int) -> int:
    """The next sum. It depends on the order and on every single change."""
    return (total * 31 + value) % (2**61 - 1)


class SumPublisher(Actor):
    """Publishes a change every few milliseconds; its sum is its snapshot."""

    ticks = False

    class Settings(Settings):
        """Of the publisher."""

        every_ms: int = 5

    changes = 0

    def on_start(self) -> None:
        self.total = self.epoch
        self.publish(TOPIC, Sum(self.total))
        self.after(self.settings.every_ms * MS_NS, self._publish)

    def _publish(self) -> None:
        self.after(self.settings.every_ms * MS_NS, self._publish)
        self.step(b"")

    def step(self, ballast: bytes) -> None:
        self.changes += 1
        self.total = applied(self.total, self.changes)
        self.publish(TOPIC, Change(self.changes, ballast))

    def on_burst(self, burst: Burst) -> None:
        for _ in range(burst.steps):
            self.step(bytes(burst.ballast_bytes))

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        return Sum(self.total) if topic == TOPIC else None


class SumFollower(Actor):
    """Keeps the publisher's sum, and publishes a Copy every 50 ms."""

    ticks = False
    total = at_epoch = seq = sums = stale = breaks = 0
    is_live = False

    def on_start(self) -> None:
        self.subscribe("md.publisher.X.")
        self._publish()

    def on_change(self, change: Change) -> None:
        self.breaks += (self.envelope.epoch, self.envelope.seq) != (self.at_epoch, self.seq + 1)
        self.total = applied(self.total, change.value)
        self._note_position()

    def on_sum(self, state: Sum) -> None:
        self.total = state.total
        self.sums += 1
        self._note_position()

    def _note_position(self) -> None:
        self.at_epoch, self.seq = self.envelope.epoch, self.envelope.seq

    def on_stale(self, topic: str) -> None:
        self.stale += 1
        self.is_live = False

    def on_live(self, topic: str) -> None:
        self.is_live = True

    def _publish(self) -> None:
        self.after(50 * MS_NS, self._publish)
        lost = self.runtime.inbox.lost
        copy = Copy(self.total, self.at_epoch, self.seq, lost, self.sums, self.stale, self.is_live, self.breaks)
        self.publish(f"md.{self.name}.X.copy.", copy)


class BurstClient(Actor):
    """Sends the publisher one command every 20 ms, and writes the code of each answer to a file when it stops."""

    ticks = False

    class Settings(Settings):
        """Of the client."""

        report: str

    def on_start(self) -> None:
        self.codes: list[int] = []
        self._request()

    def _request(self) -> None:
        self.after(20 * MS_NS, self._request)
        command = Burst(self.new_id(), self.now_ns + 400 * MS_NS, 0, 0)
        self.send("publisher", command, lambda answer: self.codes.append(int(answer.code)))

    def on_stop(self) -> None:
        Path(self.settings.report).write_text(json.dumps(self.codes))


# -- actors in the clock's order ------------------------------------------------------------------------


class Update(Message):
    """The `n`-th update of a publisher."""

    n: int


class Account(Message):
    """What a follower has received when its turn begins."""

    tick: int
    seen: int
    short: int


class BatchPublisher(Actor):
    """Publishes `updates` updates in each of its turns."""

    class Settings(Settings):
        """Of the publisher."""

        updates: int = UPDATES

    n = 0

    def on_tick(self, tick: Tick) -> None:
        for _ in range(self.settings.updates):
            self.n += 1
            self.publish(f"md.{self.name}.X.update.", Update(self.n))


class BatchFollower(Actor):
    """Counts its turns that began in the middle of a batch: before all updates of an earlier turn had arrived."""

    class Settings(Settings):
        """Of the follower."""

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
        if self.seen % self.settings.updates:
            self.short += 1
        self.late = tuple(sorted({*self.late, *tick.late}))
        self.publish(f"md.{self.name}.X.account.", Account(tick.n, self.seen, self.short))

    def on_stop(self) -> None:
        if self.settings.report:
            inbox, turns = self.runtime.inbox, self.runtime.turns
            counted = {
                "turns": self.turns, "short": self.short, "seen": self.seen, "lost": inbox.lost,
                "positions_missed": turns.positions_missed, "late": self.late, "trace": self.effects.outbox.trace,
            }  # fmt: skip
            Path(self.settings.report).write_text(json.dumps(counted))


class Sleeper(Actor):
    """Sleeps or dies in the turn in which it finds the file `cue`, and removes the file."""

    class Settings(Settings):
        """`hang_ms`: how long it sleeps; 0: it dies."""

        cue: str = ""
        hang_ms: int = 0

    def on_tick(self, tick: Tick) -> None:
        cue = Path(self.settings.cue)
        if self.settings.cue and cue.exists():
            cue.unlink()
            if not self.settings.hang_ms:
                raise RuntimeError("this actor dies on purpose")
            time.sleep(self.settings.hang_ms / 1e3)


def step_the_wall_clock() -> None:
    """From now on the wall clock jumps by an hour, forwards and back, ten times a second."""
    wall_ns, start_ns = time.time_ns, time.monotonic_ns()

    def stepping_ns() -> int:
        hours = ((time.monotonic_ns() - start_ns) // 100_000_000) % 3 - 1
        return wall_ns() + hours * 3_600_000_000_000

    time.time_ns = stepping_ns
    time.time = lambda: stepping_ns() / 1e9
