"""All kinds of orders at once, at random: money is conserved, what is locked is held, a restart changes nothing."""

import random
from collections import defaultdict

import pytest

WHO = ("ann", "bob", "cal")


def price(rnd, away=400):
    return 40_000 + 10 * rnd.randint(-away // 10, away // 10)


def contingent(rnd, prefix=""):
    """A trigger on any side of the market: some are refused."""
    requested = {}
    if rnd.random() < 0.8:
        requested[f"{prefix}stopPrice" if not prefix else f"{prefix}StopPrice"] = price(rnd)
    if rnd.random() < 0.4 or not requested:
        requested["trailingDelta" if not prefix else f"{prefix}TrailingDelta"] = rnd.randint(10, 80)
    return requested


def single(rnd):
    ord_type = rnd.choice(
        ("LIMIT", "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
    )
    requested = {"side": rnd.choice(("BUY", "SELL")), "type": ord_type, "quantity": f"0.{rnd.randint(1, 30):02}"}
    requested["selfTradePreventionMode"] = rnd.choice(
        ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")
    )
    if "LIMIT" in ord_type:
        requested["price"] = price(rnd)
        if ord_type != "LIMIT_MAKER":
            requested["timeInForce"] = rnd.choice(("GTC", "GTC", "GTC", "IOC", "FOK"))
        if requested.get("timeInForce", "GTC") == "GTC" and rnd.random() < 0.4:
            requested["icebergQty"] = f"0.{rnd.randint(1, 8):02}"
    if "STOP" in ord_type or "PROFIT" in ord_type:
        requested |= contingent(rnd)
    if "LIMIT" in ord_type and rnd.random() < 0.25:
        del requested["price"]
        requested["pegPriceType"] = rnd.choice(("PRIMARY_PEG", "MARKET_PEG"))
        if rnd.random() < 0.5:
            requested |= {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": rnd.randint(1, 4)}
    return "order", requested


def pair(rnd, prefix, side):
    above, below = (f"{prefix}{part}" if not prefix else f"{prefix}{part.capitalize()}" for part in ("above", "below"))
    low, high = 40_000 - 10 * rnd.randint(1, 30), 40_000 + 10 * rnd.randint(1, 30)
    stop, limit, stop_at, limit_at = (above, below, high, low) if side == "BUY" else (below, above, low, high)
    requested = {f"{limit}Type": "LIMIT_MAKER", f"{limit}Price": limit_at, f"{stop}Type": "STOP_LOSS"}
    requested[f"{stop}StopPrice"] = stop_at
    if rnd.random() < 0.5:
        requested |= {f"{stop}Type": "STOP_LOSS_LIMIT", f"{stop}Price": stop_at, f"{stop}TimeInForce": "GTC"}
    if rnd.random() < 0.3:
        requested[f"{limit}IcebergQty"] = "0.02"
    return requested


def order_list(rnd):
    kind = rnd.choice(("oco", "oto", "otoco", "opo", "opoco"))
    side = rnd.choice(("BUY", "SELL"))
    size = f"0.{rnd.randint(2, 20):02}"
    if kind == "oco":
        return "orderList/oco", {"side": side, "quantity": size, **pair(rnd, "", side)}
    paid = kind.startswith("opo")
    requested = {"workingType": "LIMIT", "workingTimeInForce": rnd.choice(("GTC", "GTC", "IOC"))}
    requested |= {"workingSide": "BUY" if paid else side, "workingPrice": price(rnd), "workingQuantity": size}
    pending_side = "SELL" if paid else rnd.choice(("BUY", "SELL"))
    requested["pendingSide"] = pending_side
    if not paid:
        requested["pendingQuantity"] = size
    if kind.endswith("oco"):
        return f"orderList/{kind}", {**requested, **pair(rnd, "pending", pending_side)}
    if rnd.random() < 0.5:
        return f"orderList/{kind}", {**requested, "pendingType": "MARKET"}
    return f"orderList/{kind}", {**requested, "pendingType": "STOP_LOSS", **contingent(rnd, "pending")}


def act(world, seed):
    """One random request; the status it gets."""
    rnd = random.Random(seed)
    who, dice = rnd.choice(WHO), rnd.random()
    if dice < 0.1:
        open_now = world.signed("GET", "openOrders", who)[1]
        if not open_now:
            return 0
        order = rnd.choice(open_now)["orderId"]
        return world.signed("DELETE", "order", who, symbol="BTCUSDT", orderId=order)[0]
    path, requested = order_list(rnd) if dice < 0.35 else single(rnd)
    world.advance(1)
    return world.signed("POST", path, who, symbol="BTCUSDT", **requested)[0]


def check(world):
    """What must be so after every request."""
    exchange = world.exchange
    held = defaultdict(int)
    for order in exchange.settlement.open_orders.values():
        symbol = exchange.engine.symbols[order.symbol]
        assert order.is_open
        assert order.locked_atoms >= 0
        held[order.account, symbol.held_asset(order)] += order.locked_atoms
        if order.is_working:
            assert symbol.matching.order(order.order_id)[5] == order.open_lots
        else:
            assert symbol.matching.order(order.order_id) is None
    for one in exchange.engine.lists.open.values():
        held[one.account, "BTC"] += one.held_atoms
        assert any(order_id in exchange.settlement.open_orders for order_id, _ in one.orders)
    for asset, amount in (("BTC", 30), ("USDT", 3_000_000)):
        total = exchange.settlement.funds.outside.get(asset, 0)
        for name in WHO:
            balance = exchange.accounts.by_name[name].balance(asset)
            assert balance.free >= 0
            assert balance.locked == held[name, asset], (name, asset)
            total += balance.free + balance.locked
        assert total == amount * 10**8
    assert not exchange.settlement.due


def state(world, who):
    rows = world.signed("GET", "openOrders", who)[1]
    return sorted(rows, key=lambda row: row["orderId"]), world.balance("BTC", who), world.balance("USDT", who)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_made_or_lost_and_a_restart_changes_nothing(market, seed):
    settings = {"max_algo_orders": 60, "max_order_lists": 60}
    world, statuses = market(**settings), []
    for step in range(400):
        statuses.append(act(world, f"{seed}:{step}"))
        check(world)
        if step % 40 == 39:
            reborn = market(log=world.log, **settings)
            for who in WHO:
                assert state(reborn, who) == state(world, who)
            book, again = world.get("depth", symbol="BTCUSDT"), reborn.get("depth", symbol="BTCUSDT")
            assert (book["bids"], book["asks"]) == (again["bids"], again["asks"])
    assert statuses.count(200) > 150
    accounts, lists = world.exchange.accounts.by_name, world.exchange.engine.lists
    seen = {(order.ord_type, order.status) for name in WHO for order in accounts[name].orders.values()}
    assert {("LIMIT_MAKER", "EXPIRED"), ("STOP_LOSS", "EXPIRED"), ("LIMIT", "FILLED")} <= seen
    assert any(order_type != "LIMIT" and status == "FILLED" for order_type, status in seen)
    assert {one.is_paid for name in WHO for one in lists.by_account[name].values()} == {True, False}
