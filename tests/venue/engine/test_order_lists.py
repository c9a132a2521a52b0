"""Order lists: one order cancels, triggers or pays another; locked funds, reports, queries, and a kill."""

from decimal import Decimal

import pytest

SELL_OCO = {
    "side": "SELL", "quantity": "0.5",
    "aboveType": "LIMIT_MAKER", "abovePrice": 41000,
    "belowType": "STOP_LOSS_LIMIT", "belowStopPrice": 39000, "belowPrice": 38900, "belowTimeInForce": "GTC",
}  # fmt: skip
BUY_OCO = {
    "side": "BUY", "quantity": "0.5",
    "aboveType": "STOP_LOSS", "aboveStopPrice": 41000, "belowType": "LIMIT_MAKER", "belowPrice": 39000,
}  # fmt: skip
WORKING = {
    "workingType": "LIMIT", "workingTimeInForce": "GTC", "workingSide": "BUY",
    "workingPrice": 39500, "workingQuantity": "0.2",
}  # fmt: skip
PENDING_SELL = {
    "pendingType": "LIMIT", "pendingTimeInForce": "GTC", "pendingSide": "SELL",
    "pendingPrice": 42000, "pendingQuantity": "0.1",
}  # fmt: skip
PENDING_OCO = {
    "pendingSide": "SELL", "pendingQuantity": "0.1",
    "pendingAboveType": "TAKE_PROFIT", "pendingAboveStopPrice": 42000,
    "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": 38000,
}  # fmt: skip


def place(world, kind, *parts, who="ann", **more):
    requested = {"symbol": "BTCUSDT"}
    for part in (*parts, more):
        requested |= part
    requested = {name: value for name, value in requested.items() if value is not None}
    return world.signed("POST", f"orderList/{kind}" if kind != "order/oco" else kind, who, **requested)


def orders_of(world, placed, who="ann"):
    return [world.found(row["orderId"], who) for row in placed["orders"]]


def statuses(world, placed):
    return [one["status"] for one in orders_of(world, placed)]


def status_of(world, placed):
    found = world.signed("GET", "orderList", orderListId=placed["orderListId"])[1]
    return found["listStatusType"], found["listOrderStatus"]


# OCO


