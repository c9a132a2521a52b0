"""The run's token, and what a command socket makes of it: on both transports, each with the other."""

import os
import stat
import time
from itertools import product

import pytest
import zmq

from actors.identity import READER, identity, peer_identity, peer_name
from actors.live.bus_token import FILE, TOKEN_BYTES, bus_token
from actors.live.sockets import Bus
from actors.live.transport import Sink
from actors.live.transport_choice import FAST
from actors.live.transport_zmq import ZmqTransport
from protocol.errors import BadRunFile

KINDS = {"libzmq": ZmqTransport} | ({"cython": FAST} if FAST is not None else {})


@pytest.fixture(params=list(product(KINDS, KINDS)), ids="-".join)
def buses(request, tmp_path):
    """`buses(name, received, **options)`: the first on one transport, all others on the other."""
    built = []

    def make(name, received=None, **options):
        keep = [] if received is None else received
        sink = Sink(keep.append, lambda *given: keep.append(given), lambda *given: keep.append(given))
        bus = Bus(name, tmp_path, KINDS[request.param[bool(built)]], **options)
        built.append((bus, sink))
        return bus

    def until(what):
        for _ in range(5_000):
            if what():
                return
            for bus, sink in built:
                bus.transport.wait(1_000_000)
                bus.transport.drain(sink)
        raise AssertionError("did not happen")

    make.until = until
    yield make
    for bus, _ in built:
        bus.close()


def test_the_token_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    token = bus_token(tmp_path)
    assert len(token) == TOKEN_BYTES
    assert bus_token(tmp_path) == token
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("damage", ["open", "short", "link"])
def test_a_token_that_others_may_know_is_refused(tmp_path, damage):
    bus_token(tmp_path)
    if damage == "open":
        (tmp_path / FILE).chmod(0o640)
    elif damage == "short":
        (tmp_path / FILE).write_bytes(b"x")
    else:
        (tmp_path / FILE).rename(tmp_path / "other")
        (tmp_path / FILE).symlink_to(tmp_path / "other")
    with pytest.raises(BadRunFile, match=FILE):
        bus_token(tmp_path)


def test_a_token_that_cannot_be_made_is_one_line_for_the_user(tmp_path):
    with pytest.raises(BadRunFile, match=r"bus\.token cannot be read or made: No such file or directory"):
        bus_token(tmp_path / "never-started")


def test_an_identity_is_read_back_and_answered_under_the_same_bytes():
    token = b"t" * TOKEN_BYTES
    for sent, name in ((identity(b"maker", token), "maker"), (b"maker", "@maker"), (b"maker\0wrong", "@maker")):
        assert peer_name(sent, token) == name
    assert peer_identity("maker", token) == identity(b"maker", token)
    assert peer_identity("@maker", token) == b"maker"
    assert peer_name(b"maker", b"") == "maker"


def test_a_process_of_the_run_is_known_by_its_name_and_answered(buses):
    received, answers = [], []
    server = buses("binance", received)
    client = buses("maker", answers, bind=False)
    buses.until(lambda: client.send("binance", b"command"))
    buses.until(lambda: received)
    assert received == [("maker", b"command")]
    assert server.reply("maker", b"answer")
    buses.until(lambda: answers)
    assert answers == [("binance", b"answer")]


def test_a_process_that_only_reads_is_named_so_and_answered(buses):
    received, answers = [], []
    server = buses("binance", received)
    tap = buses("maker", answers, bind=False, reads_only=True)
    buses.until(lambda: tap.send("binance", b"request"))
    buses.until(lambda: received)
    assert received == [(READER + "maker", b"request")]
    assert server.reply(READER + "maker", b"answer")
    buses.until(lambda: answers)


def test_a_process_without_the_token_does_not_take_over_the_name_of_one_with_it(buses, tmp_path):
    received, answers = [], []
    server = buses("binance", received)
    client = buses("maker", answers, bind=False)
    buses.until(lambda: client.send("binance", b"command"))
    buses.until(lambda: received)
    with zmq.Context() as context, context.socket(zmq.DEALER) as other:
        other.set(zmq.LINGER, 0)
        other.set(zmq.ROUTING_ID, b"maker")
        other.connect(f"ipc://{tmp_path}/binance.cmd")
        other.send(b"claim")
        buses.until(lambda: len(received) == 2)
        assert received[1] == ("@maker", b"claim")
        assert server.reply("maker", b"answer")
        buses.until(lambda: answers)
        assert not other.poll(20)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
@pytest.mark.process
@pytest.mark.parametrize(("uid", "count"), [(0, 1), (65534, 0)])
def test_a_process_of_another_user_is_refused_by_the_kernels_credentials(buses, tmp_path, uid, count):
    received = []
    buses("binance", received)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    (tmp_path / "binance.cmd").chmod(0o777)
    sent = identity(b"maker", bus_token(tmp_path))
    child = os.fork()
    if not child:
        try:
            os.setuid(uid)
            context = zmq.Context()
            socket = context.socket(zmq.DEALER)
            socket.set(zmq.LINGER, 300)
            socket.set(zmq.ROUTING_ID, sent)
            socket.connect(f"ipc://{tmp_path}/binance.cmd")
            socket.send(b"command")
            time.sleep(0.3)
            context.destroy(300)
        finally:
            os._exit(0)
    buses.until(lambda: os.waitpid(child, os.WNOHANG)[0])
    assert len(received) == count
