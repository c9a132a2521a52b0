"""An actor survives any bytes: an invalid frame is counted, and the next valid message is handled."""

import logging
from decimal import Decimal

import msgspec
import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from actors.actor import Actor
from actors.runtime import Runtime
from clockd import Clock
from protocol import Control, Health, Join, Snapshot, SnapshotRequest, Tick, TickDone, encode
from protocol.errors import BadMessage
from protocol.frame import HEADER, VERSION, body, pack, prefix, split
from protocol.message import REGISTRY

FEED = "md.feed.X.health."
QUIET = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
KINDS = [kind for kind in REGISTRY.types.values() if kind.__module__.startswith("protocol.")]


class Reader(Actor):
    """Follows a feed, handles commands, and has a snapshot of each topic."""

    received = 0
    bug = None

    def on_start(self):
        self.gone_stale = []
        self.subscribe("md.feed.X.")

    def on_health(self, health):
        if self.bug is not None:
            raise self.bug
        self.received += 1

    def on_stale(self, topic):
        self.gone_stale.append(topic)

    def on_control(self, control):
        self.publish(f"md.{self.name}.verb.", Health(control.command))

    def snapshot(self, topic, cursor):
        return Health("WHOLE", str(cursor))


class RecordingPort:
    """A Port that accepts and keeps all frames."""

    real_time = False

    def __init__(self):
        self.published, self.sent, self.replied = [], [], []

    def pub(self, frame):
        self.published.append(frame)

    def send(self, target, frame):
        self.sent.append((target, frame))
        return True

    def reply(self, peer, frame):
        self.replied.append((peer, frame))
        return True

    def subscribe(self, publisher, prefix):
        pass

    def rss_bytes(self):
        return 0


class World:
    """One actor and the time."""

    def __init__(self, kind=Reader, **options):
        self.port = RecordingPort()
        self.runtime = Runtime("me", kind, kind.Settings(), self.port, log=QUIET, **options)
        self.now_ns = 1_000_000_000
        self.runtime.start(self.now_ns)

    def arrive(self, way, *args):
        self.now_ns += 1_000_000
        self.runtime.begin(self.now_ns)
        getattr(self.runtime, way)(*args)
        self.runtime.finish()

    def assert_works(self):
        """It answers a command, a snapshot request and a Tick, and handles its feed."""
        self.port.replied.clear()
        verb = Control(9_999, 0, "look")
        self.arrive("command_in", "peer", pack(prefix("cmd.peer.me."), 1, 1, 0, verb))
        self.arrive("command_in", "peer", pack(prefix("req.peer.snapshot."), 1, 1, 0, SnapshotRequest("md.me.verb.")))
        self.arrive("command_in", "clockd", pack(prefix("tell.clockd.me."), 1, 1, 0, Tick(10**6, 0, 10**9)))
        kinds = [type(body(frame, split(frame)[-1])).__name__ for _, frame in self.port.replied]
        assert kinds == ["Answer", "Snapshot", "Snapshot", "TickDone"]
        received = self.runtime.actor.received
        self.arrive("frame_in", pack(prefix("md.feed.X.fresh."), 1, 1, 0, Health("NEW")))
        assert self.runtime.actor.received == received + 1


INTS = st.sampled_from([0, 1, 2, 3, 7, -1, 2**31, 2**32, 2**63 - 1, -(2**63), 2**63, 2**64 - 1])
TEXTS = st.sampled_from(
    ["", ".", "x", "x.", "me", "feed", FEED, FEED[:-1], "md.feed.X.", "md.me.verb.", "md.me.a b.", "sys.feed.heart.",
     "cmd.me.me.", "cmd", "é.é.é.", "\x00", "md.feed.X.\x01.", "a." * 300]
)  # fmt: skip
BYTES = st.sampled_from([b"", b"\x00", b"\xff" * 16, encode(Health("IN", "a snapshot")), encode(Tick(1, 1, 1))])
TOPICS = TEXTS.map(str.encode) | st.sampled_from([FEED.encode(), b"\xff\xfe.\xff.", b"md.feed.X.\xff."])


def values(of):
    info = msgspec.inspect
    plain = {
        info.IntType: INTS, info.StrType: TEXTS, info.BoolType: st.booleans(), info.FloatType: st.floats(width=32),
        info.BytesType: BYTES, info.DecimalType: st.sampled_from([Decimal(1), Decimal("NaN"), Decimal("-1E+99")]),
    }  # fmt: skip
    if type(of) in plain:
        return plain[type(of)]
    if isinstance(of, info.EnumType):
        return st.sampled_from(list(of.cls))
    if isinstance(of, info.ListType):
        return st.lists(values(of.item_type), max_size=3)
    if isinstance(of, info.TupleType):
        return st.tuples(*map(values, of.item_types))
    if isinstance(of, info.UnionType):
        return st.one_of(*map(values, of.types))
    if isinstance(of, info.NoneType):
        return st.none()
    return messages(of.cls)


