"""Dispatcher: messages reach their handlers at once, or in lockstep at the next turn in an order of their own."""

from types import SimpleNamespace

import pytest

from actors.actor import Actor
from actors.actor_clock import ActorClock
from actors.dispatcher import INVALID_LOGGED, Dispatcher
from actors.envelope import Envelope
from actors.inbox import StreamIn
from actors.safe_start import NORMAL
from actors.timers import Timers
from protocol import Answer, AnswerCode, CancelAll, Control, Health, Tick
from protocol.errors import BadMessage

FEED = "md.feed.X.health."


class Keeper(Actor):
    """Keeps what it handles, with its origin and time."""

    def on_start(self):
        pass

    def on_health(self, health):
        origin = self.envelope
        self.kept.append((origin.sender, origin.topic, origin.epoch, origin.seq, origin.ts_ns, health.state))
        self.times.append(self.now_ns)

    def on_control(self, control):
        return Answer(control.cmd_id, AnswerCode.REFUSED, control.command)


class Log:
    """Keeps warnings."""

    def __init__(self):
        self.warnings = []

    def warning(self, event, **fields):
        self.warnings.append((event, fields))


class World:
    """A dispatcher with its parts; no runtime."""

    def __init__(self, lockstep=False):
        self.log, self.timers, self.clock, self.envelope = Log(), Timers(), ActorClock(0, lockstep), Envelope()
        effects = SimpleNamespace(
            log=self.log,
            envelope=self.envelope,
            epoch=1,
            follows=[],
            now_ns=0,
            keys=None,
            kill_switch=int,
            suspended_ns=int,
            safe_start=NORMAL,
        )
        self.actor = Keeper("me", Keeper.Settings(), effects)
        self.actor.kept, self.actor.times = [], []
        self.dispatcher = Dispatcher(self.actor, self.envelope, self.clock, self.timers, self.log)
        self.stream = StreamIn(FEED)

    @property
    def states(self):
        return [kept[-1] for kept in self.actor.kept]


def test_a_message_reaches_its_handler_at_once_with_its_origin():
    world = World()
    world.dispatcher.deliver(world.stream, 2, 7, 99, Health("UP"))
    assert world.actor.kept == [("feed", FEED, 2, 7, 99, "UP")]


def test_a_message_without_a_handler_changes_nothing():
    world = World()
    assert world.dispatcher.handle("feed", FEED, 1, 1, 0, Tick(1, 2, 3)) is None  # a Tick is the business of Turns
    assert world.dispatcher.handle("feed", FEED, 1, 1, 0, Answer(1, AnswerCode.OK)) is None
    assert (world.envelope.sender, world.actor.kept) == ("", [])


def test_a_command_returns_what_its_handler_returns():
    world = World()
    answer = world.dispatcher.handle_command("peer", 1, 1, 0, Control(4, 0, "pause"))
    assert answer == Answer(4, AnswerCode.REFUSED, "pause")
    assert world.envelope.topic == "cmd.peer.me."


def test_a_command_without_a_handler_is_not_implemented():
    assert World().dispatcher.handle_command("peer", 1, 1, 0, CancelAll(1, 0, "BTC-USDT")) is NotImplemented


def test_in_lockstep_messages_wait_for_the_turn_and_run_channel_by_channel():
    world = World(lockstep=True)
    other = StreamIn("md.a-feed.X.health.")
    world.dispatcher.deliver(world.stream, 1, 1, 0, Health("B1"))
    world.dispatcher.deliver(other, 1, 1, 0, Health("A1"))
    world.dispatcher.deliver(world.stream, 1, 2, 0, Health("B2"))
    assert world.actor.kept == []
    world.dispatcher.advance(5_000)
    assert world.states == ["A1", "B1", "B2"]  # by channel, whatever the order of arrival between them
    assert world.actor.times == [5_000] * 3
    assert (world.clock.now_ns, world.actor.now_ns) == (5_000, 5_000)
    world.dispatcher.advance(6_000)
    assert len(world.states) == 3


def test_in_lockstep_timers_run_at_the_turn_after_the_messages():
    world = World(lockstep=True)
    world.timers.add(100, world.actor.kept.append, ("timer", "due"))
    world.timers.add(9_000, world.actor.kept.append, ("timer", "later"))
    world.dispatcher.deliver(world.stream, 1, 1, 0, Health("UP"))
    world.dispatcher.advance(5_000)
    assert world.states == ["UP", "due"]


@pytest.mark.parametrize("lockstep", [False, True])
def test_a_call_runs_at_once_or_waits_for_the_turn(lockstep):
    world, calls = World(lockstep), []
    world.dispatcher.run_or_queue(("ans", "x"), calls.append, 1)
    assert calls == ([] if lockstep else [1])
    world.dispatcher.advance(1)
    assert calls == [1]


def test_invalid_frames_are_counted_and_only_some_are_logged():
    world = World()
    for _ in range(2_000):
        world.dispatcher.dead_letter("peer", b"\xff" * 100, BadMessage("x" * 500))
    assert world.dispatcher.invalid_frames == 2_000
    assert [fields["count"] for _, fields in world.log.warnings] == [*range(1, INVALID_LOGGED + 1), 1_000, 2_000]
    event, fields = world.log.warnings[0]
    assert event == "invalid frame"
    assert (len(fields["error"]), fields["head"], fields["source"]) == (200, "ff" * 60, "peer")
