"""The position: sums of fills and the cost of what is held, the same from single fills and from a connector's sums."""

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.instrument import Instrument
from market.position import Position
from protocol import Fill, Liquidity, PositionRow, Side

BTC = Instrument("BTC-USDT", "BTC", "USDT", D("0.01"), D("0.00001"))
ODD = Instrument("ODD-EUR", "ODD", "EUR", D("0.3"), D("7"))
TRADES = st.lists(
    st.tuples(
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 10**7),
        st.integers(1, 10**6),
        st.sampled_from([D(0), D("0.00000001"), D("-0.3"), D("1.23456789")]),
        st.sampled_from(["BTC", "ODD", "USDT", "EUR", "BNB"]),
    ),
    max_size=40,
)
Trade = tuple[Side, int, int, D, str]


def fill(trade: Trade) -> Fill:
    side, price_ticks, lots, fee, asset = trade
    return Fill("maker", 1, "c1", "t1", "X", side, price_ticks, lots, lots, Liquidity.MAKER, fee, asset)


def known(market: Instrument) -> Position:
    position = Position(market.symbol)
    position.set_rules(market)
    return position


def traded(*trades: tuple[Side, str, str, str, str]) -> Position:
    """A position in BTC-USDT after trades of (side, price, size, fee, its asset)."""
    position = known(BTC)
    for side, price, size, fee, asset in trades:
        position.apply(fill((side, BTC.price_ticks(price), BTC.size_lots(size), D(fee), asset)))
    return position


BUY, SELL = Side.BUY, Side.SELL


def test_a_long_that_is_reduced_is_worth_its_cash_flow_and_its_net_lots() -> None:
    position = traded((BUY, "1", "1", "0.1", "BNB"), (BUY, "2", "1", "0.1", "BNB"), (SELL, "3", "0.5", "0.1", "BNB"))
    assert position.net_lots == position.held_lots == 150_000
    assert position.average_cost == D("1.5")
    assert position.cash_flow == D("-1.5")
    assert position.realized_pnl == D("0.75")
    assert position.unrealized_pnl(100) == D("-0.75")
    assert position.pnl(100) == 0
    assert position.fees == position.other_fees == {"BNB": D("0.3")}


def test_a_commission_in_base_is_traded_and_not_held() -> None:
    position = traded((BUY, "60000", "0.01", "0.00001", "BTC"))
    assert position.net_lots == 1_000
    assert (position.held, position.held_lots) == (D("0.00999"), 999)
    assert position.cost == D(600)
    assert position.held * position.average_cost == pytest.approx(D(600))
    assert position.average_cost > 60_060
    assert position.average_cost_ticks == 6_006_007, "rounded up: a sale there makes no loss"
    position.apply(fill((SELL, BTC.price_ticks("61000"), 999, D("0.60939"), "USDT")))
    assert (position.net_lots, position.held, position.cost) == (1, 0, 0)
    assert position.realized_pnl == D("0.00999") * 61_000 - D("0.60939") - 600
    assert position.other_fees == {}


def test_commissions_in_quote_are_part_of_the_cost_and_of_the_profit() -> None:
    position = traded((BUY, "100", "1", "0.5", "USDT"), (SELL, "110", "0.5", "0.25", "USDT"))
    assert position.average_cost == D("100.5")
    assert position.realized_pnl == 55 - D("0.25") - D("50.25")
    assert position.unrealized_pnl(10_000) == D("-0.25")


def test_a_rebate_is_a_profit_in_the_asset_in_which_it_is_paid() -> None:
    in_quote = traded((BUY, "100", "1", "-0.5", "USDT"))
    assert (in_quote.held, in_quote.cost) == (1, D("99.5"))
    in_base = traded((BUY, "100", "1", "-0.001", "BTC"))
    assert (in_base.held, in_base.cost) == (D("1.001"), 100)
    assert in_base.held_lots == 100_100


def test_what_is_held_costs_what_was_paid_for_it_and_not_the_average_of_all_time() -> None:
    position = traded(
        (BUY, "50000", "0.01", "0", ""), (SELL, "50010", "0.01", "0", ""), (BUY, "60000", "0.01", "0", "")
    )
    assert position.average_cost == 60_000
    assert position.realized_pnl == D("0.1")


def test_a_short_has_a_cost_below_zero_and_profits_when_the_price_falls() -> None:
    position = traded((SELL, "100", "2", "0", ""), (BUY, "90", "1", "0", ""))
    assert (position.held, position.cost, position.average_cost) == (-1, -100, 100)
    assert position.realized_pnl == 10
    assert position.unrealized_pnl(9_500) == 5
    assert traded((SELL, "100", "3", "0.01", "USDT")).average_cost_ticks == 9_999, "a purchase there makes no loss"
    assert (known(BTC).average_cost_ticks, Position("BTC-USDT").average_cost_ticks) == (0, 0)