def test_an_oco_rests_with_one_half_and_waits_with_the_other(market):
    world = market()
    status, placed = place(world, "oco", SELL_OCO, listClientOrderId="list", newOrderRespType="RESULT")
    assert status == 200
    assert (placed["contingencyType"], placed["listClientOrderId"]) == ("OCO", "list")
    assert (placed["listStatusType"], placed["listOrderStatus"]) == ("EXEC_STARTED", "EXECUTING")
    stop, limit = placed["orderReports"]
    assert (stop["type"], stop["workingTime"], stop["status"]) == ("STOP_LOSS_LIMIT", -1, "NEW")
    assert (limit["type"], limit["workingTime"]) == ("LIMIT_MAKER", world.now_ns // 1_000_000)
    assert {one["orderListId"] for one in (stop, limit)} == {placed["orderListId"]}
    assert world.get("depth", symbol="BTCUSDT")["asks"] == [["41000.00000000", "0.50000000"]]
    assert world.balance("BTC") == (Decimal("9.5"), Decimal("0.5"))
    assert [one["isWorking"] for one in orders_of(world, placed)] == [False, True]


def test_a_buying_oco_holds_what_its_dearer_half_needs(market):
    world = market()
    place(world, "oco", BUY_OCO)
    assert world.balance("USDT")[1] == Decimal("0.5") * 41000
    world.order("SELL", "0.2", 39000, who="bob")
    assert world.balance("USDT")[1] == Decimal("0.3") * 39000
    world.signed("DELETE", "openOrders", symbol="BTCUSDT")
    assert world.balance("USDT") == (1_000_000 - Decimal("0.2") * 39000, 0)


def test_the_first_fill_of_the_limit_half_ends_the_stop(market):
    world = market()
    _, placed = place(world, "oco", SELL_OCO)
    ear = world.subscribe_user()
    world.order("BUY", "0.2", 41000, who="bob")
    stop, limit = orders_of(world, placed)
    assert (stop["status"], stop["expiryReason"]) == ("EXPIRED", "OCO_TRIGGER")
    assert (limit["status"], limit["executedQty"]) == ("PARTIALLY_FILLED", "0.20000000")
    assert world.balance("BTC") == (Decimal("9.5"), Decimal("0.3"))
    assert world.events(ear, "listStatus") == []
    world.order("BUY", "0.3", 41000, who="bob")
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")
    reported = [(one["i"], one["x"], one["g"]) for one in world.events(ear)]
    list_id, (stop_id, limit_id) = placed["orderListId"], [row["orderId"] for row in placed["orders"]]
    assert reported == [(stop_id, "EXPIRED", list_id), (limit_id, "TRADE", list_id), (limit_id, "TRADE", list_id)]
    [done] = world.events(ear, "listStatus")
    assert (done["l"], done["L"], done["g"]) == ("ALL_DONE", "ALL_DONE", list_id)
    assert {one["orderListId"] for one in world.signed("GET", "myTrades", symbol="BTCUSDT")[1]} == {list_id}


def test_the_triggered_stop_takes_the_limit_half_out_of_the_book(market):
    world = market()
    ear = world.subscribe_user()
    _, placed = place(world, "oco", SELL_OCO)
    first = [message["event"]["e"] for message in world.received(ear) if "event" in message]
    assert [name for name in first if name != "outboundAccountPosition"] == [
        "executionReport", "executionReport", "listStatus",
    ]  # fmt: skip
    world.trade(39000)
    stop, limit = orders_of(world, placed)
    assert (limit["status"], limit["expiryReason"]) == ("EXPIRED", "OCO_TRIGGER")
    assert (stop["status"], stop["isWorking"]) == ("NEW", True)
    assert world.get("depth", symbol="BTCUSDT")["asks"] == [["38900.00000000", "0.50000000"]]
    assert status_of(world, placed) == ("EXEC_STARTED", "EXECUTING")
    world.order("BUY", "0.5", 38900, who="bob")
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")
    assert world.balance("BTC") == (Decimal("9.5"), 0)


def test_a_stop_half_that_finds_no_book_ends_the_list(market):
    world = market()
    _, placed = place(world, "oco", BUY_OCO)
    world.trade(41000)
    assert statuses(world, placed) == ["EXPIRED", "EXPIRED"]
    assert orders_of(world, placed)[0]["expiryReason"] == "INSUFFICIENT_LIQUIDITY"
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")
    assert world.balance("USDT") == (1_000_000, 0)


def test_a_half_that_self_trade_prevention_ends_takes_the_other_with_it(market):
    world = market()
    _, placed = place(world, "oco", SELL_OCO)
    world.order("BUY", "0.1", 41000)
    assert statuses(world, placed) == ["EXPIRED", "EXPIRED_IN_MATCH"]
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")
    assert world.balance("BTC") == (10, 0)


def test_take_profit_and_stop_loss_make_an_oco_too(market):
    world = market()
    both = {"side": "SELL", "quantity": "0.1", "aboveType": "TAKE_PROFIT", "aboveTrailingDelta": 100}
    both |= {"aboveStopPrice": 42000, "belowType": "STOP_LOSS", "belowTrailingDelta": 1000}
    _, placed = place(world, "oco", both)
    assert [one["type"] for one in placed["orderReports"]] == ["STOP_LOSS", "TAKE_PROFIT"]
    assert [one["trailingTime"] > 0 for one in placed["orderReports"]] == [True, False]
    world.order("BUY", "1", 35000, who="bob")
    world.trade(42000, 43000)
    world.order("BUY", "1", 35000, who="bob")
    world.trade(42570)
    assert statuses(world, placed) == ["EXPIRED", "FILLED"]
    assert orders_of(world, placed)[0]["expiryReason"] == "OCO_TRIGGER"


def test_canceling_one_half_cancels_both_and_answers_with_the_list(market):
    for how in range(4):
        world = market()
        _, placed = place(world, "oco", SELL_OCO, listClientOrderId="mine", aboveClientOrderId="above")
        ear = world.subscribe_user()
        ways = [
            ("orderList", {"orderListId": placed["orderListId"]}),
            ("orderList", {"listClientOrderId": "mine", "newClientOrderId": "away"}),
            ("order", {"origClientOrderId": "above"}),
            ("openOrders", {}),
        ]
        path, params = ways[how]
        status, body = world.signed("DELETE", path, symbol="BTCUSDT", **params)
        assert status == 200
        [answer] = body if isinstance(body, list) else [body]
        assert (answer["listStatusType"], answer["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
        assert [one["status"] for one in answer["orderReports"]] == ["CANCELED", "CANCELED"]
        assert len({one["clientOrderId"] for one in answer["orderReports"]}) == 1
        assert [(one["x"], one["X"]) for one in world.events(ear)] == [("CANCELED", "CANCELED")] * 2
        assert [one["l"] for one in world.events(ear, "listStatus")] == ["ALL_DONE"]
        assert world.balance("BTC") == (10, 0)
        status, body = world.signed("DELETE", "orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
        assert (status, body["code"]) == (400, -2011)


def test_the_old_oco_is_still_taken(market):
    world = market()
    old = {"side": "BUY", "quantity": "0.5", "price": 39000, "stopPrice": 41000}
    status, placed = place(world, "order/oco", old, limitClientOrderId="low", stopClientOrderId="high")
    assert status == 200
    stop, limit = placed["orderReports"]
    assert (stop["type"], stop["clientOrderId"], stop["stopPrice"]) == ("STOP_LOSS", "high", "41000.00000000")
    assert (limit["type"], limit["clientOrderId"], limit["price"]) == ("LIMIT_MAKER", "low", "39000.00000000")
    assert place(world, "order/oco", old, stopLimitPrice=41500)[1]["code"] == -1102
    status, placed = place(world, "order/oco", old, stopLimitPrice=41500, stopLimitTimeInForce="FOK")
    assert (placed["orderReports"][0]["type"], placed["orderReports"][0]["timeInForce"]) == ("STOP_LOSS_LIMIT", "FOK")


@pytest.mark.parametrize(
    ("base", "change", "code"),
    [
        (SELL_OCO, {"abovePrice": 40000}, -2010),
        (SELL_OCO, {"belowStopPrice": 40000}, -2010),
        (BUY_OCO, {"aboveStopPrice": 39999}, -2010),
        (BUY_OCO, {"belowPrice": 40001}, -2010),
        (SELL_OCO, {"aboveType": "LIMIT"}, -1158),
        (SELL_OCO, {"aboveType": "NONSENSE"}, -1116),
        (SELL_OCO, {"aboveType": None}, -1102),
        (SELL_OCO, {"belowType": "LIMIT_MAKER", "belowStopPrice": None, "belowTimeInForce": None}, -1168),
        (SELL_OCO, {"aboveType": "STOP_LOSS", "abovePrice": None, "aboveStopPrice": 39000}, -1197),
        (BUY_OCO, {"belowType": "STOP_LOSS", "belowPrice": None, "belowStopPrice": 39000}, -1196),
        (BUY_OCO, {"aboveType": "TAKE_PROFIT"}, -1198),
        (SELL_OCO, {"belowType": "TAKE_PROFIT_LIMIT"}, -1199),
        (BUY_OCO, {"aboveType": "LIMIT_MAKER", "abovePrice": 41000, "aboveStopPrice": None}, -1165),
        (SELL_OCO, {"belowTimeInForce": "IOC", "belowIcebergQty": "0.1"}, -1160),
        (SELL_OCO, {"aboveClientOrderId": "same", "belowClientOrderId": "same"}, -2010),
        (SELL_OCO, {"quantity": "11"}, -2010),
        (SELL_OCO, {"quantity": None}, -1102),
        (SELL_OCO, {"belowStrategyType": 1}, -1134),
    ],
)
def test_a_bad_oco_gets_its_code_and_changes_nothing(market, base, change, code):
    world = market()
    status, body = place(world, "oco", base, change)
    assert (status, body["code"]) == (400, code), body
    assert world.signed("GET", "openOrderList")[1] == world.signed("GET", "openOrders")[1] == []
    assert (world.balance("BTC"), world.balance("USDT")) == ((10, 0), (1_000_000, 0))


# OTO, OTOCO


def test_the_pending_order_waits_until_the_working_one_has_filled_whole(market):
    world = market()
    ear = world.subscribe_user()
    status, placed = place(world, "oto", WORKING, PENDING_SELL)
    assert status == 200
    assert placed["contingencyType"] == "OTO"
    working, pending = placed["orderReports"]
    assert (working["status"], pending["status"], pending["workingTime"]) == ("NEW", "PENDING_NEW", -1)
    assert pending["origQty"] == "0.10000000"
    assert world.balance("BTC") == (10, 0)
    assert [(one["x"], one["X"], one["w"]) for one in world.events(ear)] == [
        ("NEW", "NEW", True),
        ("NEW", "PENDING_NEW", False),
    ]
    open_now = world.signed("GET", "openOrders", symbol="BTCUSDT")[1]
    assert [one["status"] for one in open_now] == ["NEW", "PENDING_NEW"]
    world.order("SELL", "0.15", 39500, who="bob")
    assert statuses(world, placed) == ["PARTIALLY_FILLED", "PENDING_NEW"]
    world.order("SELL", "0.05", 39500, who="bob")
    working, pending = orders_of(world, placed)
    assert (working["status"], pending["status"], pending["isWorking"]) == ("FILLED", "NEW", True)
    assert world.get("depth", symbol="BTCUSDT")["asks"] == [["42000.00000000", "0.10000000"]]
    world.order("BUY", "0.1", 42000, who="bob")
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")
    assert [one["l"] for one in world.events(ear, "listStatus")] == ["EXEC_STARTED", "ALL_DONE"]


def test_a_working_order_that_fills_at_once_is_answered_with_the_pending_one_still_pending(market):
    world = market()
    world.order("SELL", "0.2", 39500, who="bob")
    _, placed = place(world, "oto", WORKING, PENDING_SELL, newOrderRespType="FULL")
    working, pending = placed["orderReports"]
    assert (working["status"], pending["status"]) == ("FILLED", "PENDING_NEW")
    assert len(working["fills"]) == 1
    assert statuses(world, placed) == ["FILLED", "NEW"]


def test_a_working_order_that_expires_ends_the_list(market):
    world = market()
    _, placed = place(world, "otoco", WORKING, PENDING_OCO, workingTimeInForce="IOC")
    assert statuses(world, placed) == ["EXPIRED"] * 3
    reasons = [one["expiryReason"] for one in orders_of(world, placed)]
    assert reasons == ["UNFILLED_IOC_QUANTITY_EXPIRED", "OTO_PHASE_ONE_EXPIRED", "OTO_PHASE_ONE_EXPIRED"]
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")


@pytest.mark.parametrize("which", [0, 1])
def test_canceling_either_order_of_an_oto_cancels_both(market, which):
    world = market()
    _, placed = place(world, "oto", WORKING, PENDING_SELL)
    status, body = world.signed("DELETE", "order", symbol="BTCUSDT", orderId=placed["orders"][which]["orderId"])
    assert status == 200
    assert [one["status"] for one in body["orderReports"]] == ["CANCELED", "CANCELED"]
    assert (world.balance("USDT"), world.signed("GET", "openOrders")[1]) == ((1_000_000, 0), [])


@pytest.mark.parametrize(
    "bad",
    [
        {"pendingQuantity": "90"},  # more than there is
        {"pendingType": "LIMIT_MAKER", "pendingTimeInForce": None, "pendingPrice": 39000},  # would take
        {"pendingType": "STOP_LOSS", "pendingTimeInForce": None, "pendingPrice": None, "pendingStopPrice": 39600},
    ],
)
def test_a_pending_order_that_cannot_start_expires_as_rejected(market, bad):
    world = market()
    world.order("BUY", "1", 39400, who="cal")
    status, placed = place(world, "oto", WORKING, PENDING_SELL, bad)
    assert status == 200
    world.order("SELL", "0.2", 39500, who="bob")
    working, pending = orders_of(world, placed)
    assert (working["status"], pending["status"], pending["expiryReason"]) == ("FILLED", "EXPIRED", "REJECTED")
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")
    assert world.balance("BTC")[1] == 0


def test_an_otoco_goes_through_all_its_phases(market):
    world = market()
    world.order("BUY", "1", 37000, who="cal")
    _, placed = place(world, "otoco", WORKING, PENDING_OCO)
    assert [one["type"] for one in placed["orderReports"]] == ["LIMIT", "STOP_LOSS", "TAKE_PROFIT"]
    world.order("SELL", "0.2", 39500, who="bob")
    assert statuses(world, placed) == ["FILLED", "NEW", "NEW"]
    assert world.balance("BTC")[1] == Decimal("0.1")
    world.order("BUY", "0.01", 38000, who="bob")
    world.order("SELL", "0.01", 38000, who="bob", selfTradePreventionMode="NONE")
    _, stop, profit = orders_of(world, placed)
    assert (stop["status"], Decimal(stop["cummulativeQuoteQty"])) == ("FILLED", 3700)
    assert (profit["status"], profit["expiryReason"]) == ("EXPIRED", "OCO_TRIGGER")
    assert status_of(world, placed) == ("ALL_DONE", "ALL_DONE")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"workingType": "MARKET"}, -1116),
        ({"workingTimeInForce": None}, -1102),
        ({"workingPrice": None}, -1102),
        ({"pendingTimeInForce": None}, -1102),
        ({"pendingSide": "LEFT"}, -1117),
        ({"pendingType": "MARKET", "pendingTimeInForce": None, "pendingPrice": None, "pendingQuoteOrderQty": 9}, -1104),
        ({"workingClientOrderId": "same", "pendingClientOrderId": "same"}, -2010),
        ({"workingType": "LIMIT_MAKER", "workingTimeInForce": None, "workingPrice": 41000}, -2010),
    ],
)
def test_a_bad_oto_gets_its_code_and_changes_nothing(market, change, code):
    world = market()
    world.order("SELL", "1", 40500, who="bob")
    status, body = place(world, "oto", WORKING, PENDING_SELL, change)
    assert (status, body["code"]) == (400, code), body
    assert world.signed("GET", "openOrders")[1] == []


