"""Instrument rules: the way between Decimal and integers, and what is wrong with an order."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.instrument import Instrument, OffTick, Rounding
from market.rules import instrument_in_scale
from market.scale import FinerValue, Scale

BUY, SELL = 1, 2


def instrument(tick="0.01", lot="0.00001", **rules):
    return Instrument("BTC-USDT", "BTC", "USDT", Decimal(tick), Decimal(lot), **rules)


BTC = instrument(
    max_price_ticks=100_000_000,
    max_size_lots=900_000_000,
    market_max_size_lots=5_000_000,
    min_notional=Decimal(5),
    max_notional=Decimal(9_000_000),
)


def test_prices_and_sizes_become_integers_and_come_back():
    assert BTC.price_ticks("61737.63") == BTC.price_ticks(Decimal("61737.6300")) == 6_173_763
    assert BTC.price(6_173_763) == Decimal("61737.63")
    assert BTC.size_lots("0.02") == 2000
    assert str(BTC.size(2000)) == "0.02000"
    assert BTC.notional(6_173_763, 2000) == Decimal("1234.7526")
    assert BTC.value(6_173_763 * 2000) == BTC.notional(6_173_763, 2000)


def test_texts_for_the_exchange_have_no_exponent():
    tiny = instrument("0.00000001", "1000000")
    assert (tiny.price_text(7), tiny.size_text(3_000_000)) == ("0.00000007", "3000000")
    assert BTC.price_text(6_173_763) == "61737.63"


def test_trailing_zeros_of_the_exchange_change_nothing():
    assert instrument("0.01000000", "0.00001000") == instrument()
    assert (BTC.price_digits, BTC.price_step, BTC.size_digits, BTC.size_step) == (2, 1, 5, 1)
    coarse = instrument("5E+1", "2.50")
    assert (coarse.price_digits, coarse.price_step, coarse.size_digits, coarse.size_step) == (0, 50, 1, 25)
    assert coarse.price_ticks(100) == coarse.parse_ticks("100.00") == 100


def test_a_price_off_tick_names_the_nearest_valid_ones():
    with pytest.raises(OffTick, match=r"price 1\.005 .*tick size 0\.01: use 1\.00 or 1\.01"):
        BTC.price_ticks("1.005")
    with pytest.raises(OffTick, match=r"size 0\.000001 .*use 0\.00000 or 0\.00001"):
        BTC.size_lots("0.000001")


def test_a_number_between_two_ticks_or_lots_names_the_digits_that_it_needs():
    with pytest.raises(FinerValue, match="price") as price:
        BTC.parse_ticks(b"1.00500000")
    with pytest.raises(FinerValue, match="size") as size:
        BTC.parse_lots("0.000001")
    assert (price.value.price_digits, size.value.size_digits) == (3, 6)


def test_the_steps_of_an_order_are_the_exchanges_and_not_those_of_the_scale():
    fine = instrument("0.10", "0.0001", price_digits=3, size_digits=6)
    assert (fine.price_step, fine.size_step) == (100, 100)
    assert fine.price_ticks("60000.123", Rounding.DOWN) == 60_000_100
    assert fine.parse_ticks("60000.123") == 60_000_123
    assert (fine.price_text(60_000_100), fine.size_text(1200)) == ("60000.1", "0.0012")
    assert fine.price_text(60_000_123) == "60000.123", "an order of before the change of tick"
    assert fine.check(60_000_100, 1200) == []
    assert fine.check(60_000_101, 1201) == [
        "PRICE: 60000.101 is not a multiple of the tick size 0.1",
        "SIZE: 0.001201 is not a multiple of the lot size 0.0001",
    ]
    with pytest.raises(ValueError, match="too coarse"):
        instrument("0.10", "0.0001", price_digits=0)


def test_rounding_follows_the_argument():
    ways = (Rounding.DOWN, Rounding.UP, Rounding.NEAREST)
    assert [BTC.price_ticks("1.004", way) for way in ways] == [100, 101, 100]
    assert [BTC.price_ticks("1.005", way) for way in ways] == [100, 101, 100]
    assert [BTC.price_ticks("1.015", way) for way in ways] == [101, 102, 102]
    assert BTC.price_ticks("1.005", Rounding.PASSIVE, BUY) == BTC.price_ticks("1.005", Rounding.AGGRESSIVE, SELL) == 100
    assert BTC.price_ticks("1.005", Rounding.PASSIVE, SELL) == BTC.price_ticks("1.005", Rounding.AGGRESSIVE, BUY) == 101
    with pytest.raises(ValueError, match=r"protocol\.Side"):
        BTC.price_ticks("1.005", Rounding.PASSIVE)
    with pytest.raises(ValueError, match="is for prices"):
        BTC.size_lots("1", Rounding.PASSIVE)


@pytest.mark.parametrize("value", ["x", "", "NaN", "Infinity", "1e999999999", "1e-999999999"])
def test_what_is_no_number_of_an_exchange_is_refused_at_once(value):
    for read in (BTC.price_ticks, BTC.size_lots, BTC.parse_ticks, BTC.parse_lots):
        with pytest.raises(ValueError):
            read(value)


def test_a_float_is_refused_with_advice():
    with pytest.raises(TypeError, match="give a Decimal"):
        BTC.price_ticks(0.1)


def test_a_valid_order_has_no_problems():
    assert BTC.check(6_000_000, 1000) == []
    assert BTC.check(0, 1000, market=True) == []


def test_each_problem_contains_what_to_do():
    assert BTC.check(0, 1000)[0].startswith("PRICE: 0.00 is outside 0.01..1000000.00 USDT")
    assert BTC.check(6_000_000, 0)[0].endswith("give 0.00001 or more")
    assert "9000.00000 or less" in BTC.check(100, 900_000_001)[0]
    assert "50.00000 or less" in BTC.check(100, 5_000_001, market=True)[0]
    assert BTC.check(6_000_000, 8) == ["NOTIONAL: 4.8000000 is below 5 USDT: at 60000.00 give 0.00009 BTC or more"]
    assert "NOTIONAL" in BTC.check(100_000_000, 900_000_000)[0]
    assert len(BTC.check(0, 0)) == 2


def test_the_smallest_size_at_a_price_passes_and_one_lot_less_does_not():
    for price_ticks in (1, 99, 6_173_763, 99_999_999):
        lots = BTC.min_lots_at(price_ticks)
        assert not [p for p in BTC.check(price_ticks, lots) if "NOTIONAL" in p]
        assert lots == BTC.min_size_lots or "NOTIONAL" in BTC.check(price_ticks, lots - 1)[0]


def test_nonsense_rules_are_refused():
    for tick, lot in (("0", "1"), ("1", "-1"), ("NaN", "1"), ("1E-19", "1"), ("1E+19", "1")):
        with pytest.raises(ValueError):
            instrument(tick, lot)


def test_rules_are_counted_in_every_scale_that_is_finer():
    """An order of another client with 16 places: the connector goes on."""
    rules = instrument_in_scale(instrument("10", "1"), Scale(18, 17))
    assert (rules.price_step, rules.size_step) == (10**19, 10**17)
    assert rules.check(10**19, 10**17), "more than a book can count, so no order is valid"


def test_an_instrument_crosses_a_wire():
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(BTC), type=Instrument) == BTC
    with pytest.raises(AttributeError):
        BTC.symbol = "X"  # type: ignore[misc]


steps = st.sampled_from(["0.01", "0.05", "0.00000001", "0.25", "1", "10", "2.5", "1000000"])


@settings(max_examples=300, deadline=None)
@given(steps, st.decimals(min_value=-(10**9), max_value=10**12, places=10))
def test_rounding_agrees_with_fractions(step, value):
    rules = instrument(step, step)
    exact = Fraction(value) / Fraction(Decimal(step))
    assert rules.price_ticks(value, Rounding.DOWN) == floor(exact) * rules.price_step
    assert rules.price_ticks(value, Rounding.UP) == ceil(exact) * rules.price_step
    assert rules.price_ticks(value, Rounding.NEAREST) == round(exact) * rules.price_step
    if exact.denominator == 1:
        assert rules.price_ticks(value) == rules.size_lots(value) == exact * rules.price_step
        assert rules.price(rules.price_ticks(value)) == value
    else:
        with pytest.raises(OffTick):
            rules.price_ticks(value)


@settings(max_examples=300, deadline=None)
@given(steps, st.integers(0, 10**8))
def test_the_fast_parser_agrees_with_decimal(step, ticks):
    rules = instrument(step, step)
    text = f"{rules.price(ticks):.8f}"
    assert rules.parse_ticks(text) == rules.parse_lots(text.encode()) == ticks
    assert rules.scale.ticks(Decimal(text)) == rules.scale.lots(Decimal(text)) == ticks


@settings(max_examples=200, deadline=None)
@given(steps, steps, st.integers(0, 2**53 - 1), st.integers(-(2**53), 2**53))
def test_a_notional_is_exact(tick, lot, price_ticks, size_lots):
    rules = instrument(tick, lot)
    exact = Fraction(rules.scale.tick) * price_ticks * Fraction(rules.scale.lot) * size_lots
    assert Fraction(rules.notional(price_ticks, size_lots)) == exact
