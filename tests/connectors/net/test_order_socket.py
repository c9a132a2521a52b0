"""OrderSocket: each accepted request gets exactly one answer or failure, and a broken connection is no evidence."""

import pytest

from actors.log.secret import ApiKey, Secret
from connectors.binance.requests import BinanceOrders
from connectors.core.order_api import SocketRequest
from connectors.net.ban import Ban
from connectors.net.keepalive import INVALID_FRAMES_MAX
from connectors.net.order_socket import LOGIN_MS, OrderSocket
from connectors.net.server_clock import ServerClock
from connectors.net.session import SessionSettings
from tests.connectors.parts import FakeEffects, Parts
from venue.base import demo


@pytest.fixture
def parts():
    return Parts()


def new_socket(fx, api):
    socket = OrderSocket(fx, api, ServerClock(), SessionSettings(), Ban(fx, ServerClock()))
    socket.start()
    return socket


@pytest.fixture
def socket(parts):
    """A socket that is up: with an HMAC key there is no login."""
    socket = new_socket(parts.fx, parts.api)
    assert not socket.is_up
    parts.fx.open(parts.fx.links[0])
    assert socket.is_up
    return socket


def send(socket, number, timeout_ms=1_000):
    results = []
    assert socket.send(SocketRequest(number, f"request {number}", timeout_ms), results.append)
    return results


def test_an_answer_goes_to_its_own_request(parts, socket):
    first, second = send(socket, 1), send(socket, 2)
    assert parts.fx.frames == ["request 1", "request 2"], "sent at once, not queued"
    parts.fx.frame(parts.fx.links[0], b'{"id":2,"status":200,"result":{}}')
    assert (first, [one.status for one in second]) == ([], [200])
    parts.fx.frame(parts.fx.links[0], b'{"id":2,"status":200,"result":{}}')
    assert len(second) == 1, "a second answer to one request is ignored"


def test_an_overdue_answer_is_a_failure_of_a_request_that_was_sent(parts, socket):
    results = send(socket, 1, timeout_ms=1_000)
    parts.fx.run(0.9)
    socket.check()
    assert results == []
    parts.fx.run(0.2)
    socket.check()
    assert [one.sent for one in results] == [True]


def test_a_connection_that_breaks_fails_what_was_sent_on_it(parts, socket):
    results = send(socket, 1)
    parts.fx.close(parts.fx.links[0])
    assert [one.sent for one in results] == [True]
    assert not socket.is_up
    assert not socket.send(SocketRequest(2, "request 2", 1_000), results.append), "nothing leaves while it is down"
    parts.fx.run(1)
    parts.fx.open(parts.fx.links[1])
    assert socket.is_up


def test_with_a_key_that_can_log_on_it_is_up_after_the_login_only():
    fx = FakeEffects()
    key = ApiKey(demo.ED25519_KEY, Secret(demo.ED25519_PRIVATE_PEM), "ed25519")
    socket = new_socket(fx, BinanceOrders("http://x", "ws://x", key, 5_000, 5_000))
    fx.open(fx.links[0])
    assert "session.logon" in fx.frames[0]
    assert not socket.is_up
    fx.frame(fx.links[0], b'{"id":"logon","status":200,"result":{}}')
    assert socket.is_up


def test_a_login_without_an_answer_costs_the_connection():
    fx = FakeEffects()
    key = ApiKey(demo.ED25519_KEY, Secret(demo.ED25519_PRIVATE_PEM), "ed25519")
    socket = new_socket(fx, BinanceOrders("http://x", "ws://x", key, 5_000, 5_000))
    fx.open(fx.links[0])
    fx.run(LOGIN_MS / 1000 + 3)
    assert fx.links[0].is_closed
    assert len(fx.links) == 2
    assert not socket.is_up


def test_a_few_invalid_frames_are_tolerated_and_many_are_not(parts, socket):
    link = parts.fx.links[0]
    for _ in range(INVALID_FRAMES_MAX):
        parts.fx.frame(link, b"{")
    assert socket.is_up
    parts.fx.frame(link, b"{")
    assert not socket.is_up
    assert socket.keepalive.invalid_frames == INVALID_FRAMES_MAX + 1
