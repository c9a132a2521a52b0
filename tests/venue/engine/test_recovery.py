"""Recovery of an exchange from its ledger: in memory, after every record."""

import base64
import json
from decimal import Decimal
from pathlib import Path

import pytest

from venue.base.settings import AccountSettings, MarketSettings
from venue.base.venue_errors import LedgerDamaged

ALIVE = [MarketSettings()]
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "venue_ledger_0_1.json"


def ledger(world, who="ann"):
    answer = json.loads(world.request("GET", "/control/ledger", f"account={who}").body)
    answer.pop("time")
    return answer


def trade_a_while(world):
    """Some of everything that leaves a trace."""
    for step in range(12):
        world.order("BUY", "0.01", 59_900 - 10 * step, newClientOrderId=f"b{step}")
        world.order("SELL", "0.01", 60_000 + 2 * step, who="bob")
        world.order("BUY", "0.005", who="ann")
        world.order("SELL", "0.02", 60_001, who="ann", selfTradePreventionMode="DECREMENT")
        world.advance(500)
        if step % 3 == 0:
            world.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId=f"b{step}")


def test_the_ledger_is_the_same_after_a_restart(world):
    first = world(markets=ALIVE)
    trade_a_while(first)
    second = world(log=first.log, markets=ALIVE)
    for who in ("ann", "bob"):
        before, after = ledger(first, who), ledger(second, who)
        assert before["trades"], "the flow traded with them"
        before["orders"].sort(key=lambda order: order["orderId"])
        before["open_orders"].sort(key=lambda order: order["orderId"])
        assert after["balances"] == before["balances"]
        untouched = {order["orderId"] for order in before["open_orders"]}
        assert untouched
        assert after["orders"] == before["orders"]
        assert after["trades"] == before["trades"]
        assert after["open_orders"] == before["open_orders"]


def test_open_orders_are_back_in_the_book_and_trade(world):
    first = world()
    first.order("BUY", "0.5", "50000", newClientOrderId="mine")
    second = world(log=first.log)
    assert second.get("depth", symbol="BTCUSDT")["bids"] == [["50000.00000000", "0.50000000"]]
    second.order("SELL", "0.2", "50000", who="bob")
    _, order = second.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (order["status"], order["executedQty"]) == ("PARTIALLY_FILLED", "0.20000000")
    third = world(log=second.log)
    assert third.get("depth", symbol="BTCUSDT")["bids"] == [["50000.00000000", "0.30000000"]]
    assert third.balance("USDT") == second.balance("USDT")
    assert third.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine")[0] == 200
    assert third.balance("USDT")[1] == 0


def test_ids_only_ever_grow(world):
    log: list[bytes] = []
    orders, trades, updates = [0], [0], [0]
    for _ in range(4):
        one = world(log=log, markets=ALIVE)
        one.advance(1000)
        for _ in range(3):
            _, placed = one.order("BUY", "0.01")
            assert placed["orderId"] > orders[-1]
            orders.append(placed["orderId"])
            assert placed["fills"][0]["tradeId"] > trades[-1]
            trades.append(placed["fills"][0]["tradeId"])
            update = one.get("depth", symbol="BTCUSDT")["lastUpdateId"]
            assert update > updates[-1]
            updates.append(update)
        log = one.log


def test_the_flow_starts_anew_around_the_last_price(world):
    first = world()
    first.order("SELL", "1", "90000", who="bob")
    first.order("BUY", "1", "90000")
    second = world(log=first.log, markets=ALIVE)
    assert abs(float(second.get("ticker/bookTicker", symbol="BTCUSDT")["bidPrice"]) - 90_000) < 900


def test_every_prefix_of_the_log_is_a_consistent_past(world):
    first = world()
    first.order("SELL", "1", "60000", who="bob")
    first.order("BUY", "0.4", "60000")
    first.order("BUY", "0.4", "59000")
    first.signed("DELETE", "openOrders", symbol="BTCUSDT")
    house = 0
    for length in range(len(first.log) + 1):
        one = world(log=first.log[:length])
        trades = one.signed("GET", "myTrades", symbol="BTCUSDT")[1]
        fees = sum(float(trade["commission"]) for trade in trades)
        btc = sum(float(sum(one.balance("BTC", who))) for who in ("ann", "bob"))
        assert btc == pytest.approx(20 - fees)
        house = max(house, fees)
    assert house > 0


def test_a_compacted_log_holds_the_same_state(world):
    first = world()
    trade_a_while(first)
    compact = list(first.exchange.recovery.state())
    assert sum(map(len, compact)) < sum(map(len, first.log))
    second = world(log=compact)
    for who in ("ann", "bob"):
        assert ledger(second, who)["balances"] == ledger(first, who)["balances"]
        assert len(ledger(second, who)["trades"]) == len(ledger(first, who)["trades"])
        assert len(ledger(second, who)["open_orders"]) == len(ledger(first, who)["open_orders"])
    newer = second.order("BUY", "0.01", "50000")[1]["orderId"]
    assert newer > max(order["orderId"] for order in ledger(first)["orders"])


def test_a_new_account_gets_its_opening_balances_in_an_old_log(world):
    first = world()
    first.order("BUY", "1", "50000")
    eve = AccountSettings(name="eve", balances={"BTC": Decimal(3)})
    named = [*first.settings.accounts, eve]
    second = world(log=first.log, accounts=named)
    assert second.balance("BTC", "eve") == (3, 0)
    assert second.balance("USDT")[1] == 50000


