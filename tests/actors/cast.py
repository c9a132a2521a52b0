"""Actors for tests of the live driver: a teller with a state, and a follower that keeps a copy of it."""

import json
from pathlib import Path

from actors import Actor
from protocol import Message, Settings
from protocol.message import Command

TOPIC = "md.teller.X.change."
MS_NS = 1_000_000


class Change(Message):
    """One change: whoever applies all of them in order has the teller's sum."""

    value: int
    ballast: bytes = b""


class Sum(Message):
    """All that the changes so far amount to."""

    total: int


class Copy(Message):
    """What the follower has: the sum, where it stands, and what it went through."""

    total: int
    epoch: int
    seq: int
    lost: int
    wholes: int
    stale: int
    is_live: bool
    breaks: int  # changes that did not follow the one before them


class Burst(Command):
    """Tell so many changes at once."""

    steps: int
    ballast_bytes: int


def applied(total: int, value: int) -> int:
    """Order matters, and so does every single change."""
    return (total * 31 + value) % (2**61 - 1)


class Teller(Actor):
    """Tells a change every few ms; its sum so far is its snapshot."""

    ticks = False

    class Settings(Settings):
        every_ms: int = 5

    told = 0

    def on_start(self) -> None:
        self.total = self.epoch
        self.publish(TOPIC, Sum(self.total))
        self.after(self.settings.every_ms * MS_NS, self._tell)

    def _tell(self) -> None:
        self.after(self.settings.every_ms * MS_NS, self._tell)
        self.step(b"")

    def step(self, ballast: bytes) -> None:
        self.told += 1
        self.total = applied(self.total, self.told)
        self.publish(TOPIC, Change(self.told, ballast))

    def on_burst(self, burst: Burst) -> None:
        for _ in range(burst.steps):
            self.step(bytes(burst.ballast_bytes))

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        return Sum(self.total) if topic == TOPIC else None


class Follower(Actor):
    """Keeps the teller's sum, and says every 50 ms what it has."""

    ticks = False
    total = epoch = seq = wholes = stale = breaks = 0
    is_live = False

    def on_start(self) -> None:
        self.subscribe("md.teller.X.")
        self._say()

    def on_change(self, change: Change) -> None:
        self.breaks += (self.envelope.epoch, self.envelope.seq) != (self.epoch, self.seq + 1)
        self.total = applied(self.total, change.value)
        self._stand()

    def on_sum(self, told: Sum) -> None:
        self.total = told.total
        self.wholes += 1
        self._stand()

    def _stand(self) -> None:
        self.epoch, self.seq = self.envelope.epoch, self.envelope.seq

    def on_stale(self, topic: str) -> None:
        self.stale += 1
        self.is_live = False

    def on_live(self, topic: str) -> None:
        self.is_live = True

    def _say(self) -> None:
        self.after(50 * MS_NS, self._say)
        lost = self.runtime.inbox.lost
        copy = Copy(self.total, self.epoch, self.seq, lost, self.wholes, self.stale, self.is_live, self.breaks)
        self.publish(f"md.{self.name}.X.copy.", copy)


class Client(Actor):
    """Sends the teller one command every 20 ms and keeps a record of what became of each."""

    ticks = False

    class Settings(Settings):
        report: str

    def on_start(self) -> None:
        self.codes: list[int] = []
        self._ask()

    def _ask(self) -> None:
        self.after(20 * MS_NS, self._ask)
        command = Burst(self.new_id(), self.now_ns + 400 * MS_NS, 0, 0)
        self.send("teller", command, lambda answer: self.codes.append(int(answer.code)))

    def on_stop(self) -> None:
        Path(self.settings.report).write_text(json.dumps(self.codes))
