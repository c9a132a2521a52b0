"""Both twins of the wires over real sockets, each with itself and with the other: nothing is lost, nothing blocks."""

import contextlib
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

from actors.live.transport import DEALER, FAST, IMPLEMENTATION, PUB, ROUTER, SUB, FastWires, PlainWires, Sink, Wires
from actors.live.transport_limits import BATCH, DIRECT_MAX_BYTES, HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS, PUB_MAX_BYTES

TWINS = {"plain": PlainWires} | ({"cython": FastWires} if FastWires is not None else {})
PAIRS = [(one, other) for one in TWINS for other in TWINS]
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
READY = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER"


class End:
    """One side: its wires, and all that came on them."""

    def __init__(self, twin, folder, name, **limits):
        self.came = []
        self.folder, self.name = folder, name
        sink = Sink(
            lambda frame: self.came.append(("frame", frame)),
            lambda peer, frame: self.came.append((peer, frame)),
            lambda target, frame: self.came.append((target, frame)),
        )
        self.wires = twin(sink, name, **limits)

    def bind(self, *kinds):
        for kind in kinds:
            self.wires.bind(kind, f"{self.folder}/{self.name}.{kind}")
        return self

    def connect(self, kind, other):
        self.wires.connect(kind, other, f"{self.folder}/{other}.{PUB if kind == SUB else ROUTER}")
        return self

    def turn(self, timeout_ns=MS_NS):
        self.wires.wait(timeout_ns)
        self.wires.drain()

    @property
    def frames(self):
        return [frame for _, frame in self.came]


class Place:
    """Ends that may talk to each other. `until` gives each its turn, as its own driver would."""

    def __init__(self, folder, twins):
        self.folder, self.twins = folder, twins
        self.ends = []

    def end(self, name, side=0, **limits):
        self.ends.append(End(TWINS[self.twins[side]], self.folder, name, **limits))
        return self.ends[-1]

    def close(self, end):
        self.ends.remove(end)
        end.wires.close()

    def until(self, what, timeout_s=10.0):
        stop = time.monotonic() + timeout_s
        while not (found := what()):
            assert time.monotonic() < stop, [len(end.came) for end in self.ends]
            for end in self.ends:
                end.turn()
        return found

    def for_a_while(self, seconds):
        stop = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > stop, seconds + 5)

    def pair(self, **limits):
        """(asker, answerer), connected."""
        asker = self.end("asker", 0, **limits).connect(DEALER, "answerer")
        answerer = self.end("answerer", 1).bind(ROUTER)
        self.until(lambda: asker.wires.ask("answerer", b"hello"))
        self.until(lambda: answerer.came)
        answerer.came.clear()
        return asker, answerer


@pytest.fixture(params=PAIRS, ids=["-".join(pair) for pair in PAIRS])
def place(request, tmp_path):
    found = Place(tmp_path, request.param)
    yield found
    for end in list(found.ends):
        found.close(end)


@pytest.fixture
def pair(tmp_path):
    """(place, asker, answerer) on the wires in use."""
    found = Place(tmp_path, (IMPLEMENTATION, IMPLEMENTATION))
    yield found, *found.pair()
    for end in list(found.ends):
        found.close(end)


def heard(place, teller, hearer):
    """Tell until the subscription has arrived."""
    place.until(lambda: teller.wires.publish(b"md.first") or hearer.came)
    place.for_a_while(0.05)
    hearer.came.clear()


def test_the_fast_twin_is_the_one_in_use():
    assert Wires is TWINS[IMPLEMENTATION]
    assert (IMPLEMENTATION == "cython") is FAST


def test_frames_come_whole_in_order_and_only_those_that_are_subscribed(place):
    teller, hearer = place.end("teller").bind(PUB), place.end("hearer", 1).connect(SUB, "teller")
    hearer.wires.subscribe("md.")
    heard(place, teller, hearer)
    sizes = [0, 1, 33, 251, 252, 253, 255, 256, 8_192, 65_536, 1_000_000, 8_000_000]
    for n, size in enumerate(sizes):
        teller.wires.publish(b"md." + bytes([n]) * size)
        teller.wires.publish(b"ord." + bytes([n]) * size)
    place.until(lambda: len(hearer.came) >= len(sizes))
    assert hearer.frames == [b"md." + bytes([n]) * size for n, size in enumerate(sizes)]


