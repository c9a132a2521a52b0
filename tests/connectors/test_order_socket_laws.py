"""Orders over the exchange's own websocket, under the same laws as over REST."""

import json

import pytest

from connectors.net.keepalive import INVALID_FRAMES_MAX
from protocol import AnswerCode, OrdStatus, Side
from tests.connectors.test_connector_worlds import Monkey


class SocketTraffic:
    """The requests on the order socket. `loses` drops them before the exchange, `breaks` closes the socket."""

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
    world.traffic = SocketTraffic(world)
    world.ready()
    world.until(lambda: world.connector.client.is_socket_up)
    return world


def test_an_order_goes_by_the_socket_and_never_by_rest(world):
    order_ref = world.place(Side.BUY, 5_900_000)
    world.run(1)
    assert world.trader.answers[order_ref].code is AnswerCode.OK
    assert world.last(order_ref).status is OrdStatus.NEW
    assert [method for method, _ in world.traffic.methods] == ["order.place"]
    assert not world.placements()
    world.cancel(order_ref)
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert [method for method, _ in world.traffic.methods] == ["order.place", "order.cancel"]
    world.check()


def test_a_replacement_goes_by_the_socket_too(world):
    first = world.place(Side.BUY, 5_900_000)
    world.run(1)
    second = world.replace(first, 5_910_000)
    world.run(1)
    assert (world.last(first).status, world.last(second).status) == (OrdStatus.CANCELED, OrdStatus.NEW)
    assert [method for method, _ in world.traffic.methods] == ["order.place", "order.cancelReplace"]
    world.check()


def test_a_socket_with_invalid_frames_alone_is_dropped_and_its_orders_are_queried(world):
    traffic, order_socket = world.traffic, world.connector.client.order_socket
    traffic.loses = True
    order_ref = world.place(Side.BUY, 5_900_000)
    first = order_socket.session._link
    for _ in range(INVALID_FRAMES_MAX + 1):
        assert order_socket.session._link is first
        first.listener.ws_frame(first, b"{")
    traffic.loses = False
    world.until(lambda: order_socket.is_up and order_socket.session._link is not first)
    assert order_socket.keepalive.invalid_frames == INVALID_FRAMES_MAX + 1
    world.run(60)
    assert world.last(order_ref).status is OrdStatus.NEW
    world.check()


def test_while_the_socket_is_down_rest_serves(world):
    world.venue.is_closed = True
    world.control("POST", "drop", kind="user")
    world.until(lambda: not world.connector.client.is_socket_up)
    order_ref = world.place(Side.BUY, 5_900_000)
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.NEW
    assert len(world.placements()) == 1
    assert not world.traffic.methods
    world.venue.is_closed = False
    world.until(lambda: world.connector.client.is_socket_up)
    world.check()


def test_a_socket_that_closes_between_decision_and_journal_hands_over_to_rest(world):
    socket = world.connector.client.order_socket
    append = world.connector.append

    def slow(journal, record, then=None):
        socket.is_up = False  # as if it had broken at this very moment
        append(journal, record, then)

    world.connector.append = slow
    order_ref = world.place(Side.BUY, 5_900_000)
    world.run(1)
    world.connector.append = append
    assert world.last(order_ref).status is OrdStatus.NEW
    assert len(world.placements()) == 1
    assert not world.traffic.methods
    world.check()


@pytest.mark.parametrize("breaks", [False, True])
def test_a_lost_request_is_unknown_until_there_is_evidence_and_never_sent_again(world, breaks):
    world.traffic.loses, world.traffic.breaks = True, breaks
    order_ref = world.place(Side.BUY, 5_900_000)
    world.run(3)
    assert world.last(order_ref).status is OrdStatus.UNKNOWN
    world.traffic.loses = world.traffic.breaks = False
    world.run(120)
    assert world.last(order_ref).status is OrdStatus.NOT_PLACED
    assert len(world.traffic.placed) == 1
    assert not world.placements()
    world.check()


@pytest.mark.parametrize("fate", [{"status": 0}, {"status": 504, "code": -1007}, {"status": 200, "delay_ms": 30_000}])
def test_an_order_whose_answer_was_lost_is_found_on_the_exchange(world, fate):
    world.control("POST", "faults", silence={"kind": "user", "seconds": 60})
    fault = {"method": "POST", "path": "/api/v3/order", "accepted": True, **fate}
    world.control("POST", "faults", error_next=fault)
    order_ref = world.place(Side.BUY, 5_900_000)
    world.run(2)
    seen = [update.status for update in world.trader.updates if update.order_ref == order_ref]
    world.run(40)
    assert OrdStatus.UNKNOWN in seen
    assert world.last(order_ref).status is OrdStatus.NEW
    assert (len(world.traffic.placed), world.placements()) == (1, [])
    world.check()


def test_orders_on_a_socket_that_closes_are_unknown_and_then_found(world):
    world.traffic.breaks = True
    order_ref = world.place(Side.BUY, 5_900_000)
    world.run(0.05)
    world.traffic.breaks = False
    world.run(10)
    assert world.last(order_ref).status is OrdStatus.NEW
    assert len(world.traffic.placed) == 1
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
