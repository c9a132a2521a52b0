"""Both twins of the wires over real sockets: nothing is lost between arriving and being read, nothing blocks."""

import os
import signal
import threading
import time

import pytest
import zmq

from actors.wires import (
    BATCH,
    DEALER,
    FAST,
    IMPLEMENTATION,
    LIBZMQ,
    PUB,
    ROUTER,
    SUB,
    FastWires,
    PlainWires,
    Sink,
    Wires,
)

TWINS = {"plain": PlainWires} | ({"cython": FastWires} if FastWires is not None and LIBZMQ else {})
SECOND_NS = 1_000_000_000


class End:
    """One side: its sockets behind wires, and all that came."""

    def __init__(self, context, twin):
        self.context = context
        self.came = []
        sink = Sink(
            lambda frame: self.came.append(("frame", frame)),
            lambda peer, frame: self.came.append((peer, frame)),
            lambda target, frame: self.came.append((target, frame)),
        )
        self.wires = twin(LIBZMQ, sink)
        self.sockets = []

    def socket(self, kind, as_what, name="", **options):
        socket = self.context.socket(kind)
        for option, value in ({"LINGER": 0, "IMMEDIATE": 1} | options).items():
            socket.set(getattr(zmq, option), value)
        self.sockets.append(socket)
        return socket, self.wires.add(socket, as_what, name)

    def read(self, count, timeout_s=10.0):
        """Wait and drain as a driver does, until `count` messages are there."""
        end = time.monotonic() + timeout_s
        while len(self.came) < count:
            assert time.monotonic() < end, f"{len(self.came)} of {count} came"
            self.wires.wait(SECOND_NS // 5)
            self.wires.drain()
        return self.came

    def close(self):
        for socket in self.sockets:
            socket.close()


@pytest.fixture(params=TWINS)
def end(request, tmp_path):
    """Makes ends that may talk to each other; `end.at(name)` is an address."""
    context = zmq.Context()
    ends = []

    def make():
        ends.append(End(context, TWINS[request.param]))
        return ends[-1]

    make.at = lambda name: f"ipc://{tmp_path}/{name}"
    yield make
    for one in ends:
        one.close()
    context.term()


@pytest.fixture
def asked(end):
    """(asker, its DEALER, answerer, its ROUTER), connected."""
    answerer, asker = end(), end()
    router, router_at = answerer.socket(zmq.ROUTER, ROUTER, ROUTER_MANDATORY=1, ROUTER_HANDOVER=1)
    router.bind(end.at("answerer.cmd"))
    dealer, dealer_at = asker.socket(zmq.DEALER, DEALER, "answerer", ROUTING_ID=b"asker")
    dealer.connect(end.at("answerer.cmd"))
    sent_when_there(asker, dealer_at, b"hello")
    answerer.read(1)
    answerer.came.clear()
    return asker, dealer_at, answerer, router_at


def sent_when_there(one, at, frame, timeout_s=10.0):
    until = time.monotonic() + timeout_s
    while not one.wires.send(at, frame):
        assert time.monotonic() < until
        time.sleep(0.005)


def test_the_fast_twin_is_the_one_in_use():
    assert Wires is TWINS[IMPLEMENTATION]
    assert (IMPLEMENTATION == "cython") is FAST


def test_frames_come_whole_in_order_and_only_those_that_are_subscribed(end):
    teller, hearer = end(), end()
    pub, pub_at = teller.socket(zmq.PUB, PUB)
    pub.bind(end.at("teller.pub"))
    sub, _ = hearer.socket(zmq.SUB, SUB)
    sub.connect(end.at("teller.pub"))
    sub.subscribe("md.")
    until = time.monotonic() + 10
    while not hearer.came and time.monotonic() < until:  # until the subscription has arrived
        teller.wires.send(pub_at, b"md.first")
        hearer.wires.wait(SECOND_NS // 100)
        hearer.wires.drain()
    hearer.came.clear()
    sizes = [0, 1, 33, 255, 256, 8_192, 1_000_000]
    for n, size in enumerate(sizes):
        teller.wires.send(pub_at, b"md." + bytes([n]) * size)
        teller.wires.send(pub_at, b"ord." + bytes([n]) * size)
    hearer.read(len(sizes))
    came = [frame for _, frame in hearer.came if frame != b"md.first"]
    assert came == [b"md." + bytes([n]) * size for n, size in enumerate(sizes)]


def test_a_question_arrives_with_the_name_of_its_sender_and_the_answer_with_that_of_its_target(asked):
    asker, dealer_at, answerer, router_at = asked
    assert asker.wires.send(dealer_at, b"question")
    assert answerer.read(1) == [("asker", b"question")]
    assert answerer.wires.send_to(router_at, "asker", b"answer")
    assert asker.read(1) == [("answerer", b"answer")]


def test_nothing_is_queued_for_nobody(end):
    asker = end()
    dealer, at = asker.socket(zmq.DEALER, DEALER, "answerer", RECONNECT_IVL=10)
    dealer.connect(end.at("answerer.cmd"))
    assert not asker.wires.send(at, b"too early")
    answerer = end()
    router, _ = answerer.socket(zmq.ROUTER, ROUTER)
    router.bind(end.at("answerer.cmd"))
    sent_when_there(asker, at, b"in time")
    assert [frame for _, frame in answerer.read(1)] == [b"in time"]
    router.close()
    until = time.monotonic() + 10
    while asker.wires.send(at, b"too late") and time.monotonic() < until:
        time.sleep(0.005)
    assert not asker.wires.send(at, b"too late")


def test_an_answer_to_a_peer_that_has_gone_is_refused(asked):
    asker, _, answerer, router_at = asked
    assert not answerer.wires.send_to(router_at, "nobody", b"answer")
    asker.sockets.pop().close()
    until = time.monotonic() + 10
    while answerer.wires.send_to(router_at, "asker", b"answer") and time.monotonic() < until:
        time.sleep(0.005)
    assert not answerer.wires.send_to(router_at, "asker", b"answer")


def test_a_full_queue_refuses_and_does_not_block(end):
    answerer, asker = end(), end()
    router, _ = answerer.socket(zmq.ROUTER, ROUTER, RCVHWM=5)
    router.bind(end.at("answerer.cmd"))
    dealer, at = asker.socket(zmq.DEALER, DEALER, "answerer", SNDHWM=5)
    dealer.connect(end.at("answerer.cmd"))
    sent_when_there(asker, at, b"x" * 100_000)
    sent = 1
    while asker.wires.send(at, b"x" * 100_000):
        sent += 1
        assert sent < 1_000
    assert len(answerer.read(sent)) == sent
    assert asker.wires.send(at, b"again") or sent_when_there(asker, at, b"again") is None


def test_a_send_that_swallows_a_wake_up_leaves_nothing_unread(asked):
    """The FD is edge-triggered and a send eats its signal: what came meanwhile must be found all the same."""
    asker, dealer_at, answerer, router_at = asked
    for n in range(300):
        assert asker.wires.send(dealer_at, b"question")
        answerer.read(n + 1)
        answerer.wires.send_to(router_at, "asker", b"answer")
        if n % 3 == 0:
            time.sleep(0.0005)  # let it arrive: the send below then processes it
        asker.wires.send(dealer_at, b"another")
        answerer.read(n + 2)
        answerer.came.pop()
        asker.read(n + 1, timeout_s=5)


def test_a_busy_asker_misses_no_answer(asked):
    """Many questions in flight, answers among the sends."""
    asker, dealer_at, answerer, router_at = asked
    going = threading.Event()

    def answer():
        while not going.is_set():
            answerer.wires.wait(SECOND_NS // 100)
            answerer.wires.drain()
            for peer, frame in answerer.came:
                while not answerer.wires.send_to(router_at, peer, frame):
                    time.sleep(0.001)
            answerer.came.clear()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        for n in range(2_000):
            sent_when_there(asker, dealer_at, str(n).encode())
            if n % 7 == 0:
                asker.wires.wait(0)
                asker.wires.drain()
        asker.read(2_000)
    finally:
        going.set()
        thread.join()
    assert [frame for _, frame in asker.came] == [str(n).encode() for n in range(2_000)]


def test_what_does_not_fit_into_one_round_keeps_the_wires_awake(asked):
    asker, dealer_at, answerer, _ = asked
    for n in range(3 * BATCH):
        sent_when_there(asker, dealer_at, str(n).encode())
    time.sleep(0.1)  # all of it is there
    rounds = 0
    while len(answerer.came) < 3 * BATCH:
        begun = time.monotonic()
        assert answerer.wires.wait(10 * SECOND_NS)
        answerer.wires.drain()
        assert time.monotonic() - begun < 5
        rounds += 1
    assert rounds >= 3
    assert [frame for _, frame in answerer.came] == [str(n).encode() for n in range(3 * BATCH)]


def test_data_is_read_before_answers_and_answers_before_commands(end):
    one, other = end(), end()
    router, _ = one.socket(zmq.ROUTER, ROUTER)
    router.bind(end.at("one.cmd"))
    dealer, dealer_at = one.socket(zmq.DEALER, DEALER, "other", ROUTING_ID=b"one")
    dealer.connect(end.at("other.cmd"))
    sub, _ = one.socket(zmq.SUB, SUB)
    sub.connect(end.at("other.pub"))
    sub.subscribe(b"")
    pub, pub_at = other.socket(zmq.PUB, PUB)
    pub.bind(end.at("other.pub"))
    back, back_at = other.socket(zmq.ROUTER, ROUTER)
    back.bind(end.at("other.cmd"))
    asker, asker_at = other.socket(zmq.DEALER, DEALER, "one", ROUTING_ID=b"other")
    asker.connect(end.at("one.cmd"))
    sent_when_there(one, dealer_at, b"hello")
    other.read(1)
    until = time.monotonic() + 10
    while not one.came and time.monotonic() < until:
        other.wires.send(pub_at, b"data")
        one.wires.wait(SECOND_NS // 100)
        one.wires.drain()
    sent_when_there(other, asker_at, b"hello")
    one.read(len(one.came) + 1)
    one.came.clear()
    other.wires.send(asker_at, b"command")
    other.wires.send_to(back_at, "one", b"answer")
    other.wires.send(pub_at, b"data")
    time.sleep(0.2)  # all three are there
    one.wires.wait(SECOND_NS)
    one.wires.drain()
    assert [what for what, _ in one.came] == ["frame", "other", "other"]
    assert [frame for _, frame in one.came] == [b"data", b"answer", b"command"]


def test_more_parts_than_one_and_names_that_are_no_text_harm_nobody(end):
    answerer = end()
    router, at = answerer.socket(zmq.ROUTER, ROUTER, ROUTER_MANDATORY=1)
    router.bind(end.at("answerer.cmd"))
    stranger = answerer.context.socket(zmq.DEALER)
    stranger.set(zmq.LINGER, 0)
    stranger.set(zmq.ROUTING_ID, b"\xff\xfe\x01")
    stranger.connect(end.at("answerer.cmd"))
    stranger.send_multipart([b"one", b"two", b"three"])
    stranger.send(b"four")
    stranger.send(b"")
    answerer.read(3)
    assert answerer.came == [("\xff\xfe\x01", b"one"), ("\xff\xfe\x01", b"four"), ("\xff\xfe\x01", b"")]
    assert answerer.wires.send_to(at, "\xff\xfe\x01", b"answer")
    assert stranger.poll(10_000)
    assert stranger.recv() == b"answer"
    stranger.close()


def test_a_wait_ends_at_its_time_and_says_that_nothing_came(end):
    quiet = end()
    quiet.socket(zmq.ROUTER, ROUTER)[0].bind(end.at("quiet.cmd"))
    quiet.wires.wait(0)
    quiet.wires.drain()
    begun = time.monotonic()
    assert not quiet.wires.wait(SECOND_NS // 20)
    assert time.monotonic() - begun >= 0.045


def test_a_signal_is_handled_while_waiting(end):
    quiet = end()
    quiet.socket(zmq.ROUTER, ROUTER)[0].bind(end.at("quiet.cmd"))
    quiet.wires.wait(0)
    quiet.wires.drain()
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
