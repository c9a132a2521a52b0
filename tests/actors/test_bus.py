"""An actor's sockets: where they are, what does not fit, what goes when they close."""

import stat
import time

import pytest
import zmq

from actors.actor import Actor
from actors.live.sockets import Bus
from actors.live.transport import Sink
from actors.outbox import Outbox
from actors.sim.driver import Sim
from protocol import Health
from protocol.frame import MAX_FRAME_BYTES

ALIVE = []


@pytest.fixture
def buses(tmp_path):
    built = []

    def make(name, came=None, **options):
        took = came.append if came is not None else print

        def direct(peer, frame):
            took((peer, frame))

        bus = Bus(name, tmp_path, Sink(took, direct, direct), **options)
        built.append(bus)
        ALIVE.append(bus)
        return bus

    yield make
    for one in built:
        one.close()
    ALIVE.clear()


def turn():
    """What each actor's driver does, in turn."""
    for bus in ALIVE:
        bus.wires.wait(1_000_000)
        bus.wires.drain()


def until(what, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end
        turn()


def read(came, count):
    until(lambda: len(came) >= count)
    return came


def test_addresses_follow_from_the_name_and_go_with_it(buses, tmp_path):
    bus = Bus("maker", tmp_path, Sink(print, print, print))
    assert all(stat.S_ISSOCK((tmp_path / f"maker.{suffix}").stat().st_mode) for suffix in ("pub", "cmd"))
    bus.close()
    assert list(tmp_path.iterdir()) == []


def test_sockets_that_a_killed_holder_left_behind_are_no_hindrance(buses, tmp_path):
    for suffix in ("pub", "cmd"):
        (tmp_path / f"maker.{suffix}").touch()
    came = []
    buses("maker", came)
    asker = buses("asker", bind=False)
    until(lambda: asker.send("maker", b"hello"))


def test_who_binds_nothing_leaves_no_sockets(buses, tmp_path):
    buses("tap", bind=False)
    assert list(tmp_path.iterdir()) == []


def test_a_receiver_that_comes_back_is_reached_again_and_gets_nothing_from_before(buses, tmp_path):
    asker, came = buses("asker", bind=False), []
    first = buses("maker")
    until(lambda: asker.send("maker", b"to the first"))
    ALIVE.remove(first)
    first.close()
    until(lambda: not asker.send("maker", b"to nobody"))
    for _ in range(20):
        turn()
        assert not asker.send("maker", b"to nobody")
    buses("maker", came)
    until(lambda: asker.send("maker", b"to the second"))
    assert read(came, 1) == [("asker", b"to the second")]


def test_two_subscriptions_to_one_publisher_bring_each_frame_once(buses):
    came = []
    feed, hearer = buses("feed"), buses("hearer", came)
    hearer.subscribe("feed", "md.feed.X.")
    hearer.subscribe("feed", "md.feed.Y.")

    def both():
        feed.pub(b"md.feed.X.1")
        feed.pub(b"md.feed.Y.1")
        return {b"md.feed.X.1", b"md.feed.Y.1"} <= set(came)

    until(both)
    feed.pub(b"md.feed.X.2")
    until(lambda: b"md.feed.X.2" in came)
    assert came.count(b"md.feed.X.2") == 1


def test_the_last_words_of_who_goes_are_heard(buses, tmp_path):
    """Read only after the sender has gone: with IMMEDIATE on the hearer's side libzmq throws some of them away."""
    came = []
    hearer = buses("hearer", came, bind=False)
    for k in range(150):
        speaker = Bus(f"speaker{k}", tmp_path, Sink(print, print, print))
        ALIVE.append(speaker)
        hearer.subscribe(f"speaker{k}", "")
        came.clear()
        until(lambda speaker=speaker: speaker.pub(b"first words") or came)
        for _ in range(20):
            speaker.pub(b"last words")
        ALIVE.remove(speaker)
        speaker.close()
        until(lambda: came.count(b"last words") == 20)


def test_a_frame_at_the_limit_passes_and_the_connection_lives_on(buses):
    came = []
    buses("maker", came)
    asker = buses("asker", bind=False)
    until(lambda: asker.send("maker", b"x" * MAX_FRAME_BYTES))
    until(lambda: asker.send("maker", b"small"))
    read(came, 2)
    assert [len(frame) for _, frame in came] == [MAX_FRAME_BYTES, 5]


def test_a_peer_that_sends_beyond_all_limits_is_cut_and_nobody_else(buses, tmp_path):
    came = []
    buses("maker", came)
    asker = buses("asker", bind=False)
    until(lambda: asker.send("maker", b"before"))
    with zmq.Context() as context, context.socket(zmq.DEALER) as rogue:
        rogue.set(zmq.LINGER, 0)
        rogue.connect(f"ipc://{tmp_path}/maker.cmd")
        rogue.send(b"x" * (2 * MAX_FRAME_BYTES + 1))
        until(lambda: asker.send("maker", b"after"))
        read(came, 2)
    assert came == [("asker", b"before"), ("asker", b"after")]


class Big(Actor):
    """Tells as much as it is told to."""

    ticks = False


def test_a_message_that_is_too_big_is_refused_where_it_is_sent_and_takes_no_number():
    sim = Sim()
    big = sim.add("big", Big)
    sim.run_for(0.1)
    with pytest.raises(ValueError, match=r"md\.big\.X\.: a message of \d+ bytes; at most 8388608 fit"):
        big.publish("md.big.X.", Health("x" * MAX_FRAME_BYTES))
    assert big.publish("md.big.X.", Health("x")) == 1


def test_the_limit_is_of_the_whole_frame():
    outbox = Outbox(1)
    stream = outbox.stream("md.big.X.")
    overhead = len(outbox.pack(stream, 0, Health("x" * 100_000))) - 100_000
    assert len(outbox.pack(stream, 0, Health("x" * (MAX_FRAME_BYTES - overhead)))) == MAX_FRAME_BYTES
    with pytest.raises(ValueError, match="a message of"):
        outbox.pack(stream, 0, Health("x" * (MAX_FRAME_BYTES - overhead + 1)))
    assert stream.seq == 0
