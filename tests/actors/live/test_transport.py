"""Both transports over real sockets, each with itself and with the other: nothing is lost, nothing blocks."""

import contextlib
import gc
import os
import resource
import signal
import socket
import threading
import time

import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.live.transport import DEALER, PUB, ROUTER, SUB, Sink
from actors.live.transport_choice import FAST, IMPLEMENTATION
from actors.live.transport_limits import (
    BATCH,
    DIRECT_MAX_BYTES,
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    MAX_PREFIX_BYTES,
    PUB_MAX_BYTES,
)
from actors.live.transport_zmq import ZmqTransport

KINDS = {"libzmq": ZmqTransport} | ({"cython": FAST} if FAST is not None else {})
PAIRS = [(one, other) for one in KINDS for other in KINDS]
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
READY = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER"


class End:
    """One side: its transport, and all that was received on it."""

    def __init__(self, kind, folder, name, **limits):
        self.received = []
        self.folder, self.name = folder, name
        self.sink = Sink(
            lambda frame: self.received.append(("frame", frame)),
            lambda peer, frame: self.received.append((peer, frame)),
            lambda target, frame: self.received.append((target, frame)),
        )
        self.transport = kind(name, lambda target: f"{folder}/{target}.{ROUTER}", **limits)

    def bind(self, *kinds):
        for kind in kinds:
            self.transport.bind(kind, f"{self.folder}/{self.name}.{kind}")
        return self

    def connect(self, kind, other):
        self.transport.connect(kind, other, f"{self.folder}/{other}.{PUB if kind == SUB else ROUTER}")
        return self

    def turn(self, timeout_ns=MS_NS):
        self.transport.wait(timeout_ns)
        self.transport.drain(self.sink)

    @property
    def frames(self):
        return [frame for _, frame in self.received]


class Place:
    """Ends that may connect to each other. `until` gives each its turn, as its own driver would."""

    def __init__(self, folder, kinds):
        self.folder, self.kinds = folder, kinds
        self.ends = []

    def end(self, name, side=0, **limits):
        self.ends.append(End(KINDS[self.kinds[side]], self.folder, name, **limits))
        return self.ends[-1]

    def close(self, end):
        self.ends.remove(end)
        end.transport.close()

    def until(self, what, timeout_s=10.0):
        stop = time.monotonic() + timeout_s
        while not (found := what()):
            assert time.monotonic() < stop, [len(end.received) for end in self.ends]
            for end in self.ends:
                end.turn()
        return found

    def for_a_while(self, seconds):
        stop = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > stop, seconds + 5)

    def pair(self, **limits):
        """(client, server), connected."""
        client = self.end("client", 0, **limits).connect(DEALER, "server")
        server = self.end("server", 1).bind(ROUTER)
        self.until(lambda: client.transport.send("server", b"hello"))
        self.until(lambda: server.received)
        server.received.clear()
        return client, server


@pytest.fixture(params=PAIRS, ids=["-".join(pair) for pair in PAIRS])
def place(request, tmp_path):
    found = Place(tmp_path, request.param)
    yield found
    for end in list(found.ends):
        found.close(end)


@pytest.fixture
def pair(tmp_path):
    """(place, client, server) on the transport in use."""
    found = Place(tmp_path, (IMPLEMENTATION, IMPLEMENTATION))
    yield found, *found.pair()
    for end in list(found.ends):
        found.close(end)


def connected(place, publisher, subscriber):
    """Publish until the subscription has arrived."""
    place.until(lambda: publisher.transport.publish(b"md.first") or subscriber.received)
    place.for_a_while(0.05)
    subscriber.received.clear()


def test_frames_arrive_whole_in_order_and_only_those_that_are_subscribed_to(place):
    publisher, subscriber = place.end("publisher").bind(PUB), place.end("subscriber", 1).connect(SUB, "publisher")
    subscriber.transport.subscribe("md.")
    connected(place, publisher, subscriber)
    sizes = [0, 1, 33, 251, 252, 253, 255, 256, 8_192, 65_536, 1_000_000, 8_000_000]
    for n, size in enumerate(sizes):
        publisher.transport.publish(b"md." + bytes([n]) * size)
        publisher.transport.publish(b"ord." + bytes([n]) * size)
    place.until(lambda: len(subscriber.received) >= len(sizes))
    assert subscriber.frames == [b"md." + bytes([n]) * size for n, size in enumerate(sizes)]


