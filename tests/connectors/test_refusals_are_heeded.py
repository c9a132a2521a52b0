"""What the exchange refuses is heeded: bans, a refused key, too many orders, orders that are refused for ever."""

import json

import pytest

from actors.net import HttpAnswer
from protocol import AnswerCode, OrdStatus, RefusalCode, Side
from tests.connectors.conftest import SECOND_NS

FAR_BID = 5_900_000


@pytest.fixture
def world(new_world):
    return new_world().ready()


class Refusing:
    """From `begin` on, for `seconds`, the exchange answers the requests that `wanted(request, path)` selects."""

    def __init__(self, world, answer, wanted=lambda request, path: True) -> None:
        self.world, self.answer, self.wanted = world, answer, wanted
        self.until_ns, self.refused, self.opened = 0, 0, 0
        self.http, self.open = world.venue.http, world.venue.open
        world.venue.http, world.venue.open = self.changed_http, self.counted_open

    def begin(self, seconds) -> None:
        self.until_ns = self.world.sim.now_ns + seconds * SECOND_NS

    def changed_http(self, request, path, now_ns):
        if now_ns < self.until_ns and self.wanted(request, path):
            self.refused += 1
            return self.answer(self), 0
        return self.http(request, path, now_ns)

    def counted_open(self, conn_id, path, now_ns):
        self.opened += now_ns < self.until_ns
        return self.open(conn_id, path, now_ns)


def is_signed(request, path):
    return "signature=" in path


def is_placement(request, path):
    return request.method == "POST" and "/order?" in path


def error(code, msg, status=400, headers=None):
    return HttpAnswer(status, headers or {}, json.dumps({"code": code, "msg": msg}).encode())


def ban(refusing, status=418):
    text = (
        f"Way too much request weight used; IP banned until {refusing.until_ns // 1_000_000}. Please use the websocket."
    )
    return error(-1003, text, status)


def bad_key(refusing):
    return error(-2015, "Invalid API-key, IP, or permissions for action.", 401)


# -- bans -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [418, 403, 400])
def test_a_ban_that_only_its_text_reports_is_silent_until_its_end(world, status):
    refusing = Refusing(world, lambda one: ban(one, status))
    refusing.begin(600)
    world.control("POST", "drop", kind="all")
    world.run(590)
    assert refusing.refused <= 8, "those that were under way"
    assert refusing.opened <= 3, "those that were opened before the first answer"
    world.run(60)
    assert world.state == ("TRADING", "")
    assert world.connector.feed.session.is_up


def test_a_ban_without_any_end_is_the_shortest_one(world):
    refusing = Refusing(world, lambda one: HttpAnswer(418, {}, b""))
    refusing.begin(110)
    world.run(115)
    assert 1 <= refusing.refused <= 8


# -- the key ----------------------------------------------------------------------------------------------


