"""The order flow: the same from the same seed, alive, and within bounds."""

from decimal import Decimal
from itertools import pairwise

import pytest

from venue.settings import MarketSettings

ALIVE = [MarketSettings()]


def test_the_same_seed_gives_the_same_market(world):
    def run(seed: int) -> tuple:
        one = world(markets=ALIVE, seed=seed)
        one.advance(5000)
        symbol = one.exchange.engine.symbols["BTCUSDT"]
        return symbol.matching.state_hash(), symbol.update_id, list(symbol.trades)

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_the_default_market_looks_alive(world):
    one = world(markets=ALIVE)
    symbol = one.exchange.engine.symbols["BTCUSDT"]
    spreads, mids = [], []
    for _ in range(120):
        one.advance(500)
        matching = symbol.matching
        assert matching.best_bid_ticks < matching.best_ask_ticks
        assert min(matching.bid_levels, matching.ask_levels) > 20
        spreads.append(matching.best_ask_ticks - matching.best_bid_ticks)
        mids.append(matching.best_ask_ticks + matching.best_bid_ticks)
    assert 2 < symbol.trades[-1].trade_id / 60 < 100, "trades a second"
    assert sum(spreads) / len(spreads) < 1000
    assert len(set(mids)) > 60
    assert len(one.exchange.flows[0].resting) < 3 * ALIVE[0].flow.book_orders


def test_a_maker_near_the_mid_is_filled_on_both_sides(world):
    one = world(markets=ALIVE)
    symbol = one.exchange.engine.symbols["BTCUSDT"]
    for _ in range(60):
        one.signed("DELETE", "openOrders", symbol="BTCUSDT")
        mid = (symbol.matching.best_bid_ticks + symbol.matching.best_ask_ticks) // 2
        one.order("BUY", "0.002", f"{(mid - 200) / 100:.2f}", type="LIMIT_MAKER", timeInForce=None)
        one.order("SELL", "0.002", f"{(mid + 200) / 100:.2f}", type="LIMIT_MAKER", timeInForce=None)
        one.advance(1000)
    _, trades = one.signed("GET", "myTrades", symbol="BTCUSDT")
    sides = [trade["isBuyer"] for trade in trades]
    assert sides.count(True) > 3
    assert sides.count(False) > 3
    assert all(trade["isMaker"] for trade in trades)


def test_a_still_market_stays_still(ann_and_bob):
    world = ann_and_bob
    world.advance(10_000)
    assert world.get("depth", symbol="BTCUSDT") == {"lastUpdateId": 0, "bids": [], "asks": []}


def test_after_a_long_pause_the_market_goes_on_at_once(world):
    one = world(markets=ALIVE)
    conn_id = one.open("/ws/btcusdt@depth@100ms")
    one.advance(1000)
    one.now_ns += 3600 * 1_000_000_000
    one.exchange.advance(one.now_ns)
    one._settle()
    one.advance(1000)
    diffs = one.heard(conn_id)
    assert all(after["U"] == before["u"] + 1 for before, after in pairwise(diffs))
    assert one.get("time")["serverTime"] == one.now_ns // 1_000_000


def test_several_markets_live_side_by_side(world):
    one = world(
        markets=[
            MarketSettings(),
            MarketSettings(symbol="ETH-USDT", start_price=Decimal(3000), lot_size=Decimal("0.0001")),
        ]
    )
    one.advance(3000)
    prices = {row["symbol"]: float(row["price"]) for row in one.get("ticker/price")}
    assert prices["BTCUSDT"] == pytest.approx(60000, rel=0.01)
    assert prices["ETHUSDT"] == pytest.approx(3000, rel=0.01)


def test_no_trade_is_older_than_the_order_it_fills(world):
    one = world(markets=ALIVE)
    symbol = one.exchange.engine.symbols["BTCUSDT"]
    for _ in range(300):
        best = symbol.matching.best_bid_ticks
        one.order("BUY", "0.002", f"{best / 100:.2f}")
        one.now_ns += 9_000_000  # woken late: the flow's orders of the last moments are due
        one.exchange.advance(one.now_ns)
        one._settle()
    trades = one.exchange.accounts.by_name["ann"].executions
    orders = one.exchange.accounts.by_name["ann"].orders
    assert trades
    assert all(trade.time_ns >= orders[trade.order_id].time_ns for trade in trades)
    times = [trade.time_ns for trade in trades]
    assert times == sorted(times)
