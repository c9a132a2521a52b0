"""Contingent orders: their triggers, their locked funds and reports while they wait, and a kill."""

from decimal import Decimal

import pytest

# The trailing stop FAQ: type, side, stop price, trailing delta, limit, where the price goes in vain, what triggers.
SCENARIOS = {
    "A": ("STOP_LOSS_LIMIT", "BUY", 44000, 500, 45000, [37000, 44000, 45000, 46000, 42000, 44099], 44100),
    "B": ("STOP_LOSS_LIMIT", "SELL", 39000, 1000, 38000, [41500, 39000, 37000, 41000, 36901], 36900),
    "C": ("TAKE_PROFIT_LIMIT", "BUY", 38000, 850, 38500, [42000, 38000, 37000, 39000, 38000, 40144], 40145),
    "D": (
        "TAKE_PROFIT_LIMIT", "SELL", 42000, 750, 41000,
        [41500, 39000, 42000, 45000, 44000, 46500, "43012.51"], "43012.50",
    ),
    "E": ("STOP_LOSS_LIMIT", "SELL", None, 700, 39000, [42000, 39500, 45500, "42315.01"], 42315),
}  # fmt: skip


def stop(world, ord_type, side, **params):
    """(status, JSON) of a contingent order of 0.1."""
    requested = {"symbol": "BTCUSDT", "side": side, "type": ord_type, "quantity": "0.1", **params}
    if ord_type.endswith("_LIMIT"):
        requested = {"timeInForce": "GTC", **requested}
    return world.signed("POST", "order", **{name: value for name, value in requested.items() if value is not None})


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_trailing_stop_scenario_of_the_faq(market, name):
    ord_type, side, stop_price, delta, limit, walk, trigger = SCENARIOS[name]
    world = market()
    world.trade(40000)
    requested = {"stopPrice": stop_price, "trailingDelta": delta, "price": limit}
    status, placed = stop(world, ord_type, side, newOrderRespType="RESULT", **requested)
    assert status == 200
    assert (placed["status"], placed["workingTime"], placed["trailingDelta"]) == ("NEW", -1, delta)
    assert (placed["trailingTime"] == -1) == (stop_price is not None)
    world.advance(10)
    for price in walk:
        world.trade(price)
        assert not world.found(placed["orderId"])["isWorking"], f"triggered at {price}"
    assert world.found(placed["orderId"])["trailingTime"] > 0
    world.advance(10)
    world.trade(trigger)
    found = world.found(placed["orderId"])
    assert found["isWorking"]
    assert found["workingTime"] == world.now_ns // 1_000_000 > found["trailingTime"]
    assert Decimal(found["price"]) == limit


def test_tracking_starts_with_the_trade_that_meets_the_stop_price_and_not_before(market):
    world = market()
    _, placed = stop(world, "STOP_LOSS_LIMIT", "BUY", stopPrice=44000, trailingDelta=500, price=45000)
    world.trade(30000)
    assert world.found(placed["orderId"])["trailingTime"] == -1
    world.advance(5)
    world.trade(44500)
    assert world.found(placed["orderId"])["trailingTime"] == world.now_ns // 1_000_000
    world.trade("46724.99")
    assert not world.found(placed["orderId"])["isWorking"]
    world.trade("46725")
    assert world.found(placed["orderId"])["isWorking"]


@pytest.mark.parametrize(
    ("ord_type", "side", "waits_at", "meets"),
    [
        ("STOP_LOSS", "BUY", 40001, 41000),
        ("STOP_LOSS", "SELL", 39999, 39000),
        ("TAKE_PROFIT", "BUY", 39999, 39000),
        ("TAKE_PROFIT", "SELL", 40001, 41000),
    ],
)
def test_the_side_of_the_market_a_stop_price_must_lie_on(market, ord_type, side, waits_at, meets):
    world = market()
    for version, more in ((ord_type, {}), (f"{ord_type}_LIMIT", {"price": 40000})):
        for wrong in (40000, 80000 - waits_at):
            status, body = stop(world, version, side, stopPrice=wrong, **more)
            assert (status, body) == (400, {"code": -2010, "msg": "Stop price would trigger immediately."})
        status, placed = stop(world, version, side, stopPrice=waits_at, **more)
        assert status == 200
        assert set(placed) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    world.order("BUY", "5", 39000, who="bob")
    world.order("SELL", "5", 41000, who="bob")
    world.order("BUY" if meets == 41000 else "SELL", "0.01", who="cal")
    market_order, limit_order = world.signed("GET", "allOrders", symbol="BTCUSDT")[1]
    assert (market_order["status"], market_order["type"], market_order["timeInForce"]) == ("FILLED", ord_type, "GTC")
    assert Decimal(market_order["cummulativeQuoteQty"]) == Decimal("0.1") * (41000 if side == "BUY" else 39000)
    assert limit_order["isWorking"]


