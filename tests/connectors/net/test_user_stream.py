"""UserStream: what it passes on, and when it is no longer trusted."""

import json

import pytest

from connectors.net.session import SessionSettings
from connectors.net.user_stream import LOGIN_MS, SUSPECT_NS, UserStream
from protocol import OrdStatus
from tests.connectors.parts import SECOND_NS

READY = b'{"id":"login","status":200,"result":{}}'


class Listener:
    """Notes what the stream reports."""

    def __init__(self) -> None:
        self.events = []

    def user_stream_live(self):
        self.events.append("live")

    def user_stream_trusted(self):
        self.events.append("trusted")

    def user_stream_down(self, reason):
        self.events.append("down")

    def user_stream_refused(self, refused):
        self.events.append(f"refused {refused.is_final}")


def event(order, status="NEW", executed="0"):
    """An executionReport of Binance's."""
    row = {
        "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": order.cl_ord_id, "S": "BUY", "o": "LIMIT", "q": "1",
        "p": "100", "C": "", "x": status, "X": status, "r": "NONE", "i": 9, "l": "0", "z": executed, "L": "0", "n": "0",
        "N": None, "T": 5, "t": -1, "m": False,
    }  # fmt: skip
    return json.dumps({"subscriptionId": 0, "event": row}).encode()


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def stream(parts, listener):
    """A stream that is live."""
    stream = UserStream(parts.fx, parts.api, parts.clock, SessionSettings(), 5_000, parts.reports, listener)
    stream.start()
    parts.fx.open(parts.fx.links[0])
    parts.fx.frame(parts.fx.links[0], READY)
    return stream


def test_it_is_live_after_the_login_and_passes_reports_on(parts, listener, stream, order):
    assert (stream.is_live, listener.events) == (True, ["live"])
    parts.fx.frame(parts.fx.links[0], event(order))
    assert parts.tracker.orders[order.cl_ord_id].status is OrdStatus.NEW


def test_a_login_without_an_answer_costs_the_connection(parts, listener):
    stream = UserStream(parts.fx, parts.api, parts.clock, SessionSettings(), 5_000, parts.reports, listener)
    stream.start()
    parts.fx.open(parts.fx.links[0])
    parts.fx.run(LOGIN_MS / 1000 + 0.1)
    assert parts.fx.links[0].is_closed
    assert not stream.is_live


def test_an_expected_event_that_does_not_come_makes_it_suspect_until_it_delivers_again(parts, listener, stream, order):
    stream.expect(order.cl_ord_id, False)
    parts.fx.run(4.9)
    stream.check()
    assert stream.is_reliable
    parts.fx.run(0.2)
    stream.check()
    assert (stream.is_suspect, stream.is_reliable) == (True, False)
    parts.fx.run(1)
    parts.fx.open(parts.fx.links[1])
    parts.fx.frame(parts.fx.links[1], READY)
    assert not stream.is_reliable, "a login alone is no evidence"
    parts.fx.frame(parts.fx.links[1], event(order))
    assert stream.is_reliable
    assert listener.events == ["live", "down", "live", "trusted"]


def test_an_event_that_came_before_it_was_expected_is_not_expected(parts, stream, order):
    parts.fx.frame(parts.fx.links[0], event(order))
    stream.expect(order.cl_ord_id, False)
    parts.fx.now_ns += 60 * SECOND_NS
    stream.check()
    assert stream.is_reliable
    stream.expect(order.cl_ord_id, True)
    parts.fx.now_ns += 6 * SECOND_NS
    stream.check()
    assert not stream.is_reliable, "its end is another event"


def test_without_anything_expected_trust_returns_after_a_while(parts, listener, stream, order):
    stream.expect(order.cl_ord_id, False)
    parts.fx.now_ns += 6 * SECOND_NS
    stream.check()
    parts.fx.run(1)
    parts.fx.open(parts.fx.links[-1])
    parts.fx.frame(parts.fx.links[-1], READY)
    parts.fx.now_ns += SUSPECT_NS + 1
    stream.check()
    assert stream.is_reliable


@pytest.mark.parametrize(("code", "is_final"), [(-2015, True), (-1003, False)])
def test_a_refused_login_is_reported_and_tried_again(parts, listener, code, is_final):
    stream = UserStream(parts.fx, parts.api, parts.clock, SessionSettings(), 5_000, parts.reports, listener)
    stream.start()
    parts.fx.open(parts.fx.links[0])
    refused = {"id": "login", "status": 400, "error": {"code": code, "msg": "no"}}
    parts.fx.frame(parts.fx.links[0], json.dumps(refused).encode())
    assert listener.events == [f"refused {is_final}"]
    parts.fx.run(3)
    assert len(parts.fx.links) == 2
