"""The order flow: the same from the same seed, alive, and within bounds."""

import json
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from venue.base.settings import FlowSettings, MarketSettings
from venue.base.venue_errors import BadVenue
from venue.sources.sources import profiles
from venue.sources.traders import MAX_BOOK_FACTOR, MAX_EXPIRY_FACTOR

ALIVE = [MarketSettings()]


def within_bounds(one):
    """No order at an impossible price or size, no crossed book, and no more orders than are looked after."""
    for symbol, flow in zip(one.exchange.engine.symbols.values(), one.exchange.flows, strict=True):
        traders, matching = flow.traders, symbol.matching
        assert traders.resting <= traders.most_orders
        assert len(traders.expiries) <= MAX_EXPIRY_FACTOR * traders.most_orders
        assert len(matching) <= traders.most_orders + sum(
            len(account.open_orders) for account in one.exchange.accounts.by_name.values()
        )
        assert sum(len(ids) for levels in traders.levels.values() for ids in levels.values()) == traders.resting
        if matching.best_bid_ticks and matching.best_ask_ticks:
            assert 0 < matching.best_bid_ticks < matching.best_ask_ticks


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
        assert min(matching.bid_levels, matching.ask_levels) > 200
        spreads.append(matching.best_ask_ticks - matching.best_bid_ticks)
        mids.append(matching.best_ask_ticks + matching.best_bid_ticks)
    assert 2 < symbol.trades[-1].trade_id / 60 < 100, "trades a second"
    assert sum(spreads) / len(spreads) < 1000
    assert len(set(mids)) > 30


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
    diffs = one.received(conn_id)
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


def test_the_flow_advances_rarely_and_still_gives_each_order_its_own_time(world):
    one = world(markets=ALIVE)
    wakes = []
    while one.now_ns < 1_700_000_001_000_000_000:
        one.now_ns = one.exchange.next_wake_ns
        one.exchange.advance(one.now_ns)
        one._settle()
        wakes.append(one.now_ns)
    assert len(wakes) <= 112, "once in ten milliseconds, and at each tenth of a second"
    one.advance(30_000)
    times = [trade.time_ns for trade in one.exchange.engine.symbols["BTCUSDT"].trades]
    assert times == sorted(times)
    assert len({time_ns % 10_000_000 for time_ns in times}) > len(set(times)) / 2


def test_the_book_keeps_about_as_many_orders_as_are_wanted(world):
    one = world(markets=[MarketSettings(flow=FlowSettings(book_orders=300))])
    counts = []
    for _ in range(60):
        one.advance(1000)
        within_bounds(one)
        counts.append(len(one.exchange.engine.symbols["BTCUSDT"].matching))
    assert 150 < sum(counts) / len(counts) <= 300 * MAX_BOOK_FACTOR


def test_half_the_scale_is_half_the_orders_in_a_book_as_deep(world):
    def run(scale: float) -> tuple[int, int]:
        one = world(markets=[MarketSettings(flow=FlowSettings(scale=scale))])
        before = one.exchange.engine.symbols["BTCUSDT"].update_id
        one.advance(60_000)
        symbol = one.exchange.engine.symbols["BTCUSDT"]
        return symbol.update_id - before, len(symbol.matching)

    (whole, deep), (less, as_deep) = run(1.0), run(0.25)
    assert 0.1 * whole < less < 0.5 * whole
    assert 0.5 * deep < as_deep < 2 * deep


def test_orders_beyond_the_fair_price_are_filled(world):
    one = world(markets=ALIVE)
    for _ in range(20):
        best = one.exchange.engine.symbols["BTCUSDT"].matching.best_bid_ticks
        one.order("BUY", "0.05", f"{(best + 3000) / 100:.2f}", who="ann")
        one.advance(2000)
    orders = one.exchange.accounts.by_name["ann"].orders.values()
    assert sum(order.executed_lots for order in orders) == sum(order.size_lots for order in orders)


def test_the_flow_continues_after_a_recovery_and_earlier_trades_with_it_are_the_same(world):
    def ledger(one) -> dict:
        answer = json.loads(one.request("GET", "/control/ledger", "account=ann").body)
        return {name: answer[name] for name in ("balances", "orders", "trades", "open_orders")}

    first = world(markets=ALIVE)
    for step in range(20):
        best = first.exchange.engine.symbols["BTCUSDT"].matching.best_bid_ticks
        first.order("BUY", "0.01", f"{(best - 50 * step) / 100:.2f}", type="LIMIT_MAKER", timeInForce=None)
        first.advance(1000)
    second, third = (world(log=list(first.log), markets=ALIVE) for _ in range(2))
    assert ledger(second)["trades"]
    assert ledger(second)["trades"] == ledger(first)["trades"]
    assert ledger(second)["balances"] == ledger(first)["balances"]
    for one in (second, third):
        one.advance(5000)
        within_bounds(one)
    assert second.exchange.engine.symbols["BTCUSDT"].matching.state_hash() == (
        third.exchange.engine.symbols["BTCUSDT"].matching.state_hash()
    )


FLOWS = st.builds(
    FlowSettings,
    profile=st.sampled_from(profiles.names()),
    scale=st.floats(0, 3),
    limit_rate=st.none() | st.floats(0, 300),
    market_rate=st.none() | st.floats(0, 50),
    book_orders=st.none() | st.integers(0, 500),
    volatility_bps=st.none() | st.floats(0, 30),
    pull=st.floats(0, 1),
    size_lots=st.none() | st.integers(0, 10**9),
)
TICKS = st.sampled_from(["0.00000001", "0.0001", "0.01", "1", "10"])
PRICES = st.sampled_from(["0.0001", "0.5", "3", "2500", "60000"])


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@example(flow=FlowSettings(volatility_bps=0.0), tick="0.01", price="3", seed=0, pause_s=1)
@example(flow=FlowSettings(limit_rate=1e-308), tick="0.01", price="3", seed=0, pause_s=1)
@given(flow=FLOWS, tick=TICKS, price=PRICES, seed=st.integers(0, 2**32), pause_s=st.integers(1, 10_000))
def test_any_settings_prices_and_ticks_give_a_market_within_bounds(world, flow, tick, price, seed, pause_s):
    market = MarketSettings(tick_size=Decimal(tick), start_price=Decimal(price), lot_size=Decimal(1), flow=flow)
    if Decimal(price) / Decimal(tick) > 10**9:
        market = msgspec.structs.replace(market, tick_size=Decimal("0.0001"))
    one = world(markets=[market], seed=seed)
    for _ in range(5):
        one.advance(400)
        if not one.exchange.flows[0].is_still:
            within_bounds(one)
    one.now_ns += pause_s * 1_000_000_000
    one.exchange.advance(one.now_ns)
    one.advance(400)
    if not one.exchange.flows[0].is_still:
        within_bounds(one)


@pytest.mark.parametrize("field", ["scale", "limit_rate", "market_rate", "book_orders", "volatility_bps", "size_lots"])
def test_a_setting_below_zero_is_refused_by_name(field):
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({field: -1}, FlowSettings)


def test_an_unknown_profile_is_reported_with_the_known_ones(world):
    with pytest.raises(BadVenue, match=r"flow profile moon: .*btcusdt_spot"):
        world(markets=[MarketSettings(flow=FlowSettings(profile="moon"))])
