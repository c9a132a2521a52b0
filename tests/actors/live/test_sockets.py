"""An actor's sockets: their paths, frames above the limit, what is left when they close."""

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

    def make(name, received=None, **options):
        bus = Bus(name, tmp_path, **options)
        built.append(bus)
        ALIVE.append((bus, sink(received)))
        return bus

    yield make
    for one in built:
        one.close()
    ALIVE.clear()


def sink(received=None):
    """Keeps what is received: frames, and (peer, frame) of commands and answers."""
    keep = received.append if received is not None else print

    def direct(peer, frame):
        keep((peer, frame))

    return Sink(keep, direct, direct)


def close(bus):
    ALIVE[:] = [one for one in ALIVE if one[0] is not bus]
    bus.close()


def turn():
    """What each actor's driver does, in turn."""
    for bus, into in ALIVE:
        bus.transport.wait(1_000_000)
        bus.transport.drain(into)


def until(what, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end
        turn()


def read(received, count):
    until(lambda: len(received) >= count)
    return received


def test_paths_follow_from_the_name_and_are_removed_at_the_end(buses, tmp_path):
    bus = Bus("maker", tmp_path)
    assert all(stat.S_ISSOCK((tmp_path / f"maker.{suffix}").stat().st_mode) for suffix in ("pub", "cmd"))
    bus.close()
    assert [path.name for path in tmp_path.iterdir()] == ["bus.token"]


def test_socket_files_that_a_killed_process_left_behind_are_replaced(buses, tmp_path):
    for suffix in ("pub", "cmd"):
        (tmp_path / f"maker.{suffix}").touch()
    received = []
    buses("maker", received)
    client = buses("client", bind=False)
    until(lambda: client.send("maker", b"hello"))


def test_a_bus_that_binds_nothing_and_only_reads_leaves_no_files(buses, tmp_path):
    buses("tap", bind=False, reads_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_receiver_that_comes_back_is_connected_again_and_receives_nothing_from_before(buses, tmp_path):
    client, received = buses("client", bind=False), []
    first = buses("maker")
    until(lambda: client.send("maker", b"to the first"))
    close(first)
    until(lambda: not client.send("maker", b"to nobody"))
    for _ in range(20):
        turn()
        assert not client.send("maker", b"to nobody")
    buses("maker", received)
    until(lambda: client.send("maker", b"to the second"))
    assert read(received, 1) == [("client", b"to the second")]


def test_two_subscriptions_to_one_publisher_deliver_each_frame_once(buses):
    received = []
    feed, subscriber = buses("feed"), buses("subscriber", received)
    subscriber.subscribe("feed", "md.feed.X.")
    subscriber.subscribe("feed", "md.feed.Y.")

    def both():
        feed.publish(b"md.feed.X.1")
        feed.publish(b"md.feed.Y.1")
        return {b"md.feed.X.1", b"md.feed.Y.1"} <= set(received)

    until(both)
    feed.publish(b"md.feed.X.2")
    until(lambda: b"md.feed.X.2" in received)
    assert received.count(b"md.feed.X.2") == 1


def test_the_last_frames_of_a_publisher_that_closes_arrive(buses, tmp_path):
    """Read only after the sender has gone: with IMMEDIATE on the subscriber's side libzmq drops some of them."""
    received = []
    subscriber = buses("subscriber", received, bind=False)
    for k in range(150):
        publisher = Bus(f"publisher{k}", tmp_path)
        ALIVE.append((publisher, sink()))
        subscriber.subscribe(f"publisher{k}", "")
        received.clear()
        until(lambda publisher=publisher: publisher.publish(b"first frame") or received)
        for _ in range(20):
            publisher.publish(b"last frame")
        close(publisher)
        until(lambda: received.count(b"last frame") == 20)


def test_a_frame_at_the_limit_passes_and_the_connection_stays_open(buses):
    received = []
    buses("maker", received)
    client = buses("client", bind=False)
    until(lambda: client.send("maker", b"x" * MAX_FRAME_BYTES))
    until(lambda: client.send("maker", b"small"))
    read(received, 2)
    assert [len(frame) for _, frame in received] == [MAX_FRAME_BYTES, 5]


def test_a_peer_that_sends_a_frame_above_the_limit_is_disconnected_and_no_other(buses, tmp_path):
    received = []
    buses("maker", received)
    client = buses("client", bind=False)
    until(lambda: client.send("maker", b"before"))
    with zmq.Context() as context, context.socket(zmq.DEALER) as rogue:
        rogue.set(zmq.LINGER, 0)
        rogue.connect(f"ipc://{tmp_path}/maker.cmd")
        rogue.send(b"x" * (2 * MAX_FRAME_BYTES + 1))
        until(lambda: client.send("maker", b"after"))
        read(received, 2)
    assert received == [("client", b"before"), ("client", b"after")]


class Big(Actor):
    """Publishes what the test wants."""

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
