"""The scale of a market: it only becomes finer, and no number is lost on the way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.exact import EXACT
from market.levels import MAX_INT, pack_levels, unpack_levels
from market.rules import instrument_in_scale, instrument_of, rules_in_scale
from market.scale import FinerValue, Scale, digits_of, in_scale, rescale_levels, scale_of_message
from protocol import BookDelta, Fill, Liquidity, OrderUpdate, OrdStatus, OrdType, PositionRow, Rules, Side, Trade

digits = st.integers(0, 9)
scales = st.builds(Scale, digits, digits)


@given(scales, scales, scales)
def test_the_order_in_which_scales_arrive_does_not_matter(a, b, c):
    assert a.join(b) == b.join(a)
    assert a.join(b).join(c) == a.join(b.join(c))
    assert a.join(a) == a


@given(scales, scales, scales, st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_trade_is_worth_the_same_in_every_scale(a, b, c, price_ticks, size_lots):
    finer = a.join(b)
    finest = finer.join(c)
    trade = Trade("X", 1, Side.BUY, price_ticks, size_lots, price_digits=a.price_digits, size_digits=a.size_digits)
    for way in (in_scale(in_scale(trade, finer), finest), in_scale(trade, finest)):
        assert scale_of_message(way) == finest
        assert EXACT.multiply(Decimal(way.price_ticks), finest.tick) == EXACT.multiply(Decimal(price_ticks), a.tick)
        assert EXACT.multiply(Decimal(way.size_lots), finest.lot) == EXACT.multiply(Decimal(size_lots), a.lot)


@given(st.decimals(min_value=0, max_value=10**6, places=8))
def test_a_number_is_exact_in_a_scale_that_is_fine_enough(value):
    fine = Scale(digits_of(value), digits_of(value))
    assert EXACT.multiply(Decimal(fine.ticks(value)), fine.tick) == value
    assert EXACT.multiply(Decimal(fine.lots(value)), fine.lot) == value
    if fine.price_digits:
        coarse = Scale(fine.price_digits - 1, fine.size_digits - 1)
        with pytest.raises(FinerValue) as price:
            coarse.ticks(value)
        with pytest.raises(FinerValue) as size:
            coarse.lots(value)
        assert price.value.price_digits == size.value.size_digits == fine.price_digits


def test_each_integer_of_a_message_is_converted():
    fine = Scale(3, 6)
    update = OrderUpdate(
        "maker", 7, "id", "X", Side.BUY, OrdType.LIMIT, 100, 10, 4, OrdStatus.NEW, price_digits=2, size_digits=5
    )
    update = in_scale(update, fine)
    assert (update.price_ticks, update.size_lots, update.cum_lots) == (1000, 100, 40)
    fill = Fill(
        "maker", 7, "id", "1", "X", Side.BUY, 100, 10, 4, Liquidity.MAKER, Decimal(0), "", price_digits=2, size_digits=5
    )
    fill = in_scale(fill, fine)
    assert (fill.last_ticks, fill.last_lots, fill.cum_lots) == (1000, 100, 40)
    delta = BookDelta("X", 1, 2, pack_levels([(100, 10)]), pack_levels([(101, 0)]), 0, 0, 2, 5)
    delta = in_scale(delta, fine)
    assert (unpack_levels(delta.bids), unpack_levels(delta.asks)) == ([(1000, 100)], [(1010, 0)])
    row = in_scale(PositionRow("X", 5, 4, Decimal(1), Decimal(2), price_digits=2, size_digits=5), fine)
    assert (row.bought_lots, row.sold_lots, row.bought_notional) == (50, 40, Decimal(1))


def test_a_message_of_an_earlier_version_is_in_the_scale_of_its_receiver():
    assert in_scale(Trade("X", 1, Side.BUY, 100, 10), Scale(3, 6)) == Trade("X", 1, Side.BUY, 100, 10, 0, 0, 3, 6)


def test_a_message_is_never_made_coarser():
    with pytest.raises(ValueError, match="coarser"):
        in_scale(Trade("X", 1, Side.BUY, 100, 10, 0, 0, 3, 6), Scale(2, 6))


def test_a_level_beyond_the_bound_of_a_book_is_an_error():
    assert unpack_levels(rescale_levels(pack_levels([(MAX_INT // 10, 1)]), 10, 10)) == [(MAX_INT // 10 * 10, 10)]
    with pytest.raises(ValueError, match="too large"):
        rescale_levels(pack_levels([(MAX_INT // 10 + 1, 1)]), 10, 1)
    with pytest.raises(ValueError, match="too large"):
        rescale_levels(pack_levels([(1, MAX_INT)]), 1, 10)


def test_a_scale_needs_no_more_than_18_digits():
    assert Scale.of_steps(Decimal("0.50"), Decimal(100)) == Scale(1, 0)
    with pytest.raises(ValueError, match="18 digits"):
        Scale.of_steps(Decimal("1E-19"), Decimal(1))


def test_rules_without_a_scale_count_the_exchanges_steps():
    rules = Rules("X", "A", "B", Decimal("0.5"), Decimal("0.02"), 2, 1000, 1, MAX_INT, Decimal(5))
    instrument = instrument_of(rules)
    assert (instrument.min_price_ticks, instrument.max_price_ticks) == (10, 5000)
    assert (instrument.min_size_lots, instrument.max_size_lots) == (2, MAX_INT)


def test_rules_keep_their_meaning_in_a_finer_scale():
    rules = Rules("X", "A", "B", Decimal("0.5"), Decimal("0.02"), 2, 1000, 1, MAX_INT, Decimal(5))
    fine = rules_in_scale(rules, Scale(4, 0))
    assert (fine.price_digits, fine.size_digits, fine.tick_size) == (4, 2, Decimal("0.5"))
    before, after = instrument_of(rules), instrument_of(fine)
    assert after == instrument_in_scale(before, Scale(4, 2))
    assert after.price(after.min_price_ticks) == before.price(before.min_price_ticks) == 1
    assert after.size(after.min_size_lots) == before.size(before.min_size_lots)
    assert (after.price_step, after.max_size_lots) == (5000, MAX_INT)
    assert after.min_lots_at(after.price_ticks("3")) == before.min_lots_at(before.price_ticks("3")) == 168
