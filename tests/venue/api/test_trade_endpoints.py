"""Placing and canceling: answers, rejections with their codes, and balances."""

from decimal import Decimal

import pytest

from venue.base.settings import FlowSettings, MarketSettings

D = Decimal


def test_a_limit_order_rests_holds_its_money_and_gives_it_back(ann_and_bob):
    world = ann_and_bob
    status, placed = world.order("BUY", "0.5", "50000", newClientOrderId="mine")
    assert status == 200
    assert (placed["status"], placed["clientOrderId"], placed["fills"]) == ("NEW", "mine", [])
    assert (placed["price"], placed["origQty"]) == ("50000.00000000", "0.50000000")
    assert world.balance("USDT") == (D(975000), D(25000))
    assert world.get("depth", symbol="BTCUSDT")["bids"] == [["50000.00000000", "0.50000000"]]

    status, canceled = world.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (status, canceled["status"], canceled["origClientOrderId"]) == (200, "CANCELED", "mine")
    assert canceled["clientOrderId"] != "mine"
    assert world.balance("USDT") == (D(1000000), D(0))
    assert world.get("depth", symbol="BTCUSDT")["bids"] == []


def test_a_trade_moves_money_and_takes_the_fee_from_what_is_received(ann_and_bob):
    world = ann_and_bob
    world.order("SELL", "1", "60000", who="bob")
    status, taken = world.order("BUY", "0.4", "61000")
    assert (status, taken["status"], taken["executedQty"]) == (200, "FILLED", "0.40000000")
    assert taken["cummulativeQuoteQty"] == "24000.00000000"
    fill = taken["fills"][0]
    assert (fill["price"], fill["commission"], fill["commissionAsset"]) == (
        "60000.00000000",
        "0.00040000",
        "BTC",
    )
    # The better price than the limit's is ann's; nothing stays locked.
    assert world.balance("USDT") == (D(976000), D(0))
    assert world.balance("BTC") == (D("10.3996"), D(0))
    assert world.balance("USDT", "bob") == (D("1023976"), D(0))
    assert world.balance("BTC", "bob") == (D(9), D("0.6"))
    _, trades = world.signed("GET", "myTrades", who="bob", symbol="BTCUSDT")
    assert [(t["isMaker"], t["isBuyer"], t["commission"], t["commissionAsset"]) for t in trades] == [
        (True, False, "24.00000000", "USDT")
    ]


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ({"symbol": None}, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ({"side": "LONG"}, -1117, "Invalid side."),
        ({"type": "LIMITED"}, -1116, "Invalid orderType."),
        (
            {"timeInForce": None},
            -1102,
            "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
        ),
        ({"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
        ({"price": None}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        ({"price": ""}, -1105, "Parameter 'price' was empty."),
        ({"price": "60,000"}, -1100, None),
        ({"price": "-1"}, -1100, None),
        ({"price": "1e3"}, -1100, None),
        ({"price": "60000.000000001"}, -1111, "Parameter 'price' has too much precision."),
        ({"price": "60000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "2000000"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "600000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"price": "1000", "quantity": "1"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "9001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00008"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "200"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "100"}, -2010, "Account has insufficient balance for requested action."),
        ({"quoteOrderQty": "10"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ({"stopPrice": "10"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"newClientOrderId": "sp ace"}, -1100, None),
        ({"newClientOrderId": "x" * 37}, -1100, None),
        (
            {"selfTradePreventionMode": "SOME"},
            -1130,
            "Data sent for parameter 'selfTradePreventionMode' is not valid.",
        ),
        ({"newOrderRespType": "ALL"}, -1130, "Data sent for parameter 'newOrderRespType' is not valid."),
        ({"strategyType": "1"}, -1134, None),
        ({"type": "STOP_LOSS"}, -1106, None),
    ],
)
def test_a_bad_order_gets_its_code_and_changes_nothing(ann_and_bob, change, code, text):
    world = ann_and_bob
    good = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.1",
        "price": 60000,
    }
    requested = {name: value for name, value in {**good, **change}.items() if value is not None}
    status, body = world.signed("POST", "order", **requested)
    assert status == 400
    assert body["code"] == code
    if text is not None:
        assert body["msg"] == text
    assert world.balance("USDT") == (D(1000000), D(0))
    assert world.signed("GET", "allOrders", symbol="BTCUSDT") == (200, [])


def test_a_maker_order_that_would_take_is_refused(ann_and_bob):
    world = ann_and_bob
    world.order("SELL", "1", "60000", who="bob")
    post_only = {"type": "LIMIT_MAKER", "timeInForce": None}
    assert world.order("BUY", "1", "60000", **post_only) == (
        400,
        {"code": -2010, "msg": "Order would immediately match and take."},
    )
    assert world.balance("USDT") == (D(1000000), D(0))
    status, ack = world.order("BUY", "1", "59999.99", **post_only)
    assert (status, set(ack)) == (200, {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"})


def test_a_client_id_is_unique_only_among_open_orders(ann_and_bob):
    world = ann_and_bob
    world.order("BUY", "0.1", "50000", newClientOrderId="one")
    assert world.order("BUY", "0.1", "50000", newClientOrderId="one")[1] == {
        "code": -2010,
        "msg": "Duplicate order sent.",
    }
    assert world.order("BUY", "0.1", "50000", newClientOrderId="one", who="bob")[0] == 200
    world.order("SELL", "0.2", "50000", who="bob", selfTradePreventionMode="NONE")
    _, first = world.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="one")
    assert first["status"] == "FILLED"
    status, second = world.order("BUY", "0.1", "40000", newClientOrderId="one")
    assert status == 200, "accepted again, now that the first is filled: this is how a blind resend doubles"
    _, found = world.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="one")
    assert found["orderId"] == second["orderId"]


def test_market_orders_by_quantity_and_by_quote(ann_and_bob):
    world = ann_and_bob
    world.order("SELL", "1", "60000", who="bob")
    world.order("SELL", "1", "60100", who="bob")
    _, by_size = world.order("BUY", "1.5")
    assert (by_size["status"], by_size["cummulativeQuoteQty"]) == ("FILLED", "90050.00000000")
    assert len(by_size["fills"]) == 2
    _, by_quote = world.order("BUY", None, quoteOrderQty="601")
    assert (by_quote["status"], by_quote["origQty"]) == ("FILLED", "0.01000000")
    assert by_quote["origQuoteOrderQty"] == "601.00000000"
    _, rest = world.order("BUY", "5")
    assert (rest["status"], rest["executedQty"], rest["expiryReason"]) == (
        "EXPIRED",
        "0.49000000",
        "INSUFFICIENT_LIQUIDITY",
    )
    assert world.order("BUY", None, quoteOrderQty="601")[1]["code"] == -2010
    assert world.order("BUY", None)[1]["code"] == -1102
    assert world.balance("USDT") == (D(1000000) - D(90050) - D(601) - D("0.49") * 60100, D(0))


def test_a_market_order_that_cannot_be_paid_is_refused(ann_and_bob):
    world = ann_and_bob
    world.order("SELL", "10", "250000", who="bob")
    assert world.order("BUY", "10")[1]["code"] == -2010
    world.order("BUY", "1", "50000", who="bob")
    assert world.order("SELL", "11")[1]["code"] == -2010
    assert world.signed("GET", "allOrders", symbol="BTCUSDT")[1] == []


def test_ioc_takes_what_there_is_and_fok_all_or_nothing(ann_and_bob):
    world = ann_and_bob
    world.order("SELL", "1", "60000", who="bob")
    _, fok = world.order("BUY", "2", "60000", timeInForce="FOK")
    assert (fok["status"], fok["executedQty"], fok["expiryReason"]) == (
        "EXPIRED",
        "0.00000000",
        "UNFILLED_FOK_ORDER_EXPIRED",
    )
    _, ioc = world.order("BUY", "2", "60000", timeInForce="IOC")
    assert (ioc["status"], ioc["executedQty"]) == ("EXPIRED", "1.00000000")
    assert ioc["expiryReason"] == "UNFILLED_IOC_QUANTITY_EXPIRED"
    assert world.balance("USDT") == (D(940000), D(0))


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "NEW"),
        ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
        ("DECREMENT", "EXPIRED_IN_MATCH", "NEW"),
        ("NONE", "FILLED", "PARTIALLY_FILLED"),
    ],
)
def test_self_trade_prevention(ann_and_bob, mode, maker, taker):
    world = ann_and_bob
    _, sell = world.order("SELL", "1", "60000")
    _, buy = world.order("BUY", "3", "60000", selfTradePreventionMode=mode)
    assert (buy["status"], buy["selfTradePreventionMode"]) == (taker, mode)
    _, resting = world.signed("GET", "order", symbol="BTCUSDT", orderId=sell["orderId"])
    assert resting["status"] == maker
    if mode == "DECREMENT":
        assert buy["preventedQuantity"] == "1.00000000"
        assert world.balance("USDT") == (D(1000000) - 120000, D(120000))
    for order in (sell, buy):
        world.signed("DELETE", "order", symbol="BTCUSDT", orderId=order["orderId"])
    assert world.balance("USDT")[1] == world.balance("BTC")[1] == 0


