"""Streams between real processes: late joiners, killed publishers, frozen subscribers."""

import json
import signal
import time

import pytest

from actors.live.sockets import Bus
from actors.live.transport import Sink
from actors.live.transport_choice import IMPLEMENTATION, LIBZMQ
from actors.live.transport_limits import HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS
from protocol import AnswerCode
from protocol.frame import body, pack, prefix, split

pytestmark = pytest.mark.process


class Watch:
    """What the publisher and its followers publish, read by a tap. One for a whole test: it sees each message once."""

    def __init__(self, processes, sample_actors):
        self.tap = processes.tap("md.")
        self.sample_actors = sample_actors
        self.copies = {}  # follower -> its last Copy

    def copy_when(self, name, is_it, timeout_s=30.0):
        """The first Copy of a follower for which `is_it` is true."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for tapped in self.tap.poll(0.2):
                if type(tapped.body).__name__ == "Copy":
                    self.copies[tapped.sender] = tapped.body
                    if tapped.sender == name and is_it(tapped.body):
                        return tapped.body
        raise AssertionError(f"not within {timeout_s} s; last: {self.copies.get(name)}")


@pytest.fixture
def watch(processes, sample_actors):
    built = []

    def start():
        built.append(Watch(processes, sample_actors))
        return built[0]

    yield start
    for one in built:
        one.tap.close()


def sum_at(sample_actors, epoch, seq):
    """The publisher's sum after the first `seq` messages of a process run; the first is the state at its start."""
    total = epoch
    for value in range(1, seq):
        total = sample_actors.applied(total, value)
    return total


def assert_right(sample_actors, copy):
    assert copy.total == sum_at(sample_actors, copy.epoch, copy.seq)
    assert copy.breaks <= copy.sums


def test_a_late_joiner_reaches_the_present_by_a_snapshot(processes, sample_actors, watch):
    processes.start("publisher", "SumPublisher", {"every_ms": 1})
    processes.start("early", "SumFollower")
    seen = watch()
    seen.copy_when("early", lambda copy: copy.seq > 200)
    processes.start("late", "SumFollower")
    copy = seen.copy_when("late", lambda copy: copy.seq > 300)
    assert copy.is_live
    assert copy.sums >= 1
    assert_right(sample_actors, copy)


def test_actors_on_libzmq_and_on_the_compiled_transport_share_one_bus(processes, sample_actors, watch):
    processes.start("publisher", "SumPublisher", bus=LIBZMQ)
    processes.start("follower", "SumFollower")
    processes.start("other", "SumFollower", bus=LIBZMQ)
    seen = watch()
    for name in ("follower", "other"):
        copy = seen.copy_when(name, lambda copy: copy.is_live and copy.seq > 50)
        assert copy.sums >= 1
        assert_right(sample_actors, copy)
    first = {name: (processes.folder / f"{name}.log").read_text().splitlines()[0] for name in processes.running}
    loops = {name: json.loads(line)["loop"] for name, line in first.items()}
    assert loops == {"publisher": "poll+libzmq", "follower": f"poll+{IMPLEMENTATION}", "other": "poll+libzmq"}


def test_a_publisher_that_is_killed_and_started_again_is_followed_in_its_new_process(processes, sample_actors, watch):
    processes.start("publisher", "SumPublisher")
    processes.start("follower", "SumFollower")
    seen = watch()
    before = seen.copy_when("follower", lambda copy: copy.seq > 50)
    assert before.epoch == 1
    assert_right(sample_actors, before)
    processes.kill("publisher")
    processes.start("publisher", "SumPublisher")
    after = seen.copy_when("follower", lambda copy: copy.epoch == 2 and copy.seq > 50)
    assert after.is_live
    assert after.stale > before.stale
    assert after.sums > before.sums
    assert_right(sample_actors, after)


def test_a_publisher_that_stays_away_makes_the_stream_stale(processes, watch):
    processes.start("publisher", "SumPublisher")
    processes.start("follower", "SumFollower")
    seen = watch()
    seen.copy_when("follower", lambda copy: copy.is_live and copy.seq > 20)
    processes.kill("publisher")
    gone = seen.copy_when("follower", lambda copy: not copy.is_live)
    processes.start("publisher", "SumPublisher")
    back = seen.copy_when("follower", lambda copy: copy.is_live)
    assert back.epoch == 2 > gone.epoch


def test_a_frozen_subscriber_misses_a_flood_sees_the_gap_and_recovers(processes, sample_actors, watch):
    """It is frozen for longer than its publisher keeps a dead connection: it loses what is published meanwhile."""
    processes.start("publisher", "SumPublisher")
    processes.start("frozen", "SumFollower")
    processes.start("other", "SumFollower")
    seen = watch()
    before = seen.copy_when("frozen", lambda copy: copy.is_live)
    processes.signal("frozen", signal.SIGSTOP)
    answer = command(processes, sample_actors.Burst(1, 0, 30_000, 300))
    assert answer.code is AnswerCode.OK
    flooded = seen.copy_when("other", lambda copy: copy.seq > 30_000 and copy.is_live)
    time.sleep((HEARTBEAT_MS + HEARTBEAT_TIMEOUT_MS) / 1000 + 1)
    processes.signal("frozen", signal.SIGCONT)
    back = seen.copy_when("frozen", lambda copy: copy.seq > flooded.seq and copy.is_live)
    assert back.lost > 0
    assert back.stale > before.stale
    assert back.sums > before.sums
    assert_right(sample_actors, back)
    assert_right(sample_actors, seen.copies["other"])
    assert seen.copies["other"].lost == 0


def test_commands_to_a_receiver_that_is_killed_and_started_again_each_have_one_answer(
    processes, sample_actors, watch, wait_until
):
    report = processes.folder / "report.json"
    processes.start("publisher", "SumPublisher", {"every_ms": 1})
    processes.start("client", "BurstClient", {"report": str(report)})
    processes.start("follower", "SumFollower")
    seen = watch()
    seen.copy_when("follower", lambda copy: copy.seq > 500)
    processes.kill("publisher")
    time.sleep(0.7)
    processes.start("publisher", "SumPublisher", {"every_ms": 1})
    seen.copy_when("follower", lambda copy: copy.epoch == 2 and copy.seq > 1_000)
    processes.stop("client")
    codes = [AnswerCode(code) for code in json.loads(report.read_text())]
    assert codes.count(AnswerCode.OK) > 20
    assert AnswerCode.UNREACHABLE in codes
    assert set(codes) <= {AnswerCode.OK, AnswerCode.UNREACHABLE, AnswerCode.SILENT}
    # Nothing waited for the one that came back: the last answers are good, and come in one stretch.
    assert codes[-1] is AnswerCode.OK


def command(processes, message):
    """Send `publisher` a command from here; its answer."""
    answers = []
    bus = Bus("boss", processes.folder, bind=False)
    sink = Sink(print, print, lambda target, frame: answers.append(frame))
    frame = pack(prefix("cmd.boss.publisher."), 1, 1, 0, message)
    until = time.monotonic() + 20
    while not bus.send("publisher", frame) and time.monotonic() < until:
        bus.transport.wait(20_000_000)
        bus.transport.drain(sink)
    while not answers and time.monotonic() < until:
        bus.transport.wait(100_000_000)
        bus.transport.drain(sink)
    bus.close()
    return body(answers[0], split(answers[0])[-1])