# OPO, OPOCO


def test_what_an_opo_buys_is_locked_and_sold(market):
    world = market()
    sell = {"pendingType": "LIMIT", "pendingTimeInForce": "GTC", "pendingSide": "SELL", "pendingPrice": 42000}
    status, placed = place(world, "opo", WORKING, sell)
    assert status == 200
    assert "origQty" not in placed["orderReports"][1]
    world.order("SELL", "0.15", 39500, who="bob")
    assert world.balance("BTC")[1] == Decimal("0.15")
    assert statuses(world, placed) == ["PARTIALLY_FILLED", "PENDING_NEW"]
    world.order("SELL", "0.05", 39500, who="bob")
    assert orders_of(world, placed)[1]["origQty"] == "0.20000000"
    assert world.balance("BTC")[1] == Decimal("0.2")


def test_an_opo_of_an_account_that_owns_nothing_else_sells_what_the_commission_leaves(market):
    world = market()
    world.signed("DELETE", "openOrders", "bob", symbol="BTCUSDT")
    world.exchange.accounts.by_name["ann"].balance("BTC").free = 0
    _, placed = place(world, "opo", WORKING, {"pendingType": "MARKET", "pendingSide": "SELL"})
    world.order("BUY", "1", 39000, who="cal")
    world.order("SELL", "0.2", 39500, who="bob")
    sold = orders_of(world, placed)[1]
    assert (sold["status"], sold["executedQty"]) == ("FILLED", "0.19980000")
    assert world.balance("BTC") == (0, 0)