def test_what_is_subscribed_to_later_comes_from_all_publishers_that_are_connected(place):
    tellers = [place.end(name).bind(PUB) for name in ("one", "two")]
    hearer = place.end("hearer", 1).connect(SUB, "one").connect(SUB, "two")
    hearer.wires.subscribe("md.")
    for teller in tellers:
        heard(place, teller, hearer)
    hearer.wires.subscribe("ord.")
    place.for_a_while(0.1)
    for teller in tellers:
        teller.wires.publish(b"ord." + teller.name.encode())
        teller.wires.publish(b"sys." + teller.name.encode())
    place.until(lambda: len(hearer.came) >= 2)
    assert sorted(hearer.frames) == [b"ord.one", b"ord.two"]


def test_a_publisher_that_comes_back_is_heard_again_without_being_asked(place):
    teller, hearer = place.end("teller").bind(PUB), place.end("hearer", 1).connect(SUB, "teller")
    hearer.wires.subscribe("md.")
    heard(place, teller, hearer)
    place.close(teller)
    (place.folder / f"teller.{PUB}").unlink(missing_ok=True)
    place.for_a_while(0.2)
    heard(place, place.end("teller").bind(PUB), hearer)


def test_a_question_arrives_with_the_name_of_its_sender_and_the_answer_with_that_of_its_target(place):
    asker, answerer = place.pair()
    assert asker.wires.ask("answerer", b"question")
    place.until(lambda: answerer.came)
    assert answerer.came == [("asker", b"question")]
    assert answerer.wires.send_to("asker", b"answer")
    place.until(lambda: asker.came)
    assert asker.came == [("answerer", b"answer")]


def test_nothing_is_queued_for_nobody(place):
    asker = place.end("asker").connect(DEALER, "answerer")
    for _ in range(20):
        assert not asker.wires.ask("answerer", b"too early")
        asker.turn()
    answerer = place.end("answerer", 1).bind(ROUTER)
    place.until(lambda: asker.wires.ask("answerer", b"in time"))
    place.until(lambda: answerer.came)
    assert answerer.frames == [b"in time"]
    place.close(answerer)
    place.until(lambda: not asker.wires.ask("answerer", b"too late"))
    for _ in range(20):
        assert not asker.wires.ask("answerer", b"too late")
        asker.turn()


def test_an_answer_to_a_peer_that_has_gone_is_refused(place):
    asker, answerer = place.pair()
    assert not answerer.wires.send_to("nobody", b"answer")
    assert answerer.wires.send_to("asker", b"answer")
    place.close(asker)
    place.until(lambda: not answerer.wires.send_to("asker", b"answer"))


def test_the_newest_holder_of_a_name_has_it(place):
    asker, answerer = place.pair()
    again = place.end("asker").connect(DEALER, "answerer")
    place.until(lambda: again.wires.ask("answerer", b"I am the asker now"))
    place.until(lambda: answerer.came)
    asker.came.clear()
    assert answerer.wires.send_to("asker", b"answer")
    place.until(lambda: again.came)
    assert again.frames == [b"answer"]
    assert asker.came == []


