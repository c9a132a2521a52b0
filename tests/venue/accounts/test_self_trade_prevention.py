"""Self-trade prevention: the scenarios A to H of the exchange's STP FAQ, trade groups, reports."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from venue.accounts import prevented_matches
from venue.base.settings import AccountSettings, FlowSettings, KeySettings, MarketSettings

STILL = FlowSettings(limit_rate=0, market_rate=0)
FAQ = MarketSettings(
    tick_size=Decimal("0.1"), lot_size=Decimal("0.1"), min_size=Decimal("0.1"), start_price=Decimal(1),
    min_price=Decimal("0.1"), min_notional=Decimal(0), flow=STILL,
)  # fmt: skip
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def account(name, group=None, amount=20000):
    key = KeySettings(api_key=f"key-{name}", secret=f"secret-{name}")
    balances = {"BTC": Decimal(amount), "USDT": Decimal(amount)}
    return AccountSettings(name=name, keys=[key], balances=balances, trade_group_id=group)


@pytest.fixture
def faq(world):
    """Ann and bob in one trade group, eve alone, each with 20,000 of either asset, and no commission."""
    free = {"maker_fee": Decimal(0), "taker_fee": Decimal(0)}
    return world(markets=[FAQ], accounts=[account("ann", 1), account("bob", 1), account("eve")], **free)


def rest(world, *orders, who="ann", mode="NONE"):
    """Bids of (size, price); their ids."""
    return [world.order("BUY", *one, who=who, selfTradePreventionMode=mode)[1]["orderId"] for one in orders]


def status(world, order_id, who="ann"):
    return world.signed("GET", "order", who, symbol="BTCUSDT", orderId=order_id)[1]


def sell(world, size, price, mode, who="ann", **params):
    answered, order = world.order("SELL", size, price, who=who, selfTradePreventionMode=mode, **params)
    assert answered == 200, order
    return order


def reports(world, conn_id, kind="TRADE_PREVENTION"):
    events = [received["event"] for received in world.received(conn_id) if "event" in received]
    return [event for event in events if event["e"] == "executionReport" and event["x"] == kind]


def test_an_account_that_requires_self_trade_prevention_shows_it_and_has_no_order_without(world):
    careful = msgspec.structs.replace(account("ann"), require_stp=True)
    one = world(markets=[FAQ], accounts=[careful, account("bob")])
    assert one.signed("GET", "account")[1]["requireSelfTradePrevention"] is True
    assert one.signed("GET", "account", "bob")[1]["requireSelfTradePrevention"] is False
    refused = {"code": -2010, "msg": "This action is disabled on this account."}
    assert one.order("BUY", "1", "1", selfTradePreventionMode="NONE") == (400, refused)
    assert one.order("BUY", "1", "1", selfTradePreventionMode="DECREMENT")[0] == 200
    assert one.order("BUY", "1", "1")[0] == 200
    assert one.order("BUY", "1", "1", "bob", selfTradePreventionMode="NONE")[0] == 200


THREE = (("1.2", "1.2"), ("1.3", "1.1"), ("8.1", "1"))


def test_scenario_a_without_prevention_an_account_trades_with_itself(faq):
    (maker,) = rest(faq, ("1", "1"))
    taker = sell(faq, "1", "1", "NONE")
    assert (taker["status"], len(taker["fills"])) == ("FILLED", 1)
    assert "preventedMatches" not in taker
    assert "preventedQuantity" not in status(faq, maker)
    assert status(faq, maker)["status"] == "FILLED"


def test_scenario_b_expire_maker_clears_the_way_and_the_taker_rests(faq):
    makers = rest(faq, *THREE)
    taker = sell(faq, "3", "1", "EXPIRE_MAKER")
    assert (taker["status"], taker["fills"]) == ("NEW", [])
    assert [
        (one["makerOrderId"], one["price"], one["makerPreventedQuantity"]) for one in taker["preventedMatches"]
    ] == [
        (makers[0], "1.20000000", "1.20000000"),
        (makers[1], "1.10000000", "1.30000000"),
        (makers[2], "1.00000000", "8.10000000"),
    ]
    assert not any("takerPreventedQuantity" in one for one in taker["preventedMatches"])
    assert "preventedQuantity" not in taker
    ids = [one["preventedMatchId"] for one in taker["preventedMatches"]]
    for order_id, match_id, size in zip(makers, ids, ("1.2", "1.3", "8.1"), strict=True):
        shown = status(faq, order_id)
        assert (shown["status"], shown["preventedMatchId"]) == ("EXPIRED_IN_MATCH", match_id)
        assert Decimal(shown["preventedQuantity"]) == Decimal(size)
    assert faq.get("depth", symbol="BTCUSDT")["asks"] == [["1.00000000", "3.00000000"]]


def test_scenario_c_expire_taker_leaves_the_makers_alone(faq):
    makers = rest(faq, *THREE)
    taker = sell(faq, "3", "1", "EXPIRE_TAKER")
    assert (taker["status"], taker["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "3.00000000")
    assert [status(faq, order_id)["status"] for order_id in makers] == ["NEW"] * 3
    assert not any("preventedMatchId" in status(faq, order_id) for order_id in makers)
    assert faq.balance("BTC") == (20000, 0)


def test_scenario_d_expire_both(faq):
    (maker,) = rest(faq, ("1", "1"))
    taker = sell(faq, "3", "1", "EXPIRE_BOTH")
    (match,) = taker["preventedMatches"]
    assert match == {
        "preventedMatchId": match["preventedMatchId"],
        "makerSymbol": "BTCUSDT",
        "makerOrderId": maker,
        "price": "1.00000000",
        "takerPreventedQuantity": "3.00000000",
        "makerPreventedQuantity": "1.00000000",
    }
    assert (taker["status"], taker["preventedQuantity"], taker["tradeGroupId"]) == ("EXPIRED_IN_MATCH", "3.00000000", 1)
    assert status(faq, maker)["status"] == "EXPIRED_IN_MATCH"
    assert faq.balance("USDT") == faq.balance("BTC") == (20000, 0)


def test_scenario_e_the_mode_of_the_taker_counts(faq):
    (maker,) = rest(faq, ("1", "1"), mode="EXPIRE_MAKER")
    taker = sell(faq, "1", "1", "EXPIRE_TAKER")
    assert (taker["status"], status(faq, maker)["status"]) == ("EXPIRED_IN_MATCH", "NEW")
    assert [set(one) & {"takerPreventedQuantity", "makerPreventedQuantity"} for one in taker["preventedMatches"]] == [
        {"takerPreventedQuantity"}
    ]


def test_scenario_f_a_market_order_expires_for_want_of_liquidity(faq):
    (maker,) = rest(faq, ("1", "1"))
    taker = sell(faq, "1", None, "EXPIRE_MAKER")
    assert (taker["status"], status(faq, maker)["status"]) == ("EXPIRED", "EXPIRED_IN_MATCH")
    assert [one["makerPreventedQuantity"] for one in taker["preventedMatches"]] == ["1.00000000"]
    assert "preventedQuantity" not in taker
    assert taker["expiryReason"] == "INSUFFICIENT_LIQUIDITY"


def test_scenario_g_decrement_takes_the_smaller_size_from_both(faq):
    (maker,) = rest(faq, ("6", "2"))
    taker = sell(faq, "2", "2", "DECREMENT")
    shown = status(faq, maker)
    assert (shown["status"], shown["preventedQuantity"], shown["executedQty"]) == ("NEW", "2.00000000", "0.00000000")
    assert (taker["status"], taker["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "2.00000000")
    assert taker["preventedMatchId"] == shown["preventedMatchId"]
    assert faq.balance("USDT") == (20000 - 8, 8)


@pytest.fixture
def cheap(world):
    market = msgspec.structs.replace(FAQ, start_price=Decimal("0.2"))
    return world(markets=[market], accounts=[account("ann", 1), account("bob", 1), account("eve")])


def test_scenario_h_transfer_between_two_accounts_of_a_group(cheap):
    (maker,) = rest(cheap, ("0.6", "0.2"), mode="TRANSFER")
    taker = sell(cheap, "0.2", "0.2", "TRANSFER", who="bob")
    assert taker["preventedMatches"] == [
        {
            "preventedMatchId": taker["preventedMatchId"],
            "makerSymbol": "BTCUSDT",
            "makerOrderId": maker,
            "price": "0.20000000",
            "takerPreventedQuantity": "0.20000000",
            "makerPreventedQuantity": "0.20000000",
        }
    ]
    assert (taker["status"], taker["fills"], taker["tradeGroupId"]) == ("EXPIRED_IN_MATCH", [], 1)
    assert (status(cheap, maker)["status"], status(cheap, maker)["preventedQuantity"]) == ("NEW", "0.20000000")
    assert cheap.balance("BTC") == (Decimal("20000.2"), 0)
    assert cheap.balance("USDT") == (Decimal("19999.88"), Decimal("0.08"))
    assert cheap.balance("BTC", "bob") == (Decimal("19999.8"), 0)
    assert cheap.balance("USDT", "bob") == (Decimal("20000.04"), 0)
    assert cheap.get("trades", symbol="BTCUSDT") == [], "no trade is published"
    assert cheap.signed("GET", "myTrades", symbol="BTCUSDT") == (200, [])


@pytest.mark.parametrize(("maker_mode", "who"), [("DECREMENT", "bob"), ("NONE", "bob"), ("TRANSFER", "ann")])
def test_a_transfer_that_only_one_wants_or_of_one_account_is_a_decrement(cheap, maker_mode, who):
    rest(cheap, ("0.6", "0.2"), mode=maker_mode)
    taker = sell(cheap, "0.2", "0.2", "TRANSFER", who=who)
    _, rows = cheap.signed("GET", "myPreventedMatches", symbol="BTCUSDT", preventedMatchId=taker["preventedMatchId"])
    assert [row["selfTradePreventionMode"] for row in rows] == ["DECREMENT"]
    assert cheap.balance("BTC") == cheap.balance("BTC", "bob") == (20000, 0)


def test_a_market_order_is_transferred_too(faq):
    faq.order("SELL", "5", "1", who="ann", selfTradePreventionMode="TRANSFER")
    answered, taker = faq.order("BUY", "2", who="bob", selfTradePreventionMode="TRANSFER")
    assert (answered, taker["status"]) == (200, "EXPIRED_IN_MATCH")
    assert faq.balance("BTC", "bob") == (20002, 0)
    assert faq.balance("USDT", "bob") == (19998, 0)
    assert faq.balance("BTC") == (Decimal(19995), 3)


def test_a_market_order_must_be_payable_beyond_all_orders_that_it_clears_away(faq):
    bob = faq.exchange.accounts.by_name["bob"]
    faq.exchange.engine.deposit(bob, "USDT", -19_980 * 10**8, faq.now_ns)
    faq.order("SELL", "10", "1", who="ann")
    faq.order("SELL", "10", "5", who="eve")
    clearing = {"who": "bob", "selfTradePreventionMode": "EXPIRE_MAKER"}
    assert faq.order("BUY", "4.1", **clearing)[1]["code"] == -2010
    answered, bought = faq.order("BUY", "4", **clearing)
    assert (answered, bought["cummulativeQuoteQty"]) == (200, "20.00000000")
    assert faq.balance("USDT", "bob") == (0, 0)


def test_accounts_of_one_group_do_not_trade_with_each_other_and_other_accounts_do(faq):
    rest(faq, ("1", "1"), who="ann")
    assert sell(faq, "1", "1", "EXPIRE_TAKER", who="bob")["status"] == "EXPIRED_IN_MATCH"
    assert sell(faq, "1", "1", "EXPIRE_TAKER", who="eve")["status"] == "FILLED"
    assert faq.signed("GET", "account", "bob")[1]["tradeGroupId"] == 1
    assert "tradeGroupId" not in faq.signed("GET", "account", "eve")[1]


def test_the_reports_of_both_orders_have_the_prevented_quantities(faq):
    ann, bob = faq.subscribe_user("ann"), faq.subscribe_user("bob")
    (maker,) = rest(faq, ("6", "2"), mode="TRANSFER")
    taker = sell(faq, "2", "2", "TRANSFER", who="bob")
    (of_maker,), (of_taker,) = reports(faq, ann), reports(faq, bob)
    match = {
        "v": taker["preventedMatchId"], "A": "2.00000000", "B": "2.00000000", "u": 1, "Cs": "BTCUSDT",
        "pl": "2.00000000", "pL": "2.00000000", "pY": "4.00000000",
    }  # fmt: skip
    assert match.items() <= of_maker.items()
    assert match.items() <= of_taker.items()
    assert (of_maker["U"], of_maker["X"], of_maker["i"]) == (taker["orderId"], "NEW", maker)
    assert (of_taker["U"], of_taker["X"], of_taker["V"]) == (maker, "EXPIRED_IN_MATCH", "TRANSFER")
    positions = [received["event"] for received in faq.received(bob) if "event" in received]
    last = [event for event in positions if event["e"] == "outboundAccountPosition"][-1]
    assert {row["a"]: row["f"] for row in last["B"]} == {"BTC": "19998.00000000", "USDT": "20004.00000000"}


def test_the_quantity_that_would_have_traded_may_be_less_than_what_expired(faq):
    ann = faq.subscribe_user("ann")
    rest(faq, ("6", "2"))
    sell(faq, "2", "2", "EXPIRE_BOTH")
    taker, maker = reports(faq, ann)
    assert (taker["B"], taker["pl"], maker["B"], maker["pl"]) == (
        "2.00000000",
        "2.00000000",
        "6.00000000",
        "2.00000000",
    )
    assert taker["u"] == maker["u"] == 1


def test_prevented_matches_by_id_and_by_order(faq):
    makers = rest(faq, *THREE)
    taker = sell(faq, "3", "1", "EXPIRE_MAKER", who="bob")
    ids = [one["preventedMatchId"] for one in taker["preventedMatches"]]

    def requested(who="ann", **params):
        return faq.signed("GET", "myPreventedMatches", who, symbol="BTCUSDT", **params)

    assert [row["preventedMatchId"] for row in requested(orderId=makers[1])[1]] == [ids[1]]
    for who in ("ann", "bob"):
        assert [row["preventedMatchId"] for row in requested(who, orderId=taker["orderId"])[1]] == ids
        assert [row["makerOrderId"] for row in requested(who, preventedMatchId=ids[2])[1]] == [makers[2]]
    later = requested("bob", orderId=taker["orderId"], fromPreventedMatchId=ids[1])[1]
    assert [row["preventedMatchId"] for row in later] == ids[1:]
    some = requested("bob", orderId=taker["orderId"], fromPreventedMatchId=ids[0], limit=2)[1]
    assert [row["preventedMatchId"] for row in some] == ids[:2]
    assert requested("eve", preventedMatchId=ids[0]) == (200, [])
    for wrong in ({}, {"fromPreventedMatchId": 1}, {"preventedMatchId": 1, "orderId": 1}, {"orderId": 1, "limit": 5}):
        assert requested(**wrong)[1]["code"] == -1128


def test_a_symbol_may_allow_some_modes_only_and_have_its_own_default(world):
    market = msgspec.structs.replace(FAQ, stp_modes=("NONE", "EXPIRE_TAKER", "EXPIRE_BOTH"), default_stp_mode="NONE")
    one = world(markets=[market])
    (info,) = one.get("exchangeInfo")["symbols"]
    assert info["defaultSelfTradePreventionMode"] == "NONE"
    assert info["allowedSelfTradePreventionModes"] == ["NONE", "EXPIRE_TAKER", "EXPIRE_BOTH"]
    assert one.order("BUY", "1", "1")[1]["selfTradePreventionMode"] == "NONE"
    answered, refused = one.order("BUY", "1", "1", selfTradePreventionMode="EXPIRE_MAKER")
    text = "This symbol does not allow the specified self-trade prevention mode."
    assert (answered, refused) == (400, {"code": -1013, "msg": text})
    assert one.order("BUY", "1", "1", selfTradePreventionMode="SOME")[1]["code"] == -1130


def test_prevented_matches_and_groups_outlive_the_exchange(world, faq):
    rest(faq, ("6", "2"), mode="TRANSFER")
    taker = sell(faq, "2", "2", "TRANSFER", who="bob")
    for log in (faq.log, list(faq.exchange.recovery.state())):
        second = world(markets=[FAQ], accounts=faq.settings.accounts, log=log)
        for who in ("ann", "bob"):
            requested = {"symbol": "BTCUSDT", "orderId": taker["orderId"]}
            before = faq.signed("GET", "myPreventedMatches", who, **requested)
            assert before == second.signed("GET", "myPreventedMatches", who, **requested)
            assert len(before[1]) == 1
        again = sell(second, "9", "2", "TRANSFER", who="bob")
        assert again["preventedMatches"][0]["preventedMatchId"] > taker["preventedMatchId"]
        assert (again["status"], again["preventedQuantity"]) == ("NEW", "4.00000000")
        assert second.balance("BTC", "ann") == (20006, 0)


def test_only_so_many_prevented_matches_are_remembered(monkeypatch, faq):
    monkeypatch.setattr(prevented_matches, "KEPT", 3)
    (maker,) = rest(faq, ("6", "2"))
    for _ in range(5):
        last = sell(faq, "0.1", "2", "DECREMENT")
    _, rows = faq.signed("GET", "myPreventedMatches", symbol="BTCUSDT", orderId=maker)
    assert [row["preventedMatchId"] for row in rows][-1] == last["preventedMatchId"]
    assert len(rows) == 3


MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "eve"]),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 50),
        st.none() | st.integers(8, 12),
        st.sampled_from(MODES),
    ),
    min_size=5,
    max_size=40,
)


@FEW
@given(orders=ORDERS)
def test_nothing_appears_or_vanishes_whatever_is_prevented(world, orders):
    one = world(markets=[FAQ], accounts=[account("ann", 1, 10), account("bob", 1, 10), account("eve", None, 10)])
    for who, side, size, price, mode in orders:
        one.order(
            side, Decimal(size) / 10, None if price is None else Decimal(price) / 10, who, selfTradePreventionMode=mode
        )
        house = one.exchange.settlement.funds.outside
        for asset in ("BTC", "USDT"):
            owned = sum(sum(one.balance(asset, name)) for name in ("ann", "bob", "eve"))
            assert owned * 10**8 + house.get(asset, 0) == 30 * 10**8
    assert min(min(one.balance(asset, name)) for asset in ("BTC", "USDT") for name in ("ann", "bob", "eve")) >= 0
    for name, owner in one.exchange.accounts.by_name.items():
        held = {"BTC": 0, "USDT": 0}
        for order in owner.open_orders.values():
            symbol = one.exchange.engine.symbols[order.symbol]
            held[symbol.held_asset(order)] += symbol.held_atoms(order, order.open_lots)
            assert symbol.matching.order(order.order_id)[5] == order.open_lots
        assert {asset: owner.balance(asset).locked for asset in held} == held, name