def test_a_key_that_is_refused_for_a_moment_stops_orders_at_once_and_trading_goes_on_by_itself(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(1)
    refusing = Refusing(world, bad_key, is_signed)
    refusing.begin(40)
    world.cancel(order_ref)
    world.run(5)
    assert world.state[0] == "HALTED"
    assert "-2015" in world.state[1]
    refused = world.place(Side.BUY, FAR_BID)
    world.run(40 + 70)
    assert world.trader.answers[refused].code is AnswerCode.REFUSED
    assert refusing.refused < 40
    assert world.state == ("TRADING", "")
    assert world.last(order_ref).status is OrdStatus.CANCELED


def test_a_key_that_stays_refused_halts_until_an_operator_resumes(world):
    refusing = Refusing(world, bad_key, is_signed)
    refusing.begin(1_200)
    world.run(1_300)
    assert world.state[0] == "HALTED"
    assert "the exchange refuses the key: " in world.state[1]
    assert refusing.refused < 400
    world.command("resume")
    world.run(10)
    assert world.state == ("TRADING", "")


# -- orders -----------------------------------------------------------------------------------------------


def test_too_many_orders_pause_placements_and_not_cancels(world):
    resting = world.place(Side.BUY, FAR_BID)
    world.run(1)
    text = "Too many new orders; current limit is 100 orders per 10 SECOND."
    refusing = Refusing(world, lambda one: error(-1015, text, 429), is_placement)
    refusing.begin(5)
    first = world.place(Side.BUY, FAR_BID - 100)
    world.run(1)
    assert (world.last(first).status, world.last(first).refusal) == (OrdStatus.REJECTED, RefusalCode.LATER)
    assert "paused new orders: -1015" in world.state[1]
    second = world.place(Side.BUY, FAR_BID - 200)
    world.cancel(resting)
    world.run(1)
    assert world.trader.answers[second].code is AnswerCode.REFUSED
    assert world.last(resting).status is OrdStatus.CANCELED
    assert refusing.refused == 1
    world.run(10)
    third = world.place(Side.BUY, FAR_BID - 300)
    world.run(1)
    assert world.last(third).status is OrdStatus.NEW


def test_orders_that_the_exchange_refuses_for_ever_are_limited_and_reported(new_world):
    world = new_world(refused_per_minute_max=5).ready()
    refusing = Refusing(world, lambda one: error(-2010, "This symbol is not permitted for this account."), is_placement)
    refusing.begin(600)
    for n in range(120):
        latest = world.place(Side.BUY, FAR_BID - n)
        world.run(1)
    assert refusing.refused <= 2 * 5 + 1
    assert world.trader.answers[latest].refusal is RefusalCode.LATER
    assert "refused_per_minute_max is 5" in world.trader.answers[latest].text
    assert world.state[0] == "TRADING"
    assert "not permitted" in world.state[1]
    world.run(600)
    assert world.state == ("TRADING", "")
    again = world.place(Side.BUY, FAR_BID)
    world.run(1)
    assert world.last(again).status is OrdStatus.NEW


def test_post_only_orders_that_would_have_traded_are_no_storm_of_refusals(new_world):
    world = new_world(refused_per_minute_max=5).ready()
    refusing = Refusing(world, lambda one: error(-2010, "Order would immediately match and take."), is_placement)
    refusing.begin(20)
    refused = []
    for n in range(12):
        refused.append(world.place(Side.BUY, FAR_BID - n))
        world.run(1)
    assert refusing.refused == 12
    assert {world.last(one).refusal for one in refused} == {RefusalCode.WOULD_TAKE}
    assert world.state == ("TRADING", "")


def test_an_order_that_the_connector_refuses_is_reported_in_its_state_for_a_minute(world):
    too_far = world.place(Side.BUY, FAR_BID // 2, 1000)
    world.run(5)
    assert world.trader.answers[too_far].refusal is not RefusalCode.NONE
    assert world.state[0] == "TRADING"
    assert "orders refused by the connector's check (1), the latest: " in world.state[1]
    world.run(120)
    assert world.state == ("TRADING", "")


def test_the_limits_are_those_that_the_exchange_states(world):
    pools = world.connector.client.throttle.pools
    stated = json.loads(world.venue.http(_get(), "/api/v3/exchangeInfo", world.sim.now_ns)[0].body)["rateLimits"]
    assert stated
    for row in stated:
        kind = {"REQUEST_WEIGHT": "weight", "ORDERS": "order-count", "RAW_REQUESTS": "requests"}[row["rateLimitType"]]
        assert pools[f"{kind}-{row['intervalNum']}{row['interval'][0].lower()}"].limit == row["limit"]


def test_a_limit_that_shrinks_is_taken_over_and_its_count_is_read(world):
    def smaller(info):
        info["rateLimits"] = [
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 7},
            {"rateLimitType": "ORDERS", "interval": "HOUR", "intervalNum": 1, "limit": 50},
            {"rateLimitType": "OF_NEXT_YEAR", "interval": "AEON", "intervalNum": 1, "limit": 1},
        ]

    world.change("exchangeInfo", smaller)
    world.connector.feed.rules.request(["BTC-USDT"])
    world.run(1)
    client = world.connector.client
    assert client.throttle.pools["order-count-10s"].limit == 7
    assert client.throttle.pools["order-count-1h"].limit == 50
    assert client._api.used({"x-mbx-order-count-1h": "13"}) == {"order-count-1h": 13}


def _get():
    from actors.net import HttpRequest

    return HttpRequest("GET", "", {})