def test_a_later_subscription_holds_for_all_publishers_that_are_connected(place):
    publishers = [place.end(name).bind(PUB) for name in ("one", "two")]
    subscriber = place.end("subscriber", 1).connect(SUB, "one").connect(SUB, "two")
    subscriber.transport.subscribe("md.")
    for publisher in publishers:
        connected(place, publisher, subscriber)
    subscriber.transport.subscribe("ord.")
    place.for_a_while(0.1)
    for publisher in publishers:
        publisher.transport.publish(b"ord." + publisher.name.encode())
        publisher.transport.publish(b"sys." + publisher.name.encode())
    place.until(lambda: len(subscriber.received) >= 2)
    assert sorted(subscriber.frames) == [b"ord.one", b"ord.two"]


def test_frames_of_a_publisher_that_comes_back_arrive_without_a_new_subscription(place):
    publisher, subscriber = place.end("publisher").bind(PUB), place.end("subscriber", 1).connect(SUB, "publisher")
    subscriber.transport.subscribe("md.")
    connected(place, publisher, subscriber)
    place.close(publisher)
    (place.folder / f"publisher.{PUB}").unlink(missing_ok=True)
    place.for_a_while(0.2)
    connected(place, place.end("publisher").bind(PUB), subscriber)


def test_a_request_arrives_with_the_name_of_its_sender_and_the_answer_with_that_of_its_target(place):
    client, server = place.pair()
    assert client.transport.send("server", b"request")
    place.until(lambda: server.received)
    assert server.received == [("client", b"request")]
    assert server.transport.reply("client", b"answer")
    place.until(lambda: client.received)
    assert client.received == [("server", b"answer")]


def test_nothing_is_queued_without_a_connection(place):
    client = place.end("client").connect(DEALER, "server")
    for _ in range(20):
        assert not client.transport.send("server", b"too early")
        client.turn()
    server = place.end("server", 1).bind(ROUTER)
    place.until(lambda: client.transport.send("server", b"in time"))
    place.until(lambda: server.received)
    assert server.frames == [b"in time"]
    place.close(server)
    place.until(lambda: not client.transport.send("server", b"too late"))
    for _ in range(20):
        assert not client.transport.send("server", b"too late")
        client.turn()


def test_an_answer_to_a_peer_that_has_gone_is_refused(place):
    client, server = place.pair()
    assert not server.transport.reply("nobody", b"answer")
    assert server.transport.reply("client", b"answer")
    place.close(client)
    place.until(lambda: not server.transport.reply("client", b"answer"))


def test_the_newest_holder_of_a_name_has_it(place):
    client, server = place.pair()
    again = place.end("client").connect(DEALER, "server")
    place.until(lambda: again.transport.send("server", b"I am the client now"))
    place.until(lambda: server.received)
    client.received.clear()
    assert server.transport.reply("client", b"answer")
    place.until(lambda: again.received)
    assert again.frames == [b"answer"]
    assert client.received == []


