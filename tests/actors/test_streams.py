"""Streams between actors over wires that lose, double and swap frames: in the end every follower knows what is told."""

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
TOPIC = "md.teller.X.step."


class Step(Message):
    """One change: whoever applies all of them in order has the teller's sum."""

    value: int


class Whole(Message):
    """All that the changes so far amount to."""

    total: int


def applied(total, value):
    """Order matters, and so does every single change."""
    return (total * 31 + value) % (2**61 - 1)


class Teller(Actor):
    """Tells a change every 10 ms until it is told to hush."""

    ticks = False
    has_snapshots = True
    hushed = False
    told = 0

    def on_start(self):
        self.total = self.epoch
        self.seq = self.publish(TOPIC, Whole(self.total))  # a state that is not empty is told first
        self.after(PERIOD_MS * MS_NS, self._tell)

    def _tell(self):
        self.after(PERIOD_MS * MS_NS, self._tell)
        if not self.hushed:
            self.step()

    def step(self):
        self.told += 1
        self.total = applied(self.total, self.told)
        self.seq = self.publish(TOPIC, Step(self.told))

    def snapshot(self, topic, cursor):
        return Whole(self.total) if topic == TOPIC and self.has_snapshots else None


class Follower(Actor):
    """Keeps the teller's sum, and a diary."""

    ticks = False
    total = 0
    is_live = False

    def on_start(self):
        self.diary = []
        self.subscribe("md.teller.X.")

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
    """A simulation whose wires do to frames what `fault(frame)` says: when each copy arrives, in ms from now."""

    def __init__(self, **options):
        super().__init__(**options)
        self.fault = None
        self.asked = Counter()
        self.runtime_of = {}

    def add(self, name, kind, *args, **options):
        actor = super().add(name, kind, *args, **options)
        self.runtime_of[actor] = self.processes[name].runtime
        return actor

    def deliver(self, process, runtime_input, *args):
        frame, method = args[-1], runtime_input.__name__
        if method == "command_in" and type(body(frame, split(frame)[-1])) is SnapshotRequest:
            self.asked[process.name] += 1
        faulty = self.fault is not None and method != "call"
        for delay_ms in self.fault(method, frame) if faulty else [0]:
            if delay_ms:
                self.at(self.now_ns + delay_ms * MS_NS, super().deliver, process, runtime_input, *args)
            else:
                super().deliver(process, runtime_input, *args)


def steps_only(decide):
    """A fault that meets the teller's changes alone, `decide(seq)` says how."""

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


def house(fault=None, **options):
    wire = Wire(**options)
    wire.fault = fault
    return wire, wire.add("teller", Teller), wire.add("follower", Follower)


def settle(wire, teller, follower):
    """No more faults and no more news; time for heartbeats to tell what is missing."""
    wire.fault = None
    teller.hushed = True
    wire.run_for(5)
    assert follower.total == teller.total
    assert follower.is_live
    assert wire.runtime_of[follower].streams.synced
    assert_whole(follower.diary)


def test_on_a_good_wire_a_follower_from_the_start_needs_one_word_and_no_snapshot():
    wire, teller, follower = house()
    wire.run_for(1)
    assert follower.seen.count("stale") == 0
    assert wire.runtime_of[follower].inbox.lost == 0
    settle(wire, teller, follower)


def test_a_late_joiner_reaches_the_present_by_a_snapshot():
    wire = Wire()
    teller = wire.add("teller", Teller)
    wire.run_for(3)
    follower = wire.add("follower", Follower)
    wire.run_for(0.505)
    assert follower.total == teller.total
    assert "whole" in follower.seen[:3]
    assert follower.diary[-1][1:] == (1, teller.seq)
    settle(wire, teller, follower)


def test_a_follower_that_was_there_first_hears_of_its_publisher_when_it_comes():
    wire = Wire()
    follower = wire.add("follower", Follower)
    wire.run_for(2)
    assert follower.diary == []
    teller = wire.add("teller", Teller)
    wire.run_for(0.5)
    assert follower.seen.count("teller up") == 1
    settle(wire, teller, follower)


