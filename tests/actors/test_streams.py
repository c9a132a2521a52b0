"""Streams over a bus that loses, doubles and delays frames: in the end each follower has the publisher's state."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.actor import Actor
from actors.sim.driver import Sim
from protocol import Heartbeat, Message, Snapshot, SnapshotRequest, encode
from protocol.frame import body, pack, prefix, split

MS_NS = 1_000_000
PERIOD_MS = 10
TOPIC = "md.publisher.X.step."


class Step(Message):
    """One change: a follower that applies all of them in order has the publisher's sum."""

    value: int


class Whole(Message):
    """The sum of all changes up to here."""

    total: int


def applied(total, value):
    """The next sum. It depends on the order and on every single change."""
    return (total * 31 + value) % (2**61 - 1)


class Publisher(Actor):
    """Publishes a change every 10 ms until `is_silent` is set."""

    ticks = False
    has_snapshots = True
    is_silent = False
    changes = 0

    def on_start(self):
        self.total = self.epoch
        self.seq = self.publish(TOPIC, Whole(self.total))  # a state that is not empty is published first
        self.after(PERIOD_MS * MS_NS, self._publish)

    def _publish(self):
        self.after(PERIOD_MS * MS_NS, self._publish)
        if not self.is_silent:
            self.step()

    def step(self):
        self.changes += 1
        self.total = applied(self.total, self.changes)
        self.seq = self.publish(TOPIC, Step(self.changes))

    def snapshot(self, topic, cursor):
        return Whole(self.total) if topic == TOPIC and self.has_snapshots else None


class Follower(Actor):
    """Keeps the publisher's sum, and a diary."""

    ticks = False
    total = 0
    is_live = False

    def on_start(self):
        self.diary = []
        self.subscribe("md.publisher.X.")

    def on_step(self, step):
        self.total = applied(self.total, step.value)
        self._note("step")

    def on_whole(self, whole):
        self.total = whole.total
        self._note("whole")

    def _note(self, what):
        self.diary.append((what, self.envelope.epoch, self.envelope.seq))

    def on_stale(self, topic):
        self.is_live = False
        self.diary.append(("stale", 0, 0))

    def on_live(self, topic):
        self.is_live = True
        self.diary.append(("live", 0, 0))

    def on_peer(self, name, up):
        self.diary.append((f"{name} {'up' if up else 'down'}", 0, 0))

    @property
    def seen(self):
        return [what for what, _, _ in self.diary]


class Wire(Sim):
    """A simulation with a faulty bus: `fault(input, frame)` is the delay of each copy of a frame, in ms."""

    def __init__(self, **options):
        super().__init__(**options)
        self.fault = None
        self.requests = Counter()
        self.runtime_of = {}

    def add(self, name, kind, *args, **options):
        actor = super().add(name, kind, *args, **options)
        self.runtime_of[actor] = self.processes[name].runtime
        return actor

    def deliver(self, process, runtime_input, *args):
        frame, method = args[-1], runtime_input.__name__
        if method == "command_in" and type(body(frame, split(frame)[-1])) is SnapshotRequest:
            self.requests[process.name] += 1
        faulty = self.fault is not None and method != "call"
        for delay_ms in self.fault(method, frame) if faulty else [0]:
            if delay_ms:
                self.at(self.now_ns + delay_ms * MS_NS, super().deliver, process, runtime_input, *args)
            else:
                super().deliver(process, runtime_input, *args)


def steps_only(decide):
    """A fault of the publisher's changes alone; `decide(seq)` is the delay of each copy."""

    def fault(method, frame):
        topic, _, seq, _, _ = split(frame)
        return decide(seq) if method == "frame_in" and topic == TOPIC.encode() else [0]

    return fault


def assert_whole(diary):
    """Every change follows the one before it or a snapshot."""
    at = None
    for what, epoch, seq in diary:
        if what == "step":
            assert at == (epoch, seq - 1)
        if what in ("step", "whole"):
            at = (epoch, seq)


def start(fault=None, **options):
    wire = Wire(**options)
    wire.fault = fault
    return wire, wire.add("publisher", Publisher), wire.add("follower", Follower)


def settle(wire, publisher, follower):
    """No more faults and no more changes; heartbeats have time to show what is missing."""
    wire.fault = None
    publisher.is_silent = True
    wire.run_for(5)
    assert follower.total == publisher.total
    assert follower.is_live
    assert wire.runtime_of[follower].streams.synced
    assert_whole(follower.diary)