def test_a_full_queue_refuses_and_does_not_block(place):
    client, server = place.pair(direct_bytes=DIRECT_MAX_BYTES // 1_000)
    place.ends.remove(server)  # it hangs
    sent = 0
    while client.transport.send("server", b"x" * 100_000):
        client.transport.flush()
        sent += 1
        assert sent < 20_000  # libzmq on the other side takes in what fits into its own queue
    place.ends.append(server)
    place.until(lambda: len(server.received) == sent)
    place.until(lambda: client.transport.send("server", b"again"))


@pytest.mark.slow
def test_a_subscriber_that_hangs_loses_whole_frames_and_the_others_none(place):
    publisher = place.end("publisher").bind(PUB)
    subscribers = [place.end(name, 1).connect(SUB, "publisher") for name in ("slow", "quick")]
    for subscriber in subscribers:
        subscriber.transport.subscribe("md.")
        connected(place, publisher, subscriber)
    slow, quick = subscribers
    place.for_a_while(0.1)
    slow.received.clear()
    quick.received.clear()
    place.ends.remove(slow)
    count = (
        (PUB_MAX_BYTES + 16_000_000) // 100_000 if type(publisher.transport) is FAST is type(slow.transport) else 300
    )
    for n in range(count):
        publisher.transport.publish(b"md." + str(n).encode() + b" " * 100_000)
        publisher.transport.flush()
        quick.turn(0)
    place.until(lambda: len(quick.received) == count)
    place.ends.append(slow)
    place.for_a_while(1.0)
    assert [int(frame[3:]) for frame in quick.frames] == list(range(count))
    got = [int(frame[3:]) for frame in slow.frames]
    assert got == sorted(set(got))
    assert all(len(frame) > 100_000 for frame in slow.frames)
    if count > 300:
        assert 0 < len(got) < count
    publisher.transport.publish(b"md.99999 now")
    place.until(lambda: b"md.99999 now" in slow.frames)


def test_a_send_that_takes_the_signal_away_leaves_nothing_unread(place):
    """libzmq's FD is edge-triggered and a send takes its signal away: what arrived meanwhile must still be found."""
    client, server = place.pair()
    for n in range(300):
        assert client.transport.send("server", b"request")
        place.until(lambda n=n: len(server.received) == 2 * n + 1)
        server.transport.reply("client", b"answer")
        server.transport.flush()
        if n % 3 == 0:
            time.sleep(0.0005)  # let it arrive: the send below then processes it
        client.transport.send("server", b"another")
        place.until(lambda n=n: len(server.received) == 2 * n + 2)
        place.until(lambda n=n: len(client.received) == n + 1, 5)


def test_a_busy_client_misses_no_answer(place):
    """Many requests in flight, answers among the sends, each end in a thread of its own."""
    client, server = place.pair()
    going = threading.Event()

    def answer():
        while not going.is_set():
            server.turn(10 * MS_NS)
            for peer, frame in server.received:
                while not server.transport.reply(peer, frame):
                    server.turn()
            server.received.clear()

    place.ends.remove(server)
    thread = threading.Thread(target=answer)
    thread.start()
    try:
        for n in range(2_000):
            place.until(lambda n=n: client.transport.send("server", str(n).encode()))
            if n % 7 == 0:
                client.turn(0)
        place.until(lambda: len(client.received) == 2_000)
    finally:
        going.set()
        thread.join()
        place.ends.append(server)
    assert client.frames == [str(n).encode() for n in range(2_000)]


def test_a_transport_with_more_than_one_batch_to_read_does_not_sleep(place):
    client, server = place.pair()
    for n in range(3 * BATCH):
        assert client.transport.send("server", str(n).encode())
    client.transport.flush()
    time.sleep(0.1)  # all of it is there
    rounds = 0
    while len(server.received) < 3 * BATCH:
        begun = time.monotonic()
        assert server.transport.wait(10 * SECOND_NS)
        more = server.transport.drain(server.sink)
        assert time.monotonic() - begun < 5
        assert server.transport.is_idle() is not more
        rounds += 1
    assert rounds >= 3
    assert server.frames == [str(n).encode() for n in range(3 * BATCH)]


def test_data_is_read_before_answers_and_answers_before_commands(place):
    one = place.end("one").bind(ROUTER).connect(DEALER, "other").connect(SUB, "other")
    one.transport.subscribe("")
    other = place.end("other", 1).bind(ROUTER, PUB).connect(DEALER, "one")
    place.until(lambda: one.transport.send("other", b"hello") and other.transport.send("one", b"hello"))
    connected(place, other, one)
    other.transport.send("one", b"command")
    assert other.transport.reply("one", b"answer")
    other.transport.publish(b"md.data")
    other.transport.flush()
    time.sleep(0.2)  # all three are there
    one.turn(SECOND_NS)
    assert one.received == [("frame", b"md.data"), ("other", b"answer"), ("other", b"command")]


def test_messages_in_several_parts_and_identities_that_are_not_text_are_handled(place):
    server = place.end("server", 1).bind(ROUTER)
    with zmq.Context() as context, context.socket(zmq.DEALER) as other:
        other.set(zmq.LINGER, 0)
        other.set(zmq.ROUTING_ID, b"\xff\xfe\x01")
        other.connect(f"ipc://{place.folder}/server.{ROUTER}")
        other.send_multipart([b"one", b"two", b"three"])
        other.send(b"four")
        other.send(b"")
        place.until(lambda: len(server.received) == 3)
        assert server.received == [("\xff\xfe\x01", b"one"), ("\xff\xfe\x01", b"four"), ("\xff\xfe\x01", b"")]
        assert server.transport.reply("\xff\xfe\x01", b"answer")
        server.turn()
        assert other.poll(10_000)
        assert other.recv() == b"answer"


def test_a_libzmq_socket_may_subscribe_and_unsubscribe(place):
    """As a user's own program does: heartbeats, several subscriptions, one of them removed."""
    publisher = place.end("publisher", 1).bind(PUB)
    with zmq.Context() as context, context.socket(zmq.SUB) as other:
        other.set(zmq.HEARTBEAT_IVL, 50)
        other.set(zmq.HEARTBEAT_TIMEOUT, 200)
        other.connect(f"ipc://{place.folder}/publisher.{PUB}")
        for prefix in (b"md.", b"md.X.", b"ord."):
            other.subscribe(prefix)
        place.until(lambda: publisher.transport.publish(b"ord.") or other.poll(1))
        other.unsubscribe(b"md.")
        place.for_a_while(0.5)  # heartbeats go to and fro
        while other.poll(10):
            other.recv()
        for frame in (b"md.Y.1", b"md.X.1", b"ord.1", b"sys.1"):
            publisher.transport.publish(frame)
        publisher.transport.flush()
        assert [other.recv() for _ in range(2) if other.poll(10_000)] == [b"md.X.1", b"ord.1"]
        assert not other.poll(50)


@pytest.mark.skipif(IMPLEMENTATION != "cython", reason="libzmq has no such bound")
def test_a_subscriber_with_too_many_bytes_of_prefixes_is_disconnected(pair):
    """Prefixes that were cancelled no longer count."""
    place = pair[0]
    publisher = place.end("publisher").bind(PUB)
    prefixes = [b"%04d" % number + bytes(1_000) for number in range(MAX_PREFIX_BYTES // 1_000)]
    with zmq.Context() as context, context.socket(zmq.SUB) as other:
        other.set(zmq.SNDHWM, 0)  # libzmq drops subscriptions above its limit
        end = other.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        other.connect(f"ipc://{place.folder}/publisher.{PUB}")
        for prefix in prefixes:
            other.subscribe(prefix)
            other.unsubscribe(prefix)
        other.subscribe(b"md.")
        place.until(lambda: publisher.transport.publish(b"md.1") or other.poll(1))
        assert not end.poll(0)
        for prefix in prefixes:
            other.subscribe(prefix)
        place.until(lambda: end.poll(1))
        other.disable_monitor()


def test_a_wait_ends_at_its_time_and_returns_false_if_nothing_arrived(place):
    quiet = place.end("quiet", 1).bind(ROUTER)
    quiet.turn(0)
    waits, end = 0, time.monotonic() + 0.05
    while (left_s := end - time.monotonic()) > 0.005:  # a signal or a timer of the transport may end a wait early
        assert not quiet.transport.wait(int(left_s * SECOND_NS))
        waits += 1
    assert 1 <= waits <= 5


def test_a_signal_is_handled_while_waiting(place):
    quiet = place.end("quiet", 1).bind(ROUTER)
    quiet.turn(0)
    caught = []
    kept = signal.signal(signal.SIGUSR1, lambda *_: caught.append(time.monotonic()))
    try:
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
        begun = time.monotonic()
        timer.start()
        quiet.transport.wait(SECOND_NS // 4)
        timer.join()
    finally:
        signal.signal(signal.SIGUSR1, kept)
    assert caught
    assert caught[0] - begun < 1.5


@pytest.mark.skipif(FAST is None, reason="libzmq needs its descriptors when a socket is made")
def test_a_connection_that_finds_no_descriptor_is_accepted_later(pair):
    place, _, server = pair
    late = place.end("late")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # a socket that an earlier test has left would free its descriptor below
    used = max(int(entry) for entry in os.listdir("/proc/self/fd"))
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.dup(0))
        late.connect(DEALER, "server")
        place.for_a_while(0.1)
        assert not late.transport.send("server", b"too early")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in held:
            os.close(fd)
    place.until(lambda: late.transport.send("server", b"now"))
    place.until(lambda: ("late", b"now") in server.received)


# -- invalid bytes --------------------------------------------------------------------------------------


def connect_raw(place, name="server"):
    """A connection without anything behind it."""
    raw = socket.socket(socket.AF_UNIX)
    raw.settimeout(10)
    raw.connect(f"{place.folder}/{name}.{ROUTER}")
    return raw


def is_closed(raw):
    """Whether the other side has closed the connection; what it sent before is read first."""
    raw.settimeout(0.001)
    try:
        while raw.recv(65_536):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


INVALID = {
    "not ZeroMQ": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".ljust(100),
    "an older version": GREETING.replace(b"\x03\x00NULL", b"\x01\x00NULL"),
    "a mechanism with passwords": GREETING.replace(b"NULL\0", b"PLAIN"),
    "a message before READY": GREETING + b"\x00\x05hello",
    "a socket type that does not fit": GREETING + READY.replace(b"\x06DEALER", b"\x06DISHES"),
    "a READY that ends in the middle": GREETING + b"\x04\x10\x05READY\x0bSocket",
    "a READY with a length beyond its end": GREETING + READY.replace(b"\0\0\0\x06", b"\xff\0\0\x06"),
    "flags that do not exist": GREETING + READY + b"\x48\x05hello",
    "a frame above the limit": GREETING + READY + b"\x02\0\0\0\0\x7f\0\0\0" + b"x" * 1_000,
    "a frame of the largest possible length": GREETING + READY + b"\x02" + b"\xff" * 8,
}


WAITS = {"a READY that ends in the middle"}  # the rest may still arrive: it is closed after some seconds


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=pytest.mark.slow if what in WAITS else ()) for what in INVALID]
)
def test_a_connection_with_an_invalid_protocol_is_closed_and_no_other(pair, what):
    place, client, server = pair
    with connect_raw(place) as raw:
        raw.sendall(INVALID[what])
        place.until(lambda: is_closed(raw))
    assert client.transport.send("server", b"request")
    place.until(lambda: server.received)
    assert server.received == [("client", b"request")]