def test_one_lost_frame_is_told_as_stale_and_healed_by_a_snapshot_at_once():
    wire, teller, follower = house(steps_only(lambda seq: [] if seq == 20 else [0]))
    wire.run_for(0.5)
    at = follower.seen.index("stale")
    assert follower.diary[at - 1] == ("step", 1, 19)
    assert follower.diary[at + 1 : at + 3] == [("whole", 1, 21), ("live", 0, 0)]
    assert wire.runtime_of[follower].inbox.lost == 1
    settle(wire, teller, follower)


def test_a_lost_tail_is_found_by_the_heartbeat():
    wire, teller, follower = house(steps_only(lambda seq: [0] if seq < 30 else []))
    wire.run_for(0.4)
    teller.hushed = True
    assert teller.told > 30
    assert follower.total != teller.total
    wire.run_for(1.5)
    assert follower.total == teller.total


def test_a_doubled_frame_is_applied_once():
    wire, teller, follower = house(steps_only(lambda seq: [0, 0, 25]))
    wire.run_for(1)
    assert follower.seen.count("stale") == 0
    assert wire.runtime_of[follower].inbox.duplicates > 100
    settle(wire, teller, follower)


def test_a_new_life_of_the_publisher_is_told_and_its_state_taken_over():
    wire, teller, follower = house()
    wire.run_for(1)
    wire.kill("teller")
    wire.run_for(0.3)
    old = follower.total
    teller = wire.add("teller", Teller)
    wire.run_for(1.505)
    assert follower.diary[-1][1:] == (2, teller.seq)
    assert "whole" in follower.seen[follower.seen.index("stale") :]
    assert follower.total != old
    settle(wire, teller, follower)


def test_a_publisher_that_is_gone_makes_its_streams_stale_until_it_is_back():
    wire, teller, follower = house()
    wire.run_for(1)
    wire.kill("teller")
    wire.run_for(6)
    assert follower.seen[-2:] == ["teller down", "stale"]
    assert not follower.is_live
    teller = wire.add("teller", Teller)
    wire.run_for(2)
    assert follower.is_live
    settle(wire, teller, follower)


def test_a_publisher_that_dies_before_it_has_been_heard_for_a_second_is_missed_too():
    wire = Wire()
    wire.add("teller", Teller)
    wire.run_for(0.2)  # its first heartbeat has passed
    follower = wire.add("follower", Follower)
    wire.run_for(0.3)
    assert follower.is_live
    wire.kill("teller")
    wire.run_for(5)
    assert not follower.is_live
    teller = wire.add("teller", Teller)
    wire.run_for(1)
    settle(wire, teller, follower)


def test_a_publisher_whose_heartbeats_alone_are_lost_is_resynced_when_they_come_again():
    wire, teller, follower = house(lambda method, frame: [] if frame.startswith(b"sys.teller.heart.") else [0])
    wire.run_for(6)
    wire.fault = None
    wire.run_for(2)
    assert follower.is_live
    settle(wire, teller, follower)


def test_a_stream_of_mere_events_goes_on_after_a_gap_and_counts_what_it_lost():
    wire = Wire()
    follower, teller = wire.add("follower", Follower), wire.add("teller", Teller)
    teller.has_snapshots = False
    wire.fault = steps_only(lambda seq: [] if seq in (20, 21) else [0])
    wire.run_for(1.005)
    assert wire.runtime_of[follower].inbox.lost == 2
    assert follower.is_live
    steps = [seq for what, _, seq in follower.diary if what == "step"]
    assert steps == [seq for seq in range(2, teller.seq + 1) if seq not in (20, 21)]


