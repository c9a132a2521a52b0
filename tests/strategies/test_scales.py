"""The replicas of a strategy when the scales of messages differ: the finer scale holds, in whatever order they come."""

from decimal import Decimal

import pytest

from market.levels import pack_levels
from market.scale import Scale
from protocol import (
    BookDelta,
    BookSnapshot,
    Fill,
    Liquidity,
    OrdersSnapshot,
    OrderUpdate,
    OrdStatus,
    OrdType,
    PositionRow,
    Rules,
    Side,
    TopOfBook,
    Trade,
)
from strategies.account import AccountReplica
from strategies.market import Market

SYMBOL = "BTC-USDT"
COARSE = {"price_digits": 2, "size_digits": 5}
FINE = {"price_digits": 3, "size_digits": 6}
RULES = Rules(SYMBOL, "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), 1, 10**8, 1, 10**9, Decimal(5), **COARSE)


def update(ref: int, scale: dict, factor: int = 1) -> OrderUpdate:
    return OrderUpdate(
        "maker", ref, f"id{ref}", SYMBOL, Side.BUY, OrdType.LIMIT, 6_000_000 * factor, 100 * factor, 40 * factor,
        OrdStatus.PARTIALLY_FILLED, **scale,
    )  # fmt: skip


class Replica:
    """A market and its account, with what `scale_changed` has received."""

    def __init__(self) -> None:
        self.changes = []
        self.account = AccountReplica("binance", lambda *change: self.changes.append(change))
        self.market = Market(f"binance:{SYMBOL}", "binance", SYMBOL, self.account)
        self.market.apply_rules(self.account.aligned(RULES))
        book = BookSnapshot(SYMBOL, 1, pack_levels([(6_000_000, 7)]), pack_levels([(6_000_100, 8)]), **COARSE)
        self.market.apply_snapshot(self.account.aligned(book), 1, 1)
        self.account.orders.on_update(self.account.aligned(update(1, COARSE)))
        self.market.last_trade = self.account.aligned(Trade(SYMBOL, 1, Side.BUY, 6_000_000, 5, **COARSE))
        self.market.top = self.account.aligned(TopOfBook(SYMBOL, 1, 6_000_000, 7, 6_000_100, 8, **COARSE))


@pytest.fixture
def replica():
    return Replica()


def test_a_message_with_a_finer_scale_converts_all_that_is_counted_in_the_market(replica):
    delta = BookDelta(SYMBOL, 2, 2, pack_levels([(60_000_005, 12)]), b"", **FINE)
    replica.market.apply_delta(replica.account.aligned(delta), 2, 2)
    market = replica.market
    assert replica.changes == [(SYMBOL, 10, 10)]
    assert (market.price_digits, market.size_digits, market.rules.scale) == (3, 6, Scale(3, 6))
    assert market.levels(Side.BUY, 9) == [(60_000_005, 12), (60_000_000, 70)]
    assert (market.best_bid_ticks, market.best_ask_ticks, market.best_ask_lots) == (60_000_005, 60_001_000, 80)
    (order,) = market.open_orders
    assert (order.price_ticks, order.size_lots, order.cum_lots) == (60_000_000, 1000, 400)
    assert (market.last_trade.price_ticks, market.top.ask_lots) == (60_000_000, 80)
    assert (market.rules.price_step, market.rules.size_step) == (10, 10)


def test_a_message_with_a_coarser_scale_is_converted_itself(replica):
    replica.account.aligned(Trade(SYMBOL, 2, Side.BUY, 60_000_001, 5, **FINE))
    trade = replica.account.aligned(Trade(SYMBOL, 3, Side.BUY, 6_000_000, 5, **COARSE))
    assert trade == Trade(SYMBOL, 3, Side.BUY, 60_000_000, 50, **FINE)
    rules = replica.account.aligned(RULES)
    assert (rules.max_price_ticks, rules.price_digits) == (10**9, 3)
    assert replica.changes == [(SYMBOL, 10, 10)], "it is reported once"


def test_the_rows_of_a_snapshot_may_have_different_scales(replica):
    fill = Fill(
        "maker", 1, "id1", "7", SYMBOL, Side.BUY, 6_000_000, 40, 40, Liquidity.MAKER, Decimal(0), "", 1, **COARSE
    )
    row = PositionRow(SYMBOL, 400, 0, Decimal(24), Decimal(0), held=Decimal("0.0004"), cost=Decimal(24), **FINE)
    snapshot = OrdersSnapshot("maker", [update(1, COARSE), update(2, FINE, 10)], [row], [fill], 1)
    replica.account.orders.on_snapshot(replica.account.aligned_orders(snapshot), 5)
    orders = replica.market.open_orders
    assert {(one.price_ticks, one.size_lots) for one in orders} == {(60_000_000, 1000)}
    position = replica.market.position
    assert (position.net_lots, position.average_cost, position.held_lots) == (400, 60_000, 400)


def test_a_market_that_is_opened_later_begins_in_the_scale_of_its_account():
    account = AccountReplica("binance")
    account.orders.on_update(account.aligned(update(1, FINE, 10)))
    market = Market(f"binance:{SYMBOL}", "binance", SYMBOL, account)
    market.apply_rules(account.aligned(RULES))
    assert (market.price_digits, market.rules.price_step) == (3, 10)
    assert [one.price_ticks for one in market.open_orders] == [60_000_000]


def test_a_message_of_an_earlier_version_is_in_the_scale_that_the_market_has(replica):
    trade = Trade(SYMBOL, 3, Side.BUY, 6_000_000, 5)
    assert replica.account.aligned(trade) is trade
    assert replica.changes == []


def test_a_book_that_is_too_large_for_a_finer_scale_is_stale_with_the_reason(replica):
    large = BookSnapshot(SYMBOL, 2, pack_levels([(6_000_000, 2**52)]), pack_levels([(6_000_100, 8)]), **COARSE)
    replica.market.apply_snapshot(large, 2, 2)
    replica.account.aligned(Trade(SYMBOL, 2, Side.BUY, 60_000_001, 5, **FINE))
    assert not replica.market.data_ready
    assert "too large" in replica.market.why_no_data