def test_a_canceled_opoco_frees_what_it_bought(market):
    world = market()
    pair = {name: value for name, value in PENDING_OCO.items() if name != "pendingQuantity"}
    status, placed = place(world, "opoco", WORKING, pair)
    assert (status, len(placed["orders"])) == (200, 3)
    world.order("SELL", "0.15", 39500, who="bob")
    world.signed("DELETE", "orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
    assert world.balance("BTC") == (10 + Decimal("0.15") * Decimal("0.999"), 0)
    assert place(world, "opo", WORKING, {"pendingType": "MARKET", "pendingSide": "BUY"})[1]["code"] == -1223
    sell = {**WORKING, "workingSide": "SELL"}
    assert place(world, "opo", sell, {"pendingType": "MARKET", "pendingSide": "SELL"})[1]["code"] == -1222


# Finding, counting, keeping


def test_lists_are_found_by_either_id_and_in_their_order(market):
    world = market(max_algo_orders=50)
    lists = []
    for number in range(3):
        lists.append(place(world, "oco", SELL_OCO, quantity="0.1", listClientOrderId=f"l{number}")[1])
        world.advance(10)
    assert place(world, "oco", SELL_OCO, quantity="0.1", listClientOrderId="l1")[1]["msg"] == "Duplicate order sent."
    world.signed("DELETE", "orderList", symbol="BTCUSDT", listClientOrderId="l1")
    ids = [one["orderListId"] for one in lists]
    assert [one["orderListId"] for one in world.signed("GET", "openOrderList")[1]] == [ids[0], ids[2]]
    assert [one["orderListId"] for one in world.signed("GET", "allOrderList")[1]] == ids
    assert [one["orderListId"] for one in world.signed("GET", "allOrderList", fromId=ids[1], limit=1)[1]] == [ids[1]]
    since = lists[2]["transactionTime"]
    assert [one["orderListId"] for one in world.signed("GET", "allOrderList", startTime=since)[1]] == [ids[2]]
    assert world.signed("GET", "allOrderList", startTime=since, fromId=1)[1]["code"] == -1128
    assert world.signed("GET", "orderList", origClientOrderId="l1")[1]["listOrderStatus"] == "ALL_DONE"
    assert world.signed("GET", "orderList", orderListId=ids[0])[1]["listClientOrderId"] == "l0"
    assert world.signed("GET", "orderList", orderListId=ids[0], who="bob")[0] == 400
    assert world.signed("GET", "orderList")[1]["code"] == -1102
    wrong = world.signed("DELETE", "orderList", symbol="BTCUSDT", orderListId=ids[0], listClientOrderId="l2")
    assert (wrong[0], wrong[1]["code"]) == (400, -2011)
    assert place(world, "oco", SELL_OCO, quantity="0.1", listClientOrderId="l1")[0] == 200


def test_lists_and_their_orders_are_counted(world, market, tight):
    few = market(max_order_lists=2, max_algo_orders=50)
    for _ in range(2):
        assert place(few, "oco", SELL_OCO)[0] == 200
    assert place(few, "oco", SELL_OCO)[1]["msg"] == "Filter failure: MAX_NUM_ORDER_LISTS"
    few = market(max_orders=4)
    assert place(few, "otoco", WORKING, PENDING_OCO)[0] == 200
    assert place(few, "oco", SELL_OCO)[1]["msg"] == "Filter failure: MAX_NUM_ORDERS"
    few = market(max_algo_orders=3)
    assert place(few, "otoco", WORKING, PENDING_OCO)[0] == 200
    assert place(few, "otoco", WORKING, PENDING_OCO)[1]["msg"] == "Filter failure: MAX_NUM_ALGO_ORDERS"
    hurried = world(rate_limits=tight)
    sell = {**SELL_OCO, "abovePrice": 70000, "belowStopPrice": 50000, "belowPrice": 50000}
    assert place(hurried, "oco", sell)[0] == 200
    assert place(hurried, "oco", sell)[1]["code"] == -1015
    assert hurried.order("BUY", "0.1", 50000)[0] == 200


def without_ids(rows):
    """Ids go on growing over a restart, and leave some out."""
    return [{name: value for name, value in row.items() if "Id" not in name and name != "orders"} for row in rows]


def test_lists_go_on_after_a_kill_at_any_moment(market):
    """Every step is made on an exchange that was just recovered from its ledger; one without kills is the reference."""
    steady, log = market(max_algo_orders=50), []

    def step(action):
        nonlocal log
        killed = market(log=log, max_algo_orders=50)
        for world in (steady, killed):
            action(world)
        log = killed.log
        reborn = market(log=log, max_algo_orders=50)
        for path in ("openOrders", "openOrderList", "allOrderList"):
            assert without_ids(reborn.signed("GET", path)[1]) == without_ids(steady.signed("GET", path)[1]), path
        for asset in ("BTC", "USDT"):
            assert reborn.balance(asset) == steady.balance(asset)
        compact = market(log=list(reborn.exchange.recovery.state()), max_algo_orders=50)
        assert compact.signed("GET", "allOrderList")[1] == reborn.signed("GET", "allOrderList")[1]

    step(lambda world: place(world, "oco", SELL_OCO))
    step(lambda world: place(world, "oco", BUY_OCO))
    step(lambda world: place(world, "otoco", WORKING, PENDING_OCO))
    step(lambda world: place(world, "opo", WORKING, {"pendingType": "MARKET", "pendingSide": "SELL"}))
    step(lambda world: world.order("SELL", "0.3", 39500, who="bob"))
    step(lambda world: world.order("BUY", "0.1", 41000, who="bob"))
    step(lambda world: world.order("SELL", "0.2", 39000, who="bob"))
    step(lambda world: world.order("SELL", "1", 38500, who="bob"))
    step(lambda world: world.order("BUY", "0.1", 38500, who="cal"))
    step(lambda world: world.signed("DELETE", "openOrders", symbol="BTCUSDT"))
    assert {one["listOrderStatus"] for one in steady.signed("GET", "allOrderList")[1]} == {"ALL_DONE"}
    assert steady.balance("BTC")[1] == steady.balance("USDT")[1] == 0
