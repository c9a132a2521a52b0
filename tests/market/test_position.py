"""The position: sums of fills, exact, the same from single fills and from a connector's sums."""

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
        st.sampled_from(["BTC", "USDT", "BNB"]),
    ),
    max_size=40,
)
Trade = tuple[Side, int, int, D, str]


def fill(trade: Trade) -> Fill:
    side, price_ticks, lots, fee, asset = trade
    return Fill("maker", 1, "c1", "t1", "X", side, price_ticks, lots, lots, Liquidity.MAKER, fee, asset)


def known(market: Instrument) -> Position:
    position = Position()
    position.set_rules(market)
    return position


def test_a_long_that_is_reduced_is_worth_its_cash_flow_and_its_net_lots() -> None:
    position = known(BTC)
    for trade in ((Side.BUY, 100, 100_000), (Side.BUY, 200, 100_000), (Side.SELL, 300, 50_000)):
        position.apply(fill((*trade, D("0.1"), "BNB")))
    assert position.net_lots == 150_000
    assert position.average_price(Side.BUY) == D("1.5")
    assert position.cash_flow == D("-1.5")
    assert position.pnl(100) == 0
    assert position.fees == {"BNB": D("0.3")}


def test_fills_before_the_rules_are_converted_when_the_rules_are_known() -> None:
    position = Position()
    position.apply(fill((Side.BUY, 100, 5, D("0.1"), "USDT")))
    position.apply(fill((Side.SELL, 100, 2, D(0), "USDT")))
    assert (position.net_lots, position.cash_flow) == (3, 0)
    with pytest.raises(AssertionError, match="rules"):
        position.pnl(110)
    position.set_rules(BTC)
    assert position.bought_notional == BTC.notional(100, 5)
    assert position.sold_notional == BTC.notional(100, 2)
    assert position.cash_flow == BTC.value(-300)
    assert position.average_price(Side.BUY) == BTC.price(100)
    assert position.pnl(110) == BTC.value(-300 + 330)
    assert position.fees == {"USDT": D("0.1")}


def test_a_position_comes_back_from_its_row() -> None:
    position = known(BTC)
    position.apply(fill((Side.BUY, 6_000_000, 1000, D("0.00001"), "BTC")))
    position.apply(fill((Side.SELL, 6_000_000, 500, D("-0.06"), "USDT")))
    row = position.row("BTC-USDT")
    assert row == PositionRow("BTC-USDT", 1000, 500, D(600), D(300), [("BTC", D("0.00001")), ("USDT", D("-0.06"))])
    assert Position(row).row("BTC-USDT") == row
    position.clear()
    assert position.row("BTC-USDT") == PositionRow("BTC-USDT", 0, 0, D(0), D(0))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from([BTC, ODD]), TRADES, st.integers(0, 10**7), st.integers(0, 40))
def test_all_sums_are_exact_whenever_the_rules_come(
    market: Instrument, trades: list[Trade], mark: int, at: int
) -> None:
    position, connectors, cash, lots = Position(), Position(), Fraction(0), 0
    fees: dict[str, Fraction] = {}
    for number, trade in enumerate(trades):
        side, price, size, fee, asset = trade
        if number == at:
            position.set_rules(market)
        position.apply(fill(trade))
        connectors.add(side, size, market.notional(price, size), fee, asset)
        cash -= side.sign * price * size * Fraction(market.notional_unit)
        lots += side.sign * size
        fees[asset] = fees.get(asset, Fraction(0)) + Fraction(fee)
    position.set_rules(market)
    assert position.row("X") == connectors.row("X")
    assert position.net_lots == lots
    assert Fraction(position.cash_flow) == cash
    assert Fraction(position.pnl(mark)) == cash + lots * mark * Fraction(market.notional_unit)
    assert {asset: Fraction(fee) for asset, fee in position.fees.items()} == {
        asset: fees[asset] for asset in position.fees
    }
    assert all(fees[asset] == 0 for asset in fees.keys() - position.fees.keys())