def test_the_reports_of_a_stop_from_its_placing_to_its_end(market):
    world = market()
    ear = world.subscribe_user()
    _, placed = stop(world, "STOP_LOSS_LIMIT", "SELL", stopPrice=39000, price=38900, newOrderRespType="FULL")
    assert placed["fills"] == []
    assert placed["stopPrice"] == "39000.00000000"
    assert "trailingDelta" not in placed
    world.advance(7)
    world.order("BUY", "0.03", 39000, who="bob")
    world.trade(38950)
    world.trade(38900)
    reports = world.events(ear)
    assert [(one["x"], one["X"], one["w"], one.get("W")) for one in reports[:3]] == [
        ("NEW", "NEW", False, None),
        ("NEW", "NEW", True, world.now_ns // 1_000_000),
        ("TRADE", "PARTIALLY_FILLED", True, world.now_ns // 1_000_000),
    ]
    assert {one["P"] for one in reports} == {"39000.00000000"}
    assert {"d", "D"}.isdisjoint(reports[0])


def test_a_trailing_stop_shows_its_delta_and_when_it_began_to_trail(market):
    world = market()
    ear = world.subscribe_user()
    _, placed = stop(world, "TAKE_PROFIT", "SELL", stopPrice=41000, trailingDelta=100)
    world.trade(42000)
    world.signed("DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"])
    first, last = world.events(ear)
    assert first["d"] == last["d"] == 100
    assert "D" not in first
    assert last["D"] == world.now_ns // 1_000_000


def test_a_stop_holds_its_money_and_gives_it_back(market):
    world = market()
    _, sell = stop(world, "STOP_LOSS", "SELL", stopPrice=39000)
    assert world.balance("BTC") == (Decimal("9.9"), Decimal("0.1"))
    _, buy = stop(world, "STOP_LOSS", "BUY", stopPrice=41000)
    assert world.balance("USDT")[1] == Decimal(4100)
    status, body = world.signed("DELETE", "order", symbol="BTCUSDT", orderId=sell["orderId"])
    assert (status, body["status"], body["stopPrice"]) == (200, "CANCELED", "39000.00000000")
    world.signed("DELETE", "order", symbol="BTCUSDT", orderId=buy["orderId"])
    assert (world.balance("BTC"), world.balance("USDT")) == ((10, 0), (1_000_000, 0))
    world.trade(38000, 42000)
    assert world.balance("BTC") == (10, 0)


def test_a_stop_that_its_owner_cannot_pay_any_more_expires_as_it_triggers(market):
    world = market()
    _, placed = world.signed(
        "POST", "order", symbol="BTCUSDT", side="BUY", type="STOP_LOSS", quantity="10", stopPrice=41000
    )
    world.order("BUY", "5", 39000)
    world.order("SELL", "1", 41000, who="bob")
    world.order("SELL", "9", 90000, who="bob")
    ear = world.subscribe_user()
    world.order("BUY", "0.01", who="cal")
    found = world.found(placed["orderId"])
    assert (found["status"], found["expiryReason"], found["isWorking"]) == ("EXPIRED", "REJECTED", False)
    assert world.events(ear)[0]["eR"] == "REJECTED"
    assert world.balance("USDT") == (Decimal(1_000_000 - 5 * 39000), Decimal(5 * 39000))


def test_one_trade_can_set_off_a_cascade(market):
    world = market()
    orders = [stop(world, "STOP_LOSS", "SELL", stopPrice=price)[1]["orderId"] for price in (39900, 39800, 39700)]
    for price in (39900, 39800, 39700, 39600):
        world.order("BUY", "0.1", price, who="bob")
    _, sold = world.order("SELL", "0.1", who="cal")
    assert sold["fills"][0]["price"] == "39900.00000000"
    got = [Decimal(world.found(order)["cummulativeQuoteQty"]) for order in orders]
    assert got == [3980, 3970, 3960]


def test_the_answer_shows_the_order_before_the_stops_that_it_sets_off(market):
    world = market()
    stop(world, "STOP_LOSS", "SELL", stopPrice=39500)
    world.order("BUY", "0.1", 39500, who="bob")
    _, placed = world.order("SELL", "0.1", 39500, who="cal")
    assert placed["status"] == "FILLED"
    world.order("BUY", "0.05", 39500, who="bob")
    stop(world, "STOP_LOSS", "BUY", stopPrice=39600)
    world.order("SELL", "0.01", 39600, who="bob")
    _, placed = world.order("BUY", "0.2", 39600, who="cal")
    assert (placed["status"], placed["executedQty"]) == ("PARTIALLY_FILLED", "0.01000000")


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"stopPrice": None}, -1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"),
        ({"trailingDelta": 9}, -1013, "Filter failure: TRAILING_DELTA"),
        ({"trailingDelta": 2001}, -1013, "Filter failure: TRAILING_DELTA"),
        ({"stopPrice": "39000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"stopPrice": "1000001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"timeInForce": None}, -1102, None),
        ({"price": None}, -1102, None),
        ({"type": "STOP_LOSS"}, -1106, None),
        ({"type": "STOP_LOSS", "price": None, "timeInForce": None, "quoteOrderQty": 100}, -1106, None),
        ({"type": "LIMIT"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"type": "LIMIT", "stopPrice": None, "trailingDelta": 100}, -1106, None),
        ({"type": "STOP_MARKET"}, -1116, "Invalid orderType."),
        ({"quantity": "100"}, -2010, "Account has insufficient balance for requested action."),
    ],
)
def test_a_bad_contingent_order_gets_its_code_and_changes_nothing(market, params, code, text):
    world = market()
    good = {"stopPrice": 39000, "price": 38900, "timeInForce": "GTC", "type": "STOP_LOSS_LIMIT"}
    status, body = stop(world, "", "SELL", **{**good, **params})
    assert (status, body["code"]) == (400, code)
    assert text in (None, body["msg"])
    assert world.balance("BTC") == (10, 0)
    assert world.signed("GET", "openOrders")[1] == []


