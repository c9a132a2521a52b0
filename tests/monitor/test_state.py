"""The state that a watcher computes from messages."""

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
def requested():
    return []


@pytest.fixture
def state(requested):
    return RunState(lambda publisher, prefix: requested.append((publisher, prefix)))


def delta(bids=(), asks=()):
    return BookDelta("BTC-USDT", 8, 8, pack_levels(bids), pack_levels(asks))


def test_a_book_is_kept_from_snapshot_and_deltas(state, tapped):
    state.update(tapped.rules())
    state.update(tapped.book())
    state.update(tapped(BOOK, delta(bids=[(10_000, 1)])))
    market = state.markets["binance", "BTC-USDT"]
    assert market.mid == Decimal("100.005")
    assert market.trouble == ""


def test_a_gap_in_the_book_requests_one_snapshot_which_repairs_it(state, tapped, requested):
    state.update(tapped.rules())
    state.update(tapped.book())
    state.update(tapped(BOOK, delta(bids=[(10_000, 1)]), seq=5))
    state.update(tapped(BOOK, delta(bids=[(10_000, 2)]), seq=6))
    market = state.markets["binance", "BTC-USDT"]
    assert market.trouble == "waiting for a snapshot"
    assert requested == [("binance", BOOK)]
    assert market.mid == 100, "what came after the gap is not applied"
    state.update(tapped.book(seq=6))
    state.update(tapped(BOOK, delta(bids=[(10_000, 1)]), seq=6))
    state.update(tapped(BOOK, delta(bids=[(10_000, 1)]), seq=7))
    assert (market.trouble, market.mid) == ("", Decimal("100.005"))


def test_a_restarted_connector_needs_a_new_snapshot(state, tapped, requested):
    state.update(tapped.book())
    state.update(tapped(BOOK, delta(), epoch=2))
    assert state.markets["binance", "BTC-USDT"].trouble == "waiting for a snapshot"
    assert requested == [("binance", BOOK)]


def test_a_stale_book_has_its_reason(state, tapped):
    state.update(tapped.book())
    state.update(tapped(BOOK, BookStatus("BTC-USDT", StreamState.STALE, "stream down")))
    assert state.markets["binance", "BTC-USDT"].trouble == "stale: stream down"


def test_orders_are_open_until_they_are_final_and_counted_once(state, tapped):
    for status in (OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.PENDING_CANCEL):
        state.update(tapped.order("a", status))
        assert list(state.open_orders) == ["a"]
    state.update(tapped.order("b", OrdStatus.UNKNOWN))
    assert [order.cl_ord_id for order in state.in_doubt()] == ["b"]
    state.update(tapped.order("a", OrdStatus.CANCELED))
    state.update(tapped.order("a", OrdStatus.NEW))
    assert list(state.open_orders) == ["b"], "a late update of an ended order does not open it again"
    assert state.orders_seen == 2


def test_a_snapshot_of_orders_closes_those_that_it_does_not_list(state, tapped):
    state.update(tapped.order("gone", OrdStatus.NEW))
    state.update(tapped.order("others", OrdStatus.NEW, owner="other"))
    listed = tapped.order("there", OrdStatus.NEW).body
    state.update(tapped(topics.orders("binance", "maker"), OrdersSnapshot("maker", [listed], [], [], 0)))
    assert sorted(state.open_orders) == ["others", "there"]


def test_fills_count_once_and_those_of_before_do_not_count(state, tapped):
    state.update(tapped(topics.orders("binance", "maker"), OrdersSnapshot("maker", [], [], [], 5)))
    for fill_no in (4, 5, 6, 6, 7):
        state.update(tapped.fill(fill_no))
    assert state.fills_seen == 2


def test_ticks_count_on_after_a_restart_of_the_clock(state, tapped):
    topic = topics.ticks("clockd")
    for n in (1, 2, 3):
        state.update(tapped(topic, TickReport(n, 0, 0, 900, 0, [("maker", 50.0)], [], n, 1, 2)))
    for n in (4, 5):
        state.update(tapped(topic, TickReport(n, 0, 0, 900, 0, [("maker", 60.0)], [], n - 3), epoch=2))
    assert (state.ticks, state.ticks_skipped, state.ticks_late) == (5, 1, 2)
    assert percentile(state.hops_us, 0.5) == 50.0


def test_an_actor_is_known_by_its_heartbeat_and_its_streams_are_requested_once(state, tapped, requested):
    state.update(tapped(topics.heart("binance"), Heartbeat(42, 7, [], lost=3, state="TRADING")))
    state.update(tapped(topics.health("binance"), Health("HALTED", "the exchange refuses the key")))
    view = state.actors["binance"]
    assert (view.pid, view.ticks, view.state, view.detail) == (42, 7, "HALTED", "the exchange refuses the key")
    assert state.lost() == 3
    assert [prefix for _, prefix in requested] == ["md.binance.", "ord.binance.", "acct.binance."]


def test_balances_add_up_over_accounts_and_the_first_are_the_opening(state, tapped):
    state.update(tapped(topics.account("binance"), Balances([("BTC", Decimal(1), Decimal("0.5"))])))
    state.update(tapped(topics.account("binance"), Balances([("BTC", Decimal(2), Decimal(0))])))
    state.update(tapped(topics.account("okx"), Balances([("BTC", Decimal(1), Decimal(0))])))
    assert state.totals() == {"BTC": 3}
    assert state.opening == {"binance": {"BTC": Decimal("1.5")}, "okx": {"BTC": Decimal(1)}}


def test_percentiles_of_nothing_are_nothing():
    assert percentile([], 0.5) == 0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.99) == 4.0