def test_a_fill_through_zero_closes_one_side_and_opens_the_other_at_its_own_price() -> None:
    position = traded((BUY, "100", "1", "0", ""), (SELL, "110", "3", "3.3", "USDT"))
    assert position.held == -2
    assert position.cost == -(110 - D("1.1")) * 2
    assert position.realized_pnl == 10 - D("1.1")


def test_a_commission_that_takes_all_that_was_bought_leaves_a_loss() -> None:
    position = traded((BUY, "100", "1", "1", "BTC"))
    assert (position.held, position.cost, position.realized_pnl) == (0, 0, -100)


def test_fills_before_the_rules_are_converted_when_the_rules_are_known() -> None:
    position = Position("BTC-USDT")
    position.apply(fill((Side.BUY, 100, 5, D("0.1"), "USDT")))
    position.apply(fill((Side.SELL, 100, 2, D(0), "USDT")))
    assert (position.net_lots, position.held_lots, position.cash_flow) == (3, 0, 0)
    with pytest.raises(AssertionError, match="rules"):
        position.pnl(110)
    position.set_rules(BTC)
    assert position.bought_notional == BTC.notional(100, 5)
    assert position.sold_notional == BTC.notional(100, 2)
    assert position.cash_flow == BTC.value(-300)
    assert position.held_lots == 3
    assert position.pnl(110) == BTC.value(-300 + 330) - D("0.1")
    assert position.fees == {"USDT": D("0.1")}


def test_a_position_comes_back_from_its_row() -> None:
    position = known(BTC)
    position.apply(fill((Side.BUY, 6_000_000, 1000, D("0.00001"), "BTC")))
    position.apply(fill((Side.SELL, 6_000_000, 500, D("-0.06"), "USDT")))
    row = position.row("grid-1")
    fees = [("BTC", D("0.00001")), ("USDT", D("-0.06"))]
    assert row == PositionRow(
        "BTC-USDT", 1000, 500, D(600), D(300), fees, "grid-1", D("0.00499"), position.cost, is_estimated=False
    )
    again = Position.from_row(row, BTC.lot_size)
    assert again.row("grid-1") == row
    assert again.realized_pnl == position.realized_pnl
    position.clear()
    assert position.row() == PositionRow("BTC-USDT", 0, 0, D(0), D(0), held=D(0), cost=D(0))


def test_sums_of_before_costs_were_counted_are_estimated_until_nothing_is_held() -> None:
    old = PositionRow("BTC-USDT", 2000, 1000, D(1100), D(600), [("BTC", D("0.00002"))])
    early = Position("BTC-USDT")
    early.replace(old)
    early.set_rules(BTC)
    for position in (Position.from_row(old, BTC.lot_size), early):
        position.set_rules(BTC)
        assert (position.held, position.is_estimated) == (D("0.00998"), True)
        assert position.average_cost == 55_000
        position.apply(fill((SELL, BTC.price_ticks("60000"), 998, D(0), "")))
        assert (position.held, position.is_estimated) == (0, False)
        assert position.realized_pnl == 600 + D("598.8") - 1100


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from([BTC, ODD]), TRADES, st.integers(0, 10**7), st.integers(0, 40))
def test_all_sums_are_exact_whenever_the_rules_come(
    market: Instrument, trades: list[Trade], mark: int, at: int
) -> None:
    position, connectors, cash, lots = Position(market.symbol), Position(market.symbol), Fraction(0), 0
    fees: dict[str, Fraction] = {}
    for number, trade in enumerate(trades):
        side, price, size, fee, asset = trade
        if number == at:
            position.set_rules(market)
        position.apply(fill(trade))
        connectors.add(side, size, market.size(size), market.notional(price, size), fee, asset)
        cash -= side.sign * price * size * Fraction(market.notional_unit)
        lots += side.sign * size
        fees[asset] = fees.get(asset, Fraction(0)) + Fraction(fee)
    position.set_rules(market)
    connectors.set_rules(market)
    assert position.row() == connectors.row()
    held = lots * Fraction(market.scale.lot) - fees.get(market.base, 0)
    net_cash = cash - fees.get(market.quote, 0)
    assert (position.net_lots, Fraction(position.held)) == (lots, held)
    assert Fraction(position.cash_flow) == cash
    assert Fraction(position.realized_pnl) - Fraction(position.cost) == net_cash
    assert Fraction(position.pnl(mark)) == net_cash + held * mark * Fraction(market.scale.tick)
    assert {asset: Fraction(fee) for asset, fee in position.fees.items()} == {
        asset: fees[asset] for asset in position.fees
    }
    assert all(fees[asset] == 0 for asset in fees.keys() - position.fees.keys())
