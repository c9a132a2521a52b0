"""Pegged orders: which are allowed, what price they get and when, and their reports (faqs/pegged_orders.md)."""

from decimal import Decimal as D

import pytest

PRIMARY = {"pegPriceType": "PRIMARY_PEG"}
MARKET = {"pegPriceType": "MARKET_PEG"}
LIMIT = {"type": "LIMIT", "timeInForce": "GTC"}
STOP = {"type": "STOP_LOSS_LIMIT", "timeInForce": "GTC", "stopPrice": "41000"}
LIQUIDITY = "Order book liquidity is too low for this pegged order."


def level(number):
    return {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": number}


@pytest.fixture
def quoted(market):
    """Bob bids 39,990 39,980 39,970 and asks 40,010 40,020 40,030, one BTC each."""
    one = market()
    for distance in (10, 20, 30):
        one.order("BUY", "1", 40_000 - distance, who="bob")
        one.order("SELL", "1", 40_000 + distance, who="bob")
    return one


def peg(world, side, kind=LIMIT, price=None, **params):
    """(status, answer) of Ann's pegged order of 0.1 BTC."""
    return world.order(side, "0.1", price, **{**kind, "newOrderRespType": "FULL", **params})


@pytest.mark.parametrize(
    ("side", "requested", "price"),
    [
        ("BUY", PRIMARY, "39990"),
        ("SELL", PRIMARY, "40010"),
        ("BUY", PRIMARY | level(1), "39980"),
        ("SELL", PRIMARY | level(2), "40030"),
        ("BUY", MARKET, "40010"),
        ("SELL", MARKET, "39990"),
        ("BUY", MARKET | level(1), "40020"),
    ],
)
def test_the_price_is_a_level_of_the_book(quoted, side, requested, price):
    status, order = peg(quoted, side, **requested)
    assert (status, order["price"]) == (200, "0.00000000")
    assert D(order["peggedPrice"]) == D(price)
    assert order["pegPriceType"] == requested["pegPriceType"]
    assert order.get("pegOffsetValue") == requested.get("pegOffsetValue")
    assert order.get("pegOffsetType") == requested.get("pegOffsetType")
    assert order["status"] == ("NEW" if requested["pegPriceType"] == "PRIMARY_PEG" else "FILLED")
    found = quoted.found(order["orderId"])
    assert (found["price"], found["peggedPrice"]) == (order["price"], order["peggedPrice"])


def test_a_primary_peg_stands_behind_those_at_its_price_and_holds_what_it_may_cost(quoted):
    order = peg(quoted, "BUY", **PRIMARY)[1]
    assert quoted.get("depth", symbol="BTCUSDT", limit=5)["bids"][0] == ["39990.00000000", "1.10000000"]
    assert quoted.balance("USDT")[1] == D(3999)
    quoted.order("SELL", "1", None, who="cal")
    assert quoted.found(order["orderId"])["executedQty"] == "0.00000000"
    quoted.order("SELL", "0.1", None, who="cal")
    assert quoted.found(order["orderId"])["status"] == "FILLED"
    assert quoted.balance("USDT")[1] == 0


def test_the_price_stays_where_the_book_goes_on(quoted):
    order = peg(quoted, "BUY", **PRIMARY)[1]
    quoted.order("BUY", "1", "39995", who="bob")
    assert quoted.found(order["orderId"])["peggedPrice"] == "39990.00000000"


def test_a_market_peg_takes_the_best_price_and_that_only(quoted):
    status, order = quoted.order("BUY", "3", None, **LIMIT | {"timeInForce": "IOC"}, **MARKET)
    assert (status, order["status"], order["executedQty"]) == (200, "EXPIRED", "1.00000000")
    assert {fill["price"] for fill in order["fills"]} == {"40010.00000000"}


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"pegPriceType": "BEST"}, -1210, "Invalid pegPriceType."),
        (PRIMARY | level(1) | {"pegOffsetType": "BPS"}, -1211, "Invalid pegOffsetType."),
        (PRIMARY | {"pegOffsetType": "PRICE_LEVEL"}, -1102, "Mandatory parameter 'pegOffsetValue' was not sent"),
        (PRIMARY | {"pegOffsetValue": 1}, -1102, "Mandatory parameter 'pegOffsetType' was not sent"),
        (PRIMARY | level(101), -1130, "'pegOffsetValue'"),
        (PRIMARY | level(0), -1130, "'pegOffsetValue'"),
        (level(1) | {"price": "39000"}, -1106, "Parameter 'pegOffsetType' sent when not required."),
        (PRIMARY | {"timeInForce": "IOC"}, -2010, "Unsupported order combination"),
        (PRIMARY | level(3), -2010, LIQUIDITY),
        (MARKET | level(3), -2010, LIQUIDITY),
        (MARKET | {"type": "LIMIT_MAKER", "timeInForce": None}, -2010, "This price peg cannot be used with this"),
        (PRIMARY | {"type": "MARKET", "timeInForce": None}, -2010, "This order type may not use pegged price."),
        (PRIMARY | {"type": "STOP_LOSS", "timeInForce": None, "stopPrice": "41000"}, -2010, "This order type may not"),
        (PRIMARY | {"price": "39000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        (PRIMARY | {"price": "1000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        (PRIMARY | {"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
    ],
)
def test_what_may_not_be_pegged_is_refused_by_its_documented_words(quoted, params, code, text):
    status, answer = peg(quoted, "BUY", **params)
    assert (status, answer["code"]) == (400, code), answer
    assert text in answer["msg"]
    assert quoted.balance("USDT")[1] == 0


def test_a_market_without_pegs_shows_it(market):
    one = market(peg_allowed=False)
    assert one.get("exchangeInfo")["symbols"][0]["pegInstructionsAllowed"] is False
    text = "Pegged orders are not supported for this symbol."
    assert peg(one, "BUY", **PRIMARY) == (400, {"code": -2010, "msg": text})
    assert market().get("exchangeInfo")["symbols"][0]["pegInstructionsAllowed"] is True


def test_an_additional_price_is_shown_in_the_answer(quoted):
    order = peg(quoted, "BUY", price="39000", **PRIMARY)[1]
    assert (order["price"], order["peggedPrice"]) == ("39000.00000000", "39990.00000000")


def test_a_test_order_is_checked_alike(quoted):
    requested = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.1", **LIMIT}
    assert quoted.signed("POST", "order/test", **requested, **PRIMARY) == (200, {})
    assert quoted.signed("POST", "order/test", **requested, **PRIMARY, **level(3))[1]["msg"] == LIQUIDITY


def test_a_limit_maker_is_pegged_to_its_own_side(quoted):
    order = peg(quoted, "SELL", {"type": "LIMIT_MAKER"}, **PRIMARY)[1]
    assert (order["status"], order["peggedPrice"]) == ("NEW", "40010.00000000")


# -- later than it is placed --------------------------------------------------------------------------


def test_a_stop_gets_its_price_as_it_is_triggered(quoted):
    receives = quoted.subscribe_user()
    order = peg(quoted, "BUY", STOP, **PRIMARY | level(1))[1]
    assert "peggedPrice" not in order
    assert quoted.balance("USDT")[1] == D(4100)  # at the stop price
    quoted.order("BUY", "3", None, who="cal")
    quoted.trade(41_000)
    found = quoted.found(order["orderId"])
    assert (found["status"], found["peggedPrice"], found["price"]) == ("NEW", "39980.00000000", "0.00000000")
    assert quoted.balance("USDT")[1] == D(3998)
    first, *_, last = [event for event in quoted.events(receives) if event["i"] == order["orderId"]]
    assert (first["gP"], first["gOT"], first["gOV"], "gp" in first) == ("PRIMARY_PEG", "PRICE_LEVEL", 1, False)
    assert (last["gp"], last["p"]) == ("39980.00000000", "0.00000000")


def test_a_stop_that_finds_no_price_expires_and_gives_back_what_it_held(quoted):
    order = peg(quoted, "BUY", STOP, **MARKET | level(50))[1]
    quoted.order("BUY", "3", None, who="cal")
    quoted.trade(41_000)
    assert quoted.found(order["orderId"])["status"] == "EXPIRED"
    assert quoted.balance("USDT") == (D(1_000_000), 0)


def test_a_stop_whose_owner_cannot_pay_the_price_of_the_book_expires(quoted):
    quoted.order("BUY", "3", None, who="bob", selfTradePreventionMode="NONE")  # no asks are left
    quoted.order("SELL", "1", "44000", who="bob")
    order = quoted.order("BUY", "1", None, **STOP, **MARKET)[1]
    quoted.exchange.accounts.by_name["ann"].balance("USDT").free = 0
    quoted.trade(41_000)
    assert quoted.found(order["orderId"])["status"] == "EXPIRED"
    assert quoted.balance("USDT") == (D(41_000), 0)


def test_the_legs_of_an_oco_may_be_pegged(quoted):
    legs = {"aboveType": "STOP_LOSS_LIMIT", "aboveStopPrice": "41000", "aboveTimeInForce": "GTC",
            "abovePegPriceType": "MARKET_PEG", "belowType": "LIMIT_MAKER", "belowPegPriceType": "PRIMARY_PEG",
            "belowPegOffsetType": "PRICE_LEVEL", "belowPegOffsetValue": 1}  # fmt: skip
    requested = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.1", **legs}
    status, answer = quoted.signed("POST", "orderList/oco", **requested)
    assert status == 200, answer
    stop, maker = answer["orderReports"]
    assert ("peggedPrice" in stop, stop["pegPriceType"]) == (False, "MARKET_PEG")
    assert (maker["peggedPrice"], maker["pegOffsetValue"]) == ("39980.00000000", 1)
    quoted.order("BUY", "3", None, who="cal")
    quoted.order("SELL", "1", "41050", who="bob")
    quoted.trade(41_000)
    found = quoted.found(stop["orderId"])
    assert (found["status"], found["peggedPrice"]) == ("FILLED", "41050.00000000")
    assert quoted.found(maker["orderId"])["status"] == "EXPIRED"
    assert quoted.balance("USDT") == (D(1_000_000) - D(4105), 0)


def test_a_pending_order_gets_its_price_as_the_working_one_has_filled(quoted):
    status, answer = quoted.signed(
        "POST", "orderList/oto", symbol="BTCUSDT", workingType="LIMIT", workingSide="BUY", workingQuantity="0.1",
        workingTimeInForce="GTC", workingPegPriceType="PRIMARY_PEG", pendingType="LIMIT", pendingSide="SELL",
        pendingQuantity="0.1", pendingTimeInForce="GTC", pendingPegPriceType="PRIMARY_PEG",
    )  # fmt: skip
    assert status == 200, answer
    working, pending = answer["orderReports"]
    assert (working["peggedPrice"], pending["status"]) == ("39990.00000000", "PENDING_NEW")
    assert "peggedPrice" not in pending
    quoted.order("SELL", "1", "39995", who="bob")
    quoted.order("SELL", "1.1", "39990", who="cal")
    found = quoted.found(pending["orderId"])
    assert (found["status"], found["peggedPrice"]) == ("NEW", "39995.00000000")


def test_a_pending_order_that_finds_no_price_expires(quoted):
    answer = quoted.signed(
        "POST", "orderList/opo", symbol="BTCUSDT", workingType="LIMIT", workingSide="BUY", workingQuantity="0.1",
        workingTimeInForce="GTC", workingPrice="39990", pendingType="LIMIT", pendingSide="SELL",
        pendingTimeInForce="GTC", pendingPegPriceType="PRIMARY_PEG",
    )[1]  # fmt: skip
    quoted.signed("DELETE", "openOrders", "bob", symbol="BTCUSDT")
    quoted.order("SELL", "0.1", "39990", who="cal")
    working, pending = answer["orders"]
    assert quoted.found(working["orderId"])["status"] == "FILLED"
    assert quoted.found(pending["orderId"])["status"] == "EXPIRED"
    assert quoted.balance("BTC")[1] == 0


def test_a_replaced_best_order_is_not_what_its_successor_is_pegged_to(quoted):
    best = quoted.order("BUY", "0.1", "39995")[1]["orderId"]
    requested = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.1", **LIMIT, **PRIMARY}
    status, answer = quoted.signed(
        "POST", "order/cancelReplace", **requested, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=best
    )
    assert status == 200, answer
    assert answer["newOrderResponse"]["peggedPrice"] == "39990.00000000"


def test_pegs_outlive_a_kill(quoted, market):
    rests, waits = peg(quoted, "BUY", **PRIMARY)[1]["orderId"], peg(quoted, "BUY", STOP, **PRIMARY)[1]["orderId"]
    before = [quoted.found(one) for one in (rests, waits)]
    again = market(quoted.log)
    assert [again.found(one) for one in (rests, waits)] == before
    again.order("BUY", "3", None, who="cal")
    again.trade(41_000)
    assert again.found(waits)["peggedPrice"] == "39990.00000000"