def test_cancels_that_find_nothing(ann_and_bob):
    world = ann_and_bob
    unknown = {"code": -2011, "msg": "Unknown order sent."}
    assert world.signed("DELETE", "order", symbol="BTCUSDT", orderId=77) == (400, unknown)
    assert world.signed("DELETE", "order", symbol="BTCUSDT")[1]["code"] == -1102
    assert world.signed("DELETE", "openOrders", symbol="BTCUSDT") == (400, unknown)
    _, order = world.order("BUY", "1", "50000", newClientOrderId="a")
    order_id = order["orderId"]
    wrong = world.signed("DELETE", "order", symbol="BTCUSDT", orderId=order_id, origClientOrderId="b")
    assert wrong[1]["code"] == -2039
    assert world.signed("DELETE", "order", who="bob", symbol="BTCUSDT", orderId=order_id) == (400, unknown)
    restricted = {"symbol": "BTCUSDT", "orderId": order_id, "cancelRestrictions": "ONLY_PARTIALLY_FILLED"}
    assert world.signed("DELETE", "order", **restricted)[1]["code"] == -2011
    assert world.signed("DELETE", "order", symbol="BTCUSDT", orderId=order_id)[0] == 200
    assert world.signed("DELETE", "order", symbol="BTCUSDT", orderId=order_id) == (400, unknown)
    assert world.signed("GET", "order", symbol="BTCUSDT", orderId=78)[1]["code"] == -2013