def test_without_faults_a_follower_from_the_start_is_never_stale():
    wire, publisher, follower = start()
    wire.run_for(1)
    assert follower.seen.count("stale") == 0
    assert wire.runtime_of[follower].inbox.lost == 0
    settle(wire, publisher, follower)


def test_a_late_joiner_reaches_the_present_by_a_snapshot():
    wire = Wire()
    publisher = wire.add("publisher", Publisher)
    wire.run_for(3)
    follower = wire.add("follower", Follower)
    wire.run_for(0.505)
    assert follower.total == publisher.total
    assert "whole" in follower.seen[:3]
    assert follower.diary[-1][1:] == (1, publisher.seq)
    settle(wire, publisher, follower)


def test_a_follower_that_started_first_notices_its_publisher_when_it_starts():
    wire = Wire()
    follower = wire.add("follower", Follower)
    wire.run_for(2)
    assert follower.diary == []
    publisher = wire.add("publisher", Publisher)
    wire.run_for(0.5)
    assert follower.seen.count("publisher up") == 1
    settle(wire, publisher, follower)


def test_one_lost_frame_makes_the_stream_stale_until_a_snapshot_comes_at_once():
    wire, publisher, follower = start(steps_only(lambda seq: [] if seq == 20 else [0]))
    wire.run_for(0.5)
    at = follower.seen.index("stale")
    assert follower.diary[at - 1] == ("step", 1, 19)
    assert follower.diary[at + 1 : at + 3] == [("whole", 1, 21), ("live", 0, 0)]
    assert wire.runtime_of[follower].inbox.lost == 1
    settle(wire, publisher, follower)


def test_a_lost_tail_is_found_by_the_heartbeat():
    wire, publisher, follower = start(steps_only(lambda seq: [0] if seq < 30 else []))
    wire.run_for(0.4)
    publisher.is_silent = True
    assert publisher.changes > 30
    assert follower.total != publisher.total
    wire.run_for(1.5)
    assert follower.total == publisher.total


def test_a_doubled_frame_is_applied_once():
    wire, publisher, follower = start(steps_only(lambda seq: [0, 0, 25]))
    wire.run_for(1)
    assert follower.seen.count("stale") == 0
    assert wire.runtime_of[follower].inbox.duplicates > 100
    settle(wire, publisher, follower)


def test_a_new_epoch_of_the_publisher_is_reported_and_its_state_is_adopted():
    wire, publisher, follower = start()
    wire.run_for(1)
    wire.kill("publisher")
    wire.run_for(0.3)
    old = follower.total
    publisher = wire.add("publisher", Publisher)
    wire.run_for(1.505)
    assert follower.diary[-1][1:] == (2, publisher.seq)
    assert "whole" in follower.seen[follower.seen.index("stale") :]
    assert follower.total != old
    settle(wire, publisher, follower)


def test_a_publisher_that_is_gone_makes_its_streams_stale_until_it_is_back():
    wire, publisher, follower = start()
    wire.run_for(1)
    wire.kill("publisher")
    wire.run_for(6)
    assert follower.seen[-2:] == ["publisher down", "stale"]
    assert not follower.is_live
    publisher = wire.add("publisher", Publisher)
    wire.run_for(2)
    assert follower.is_live
    settle(wire, publisher, follower)


def test_a_publisher_that_dies_within_its_first_second_is_reported_too():
    wire = Wire()
    wire.add("publisher", Publisher)
    wire.run_for(0.2)  # its first heartbeat has passed
    follower = wire.add("follower", Follower)
    wire.run_for(0.3)
    assert follower.is_live
    wire.kill("publisher")
    wire.run_for(5)
    assert not follower.is_live
    publisher = wire.add("publisher", Publisher)
    wire.run_for(1)
    settle(wire, publisher, follower)


def test_a_publisher_is_resynced_after_its_heartbeats_alone_were_lost():
    wire, publisher, follower = start(lambda method, frame: [] if frame.startswith(b"sys.publisher.heart.") else [0])
    wire.run_for(6)
    wire.fault = None
    wire.run_for(2)
    assert follower.is_live
    settle(wire, publisher, follower)


def test_a_stream_without_a_state_continues_after_a_gap_and_counts_its_losses():
    wire = Wire()
    follower, publisher = wire.add("follower", Follower), wire.add("publisher", Publisher)
    publisher.has_snapshots = False
    wire.fault = steps_only(lambda seq: [] if seq in (20, 21) else [0])
    wire.run_for(1.005)
    assert wire.runtime_of[follower].inbox.lost == 2
    assert follower.is_live
    steps = [seq for what, _, seq in follower.diary if what == "step"]
    assert steps == [seq for seq in range(2, publisher.seq + 1) if seq not in (20, 21)]