def test_a_replacement_that_would_trigger_at_once_is_half_a_failure(market):
    world = market()
    _, old = world.order("SELL", "1", 42000)
    status, body = world.signed(
        "POST", "order/cancelReplace", symbol="BTCUSDT", side="SELL", type="STOP_LOSS", quantity="0.1",
        stopPrice=40000, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=old["orderId"],
    )  # fmt: skip
    assert (status, body["code"], body["data"]["cancelResult"]) == (409, -2021, "SUCCESS")
    refused = {"code": -2010, "msg": "Stop price would trigger immediately."}
    assert body["data"]["newOrderResponse"] == refused


def test_few_contingent_orders_may_be_open(market):
    world = market(max_algo_orders=2)
    for price in (39000, 38000):
        assert stop(world, "STOP_LOSS", "SELL", stopPrice=price)[0] == 200
    status, body = stop(world, "STOP_LOSS", "SELL", stopPrice=37000)
    assert (status, body["msg"]) == (400, "Filter failure: MAX_NUM_ALGO_ORDERS")
    assert world.order("SELL", "0.1", 41000)[0] == 200


def test_stops_wait_and_trail_on_after_a_kill_at_any_moment(market):
    """Each process run recovers from the ledger of the one before; an exchange without kills is the reference."""
    steady, log = market(), []
    orders = [
        ("STOP_LOSS", "SELL", {"stopPrice": 39000}),
        ("STOP_LOSS_LIMIT", "SELL", {"trailingDelta": 1000, "price": 45000}),
        ("TAKE_PROFIT_LIMIT", "BUY", {"stopPrice": 38000, "trailingDelta": 850, "price": 38500}),
    ]
    first = market(log=log)
    for world in (steady, first):
        for ord_type, side, params in orders:
            assert stop(world, ord_type, side, **params)[0] == 200
        world.order("BUY", "1", 35000, who="bob")
        world.signed("DELETE", "openOrders", "bob", symbol="BTCUSDT")
    log = first.log
    for price in (43000, 39500, 38900, 37000, 38700, 38701, 40144, 40145):
        killed = market(log=log)
        for world in (steady, killed):
            world.trade(price)
        log = killed.log
        reported = [world.signed("GET", "allOrders", symbol="BTCUSDT")[1] for world in (steady, market(log=log))]
        assert reported[0] == reported[1], price
        assert market(log=log).balance("BTC") == steady.balance("BTC")
    assert [one["isWorking"] for one in reported[0]] == [True, True, True]


def test_exchange_info_allows_what_is_allowed(market):
    [info] = market().get("exchangeInfo")["symbols"]
    assert {"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"} <= set(info["orderTypes"])
    assert info["allowTrailingStop"]
    kinds = {row["filterType"]: row for row in info["filters"]}
    assert kinds["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"] == 5
    del kinds["TRAILING_DELTA"]["filterType"]
    assert kinds["TRAILING_DELTA"] == {
        "minTrailingAboveDelta": 10,
        "maxTrailingAboveDelta": 2000,
        "minTrailingBelowDelta": 10,
        "maxTrailingBelowDelta": 2000,
    }