def test_a_log_of_other_accounts_or_symbols_is_refused(world):
    first = world()
    first.order("BUY", "1", "50000")
    with pytest.raises(LedgerDamaged, match="account bob"):
        world(log=first.log, accounts=first.settings.accounts[:1])
    other = [MarketSettings(symbol="ETH-USDT", flow=first.settings.markets[0].flow)]
    with pytest.raises(LedgerDamaged, match="BTCUSDT"):
        world(log=first.log, markets=other)
    with pytest.raises(LedgerDamaged, match="cannot read"):
        world(log=[b"\x01\x02"])


def test_a_ledger_in_other_ticks_is_refused_and_read_with_its_own_digits(world):
    first = world(markets=ALIVE)
    trade_a_while(first)
    tick = Decimal("0.1")
    with pytest.raises(
        LedgerDamaged, match=r"ticks of 0\.01000000 .* the settings in 0\.10000000 .*: set price_digits"
    ):
        world(log=first.log, markets=[MarketSettings(tick_size=tick)])
    second = world(log=first.log, markets=[MarketSettings(tick_size=tick, price_digits=2)])
    assert ledger(second)["trades"] == ledger(first)["trades"]
    assert second.order("BUY", "0.01", "59000.05")[1]["msg"] == "Filter failure: PRICE_FILTER"
    assert second.order("BUY", "0.01", "59000.1")[0] == 200


def test_finished_orders_are_forgotten_beyond_a_bound(world):
    one = world(orders_kept=5, trades_kept=20)
    for number in range(40):
        one.order("SELL", "0.01", "60000", who="bob")
        one.order("BUY", "0.01", "60000", newClientOrderId=f"n{number}")
    _, rows = one.signed("GET", "allOrders", symbol="BTCUSDT")
    assert len(rows) <= 5
    assert one.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="n0")[1]["code"] == -2013
    assert one.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="n39")[0] == 200
    assert len(one.exchange.accounts.by_name["ann"].executions) <= 20


def test_a_ledger_of_version_0_1_is_still_read(market):
    """The golden file holds the ledger of `ann`'s orders, one amended, one prevented, an OCO, a stop, an iceberg."""
    golden = json.loads(GOLDEN.read_text())
    recovered = market(log=[base64.b64decode(record) for record in golden["records"]])

    def by_id(rows):
        return sorted(rows, key=lambda row: (row.get("orderId", 0), row.get("id", 0)))

    assert by_id(recovered.signed("GET", "openOrders", symbol="BTCUSDT")[1]) == by_id(golden["open_orders"])
    assert recovered.signed("GET", "myTrades", symbol="BTCUSDT")[1] == golden["trades"]
    assert recovered.signed("GET", "openOrderList")[1] == golden["lists"]
    for asset, (free, locked) in golden["balances"].items():
        assert recovered.balance(asset) == (Decimal(free), Decimal(locked))
    (amended,) = (row for row in golden["open_orders"] if row["price"] == "39000.00000000")
    answer = recovered.signed("GET", "order/amendments", symbol="BTCUSDT", orderId=amended["orderId"])[1]
    assert [(row["origQty"], row["newQty"]) for row in answer] == [("0.40000000", "0.30000000")]
    assert len(recovered.exchange.accounts.by_name["ann"].prevented) == 1


def test_the_demo_account_of_an_earlier_ledger_continues_under_its_name_of_today(world):
    """The account `external` was named `human`; its orders, trades, lists, prevented matches and amendments stay."""
    ann, bob = world().settings.accounts

    def accounts(name):
        return [ann, AccountSettings(name=name, keys=bob.keys, balances=bob.balances)]

    first = world(markets=ALIVE, accounts=accounts("human"))
    trade_a_while(first)
    _, kept = first.order("SELL", "0.5", 70_000, who="bob")
    first.signed("PUT", "order/amend/keepPriority", "bob", symbol="BTCUSDT", orderId=kept["orderId"], newQty="0.4")
    first.order("BUY", "0.01", 70_000, who="bob", selfTradePreventionMode="EXPIRE_MAKER")
    listed = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "aboveType": "LIMIT_MAKER"}
    listed |= {"abovePrice": "71000", "belowType": "STOP_LOSS", "belowStopPrice": "50000"}
    assert first.signed("POST", "orderList/oco", "bob", **listed)[0] == 200
    assert [row["account"] for row in (ledger(first, "human"), ledger(first, "ann"))] == ["human", "ann"]
    today = world(log=first.log, markets=ALIVE, accounts=accounts("external"))
    assert today.exchange.accounts.by_name.keys() == {"ann", "external"}
    assert ledger(today, "external") == {**ledger(first, "human"), "account": "external"}
    assert ledger(today, "human") == ledger(today, "external")  # in requests, too
    assert ledger(today, "ann") == ledger(first, "ann")
    for path, wanted in (
        ("openOrderList", {}),
        ("myPreventedMatches", {"symbol": "BTCUSDT", "orderId": kept["orderId"]}),
    ):
        assert today.signed("GET", path, "bob", **wanted) == first.signed("GET", path, "bob", **wanted)
    again = world(log=today.log, markets=ALIVE, accounts=accounts("external"))
    assert ledger(again, "external") == ledger(today, "external")