def test_a_follower_is_not_live_while_a_second_gap_is_open():
    """The snapshot closes the first gap; there is another behind it."""
    lose = steps_only(lambda seq: [] if seq in (20, 23) else [0])

    def fault(method, frame):  # snapshots take long: when the first comes, the second gap is there
        return [40] if method == "answer_in" else lose(method, frame)

    wire, publisher, follower = start(fault)
    wire.run_for(0.105)
    while publisher.changes < 60:
        wire.run_for(0.005)
        stream = wire.runtime_of[follower].inbox.stream(TOPIC.encode())
        assert follower.is_live is stream.live
    settle(wire, publisher, follower)


def test_a_burst_after_a_gap_does_not_become_a_burst_of_requests():
    wire, publisher, follower = start(steps_only(lambda seq: [] if seq == 20 else [0]))
    wire.run_for(0.15)
    for _ in range(1_000):
        publisher.step()
    wire.requests.clear()
    wire.run_for(0.2)
    assert publisher.changes > 1_000
    assert wire.requests["publisher"] <= 5
    settle(wire, publisher, follower)


FAULTS = st.lists(st.sampled_from([[0]] * 6 + [[], [], [0, 0], [25], [60], [0, 35], [400]]), max_size=60)


@given(FAULTS, st.integers(0, 60), st.booleans())
def test_in_the_end_the_follower_has_the_publishers_state_whatever_the_bus_does(plan, death_at, snapshots_too):
    left = list(plan)

    def fault(method, frame):
        if method == "frame_in" or (snapshots_too and method == "answer_in"):
            return left.pop() if left else [0]
        return [0]

    wire, publisher, follower = start(fault)
    wire.run_for(0.3)
    if death_at < 30:
        wire.kill("publisher")
        wire.run_for(death_at / 100)
        publisher = wire.add("publisher", Publisher)
    wire.run_for(0.5)
    settle(wire, publisher, follower)


@pytest.mark.parametrize("seq", [0, 10, 10**6])
def test_a_snapshot_of_an_old_epoch_changes_nothing(seq):
    """As from a connection that was closed late."""
    wire, publisher, follower = start()
    wire.run_for(0.5)
    wire.kill("publisher")
    publisher = wire.add("publisher", Publisher)
    wire.run_for(0.5)
    old = pack(prefix("rep.publisher.snapshot."), 1, 1, 0, Snapshot(TOPIC, 1, seq, encode(Whole(-1))))
    wire.at(
        wire.now_ns, wire.deliver, wire.processes["follower"], wire.runtime_of[follower].answer_in, "publisher", old
    )
    wire.run_for(0.1)
    assert follower.diary[-1][1] == 2
    settle(wire, publisher, follower)


def test_heartbeats_contain_the_position_of_every_stream():
    wire, publisher, _ = start()
    heartbeats = []

    def fault(method, frame):
        if frame.startswith(b"sys.publisher.heart."):
            heartbeats.append(body(frame, split(frame)[-1]))
        return [0]

    wire.fault = fault
    wire.run_for(2.5)
    assert [type(heartbeat) for heartbeat in heartbeats] == [Heartbeat] * len(heartbeats)
    (topic, epoch, seq) = heartbeats[-1].streams[0]
    assert (topic, epoch) == (TOPIC, 1)
    assert 190 < seq <= publisher.seq


def test_a_snapshot_that_overtakes_events_does_not_lose_them():
    """Snapshots come on another socket than events, so a snapshot may be ahead of its stream."""
    wire = Wire()
    follower, publisher = wire.add("follower", Follower), wire.add("publisher", Publisher)
    publisher.has_snapshots = False
    wire.fault = lambda method, frame: [45] if method == "frame_in" else [0]
    wire.run_for(3)
    wire.kill("publisher")
    publisher = wire.add("publisher", Publisher)
    publisher.has_snapshots = False
    wire.run_for(3)
    wire.kill("follower")
    late = wire.add("follower", Follower)
    wire.run_for(3)
    for diary in (follower.diary, late.diary):
        for epoch in (1, 2):
            steps = [seq for what, e, seq in diary if what == "step" and e == epoch]
            assert steps == list(range(steps[0], steps[-1] + 1)) if steps else diary is late.diary
    # A new follower ignores the frames that are on their way before its first snapshot.
    assert wire.runtime_of[follower].inbox.duplicates + wire.runtime_of[late].inbox.duplicates <= 10
