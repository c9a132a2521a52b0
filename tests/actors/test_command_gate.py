"""CommandGate: commands of senders that the run does not list are refused, counted and reported; reading is free."""

import pytest

from actors.actor import Actor
from actors.runtime import Runtime
from protocol import Answer, AnswerCode, Control, Heartbeat, Join, Snapshot, SnapshotRequest, Tick, encode
from protocol.frame import body, pack, prefix, split


class Port:
    """Keeps what an actor sends."""

    real_time = False

    def __init__(self):
        self.published, self.replies = [], []

    def pub(self, data):
        self.published.append(body(data, split(data)[-1]))

    def reply(self, peer, data):
        self.replies.append((peer, body(data, split(data)[-1])))
        return True

    def send(self, target, data):
        return False

    def subscribe(self, publisher, topics_prefix): ...

    def rss_bytes(self):
        return 0


class Commanded(Actor):
    """Keeps what it was sent."""

    def __init__(self, *given):
        super().__init__(*given)
        self.kept = []

    def on_control(self, command):
        self.kept.append((self.envelope.sender, command.verb if hasattr(command, "verb") else command.command))

    def on_join(self, join):
        self.kept.append(join)

    def on_tick(self, tick):
        self.kept.append(tick)


class Gate:
    """One actor that "maker" and "clockd" may command."""

    def __init__(self):
        self.port = Port()
        self.checked = []
        self.runtime = Runtime("binance", Commanded, Commanded.Settings(), self.port, may_command=self.may_command)
        self.runtime.start(0)

    def may_command(self, sender):
        self.checked.append(sender)
        return sender in ("maker", "clockd")

    def send(self, peer, message, seq=1):
        self.runtime.begin(0)
        self.runtime.command_in(peer, pack(prefix(f"cmd.{peer.strip('@')}.binance."), 1, seq, 0, message))
        self.runtime.finish()

    @property
    def answers(self):
        return [(peer, one.code) for peer, one in self.port.replies if isinstance(one, Answer)]


@pytest.fixture
def gate():
    return Gate()


def test_a_listed_sender_commands_and_is_checked_once(gate):
    for seq in (1, 2, 3):
        gate.send("maker", Control(seq, 0, "pause"), seq)
    assert [sender for sender, _ in gate.runtime.actor.kept] == ["maker"] * 3
    assert gate.checked == ["maker"]
    assert gate.runtime.gate.refused == 0


@pytest.mark.parametrize("peer", ["stranger", "@maker", "@clockd", "@operator-7"])
def test_a_command_of_another_sender_is_refused_with_an_answer_and_counted(gate, peer):
    gate.send(peer, Control(7, 0, "cancel_all"))
    assert gate.runtime.actor.kept == []
    assert gate.answers == [(peer, AnswerCode.REFUSED)]
    assert gate.runtime.gate.refused == 1
    gate.runtime.begin(2_000_000_000)
    gate.runtime.finish()
    assert [one.refused_frames for one in gate.port.published if isinstance(one, Heartbeat)][-1] == 1


@pytest.mark.parametrize("message", [Join("maker", 1), Tick(1, 2, 3)])
def test_other_messages_of_such_a_sender_are_refused_too(gate, message):
    gate.send("@clockd", message)
    assert gate.runtime.actor.kept == []
    assert gate.runtime.gate.refused == 1


def test_a_reader_gets_snapshots(gate):
    gate.send("@tap-1", SnapshotRequest("ord.binance."))
    assert [type(one) for _, one in gate.port.replies] == [Snapshot]
    assert gate.runtime.gate.refused == 0


def test_an_invalid_frame_of_such_a_sender_is_counted_as_invalid(gate):
    gate.runtime.command_in("@x", b"no frame")
    gate.runtime.command_in("stranger", encode(Tick(1, 2, 3)))
    assert gate.runtime.dispatcher.invalid_frames == 2
    assert gate.runtime.gate.refused == 0