def test_a_full_queue_refuses_and_does_not_block(place):
    asker, answerer = place.pair(direct_bytes=DIRECT_MAX_BYTES // 1_000)
    place.ends.remove(answerer)  # it hangs
    sent = 0
    while asker.wires.ask("answerer", b"x" * 100_000):
        asker.wires.flush()
        sent += 1
        assert sent < 20_000  # libzmq on the other side takes in what fits into its own queue
    place.ends.append(answerer)
    place.until(lambda: len(answerer.came) == sent)
    place.until(lambda: asker.wires.ask("answerer", b"again"))


def test_a_hearer_that_hangs_loses_whole_frames_and_nobody_else_does(place):
    teller = place.end("teller").bind(PUB)
    hearers = [place.end(name, 1).connect(SUB, "teller") for name in ("slow", "quick")]
    for hearer in hearers:
        hearer.wires.subscribe("md.")
        heard(place, teller, hearer)
    slow, quick = hearers
    place.for_a_while(0.1)
    slow.came.clear()
    quick.came.clear()
    place.ends.remove(slow)
    count = (PUB_MAX_BYTES + 16_000_000) // 100_000 if type(teller.wires) is FastWires is type(slow.wires) else 300
    for n in range(count):
        teller.wires.publish(b"md." + str(n).encode() + b" " * 100_000)
        teller.wires.flush()
        quick.turn(0)
    place.until(lambda: len(quick.came) == count)
    place.ends.append(slow)
    place.for_a_while(1.0)
    assert [int(frame[3:]) for frame in quick.frames] == list(range(count))
    got = [int(frame[3:]) for frame in slow.frames]
    assert got == sorted(set(got))
    assert all(len(frame) > 100_000 for frame in slow.frames)
    if count > 300:
        assert 0 < len(got) < count
    teller.wires.publish(b"md.99999 now")
    place.until(lambda: b"md.99999 now" in slow.frames)


def test_a_send_that_swallows_a_wake_up_leaves_nothing_unread(place):
    """libzmq's FD is edge-triggered and a send eats its signal: what came meanwhile must be found all the same."""
    asker, answerer = place.pair()
    for n in range(300):
        assert asker.wires.ask("answerer", b"question")
        place.until(lambda n=n: len(answerer.came) == 2 * n + 1)
        answerer.wires.send_to("asker", b"answer")
        answerer.wires.flush()
        if n % 3 == 0:
            time.sleep(0.0005)  # let it arrive: the send below then processes it
        asker.wires.ask("answerer", b"another")
        place.until(lambda n=n: len(answerer.came) == 2 * n + 2)
        place.until(lambda n=n: len(asker.came) == n + 1, 5)


def test_a_busy_asker_misses_no_answer(place):
    """Many questions in flight, answers among the sends, each end in a thread of its own."""
    asker, answerer = place.pair()
    going = threading.Event()

    def answer():
        while not going.is_set():
            answerer.turn(10 * MS_NS)
            for peer, frame in answerer.came:
                while not answerer.wires.send_to(peer, frame):
                    answerer.turn()
            answerer.came.clear()

    place.ends.remove(answerer)
    thread = threading.Thread(target=answer)
    thread.start()
    try:
        for n in range(2_000):
            place.until(lambda n=n: asker.wires.ask("answerer", str(n).encode()))
            if n % 7 == 0:
                asker.turn(0)
        place.until(lambda: len(asker.came) == 2_000)
    finally:
        going.set()
        thread.join()
        place.ends.append(answerer)
    assert asker.frames == [str(n).encode() for n in range(2_000)]


def test_what_does_not_fit_into_one_round_keeps_the_wires_awake(place):
    asker, answerer = place.pair()
    for n in range(3 * BATCH):
        assert asker.wires.ask("answerer", str(n).encode())
    asker.wires.flush()
    time.sleep(0.1)  # all of it is there
    rounds = 0
    while len(answerer.came) < 3 * BATCH:
        begun = time.monotonic()
        assert answerer.wires.wait(10 * SECOND_NS)
        more = answerer.wires.drain()
        assert time.monotonic() - begun < 5
        assert answerer.wires.settled() is not more
        rounds += 1
    assert rounds >= 3
    assert answerer.frames == [str(n).encode() for n in range(3 * BATCH)]


def test_data_is_read_before_answers_and_answers_before_commands(place):
    one = place.end("one").bind(ROUTER).connect(DEALER, "other").connect(SUB, "other")
    one.wires.subscribe("")
    other = place.end("other", 1).bind(ROUTER, PUB).connect(DEALER, "one")
    place.until(lambda: one.wires.ask("other", b"hello") and other.wires.ask("one", b"hello"))
    heard(place, other, one)
    other.wires.ask("one", b"command")
    assert other.wires.send_to("one", b"answer")
    other.wires.publish(b"md.data")
    other.wires.flush()
    time.sleep(0.2)  # all three are there
    one.turn(SECOND_NS)
    assert one.came == [("frame", b"md.data"), ("other", b"answer"), ("other", b"command")]


def test_more_parts_than_one_and_names_that_are_no_text_harm_nobody(place):
    answerer = place.end("answerer", 1).bind(ROUTER)
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.set(zmq.LINGER, 0)
        stranger.set(zmq.ROUTING_ID, b"\xff\xfe\x01")
        stranger.connect(f"ipc://{place.folder}/answerer.{ROUTER}")
        stranger.send_multipart([b"one", b"two", b"three"])
        stranger.send(b"four")
        stranger.send(b"")
        place.until(lambda: len(answerer.came) == 3)
        assert answerer.came == [("\xff\xfe\x01", b"one"), ("\xff\xfe\x01", b"four"), ("\xff\xfe\x01", b"")]
        assert answerer.wires.send_to("\xff\xfe\x01", b"answer")
        answerer.turn()
        assert stranger.poll(10_000)
        assert stranger.recv() == b"answer"


def test_whoever_speaks_libzmq_may_listen_and_stop_listening(place):
    """As a user's own program does: another language, heartbeats, several subscriptions, one taken back."""
    teller = place.end("teller", 1).bind(PUB)
    with zmq.Context() as context, context.socket(zmq.SUB) as stranger:
        stranger.set(zmq.HEARTBEAT_IVL, 50)
        stranger.set(zmq.HEARTBEAT_TIMEOUT, 200)
        stranger.connect(f"ipc://{place.folder}/teller.{PUB}")
        for prefix in (b"md.", b"md.X.", b"ord."):
            stranger.subscribe(prefix)
        place.until(lambda: teller.wires.publish(b"ord.") or stranger.poll(1))
        stranger.unsubscribe(b"md.")
        place.for_a_while(0.5)  # heartbeats go to and fro
        while stranger.poll(10):
            stranger.recv()
        for frame in (b"md.Y.1", b"md.X.1", b"ord.1", b"sys.1"):
            teller.wires.publish(frame)
        teller.wires.flush()
        assert [stranger.recv() for _ in range(2) if stranger.poll(10_000)] == [b"md.X.1", b"ord.1"]
        assert not stranger.poll(50)


def test_a_wait_ends_at_its_time_and_says_that_nothing_came(place):
    quiet = place.end("quiet", 1).bind(ROUTER)
    quiet.turn(0)
    begun = time.monotonic()
    assert not quiet.wires.wait(SECOND_NS // 20)
    assert time.monotonic() - begun >= 0.045


def test_a_signal_is_handled_while_waiting(place):
    quiet = place.end("quiet", 1).bind(ROUTER)
    quiet.turn(0)
    caught = []
    kept = signal.signal(signal.SIGUSR1, lambda *_: caught.append(time.monotonic()))
    try:
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
        begun = time.monotonic()
        timer.start()
        quiet.wires.wait(SECOND_NS)
        timer.join()
    finally:
        signal.signal(signal.SIGUSR1, kept)
    assert caught
    assert caught[0] - begun < 1.5


@pytest.mark.skipif(not FAST, reason="libzmq wants its descriptors when a socket is made")
def test_no_descriptor_left_is_waited_out(pair):
    place, _, answerer = pair
    late = place.end("late")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(entry) for entry in os.listdir("/proc/self/fd"))
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.dup(0))
        late.connect(DEALER, "answerer")
        place.for_a_while(0.1)
        assert not late.wires.ask("answerer", b"too early")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in held:
            os.close(fd)
    place.until(lambda: late.wires.ask("answerer", b"now"))
    place.until(lambda: ("late", b"now") in answerer.came)


