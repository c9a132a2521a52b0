"""The tap receives all messages without registration, counts what it missed, and decodes unknown types."""

import time

import msgspec
import pytest

from actors.live.run_time import RunTime
from actors.live.sockets import Bus
from actors.live.transport import Sink
from actors.tap import Tap
from protocol import Health, Snapshot, SnapshotRequest, Trade, encode
from protocol.errors import BadTopic, Unreachable
from protocol.frame import HEADER, body, pack, prefix, split

TOPIC = "md.feed.X.health."


class Feed:
    """The sockets of an actor without the actor: it publishes for the test."""

    def __init__(self, folder, name="feed"):
        self.name = name
        self.requests = []
        self.bus = Bus(name, folder)
        self.sink = Sink(print, lambda peer, frame: self.requests.append((peer, frame)), print)
        self.time = RunTime(folder)
        self.epoch, self.seq = 1, 0

    def publish(self, message=None, topic=TOPIC, skip=0):
        self.seq += 1 + skip
        message = message or Health(str(self.seq))
        self.bus.publish(pack(prefix(topic), self.epoch, self.seq, self.time.now_ns(), message))

    def serve(self):
        self.bus.transport.wait(1_000_000)
        self.bus.transport.drain(self.sink)


@pytest.fixture
def feed(tmp_path):
    """A feed, and taps that are connected to it."""
    feeds, taps = [Feed(tmp_path)], []

    class Served(Tap):
        """A tap that lets the feed handle requests before it polls, as the feed's own process would."""

        def poll(self, timeout_s=0.0):
            for one in feeds:
                one.serve()
            return super().poll(timeout_s)

    def tap(*wanted, **options):
        taps.append(Served(tmp_path, *wanted, **options))
        return taps[-1]

    feeds[0].tap = tap
    feeds[0].another = lambda name: feeds.append(Feed(tmp_path, name)) or feeds[-1]
    yield feeds[0]
    for one in taps:
        one.close()
    for one in feeds:
        one.bus.close()


def received(tap, feed, until=lambda found: found, publish=None):
    """What the tap receives while the feed publishes again and again."""
    found, end = [], time.monotonic() + 20
    while not until(found):
        assert time.monotonic() < end
        (publish or feed.publish)()
        found += tap.poll(0.01)
    return found


def rest(tap, count):
    found, end = [], time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < end, found
        found += tap.poll(0.1)
    return found


def test_a_tap_receives_the_sender_the_message_and_the_delay(feed):
    tap = feed.tap()
    tapped = received(tap, feed)[0]
    assert (tapped.topic, tapped.sender, tapped.epoch) == (TOPIC, "feed", 1)
    assert tapped.body == Health(str(tapped.seq))
    assert 0 < tapped.lag_ns < 20_000_000_000
    assert tap.lost == tap.invalid_frames == 0
    assert tap.actors == ["clockd", "feed"]


def test_missed_messages_are_counted_as_lost(feed):
    tap = feed.tap()
    received(tap, feed)
    feed.publish(skip=3)
    feed.publish()
    feed.publish(skip=10)
    while rest(tap, 1)[-1].seq != feed.seq:
        pass
    assert tap.lost == 13


def test_a_new_epoch_is_not_a_loss(feed):
    tap = feed.tap()
    received(tap, feed)
    feed.epoch, feed.seq = 2, 0
    received(tap, feed, lambda found: found and found[-1].epoch == 2)
    assert tap.lost == 0


def test_a_type_that_this_process_does_not_know_comes_raw(feed):
    tap = feed.tap()
    received(tap, feed)
    strange = msgspec.msgpack.encode(["NoSuchMessage", 1, {"deep": [b"x"]}])
    feed.bus.publish(prefix(TOPIC) + HEADER.pack(1, feed.seq + 1, 0) + strange)
    tapped = [one for one in rest(tap, 1) if one.body is None]
    while not tapped:
        tapped = [one for one in rest(tap, 1) if one.body is None]
    assert tapped[0].raw == ["NoSuchMessage", 1, {"deep": [b"x"]}]
    assert tap.invalid_frames == 0


