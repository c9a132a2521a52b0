"""What is quoted, from settings, mid, inventory and fees."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.instrument import Instrument
from protocol import Side
from strategies.quotes import BPS, UNIT, Inventory, QuotePlan, skew_ratios, wanted_quotes

RULES = Instrument("BTC-USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.001"), min_notional=Decimal("0.1"))
RICH = Inventory(10**9, 10**15)
FREE = Decimal(0)
MID = 2 * 10_000  # 100.00 USDT


def plan(**changes) -> QuotePlan:
    fields = {"bid_spread": 100 * BPS, "ask_spread": 100 * BPS, "size_lots": 10}
    return QuotePlan(**{**fields, **changes})


def quote(plan, mid_x2=MID, usable=RICH, owned=None, fee=FREE, rules=RULES):
    return wanted_quotes(plan, rules, mid_x2, usable, usable if owned is None else owned, fee)


def rows(quotes):
    return [(one.side.name, one.price_ticks, one.size_lots) for one in quotes]


def test_one_bid_and_one_ask_at_their_spreads_from_the_mid():
    assert rows(quote(plan())) == [("BUY", 9_900, 10), ("SELL", 10_100, 10)]
    assert rows(quote(plan(bid_spread=50 * BPS, ask_spread=200 * BPS))) == [("BUY", 9_950, 10), ("SELL", 10_200, 10)]


def test_prices_off_the_tick_move_away_from_the_mid():
    assert rows(quote(plan(bid_spread=BPS // 2, ask_spread=BPS // 2))) == [("BUY", 9_999, 10), ("SELL", 10_001, 10)]
    assert rows(quote(plan(bid_spread=BPS // 4, ask_spread=BPS // 4), mid_x2=MID + 1)) == [
        ("BUY", 10_000, 10),
        ("SELL", 10_001, 10),
    ]


def test_levels_step_outward_in_price_and_size():
    assert rows(quote(plan(levels=3, level_spacing=50 * BPS, level_size_step_lots=5))) == [
        ("BUY", 9_900, 10),
        ("BUY", 9_850, 15),
        ("BUY", 9_800, 20),
        ("SELL", 10_100, 10),
        ("SELL", 10_150, 15),
        ("SELL", 10_200, 20),
    ]


def test_levels_without_spacing_still_stand_a_tick_apart():
    prices = [one.price_ticks for one in quote(plan(levels=2))]
    assert prices == [9_900, 9_899, 10_100, 10_101]


def test_at_the_ceiling_only_asks_and_at_the_floor_only_bids():
    assert rows(quote(plan(ceiling_ticks=10_000))) == [("SELL", 10_100, 10)]
    assert len(quote(plan(ceiling_ticks=10_001))) == 2
    assert rows(quote(plan(floor_ticks=10_000))) == [("BUY", 9_900, 10)]
    assert len(quote(plan(floor_ticks=9_999))) == 2


def test_spreads_that_would_not_pay_the_fees_are_widened_to_the_minimum_profit():
    narrow = plan(bid_spread=BPS, ask_spread=BPS, minimum_profit=0)
    assert rows(quote(narrow, fee=Decimal("0.001"))) == [("BUY", 9_990, 10), ("SELL", 10_011, 10)]
    greedy = plan(bid_spread=BPS, ask_spread=BPS, minimum_profit=20 * BPS)
    assert rows(quote(greedy, fee=Decimal("0.001"))) == [("BUY", 9_980, 10), ("SELL", 10_021, 10)]
    generous = plan(bid_spread=BPS, ask_spread=BPS, minimum_profit=-100 * BPS)
    assert rows(quote(generous, fee=Decimal("0.001"))) == [("BUY", 9_999, 10), ("SELL", 10_001, 10)]


def test_a_maker_rebate_lets_spreads_be_narrow():
    assert rows(quote(plan(bid_spread=1, ask_spread=1, minimum_profit=0), fee=Decimal("-0.0001"))) == [
        ("BUY", 9_999, 10),
        ("SELL", 10_001, 10),
    ]


def test_what_cannot_be_paid_is_not_quoted_and_the_last_level_is_cut_to_the_rest():
    poor = Inventory(14, 9_900 * 10 + 9_850 * 3)
    assert rows(quote(plan(levels=3, level_spacing=50 * BPS), usable=poor)) == [
        ("BUY", 9_900, 10),
        ("BUY", 9_850, 3),
        ("SELL", 10_100, 10),
        ("SELL", 10_150, 4),
    ]
    assert quote(plan(), usable=Inventory(0, 0)) == []


def test_a_quote_below_the_minimum_notional_is_left_out():
    rules = Instrument("BTC-USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.001"), min_notional=Decimal("1"))
    assert rows(quote(plan(), rules=rules)) == [("SELL", 10_100, 10)], "the bid would be for 0.99"


def test_inventory_on_target_changes_nothing_and_off_target_shifts_sizes():
    skewed = plan(target_base=UNIT // 2, range_multiplier=UNIT, size_lots=1_000)
    on_target = Inventory(10_000, 10_000 * 10_000)  # 10 BTC and 1000 USDT at 100
    assert skew_ratios(skewed, MID, on_target) == (UNIT, UNIT)
    # The range is 2 x 1000 lots = 2 BTC either way, as target +- 10% of 20 BTC in all.
    assert skew_ratios(skewed, MID, Inventory(11_000, 9_000 * 10_000)) == (UNIT // 2, UNIT * 3 // 2)
    assert skew_ratios(skewed, MID, Inventory(12_000, 8_000 * 10_000)) == (0, 2 * UNIT)
    assert skew_ratios(skewed, MID, Inventory(15_000, 5_000 * 10_000)) == (0, 2 * UNIT)
    assert skew_ratios(skewed, MID, Inventory(8_000, 12_000 * 10_000)) == (2 * UNIT, 0)


def test_a_range_that_reaches_below_nothing_ends_at_no_base_at_all():
    skewed = plan(target_base=UNIT // 10, range_multiplier=UNIT, size_lots=2_000)
    assert skew_ratios(skewed, MID, Inventory(0, 10_000 * 10_000)) == (2 * UNIT, 0)
    bid, ask = skew_ratios(skewed, MID, Inventory(500, 9_500 * 10_000))
    assert bid == 3 * UNIT // 2
    assert ask == UNIT // 2


def test_skew_drops_the_side_that_would_go_further_off_target():
    skewed = plan(target_base=UNIT // 2, range_multiplier=UNIT)
    assert {one.side for one in quote(skewed, usable=Inventory(10_000, 0))} == {Side.SELL}


plans = st.builds(
    QuotePlan,
    bid_spread=st.integers(1, 2_000 * BPS),
    ask_spread=st.integers(1, 2_000 * BPS),
    levels=st.integers(1, 6),
    level_spacing=st.integers(0, 500 * BPS),
    size_lots=st.integers(1, 10_000),
    level_size_step_lots=st.integers(-2_000, 2_000),
    minimum_profit=st.integers(-100 * BPS, 500 * BPS),
    target_base=st.integers(0, UNIT),
    range_multiplier=st.integers(0, 5 * UNIT),
    ceiling_ticks=st.one_of(st.just(0), st.integers(1, 200_000)),
    floor_ticks=st.one_of(st.just(0), st.integers(1, 200_000)),
)
inventories = st.builds(Inventory, st.integers(0, 10**6), st.integers(0, 10**11))
fees = st.decimals("-0.001", "0.02", places=6)
mids = st.integers(3, 10**6)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(plans, mids, inventories, inventories, fees)
def test_quotes_always_hold_what_was_promised(plan, mid_x2, usable, more, fee):
    owned = Inventory(usable.base_lots + more.base_lots, usable.quote + more.quote)
    quotes = quote(plan, mid_x2, usable, owned, fee)
    bids = [one for one in quotes if one.side is Side.BUY]
    asks = [one for one in quotes if one.side is Side.SELL]
    for one in quotes:
        assert RULES.check(one.price_ticks, one.size_lots) == []
    # Never through the mid, the bounds, or each other; each level further out.
    assert all(2 * one.price_ticks < mid_x2 for one in bids)
    assert all(2 * one.price_ticks > mid_x2 for one in asks)
    assert [one.price_ticks for one in bids] == sorted({one.price_ticks for one in bids}, reverse=True)
    assert [one.price_ticks for one in asks] == sorted({one.price_ticks for one in asks})
    if plan.ceiling_ticks:
        assert all(one.price_ticks < plan.ceiling_ticks for one in bids)
    assert all(one.price_ticks > plan.floor_ticks for one in asks)
    # Within the money.
    assert sum(one.price_ticks * one.size_lots for one in bids) <= usable.quote
    assert sum(one.size_lots for one in asks) <= usable.base_lots
    # Every round trip earns the minimum profit after fees.
    least = 1 + Decimal(plan.minimum_profit) / UNIT
    for bid in bids[:1]:
        for ask in asks[:1]:
            assert ask.price_ticks * (1 - fee) >= bid.price_ticks * (1 + fee) * least


@settings(max_examples=200, deadline=None)
@given(plans, mids, inventories)
def test_skew_ratios_stay_between_nothing_and_double_and_more_base_never_means_larger_bids(plan, mid_x2, owned):
    bid, ask = skew_ratios(plan, mid_x2, owned)
    assert 0 <= bid <= 2 * UNIT
    assert 0 <= ask <= 2 * UNIT
    if plan.range_multiplier and bid and ask:
        richer = Inventory(owned.base_lots + 1, max(owned.quote - -(-mid_x2 // 2), 0))
        if richer.base_lots * mid_x2 + 2 * richer.quote >= owned.base_lots * mid_x2 + 2 * owned.quote - 1:
            assert skew_ratios(plan, mid_x2, richer)[0] <= bid + BPS