def messages(kind):
    """Well-formed messages with extreme values in every field."""
    return st.builds(kind, *(values(one.type) for one in msgspec.inspect.type_info(kind).fields))


HEADS = st.builds(
    HEADER.pack,
    st.sampled_from([0, 1, 2, 2**32 - 1]),
    st.sampled_from([0, 1, 2, 3, 2**63 - 1, 2**63, 2**64 - 1]),
    st.sampled_from([0, 1, -(2**63), 2**63 - 1]),
)
BODIES = st.one_of(*(messages(kind).map(encode) for kind in KINDS)) | st.binary(max_size=40)
WHOLE = st.builds(lambda topic, head, rest: topic + VERSION + head + rest, TOPICS, HEADS, BODIES)
WAYS = st.sampled_from(["frame_in", "command_in", "answer_in"])
PEERS = st.sampled_from(["feed", "me", "clockd", "", "\x80\x00", "a b."])
ARRIVALS = st.lists(st.tuples(WAYS, PEERS, WHOLE | st.binary(max_size=60)), max_size=12)


def deliver_all(world, arrivals):
    for way, peer, data in arrivals:
        world.arrive(way, data) if way == "frame_in" else world.arrive(way, peer, data)
        world.now_ns += 300_000_000
    world.arrive("finish")  # ends the wait of a held Tick


@given(ARRIVALS)
def test_an_actor_survives_any_bytes(arrivals):
    world = World()
    deliver_all(world, arrivals)
    world.assert_works()


@given(ARRIVALS)
def test_an_actor_in_lockstep_survives_any_bytes(arrivals):
    world = World(lockstep=True)
    deliver_all(world, arrivals)
    world.arrive("command_in", "clockd", pack(prefix("tell.clockd.me."), 1, 1, 0, Tick(10**6, 10**18, 10**9)))
    assert type(body(world.port.replied[-1][1], split(world.port.replied[-1][1])[-1])) is TickDone


@given(ARRIVALS)
@example([("command_in", "feed", pack(prefix("tell.feed.me."), 1, 1, 0, Join("\x80\x00", 1)))])
@example([("command_in", "\x80\x00", pack(prefix("cmd.feed.me."), 1, 1, 0, Control(1, 0, "pause")))])
def test_the_clock_survives_any_bytes(arrivals):
    world = World(Clock)
    deliver_all(world, arrivals)
    world.port.published.clear()
    for _ in range(3_000):
        world.arrive("command_in", "peer", b"")
    assert any(frame.startswith(b"sys.me.tick.") for frame in world.port.published)


def test_invalid_frames_are_counted_in_the_heartbeat():
    world = World()
    deliver_all(world, [("frame_in", "", b"junk"), ("command_in", "feed", b""), ("answer_in", "feed", b"x\x01y")])
    world.now_ns += 2_000_000_000
    world.arrive("frame_in", pack(prefix("md.feed.X.health."), 1, 1, 0, Health("GOOD")))
    assert world.runtime.dispatcher.invalid_frames == 3
    beats = [body(frame, split(frame)[-1]) for frame in world.port.published if frame.startswith(b"sys.me.heart.")]
    assert beats[-1].invalid_frames == 3


def snapshot_frame(world, seq, content):
    snapshot = Snapshot(FEED, 1, seq, content)
    world.arrive("answer_in", "feed", pack(prefix("rep.feed.snapshot."), 1, 1, 0, snapshot))


def test_an_invalid_held_frame_keeps_the_later_ones_held_for_another_snapshot():
    world = World()
    world.arrive("frame_in", pack(prefix(FEED), 1, 7, 0, Health("AHEAD")))
    world.arrive("frame_in", prefix(FEED) + HEADER.pack(1, 8, 0) + b"junk")
    world.arrive("frame_in", pack(prefix(FEED), 1, 9, 0, Health("AHEAD")))
    snapshot_frame(world, 6, encode(Health("WHOLE")))
    assert world.runtime.actor.received == 2
    assert (world.runtime.dispatcher.invalid_frames, world.runtime.inbox.lost) == (1, 1)
    world.arrive("frame_in", pack(prefix(FEED), 1, 10, 0, Health("AHEAD")))
    assert world.runtime.actor.received == 2
    snapshot_frame(world, 8, encode(Health("WHOLE")))
    assert world.runtime.actor.received == 5
    world.assert_works()


