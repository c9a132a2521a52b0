"""All rules at once, in random orders: lists, stops, prevention, amendments, commissions; nothing gets lost."""

from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from venue.base.settings import (
    AccountSettings,
    CommissionSettings,
    FlowSettings,
    KeySettings,
    MarketSettings,
    RateSettings,
)

NAMES = ("ann", "bob", "eve")
ASSETS = ("BTC", "USDT", "BNB")
COMMISSION = CommissionSettings(special=RateSettings(buyer=D("0.0007")), tax=RateSettings(taker=D("0.0003")))
MARKET = MarketSettings(
    start_price=D(100), lot_size=D("0.001"), min_size=D("0.001"), min_notional=D(0), commission=COMMISSION,
    flow=FlowSettings(limit_rate=0, market_rate=0), max_algo_orders=50,
)  # fmt: skip
MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")
WHO, SIDE, MODE = st.sampled_from(NAMES), st.sampled_from(["BUY", "SELL"]), st.sampled_from(MODES)
SIZE, PRICE = st.integers(1, 3000).map(lambda n: D(n) / 1000), st.integers(95, 105)
STEPS = st.lists(
    st.tuples(st.just("limit"), WHO, SIDE, SIZE, PRICE, MODE)
    | st.tuples(st.just("iceberg"), WHO, SIDE, SIZE, PRICE, MODE)
    | st.tuples(st.just("market"), WHO, SIDE, SIZE, PRICE, MODE)
    | st.tuples(st.just("stop"), WHO, SIDE, SIZE, PRICE, MODE)
    | st.tuples(st.just("oco"), WHO, SIDE, SIZE, PRICE, MODE)
    | st.tuples(st.just("opo"), WHO, SIDE, SIZE, PRICE, MODE)
    | st.tuples(st.just("amend"), WHO, SIDE, SIZE, PRICE, MODE)
    | st.tuples(st.just("cancel"), WHO, SIDE, SIZE, PRICE, MODE),
    min_size=5,
    max_size=40,
)
FEW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def account(name, group):
    key = KeySettings(api_key=f"key-{name}", secret=f"secret-{name}")
    balances = {"BTC": D(8), "USDT": D(700), "BNB": D("0.01")}
    return AccountSettings(name=name, keys=[key], balances=balances, trade_group_id=group, has_discount=name != "bob")


@pytest.fixture
def fresh(world):
    accounts = [account("ann", 1), account("bob", 1), account("eve", None)]
    return lambda **more: world(markets=[MARKET], accounts=accounts, discount_prices={"USDT": D(260)}, **more)


def take(world, what, who, side, size, price, mode):
    requested = {"symbol": "BTCUSDT", "selfTradePreventionMode": mode}
    order = {**requested, "side": side, "quantity": size}
    limit = {**order, "type": "LIMIT", "timeInForce": "GTC", "price": price}
    if what == "limit":
        return world.signed("POST", "order", who, **limit)
    if what == "iceberg":
        return world.signed("POST", "order", who, **limit, icebergQty=D("0.3"))
    if what == "market":
        return world.signed("POST", "order", who, **order, type="MARKET")
    if what == "stop":
        return world.signed("POST", "order", who, **order, type="STOP_LOSS", stopPrice=price)
    if what == "oco":
        legs = {"aboveType": "LIMIT_MAKER", "abovePrice": price + 1, "belowType": "STOP_LOSS", "belowStopPrice": 94}
        if side == "BUY":
            legs = {"belowType": "LIMIT_MAKER", "belowPrice": price - 1, "aboveType": "STOP_LOSS"}
            legs["aboveStopPrice"] = 106
        return world.signed("POST", "orderList/oco", who, **order, **legs)
    if what == "opo":
        working = {"workingType": "LIMIT", "workingTimeInForce": "GTC", "workingSide": "BUY"}
        pending = {"pendingType": "LIMIT", "pendingTimeInForce": "GTC", "pendingSide": "SELL", "pendingPrice": price}
        sized = {"workingQuantity": size, "workingPrice": price}
        return world.signed("POST", "orderList/opo", who, **requested, **working, **pending, **sized)
    opened = list(world.exchange.accounts.by_name[who].open_orders)
    if not opened:
        return None
    chosen = {"symbol": "BTCUSDT", "orderId": opened[price % len(opened)]}
    if what == "amend":
        return world.signed("PUT", "order/amend/keepPriority", who, **chosen, newQty=size)
    return world.signed("DELETE", "order", who, **chosen)


def owned(world):
    return {asset: sum(sum(world.balance(asset, who)) for who in NAMES) for asset in ASSETS}


def check(world):
    house = {asset: D(world.exchange.settlement.funds.outside.get(asset, 0)).scaleb(-8) for asset in ASSETS}
    assert {asset: amount + house[asset] for asset, amount in owned(world).items()} == {
        "BTC": 24,
        "USDT": 2100,
        "BNB": D("0.03"),
    }
    for name in NAMES:
        account = world.exchange.accounts.by_name[name]
        held = {"BTC": 0, "USDT": 0}
        for order in account.open_orders.values():
            symbol = world.exchange.engine.symbols[order.symbol]
            held[symbol.held_asset(order)] += order.locked_atoms
        held["BTC"] += sum(one.held_atoms for one in world.exchange.engine.lists.open.values() if one.account == name)
        assert min(min(balance.free, balance.locked) for balance in account.balances.values()) >= 0
        assert {asset: account.balance(asset).locked for asset in held} == held


@FEW
@given(steps=STEPS)
def test_nothing_appears_or_vanishes_and_all_of_it_is_durable(fresh, steps):
    world = fresh()
    for step in steps:
        answer = take(world, *step)
        assert answer is None or answer[0] in (200, 400), answer
        check(world)
    again = fresh(log=world.log)
    assert owned(again) == owned(world)
    assert (
        again.exchange.engine.symbols["BTCUSDT"].matching.snapshot()
        == world.exchange.engine.symbols["BTCUSDT"].matching.snapshot()
    )
