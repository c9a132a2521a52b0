"""What a watcher makes of what it hears."""

from decimal import Decimal

import pytest

from market.levels import pack_levels
from monitor.state import RunState
from monitor.sums import percentile
from protocol import (
    Balances,
    BookDelta,
    BookStatus,
    Health,
    Heartbeat,
    OrdersSnapshot,
    OrdStatus,
    StreamState,
    TickReport,
    topics,
)

BOOK = topics.market_data("binance", "BTC-USDT", "book")


@pytest.fixture
def asked():
    return []


@pytest.fixture
def state(asked):
    return RunState(lambda publisher, prefix: asked.append((publisher, prefix)))


def delta(bids=(), asks=()):
    return BookDelta("BTC-USDT", 8, 8, pack_levels(bids), pack_levels(asks))


def test_a_book_is_kept_from_snapshot_and_deltas(state, hear):
    state.take(hear.rules())
    state.take(hear.book())
    state.take(hear(BOOK, delta(bids=[(10_000, 1)])))
    market = state.markets["binance", "BTC-USDT"]
    assert market.mid == Decimal("100.005")
    assert market.trouble == ""


def test_a_gap_in_the_book_asks_once_for_a_snapshot_and_the_snapshot_mends_it(state, hear, asked):
    state.take(hear.rules())
    state.take(hear.book())
    state.take(hear(BOOK, delta(bids=[(10_000, 1)]), seq=5))
    state.take(hear(BOOK, delta(bids=[(10_000, 2)]), seq=6))
    market = state.markets["binance", "BTC-USDT"]
    assert market.trouble == "waiting for a snapshot"
    assert asked == [("binance", BOOK)]
    assert market.mid == 100, "what came after the gap is not applied"
    state.take(hear.book(seq=6))
    state.take(hear(BOOK, delta(bids=[(10_000, 1)]), seq=6))
    state.take(hear(BOOK, delta(bids=[(10_000, 1)]), seq=7))
    assert (market.trouble, market.mid) == ("", Decimal("100.005"))


def test_a_new_life_of_a_connector_needs_a_new_snapshot(state, hear, asked):
    state.take(hear.book())
    state.take(hear(BOOK, delta(), epoch=2))
    assert state.markets["binance", "BTC-USDT"].trouble == "waiting for a snapshot"
    assert asked == [("binance", BOOK)]


def test_a_stale_book_is_told_with_its_reason(state, hear):
    state.take(hear.book())
    state.take(hear(BOOK, BookStatus("BTC-USDT", StreamState.STALE, "stream down")))
    assert state.markets["binance", "BTC-USDT"].trouble == "stale: stream down"


def test_orders_are_open_until_they_are_final_and_counted_once(state, hear):
    for status in (OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.PENDING_CANCEL):
        state.take(hear.order("a", status))
        assert list(state.open_orders) == ["a"]
    state.take(hear.order("b", OrdStatus.UNKNOWN))
    assert [order.cl_ord_id for order in state.in_doubt()] == ["b"]
    state.take(hear.order("a", OrdStatus.CANCELED))
    state.take(hear.order("a", OrdStatus.NEW))
    assert list(state.open_orders) == ["b"], "late news of an order that is over does not open it again"
    assert state.orders_seen == 2


def test_a_snapshot_of_orders_closes_those_that_it_does_not_list(state, hear):
    state.take(hear.order("gone", OrdStatus.NEW))
    state.take(hear.order("others", OrdStatus.NEW, owner="other"))
    listed = hear.order("there", OrdStatus.NEW).body
    state.take(hear(topics.orders("binance", "maker"), OrdersSnapshot("maker", [listed], [], [], 0)))
    assert sorted(state.open_orders) == ["others", "there"]


def test_fills_count_once_and_those_of_before_do_not_count(state, hear):
    state.take(hear(topics.orders("binance", "maker"), OrdersSnapshot("maker", [], [], [], 5)))
    for fill_no in (4, 5, 6, 6, 7):
        state.take(hear.fill(fill_no))
    assert state.fills_seen == 2


def test_ticks_count_on_over_a_new_life_of_the_clock(state, hear):
    topic = topics.ticks("clockd")
    for n in (1, 2, 3):
        state.take(hear(topic, TickReport(n, 0, 0, 900, 0, [("maker", 50.0)], [], n, 1, 2)))
    for n in (4, 5):
        state.take(hear(topic, TickReport(n, 0, 0, 900, 0, [("maker", 60.0)], [], n - 3), epoch=2))
    assert (state.ticks, state.ticks_skipped, state.ticks_late) == (5, 1, 2)
    assert percentile(state.hops_us, 0.5) == 50.0


def test_an_actor_is_known_by_its_heartbeat_and_its_streams_are_asked_for_once(state, hear, asked):
    state.take(hear(topics.heart("binance"), Heartbeat(42, 7, [], lost=3, state="TRADING")))
    state.take(hear(topics.health("binance"), Health("HALTED", "the exchange refuses the key")))
    view = state.actors["binance"]
    assert (view.pid, view.ticks, view.state, view.detail) == (42, 7, "HALTED", "the exchange refuses the key")
    assert state.lost() == 3
    assert [prefix for _, prefix in asked] == ["md.binance.", "ord.binance.", "acct.binance."]


def test_balances_add_up_over_accounts_and_the_first_are_the_opening(state, hear):
    state.take(hear(topics.account("binance"), Balances([("BTC", Decimal(1), Decimal("0.5"))])))
    state.take(hear(topics.account("binance"), Balances([("BTC", Decimal(2), Decimal(0))])))
    state.take(hear(topics.account("okx"), Balances([("BTC", Decimal(1), Decimal(0))])))
    assert state.totals() == {"BTC": 3}
    assert state.opening == {"binance": {"BTC": Decimal("1.5")}, "okx": {"BTC": Decimal(1)}}


def test_percentiles_of_nothing_are_nothing():
    assert percentile([], 0.5) == 0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.99) == 4.0