def test_of_held_events_only_the_invalid_one_is_lost():
    world = World()
    world.arrive("frame_in", pack(prefix(FEED), 1, 7, 0, Health("EVENT")))
    world.arrive("frame_in", prefix(FEED) + HEADER.pack(1, 8, 0) + b"junk")
    world.arrive("frame_in", pack(prefix(FEED), 1, 9, 0, Health("EVENT")))
    snapshot_frame(world, 9, b"")
    assert world.runtime.actor.received == 2
    assert world.runtime.inbox.streams[FEED.encode()].live


def test_a_stream_is_stale_after_its_next_frame_is_invalid():
    world = World()
    stale = world.runtime.actor.gone_stale
    world.arrive("frame_in", pack(prefix(FEED), 1, 1, 0, Health("ONE")))
    world.arrive("frame_in", prefix(FEED) + HEADER.pack(1, 2, 0) + encode(Health("TWO"))[:-1])
    assert stale == [FEED]
    assert body(*last_sent(world)).prefix == FEED
    world.arrive("frame_in", pack(prefix(FEED), 1, 3, 0, Health("THREE")))
    assert world.runtime.actor.received == 1
    snapshot_frame(world, 2, encode(Health("WHOLE")))
    assert world.runtime.actor.received == 3
    assert (world.runtime.dispatcher.invalid_frames, world.runtime.inbox.lost) == (1, 1)


def last_sent(world):
    data = world.port.sent[-1][1]
    return data, split(data)[-1]


def test_in_lockstep_a_stream_goes_stale_in_the_order_of_arrival():
    world = World(lockstep=True)
    world.arrive("frame_in", pack(prefix(FEED), 1, 1, 0, Health("ONE")))
    world.arrive("frame_in", pack(prefix(FEED), 1, 9, 0, Health("AHEAD")))
    assert world.runtime.actor.gone_stale == []
    world.arrive("command_in", "clockd", pack(prefix("tell.clockd.me."), 1, 1, 0, Tick(0, 0, 10**9)))
    assert world.runtime.actor.gone_stale == [FEED]
    assert world.runtime.actor.received == 1


def test_an_error_of_a_handler_does_not_count_as_an_invalid_frame():
    world = World()
    world.runtime.actor.bug = BadMessage("a snapshot of my own that I could not read")
    with pytest.raises(BadMessage):
        world.arrive("frame_in", pack(prefix(FEED), 1, 1, 0, Health("ONE")))
    assert world.runtime.dispatcher.invalid_frames == 0


def test_a_command_with_the_topic_of_a_stream_does_not_move_that_stream():
    world = World()
    world.arrive("frame_in", pack(prefix(FEED), 1, 1, 0, Health("ONE")))
    world.arrive("command_in", "peer", pack(prefix(FEED), 1, 1_000, 0, Control(1, 0, "look")))
    world.arrive("frame_in", pack(prefix(FEED), 1, 2, 0, Health("TWO")))
    assert world.runtime.actor.received == 2
    assert world.runtime.inbox.lost == 0


@pytest.mark.parametrize("number", [-(2**63), -1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_actor_survives_extreme_numbers(kind, number):
    data = pack(prefix("tell.feed.me."), 1, 1, 0, extreme(msgspec.inspect.type_info(kind), number))
    for world in (World(), World(lockstep=True), World(Clock)):
        world.arrive("command_in", "feed", data)
        world.arrive("answer_in", "feed", data)
        world.arrive("frame_in", data.replace(b"tell.feed.me.", b"sys.feed.heart."))
        world.now_ns += 10**9
        world.arrive("command_in", "feed", pack(prefix("tell.feed.me."), 1, 1, 0, Health("AFTER")))


def extreme(of, number):
    """A message with `number` in every field that takes one."""
    info = msgspec.inspect
    if isinstance(of, info.IntType):
        return number
    if isinstance(of, info.EnumType):
        return next(iter(of.cls))
    if isinstance(of, info.ListType):
        return [extreme(of.item_type, number)]
    if isinstance(of, info.TupleType):
        return tuple(extreme(one, number) for one in of.item_types)
    if isinstance(of, info.StructType):
        return of.cls(*(extreme(one.type, number) for one in of.fields))
    plain = {info.StrType: FEED, info.BoolType: True, info.FloatType: 1e300, info.BytesType: encode(Health("IN"))}
    return plain.get(type(of), Decimal(number))


def test_a_stream_message_on_a_command_socket_is_rejected():
    world = World()
    world.arrive("command_in", "feed", pack(prefix(FEED), 1, 1, 0, Health("FORGED")))
    world.arrive("answer_in", "feed", pack(prefix(FEED), 1, 1, 0, Health("FORGED")))
    assert world.runtime.actor.received == 0
    assert world.runtime.dispatcher.invalid_frames == 2