def test_all_open_orders_of_a_symbol_are_canceled_at_once(ann_and_bob):
    world = ann_and_bob
    for price in ("50000", "49000", "48000"):
        world.order("BUY", "1", price)
    status, canceled = world.signed("DELETE", "openOrders", symbol="BTCUSDT")
    assert (status, [row["status"] for row in canceled]) == (200, ["CANCELED"] * 3)
    assert world.signed("GET", "openOrders") == (200, [])
    assert world.balance("USDT") == (D(1000000), D(0))


def test_cancel_replace_in_all_its_outcomes(ann_and_bob):
    world = ann_and_bob
    _, first = world.order("BUY", "1", "50000")
    fresh = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1}
    replace = {**fresh, "cancelReplaceMode": "STOP_ON_FAILURE", "price": 51000}
    status, done = world.signed("POST", "order/cancelReplace", **replace, cancelOrderId=first["orderId"])
    assert (status, done["cancelResult"], done["newOrderResult"]) == (200, "SUCCESS", "SUCCESS")
    assert done["cancelResponse"]["orderId"] == first["orderId"]

    status, none = world.signed("POST", "order/cancelReplace", **replace, cancelOrderId=999)
    assert (status, none["code"], none["data"]["newOrderResult"]) == (400, -2022, "NOT_ATTEMPTED")
    assert none["data"]["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}

    allow = {**replace, "cancelReplaceMode": "ALLOW_FAILURE"}
    status, half = world.signed("POST", "order/cancelReplace", **allow, cancelOrderId=999)
    assert (status, half["code"], half["data"]["newOrderResult"]) == (409, -2021, "SUCCESS")

    expensive = {**allow, "quantity": 90}
    status, gone = world.signed(
        "POST", "order/cancelReplace", **expensive, cancelOrderId=done["newOrderResponse"]["orderId"]
    )
    assert (status, gone["code"]) == (409, -2021)
    assert (gone["data"]["cancelResult"], gone["data"]["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert gone["data"]["newOrderResponse"]["code"] == -2010

    status, both = world.signed("POST", "order/cancelReplace", **expensive, cancelOrderId=999)
    assert (status, both["code"]) == (400, -2022)
    _, left = world.signed("GET", "openOrders", symbol="BTCUSDT")
    assert [row["orderId"] for row in left] == [half["data"]["newOrderResponse"]["orderId"]]


def test_a_test_order_is_checked_and_not_placed(ann_and_bob):
    world = ann_and_bob
    requested = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1}
    assert world.signed("POST", "order/test", **requested, price=60000) == (200, {})
    assert world.signed("POST", "order/test", **requested, price="60000.001")[1]["code"] == -1013
    _, rates = world.signed("POST", "order/test", **requested, price=60000, computeCommissionRates="true")
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert world.signed("GET", "allOrders", symbol="BTCUSDT") == (200, [])


def test_only_so_many_orders_may_be_open(world):
    still = FlowSettings(limit_rate=0, market_rate=0)
    one = world(markets=[MarketSettings(flow=still, max_orders=2)])
    for _ in range(2):
        assert one.order("BUY", "1", "50000")[0] == 200
    assert one.order("BUY", "1", "50000")[1]["msg"] == "Filter failure: MAX_NUM_ORDERS"


def test_nothing_appears_or_vanishes(ann_and_bob):
    world = ann_and_bob
    for step in range(40):
        for who, side in (("ann", "BUY"), ("bob", "SELL"), ("ann", "SELL"), ("bob", "BUY")):
            price = 60000 + (step * 37 + len(who + side) * 11) % 50 - 25
            world.order(side, f"0.{step % 9 + 1}", price, who=who)
        world.order("SELL" if step % 2 else "BUY", "0.3", who="ann")
    house = world.exchange.settlement.funds.outside
    for asset, opening in (("BTC", D(20)), ("USDT", D(2000000))):
        owned = sum(sum(world.balance(asset, who)) for who in ("ann", "bob"))
        assert owned + D(house[asset]).scaleb(-8) == opening
        for who in ("ann", "bob"):
            assert min(world.balance(asset, who)) >= 0
    for who in ("ann", "bob"):
        world.signed("DELETE", "openOrders", who=who, symbol="BTCUSDT")
        assert world.balance("BTC", who)[1] == world.balance("USDT", who)[1] == 0