# -- bytes that no decent peer sends ------------------------------------------------------------------


def knock(place, name="answerer"):
    """A connection without anything behind it."""
    caller = socket.socket(socket.AF_UNIX)
    caller.settimeout(10)
    caller.connect(f"{place.folder}/{name}.{ROUTER}")
    return caller


def is_cut(caller):
    """Whether the other side has ended the connection; what it had said is read first."""
    caller.settimeout(0.001)
    try:
        while caller.recv(65_536):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


STRANGE = {
    "no ZeroMQ": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".ljust(100),
    "an older version": GREETING.replace(b"\x03\x00NULL", b"\x01\x00NULL"),
    "a mechanism that wants secrets": GREETING.replace(b"NULL\0", b"PLAIN"),
    "a message before it is introduced": GREETING + b"\x00\x05hello",
    "a socket that does not belong here": GREETING + READY.replace(b"\x06DEALER", b"\x06DISHES"),
    "an introduction that ends in the middle": GREETING + b"\x04\x10\x05READY\x0bSocket",
    "an introduction with a length beyond it": GREETING + READY.replace(b"\0\0\0\x06", b"\xff\0\0\x06"),
    "flags that there are none of": GREETING + READY + b"\x48\x05hello",
    "a frame above the limit": GREETING + READY + b"\x02\0\0\0\0\x7f\0\0\0" + b"x" * 1_000,
    "a frame of nearly all numbers there are": GREETING + READY + b"\x02" + b"\xff" * 8,
}


