"""Sender: a frame takes a number of its stream only if the port has accepted it."""

import pytest

from actors.actor_clock import ActorClock
from actors.outbox import Outbox
from actors.sender import Sender
from protocol import Health
from protocol.frame import body, split

NOW_NS = 1_700_000_000_000_000_000


class TwoPeerPort:
    """Accepts frames for the connected peers."""

    def __init__(self):
        self.connected = {"maker"}
        self.sent, self.replied = [], []

    def pub(self, frame):
        raise AssertionError("a sender does not publish")

    def send(self, target, frame):
        return self._keep(self.sent, target, frame)

    def reply(self, peer, frame):
        return self._keep(self.replied, peer, frame)

    def _keep(self, frames, name, frame):
        if name in self.connected:
            frames.append((name, frame))
        return name in self.connected


class World:
    """A sender with its parts."""

    def __init__(self):
        self.port, self.outbox, self.clock = TwoPeerPort(), Outbox(epoch=3), ActorClock(NOW_NS)
        self.sender = Sender(self.outbox, self.port, self.clock)
        self.stream = self.outbox.stream("cmd.me.maker.")


@pytest.fixture
def world():
    return World()


@pytest.mark.parametrize("way", ["send", "reply"])
def test_frames_are_numbered_and_stamped_with_the_actors_time(world, way):
    for state in ("ONE", "TWO"):
        assert getattr(world.sender, way)("maker", world.stream, Health(state))
    frames = world.port.sent if way == "send" else world.port.replied
    assert [(name, split(frame)[:4]) for name, frame in frames] == [
        ("maker", (b"cmd.me.maker.", 3, seq, NOW_NS)) for seq in (1, 2)
    ]
    assert [body(frame, split(frame)[-1]).state for _, frame in frames] == ["ONE", "TWO"]


@pytest.mark.parametrize("way", ["send", "reply"])
def test_a_frame_that_is_not_accepted_leaves_no_gap_in_its_stream(world, way):
    send = getattr(world.sender, way)
    assert not send("absent", world.stream, Health("LOST"))
    assert (world.stream.seq, world.outbox.drain_positions()) == (0, [])
    assert send("maker", world.stream, Health("FIRST"))
    assert (world.stream.seq, world.outbox.drain_positions()) == (1, [("cmd.me.maker.", 3, 1)])


@pytest.mark.parametrize("way", ["send_frame", "reply_frame"])
def test_a_packed_frame_is_sent_as_it_is(world, way):
    frame = world.outbox.pack(world.stream, 7, Health("PACKED"))
    assert not getattr(world.sender, way)("absent", world.stream, frame)
    assert world.stream.seq == 0
    assert getattr(world.sender, way)("maker", world.stream, frame)
    assert world.stream.seq == 1
    assert (world.port.sent + world.port.replied) == [("maker", frame)]


def test_sends_and_replies_take_the_stream_that_they_name(world):
    replies = world.outbox.stream("ans.me.maker.")
    world.sender.send("maker", world.stream, Health("A"))
    world.sender.reply("maker", replies, Health("B"))
    assert (world.stream.seq, replies.seq) == (1, 1)
    assert [len(world.port.sent), len(world.port.replied)] == [1, 1]