def test_a_follower_is_not_told_live_while_a_second_hole_is_open():
    """The snapshot stands at the first hole; behind it more is missing."""
    lose = steps_only(lambda seq: [] if seq in (20, 23) else [0])

    def fault(method, frame):  # snapshots take long: when the first comes, the second hole is there
        return [40] if method == "answer_in" else lose(method, frame)

    wire, teller, follower = house(fault)
    wire.run_for(0.105)
    while teller.told < 60:
        wire.run_for(0.005)
        stream = wire.runtime_of[follower].inbox.stream(TOPIC.encode())
        assert follower.is_live is stream.live
    settle(wire, teller, follower)


def test_a_burst_after_a_gap_does_not_become_a_burst_of_requests():
    wire, teller, follower = house(steps_only(lambda seq: [] if seq == 20 else [0]))
    wire.run_for(0.15)
    for _ in range(1_000):
        teller.step()
    wire.asked.clear()
    wire.run_for(0.2)
    assert teller.told > 1_000
    assert wire.asked["teller"] <= 5
    settle(wire, teller, follower)


FAULTS = st.lists(st.sampled_from([[0]] * 6 + [[], [], [0, 0], [25], [60], [0, 35], [400]]), max_size=60)


@given(FAULTS, st.integers(0, 60), st.booleans())
def test_whatever_the_wire_does_in_the_end_the_follower_knows_what_the_publisher_knows(plan, death_at, snapshots_too):
    left = list(plan)

    def fault(method, frame):
        if method == "frame_in" or (snapshots_too and method == "answer_in"):
            return left.pop() if left else [0]
        return [0]

    wire, teller, follower = house(fault)
    wire.run_for(0.3)
    if death_at < 30:
        wire.kill("teller")
        wire.run_for(death_at / 100)
        teller = wire.add("teller", Teller)
    wire.run_for(0.5)
    settle(wire, teller, follower)


@pytest.mark.parametrize("seq", [0, 10, 10**6])
def test_a_snapshot_of_an_old_life_changes_nothing(seq):
    """As from a connection that was slow to die."""
    wire, teller, follower = house()
    wire.run_for(0.5)
    wire.kill("teller")
    teller = wire.add("teller", Teller)
    wire.run_for(0.5)
    old = pack(prefix("rep.teller.snapshot."), 1, 1, 0, Snapshot(TOPIC, 1, seq, encode(Whole(-1))))
    wire.at(wire.now_ns, wire.deliver, wire.processes["follower"], wire.runtime_of[follower].answer_in, "teller", old)
    wire.run_for(0.1)
    assert follower.diary[-1][1] == 2
    settle(wire, teller, follower)


def test_heartbeats_say_where_every_stream_stands():
    wire, teller, _ = house()
    beats = []

    def fault(method, frame):
        if frame.startswith(b"sys.teller.heart."):
            beats.append(body(frame, split(frame)[-1]))
        return [0]

    wire.fault = fault
    wire.run_for(2.5)
    assert [type(beat) for beat in beats] == [Heartbeat] * len(beats)
    (topic, epoch, seq) = beats[-1].streams[0]
    assert (topic, epoch) == (TOPIC, 1)
    assert 190 < seq <= teller.seq


def test_a_snapshot_that_overtakes_events_does_not_swallow_them():
    """Answers come on another socket than events: the word of where a stream stands may be ahead of it."""
    wire = Wire()
    follower, teller = wire.add("follower", Follower), wire.add("teller", Teller)
    teller.has_snapshots = False
    wire.fault = lambda method, frame: [45] if method == "frame_in" else [0]
    wire.run_for(3)
    wire.kill("teller")
    teller = wire.add("teller", Teller)
    teller.has_snapshots = False
    wire.run_for(3)
    wire.kill("follower")
    late = wire.add("follower", Follower)
    wire.run_for(3)
    for diary in (follower.diary, late.diary):
        for epoch in (1, 2):
            steps = [seq for what, e, seq in diary if what == "step" and e == epoch]
            assert steps == list(range(steps[0], steps[-1] + 1)) if steps else diary is late.diary
    # At the beginning of a life, with nothing heard yet, what is on its way then is before one's time.
    assert wire.runtime_of[follower].inbox.duplicates + wire.runtime_of[late].inbox.duplicates <= 10