@pytest.mark.parametrize("what", STRANGE)
def test_who_speaks_something_else_is_cut_and_nobody_else(pair, what):
    place, asker, answerer = pair
    with knock(place) as caller:
        caller.sendall(STRANGE[what])
        place.until(lambda: is_cut(caller))
    assert asker.wires.ask("answerer", b"question")
    place.until(lambda: answerer.came)
    assert answerer.came == [("asker", b"question")]


@pytest.mark.parametrize("size", [1, 2, 7, 63, 64, 65, 1_000])
def test_bytes_that_come_in_pieces_are_the_same_message(pair, size):
    place, _, answerer = pair
    told = GREETING + READY + b"\x00\x03one\x01\x03two\x00\x04tail\x02" + (300).to_bytes(8, "big") + b"3" * 300
    with knock(place) as caller:
        for start in range(0, len(told), size):
            caller.sendall(told[start : start + size])
            answerer.turn(0)
        place.until(lambda: len(answerer.came) == 3)
    assert answerer.frames == [b"one", b"two", b"3" * 300]


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
def test_no_bytes_harm_the_others(pair, start, pieces):
    place, asker, answerer = pair
    answerer.came.clear()
    with knock(place) as caller:
        for piece in (start, *pieces):
            try:
                caller.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
            answerer.turn(0)
    assert asker.wires.ask("answerer", b"question")
    place.until(lambda: ("asker", b"question") in answerer.came)


def test_who_says_nothing_any_more_is_cut_off_and_who_was_busy_is_not(pair):
    place, asker, answerer = pair
    with knock(place) as mute:
        mute.sendall(GREETING + READY + b"\x00\x05hello")
        place.until(lambda: answerer.came)
        begun = time.monotonic()
        place.until(lambda: is_cut(mute), 20)
        took_ms = (time.monotonic() - begun) * 1_000
    assert took_ms >= HEARTBEAT_TIMEOUT_MS  # not sooner; that it happens at all is waited for above
    assert asker.wires.ask("answerer", b"still here")
    time.sleep((HEARTBEAT_MS + HEARTBEAT_TIMEOUT_MS) / 1_000 + 0.5)  # both are busy for that long
    place.for_a_while(1.5)
    assert asker.wires.ask("answerer", b"and still")
    place.until(lambda: (answerer.came[-1]) == ("asker", b"and still"))
    assert answerer.frames[-2:] == [b"still here", b"and still"]