@pytest.mark.parametrize("size", [1, 2, 7, 63, 64, 65, 1_000])
def test_a_message_that_arrives_in_pieces_is_the_same_message(pair, size):
    place, _, server = pair
    data = GREETING + READY + b"\x00\x03one\x01\x03two\x00\x04tail\x02" + (300).to_bytes(8, "big") + b"3" * 300
    with connect_raw(place) as raw:
        for start in range(0, len(data), size):
            raw.sendall(data[start : start + size])
            server.turn(0)
        place.until(lambda: len(server.received) == 3)
    assert server.frames == [b"one", b"two", b"3" * 300]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from([b"", GREETING[:30], GREETING, GREETING + READY[:9], GREETING + READY]),
    pieces=st.lists(
        st.binary(max_size=40)
        | st.builds(
            lambda flags, size, body: bytes([flags, size]) + body,
            st.integers(0, 8), st.integers(0, 30), st.binary(max_size=30),
        ),
        max_size=8,
    ),
)  # fmt: skip
def test_invalid_bytes_do_not_affect_other_connections(pair, start, pieces):
    place, client, server = pair
    server.received.clear()
    with connect_raw(place) as raw:
        for piece in (start, *pieces):
            try:
                raw.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
            server.turn(0)
    assert client.transport.send("server", b"request")
    place.until(lambda: ("client", b"request") in server.received)


@pytest.mark.slow
def test_a_silent_peer_is_disconnected_and_a_busy_one_is_not(pair):
    place, client, server = pair
    with connect_raw(place) as silent:
        silent.sendall(GREETING + READY + b"\x00\x05hello")
        place.until(lambda: server.received)
        begun = time.monotonic()
        place.until(lambda: is_closed(silent), 20)
        took_ms = (time.monotonic() - begun) * 1_000
    assert took_ms >= HEARTBEAT_TIMEOUT_MS  # not sooner; that it happens at all is waited for above
    assert client.transport.send("server", b"still here")
    time.sleep((HEARTBEAT_MS + HEARTBEAT_TIMEOUT_MS) / 1_000 + 0.5)  # both are busy for that long
    place.for_a_while(1.5)
    assert client.transport.send("server", b"and still")
    place.until(lambda: (server.received[-1]) == ("client", b"and still"))
    assert server.frames[-2:] == [b"still here", b"and still"]
