"""What to cancel, keep and place, so that the orders become the quotes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import Side
from strategies.quotes import BPS, Inventory, Quote
from strategies.requote import KEEP_SIZE_RATIO, Resting, placeable, reconcile

RICH = Inventory(10**9, 10**15)
BUY, SELL = Side.BUY, Side.SELL


def test_an_order_at_the_wanted_price_is_kept():
    result = reconcile([Quote(BUY, 9_900, 10, 0)], [Resting(1, BUY, 9_900, 10)], 0)
    assert result == ({1: Quote(BUY, 9_900, 10, 0)}, [], [])


def test_an_order_within_the_tolerance_is_kept_and_one_beyond_is_cancelled():
    wanted = [Quote(BUY, 10_000, 10, 0)]
    near, far = Resting(1, BUY, 10_010, 10), Resting(2, BUY, 10_011, 10)
    assert reconcile(wanted, [near], 10 * BPS).cancel == []
    assert reconcile(wanted, [far], 10 * BPS) == ({}, [2], wanted)


def test_of_two_near_orders_the_nearer_is_kept():
    resting = [Resting(1, SELL, 10_003, 10), Resting(2, SELL, 10_001, 10)]
    result = reconcile([Quote(SELL, 10_000, 10, 0)], resting, 10 * BPS)
    assert list(result.keep) == [2]
    assert result.cancel == [1]


def test_an_order_that_has_nearly_filled_is_renewed():
    wanted = [Quote(BUY, 9_900, 10, 0)]
    assert list(reconcile(wanted, [Resting(1, BUY, 9_900, 5)], 0).keep) == [1]
    assert reconcile(wanted, [Resting(1, BUY, 9_900, 4)], 0).cancel == [1]


def test_leaving_and_hanging_orders_are_left_alone_and_stand_for_nothing():
    wanted = [Quote(BUY, 9_900, 10, 0)]
    resting = [Resting(1, BUY, 9_900, 10, leaving=True), Resting(2, BUY, 9_900, 10, hanging=True)]
    assert reconcile(wanted, resting, 0) == ({}, [], wanted)


def test_a_quote_that_would_cross_an_order_that_is_still_leaving_waits():
    bid = Quote(BUY, 10_050, 10, 0)
    leaving = Resting(1, SELL, 10_050, 10, leaving=True)
    assert placeable([bid], [leaving], RICH, 10) == []
    assert placeable([bid], [leaving._replace(price_ticks=10_051)], RICH, 10) == [bid]


def test_what_is_not_free_yet_waits_for_the_cancel_that_frees_it():
    bids = [Quote(BUY, 100, 10, 0), Quote(BUY, 90, 10, 1)]
    assert placeable(bids, [], Inventory(0, 1_500), 10) == bids[:1]
    assert placeable(bids, [], Inventory(0, 1_900), 10) == bids
    asks = [Quote(SELL, 110, 10, 0), Quote(SELL, 120, 10, 1)]
    assert placeable(asks, [], Inventory(19, 0), 10) == asks[:1]


def test_no_more_orders_than_may_be_open_counting_those_that_are_leaving():
    quotes = [Quote(BUY, 100 - level, 1, level) for level in range(4)]
    leaving = [Resting(one, BUY, 50, 1, leaving=True) for one in range(3)]
    assert placeable(quotes, leaving, RICH, 5) == quotes[:2]
    assert placeable(quotes, leaving, RICH, 3) == []


sides = st.sampled_from([BUY, SELL])
resting_orders = st.lists(
    st.builds(
        Resting, st.integers(1, 10**6), sides, st.integers(1, 300), st.integers(1, 50), st.booleans(), st.booleans()
    ),
    max_size=12,
    unique_by=lambda order: order.order_ref,
)


@st.composite
def quote_sets(draw):
    """Quotes that do not cross each other, as `wanted_quotes` makes them."""
    mid = draw(st.integers(2, 299))
    bids = draw(st.lists(st.integers(1, mid - 1), max_size=4, unique=True))
    asks = draw(st.lists(st.integers(mid + 1, 300), max_size=4, unique=True))
    size = draw(st.integers(1, 50))
    bids = [Quote(BUY, price, size, level) for level, price in enumerate(sorted(bids, reverse=True))]
    return bids + [Quote(SELL, price, size, level) for level, price in enumerate(sorted(asks))]


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(quote_sets(), resting_orders, st.integers(0, 500 * BPS))
def test_every_order_and_every_quote_is_accounted_for_once(wanted, resting, tolerance):
    keep, cancel, missing = reconcile(wanted, resting, tolerance)
    active = {order.order_ref: order for order in resting if not order.leaving and not order.hanging}
    assert sorted([*keep, *cancel]) == sorted(active)
    assert sorted([*keep.values(), *missing]) == sorted(wanted)
    for order_ref, quote in keep.items():
        order = active[order_ref]
        assert order.side is quote.side
        assert abs(order.price_ticks - quote.price_ticks) <= tolerance * order.price_ticks / (10_000 * BPS)
        assert 1 / KEEP_SIZE_RATIO <= order.leaves_lots / quote.size_lots <= KEEP_SIZE_RATIO


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(quote_sets(), resting_orders, st.integers(0, 200), st.integers(0, 20_000), st.integers(0, 15))
def test_placing_never_crosses_overspends_or_exceeds_the_count(wanted, resting, base_lots, quote_free, max_open):
    chosen = placeable(wanted, resting, Inventory(base_lots, quote_free), max_open)
    bids = [one for one in chosen if one.side is BUY]
    asks = [one for one in chosen if one.side is SELL]
    assert sum(one.price_ticks * one.size_lots for one in bids) <= quote_free
    assert sum(one.size_lots for one in asks) <= base_lots
    assert not chosen or len(resting) + len(chosen) <= max_open
    for order in resting:
        assert all(order.side is BUY or one.price_ticks < order.price_ticks for one in bids)
        assert all(order.side is SELL or one.price_ticks > order.price_ticks for one in asks)


@settings(max_examples=200, deadline=None)
@given(quote_sets(), st.integers(0, 500 * BPS))
def test_orders_placed_as_wanted_are_kept_the_next_time(wanted, tolerance):
    resting = [Resting(at, one.side, one.price_ticks, one.size_lots) for at, one in enumerate(wanted, 1)]
    result = reconcile(wanted, resting, tolerance)
    assert result.cancel == []
    assert result.missing == []
