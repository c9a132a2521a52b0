"""Orders over the exchange's own websocket, under the same laws as over REST."""

import json

import pytest

from connectors.net.keepalive import INVALID_FRAMES_MAX
from protocol import AnswerCode, OrdStatus, Side
from tests.connectors.test_connector_worlds import Monkey


class Line:
    """What goes over the order line. `loses` drops requests before the exchange has them, `breaks` cuts the line."""

    def __init__(self, world) -> None:
        self.world, self.methods = world, []
        self.loses = self.breaks = False
        receive = world.venue.receive

        def received(conn_id, data, now_ns):
            method = json.loads(data)["method"]
            if not method.startswith("order."):
                receive(conn_id, data, now_ns)
                return
            self.methods.append((method, json.loads(data)["params"].get("newClientOrderId", "")))
            if not self.loses:
                receive(conn_id, data, now_ns)
            if self.breaks:
                world.control("POST", "drop", kind="user")

        world.venue.receive = received

    @property
    def placed(self):
        return [name for method, name in self.methods if method != "order.cancel"]


@pytest.fixture
def world(new_world):
    world = new_world(orders_by="websocket")
    world.line = Line(world)
    world.ready()
    world.until(lambda: world.connector.client.is_socket_up)
    return world


def test_an_order_goes_by_the_line_and_never_by_rest(world):
    intent = world.place(Side.BUY, 5_900_000)
    world.run(1)
    assert world.trader.answers[intent].code is AnswerCode.OK
    assert world.last(intent).status is OrdStatus.NEW
    assert [method for method, _ in world.line.methods] == ["order.place"]
    assert not world.placements()
    world.cancel(intent)
    world.run(1)
    assert world.last(intent).status is OrdStatus.CANCELED
    assert [method for method, _ in world.line.methods] == ["order.place", "order.cancel"]
    world.check()


def test_a_replacement_goes_by_the_line_too(world):
    first = world.place(Side.BUY, 5_900_000)
    world.run(1)
    second = world.replace(first, 5_910_000)
    world.run(1)
    assert (world.last(first).status, world.last(second).status) == (OrdStatus.CANCELED, OrdStatus.NEW)
    assert [method for method, _ in world.line.methods] == ["order.place", "order.cancelReplace"]
    world.check()


def test_a_line_that_only_talks_garbage_is_given_up_and_what_went_over_it_is_asked_about(world):
    line, order_socket = world.line, world.connector.client.order_socket
    line.loses = True
    intent = world.place(Side.BUY, 5_900_000)
    first = order_socket.session._link
    for _ in range(INVALID_FRAMES_MAX + 1):
        assert order_socket.session._link is first
        first.listener.ws_frame(first, b"{")
    line.loses = False
    world.until(lambda: order_socket.is_up and order_socket.session._link is not first)
    assert order_socket.keepalive.invalid_frames == INVALID_FRAMES_MAX + 1
    world.run(60)
    assert world.last(intent).status is OrdStatus.NEW
    world.check()


def test_while_the_line_is_down_rest_serves(world):
    world.venue.is_closed = True
    world.control("POST", "drop", kind="user")
    world.until(lambda: not world.connector.client.is_socket_up)
    intent = world.place(Side.BUY, 5_900_000)
    world.run(1)
    assert world.last(intent).status is OrdStatus.NEW
    assert len(world.placements()) == 1
    assert not world.line.methods
    world.venue.is_closed = False
    world.until(lambda: world.connector.client.is_socket_up)
    world.check()


def test_a_line_that_goes_down_between_decision_and_journal_hands_over_to_rest(world):
    line = world.connector.client.order_socket
    append = world.connector.append

    def slow(journal, record, then=None):
        line.is_up = False  # as if it had broken at this very moment
        append(journal, record, then)

    world.connector.append = slow
    intent = world.place(Side.BUY, 5_900_000)
    world.run(1)
    world.connector.append = append
    assert world.last(intent).status is OrdStatus.NEW
    assert len(world.placements()) == 1
    assert not world.line.methods
    world.check()


@pytest.mark.parametrize("breaks", [False, True])
def test_a_request_that_was_lost_is_unknown_until_proven_and_never_sent_again(world, breaks):
    world.line.loses, world.line.breaks = True, breaks
    intent = world.place(Side.BUY, 5_900_000)
    world.run(3)
    assert world.last(intent).status is OrdStatus.UNKNOWN
    world.line.loses = world.line.breaks = False
    world.run(120)
    assert world.last(intent).status is OrdStatus.NOT_PLACED
    assert len(world.line.placed) == 1
    assert not world.placements()
    world.check()


@pytest.mark.parametrize("fate", [{"status": 0}, {"status": 504, "code": -1007}, {"status": 200, "delay_ms": 30_000}])
def test_an_order_whose_answer_was_lost_is_found_on_the_exchange(world, fate):
    world.control("POST", "faults", silence={"kind": "user", "seconds": 60})
    fault = {"method": "POST", "path": "/api/v3/order", "accepted": True, **fate}
    world.control("POST", "faults", error_next=fault)
    intent = world.place(Side.BUY, 5_900_000)
    world.run(2)
    seen = [update.status for update in world.trader.updates if update.order_ref == intent]
    world.run(40)
    assert OrdStatus.UNKNOWN in seen
    assert world.last(intent).status is OrdStatus.NEW
    assert (len(world.line.placed), world.placements()) == (1, [])
    world.check()


def test_a_line_that_breaks_with_requests_on_it_leaves_them_unknown_then_true(world):
    world.line.breaks = True
    intent = world.place(Side.BUY, 5_900_000)
    world.run(0.05)
    world.line.breaks = False
    world.run(10)
    assert world.last(intent).status is OrdStatus.NEW
    assert len(world.line.placed) == 1
    world.check()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_in_the_end_we_know_what_the_exchange_knows(new_world, seed):
    world = new_world(seed, still=False, orders_by="websocket").ready()
    world.net.rate = world.net.event_rate = 0.2
    monkey = Monkey(world, seed)
    for _ in range(60):
        monkey.step()
    monkey.heal()
    world.until(lambda: world.state[0] == "TRADING", 30)
    world.run(120)
    assert not [one for one in world.connector.tracker.open.values() if one.status is OrdStatus.UNKNOWN]
    world.check()
    assert world.connector.client.is_socket_up