GARBAGE = {
    "no frame": b"junk",
    "nothing": b"",
    "no msgpack": prefix(TOPIC) + HEADER.pack(1, 1, 0) + b"\xc1",
    "cut msgpack": prefix(TOPIC) + HEADER.pack(1, 1, 0) + b"\x92\x01",
    "nested beyond the stack": prefix(TOPIC) + HEADER.pack(1, 1, 0) + b"\x91" * 100_000,
    "a topic without a publisher": b"md\x01" + HEADER.pack(1, 1, 0) + encode(Health("x")),
    "a topic that is no text": b"md.feed.\xff.\x01" + HEADER.pack(1, 1, 0) + encode(Health("x")),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_invalid_frames_are_counted_and_the_tap_continues(feed, what):
    tap = feed.tap()
    received(tap, feed)
    feed.bus.publish(GARBAGE[what])
    received(tap, feed, lambda found: tap.invalid_frames)
    assert tap.invalid_frames == 1
    assert received(tap, feed)


def test_only_the_requested_types_and_topics_come(feed):
    tap = feed.tap(Trade, "md.feed.")

    def publish():
        feed.publish()
        feed.bus.publish(pack(prefix("md.feed.X.trade."), 1, 1, 0, Trade("X", 1, 1, 5, 5)))
        feed.bus.publish(pack(prefix("ord.feed.X."), 1, 1, 0, Trade("Y", 1, 1, 5, 5)))

    found = received(tap, feed, lambda found: len(found) >= 3, publish)
    assert {type(one.body) for one in found} == {Trade}
    assert {one.body.symbol for one in found} == {"X"}


def test_a_later_publisher_is_received_too_unless_it_is_excluded(feed):
    tap, picky = feed.tap(), feed.tap(publishers=["late"])
    received(tap, feed)
    late = feed.another("late")

    def publish():
        feed.publish()
        late.publish(topic="md.late.X.health.")

    received(tap, feed, lambda found: {one.sender for one in found} == {"feed", "late"}, publish)
    found = received(picky, feed, lambda found: found, publish)
    assert {one.sender for one in found} == {"late"}


def test_a_requested_snapshot_comes_like_a_message(feed):
    tap = feed.tap("md.feed.")
    received(tap, feed)
    end = time.monotonic() + 20
    while not tap.request_snapshots("feed", "md.feed.X."):
        assert time.monotonic() < end
        time.sleep(0.01)
    while not feed.requests:
        assert time.monotonic() < end
        feed.serve()
    peer, frame = feed.requests[0]
    assert body(frame, split(frame)[-1]) == SnapshotRequest("md.feed.X.")
    told = Snapshot(TOPIC, 1, 77, encode(Health("WHOLE")))
    feed.bus.reply(peer, pack(prefix("rep.feed.snapshot."), 1, 1, feed.time.now_ns(), told))
    feed.bus.reply(peer, pack(prefix("rep.feed.snapshot."), 1, 2, feed.time.now_ns(), Snapshot("md.feed.X.", 1, -1)))
    found = rest(tap, 1)
    while found[-1].seq != 77:
        found += rest(tap, 1)
    assert (found[-1].topic, found[-1].sender, found[-1].body) == (TOPIC, "feed", Health("WHOLE"))
    feed.publish()
    rest(tap, 1)
    assert tap.lost == 0  # a snapshot does not advance the stream


def test_two_taps_in_one_process_do_not_receive_each_others_answers(feed):
    taps = {f"md.feed.{name}.": feed.tap("md.feed.") for name in "XY"}
    got = dict.fromkeys(taps, 0)
    end = time.monotonic() + 20
    while min(got.values()) < 3:
        assert time.monotonic() < end, got
        for wanted, tap in taps.items():
            tap.request_snapshots("feed", wanted)
        feed.serve()
        for peer, frame in feed.requests:
            wanted = body(frame, split(frame)[-1]).prefix
            told = Snapshot(f"{wanted}health.", 1, 77, encode(Health(wanted)))
            feed.bus.reply(peer, pack(prefix("rep.feed.snapshot."), 1, 1, 0, told))
        feed.requests.clear()
        for wanted, tap in taps.items():
            found = tap.poll(0.01)
            assert {one.body.state for one in found} <= {wanted}
            got[wanted] += len(found)


def test_the_error_for_a_bot_that_does_not_run_names_the_command_to_start_it(tmp_path):
    with pytest.raises(Unreachable, match=r"nothing runs in .*tickbus run") as refused:
        Tap(tmp_path)
    assert refused.value.exit_code == 69
    RunTime(tmp_path)
    with pytest.raises(BadTopic):
        Tap(tmp_path, "md feed")


def test_a_poll_of_a_silent_bot_waits_no_longer_than_its_timeout(tmp_path):
    RunTime(tmp_path)
    with Tap(tmp_path) as tap:
        assert tap.poll(0.05) == []
        assert tap.poll() == []
