"""The ledger: balances, positions and profit, exact, each fill once."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.instrument import Instrument
from market.ledger import Ledger
from market.position import Position
from market.recent_ids import News, Seen

BUY, SELL = 1, 2
MAKER, TAKER = 1, 2
D = Decimal
BTC = Instrument("BTC-USDT", "BTC", "USDT", D("0.01"), D("0.00001"))
ODD = Instrument("ODD-EUR", "ODD", "EUR", D("0.3"), D("7"))


@pytest.fixture
def ledger():
    made = Ledger()
    made.deposit("USDT", D(10_000))
    made.deposit("BTC", D(1))
    return made


def test_a_buy_pays_quote_and_gets_base_less_its_fee(ledger):
    news = ledger.apply_fill(BTC, BUY, 6_000_000, 1000, D("0.00001"), "BTC", TAKER, 1)
    assert news is News.NEW
    assert ledger.balance("USDT").free == D("9400")
    assert ledger.balance("BTC").free == D("1.00999")
    position = ledger.position(BTC)
    assert (position.size_lots, position.cost, position.average_cost) == (1000, 600, 60_000)
    assert position.fees == {"BTC": D("0.00001")}


def test_a_sell_with_a_fee_in_a_third_asset_and_a_rebate(ledger):
    ledger.deposit("BNB", D("0.5"))
    ledger.apply_fill(BTC, SELL, 6_000_000, 1000, D("0.001"), "BNB", TAKER, 1)
    ledger.apply_fill(BTC, SELL, 6_000_000, 1000, D("-0.06"), "USDT", MAKER, 2)
    assert ledger.balance("BTC").free == D("0.98")
    assert ledger.balance("USDT").free == D("11200.06")
    assert ledger.balance("BNB").free == D("0.499")
    assert ledger.position(BTC).fees == {"BNB": D("0.001"), "USDT": D("-0.06")}


def test_a_fill_told_twice_counts_once(ledger):
    for expected in (News.NEW, News.DUPLICATE, News.DUPLICATE):
        assert ledger.apply_fill(BTC, BUY, 6_000_000, 1000, D(0), "USDT", MAKER, 77) is expected
    assert ledger.position(BTC).size_lots == 1000
    assert ledger.apply_fill(ODD, BUY, 10, 1, D(0), "EUR", MAKER, 77) is News.NEW  # another market's trade 77


def test_a_forgotten_trade_is_refused_and_never_counted_again():
    ledger = Ledger(seen_max=3)
    for trade_id in (5, 1, 9, 7, 8):  # 1 and 5 are forgotten
        assert ledger.apply_fill(BTC, BUY, 100, 1, D(0), "USDT", MAKER, trade_id) is News.NEW
    for trade_id in (1, 5, 3):
        assert ledger.apply_fill(BTC, BUY, 100, 1, D(0), "USDT", MAKER, trade_id) is News.TOO_OLD
    assert ledger.apply_fill(BTC, BUY, 100, 1, D(0), "USDT", MAKER, 6) is News.NEW
    assert ledger.position(BTC).size_lots == 6


def test_trade_ids_that_are_words_are_ranked_by_time(ledger):
    with pytest.raises(TypeError, match="rank"):
        ledger.apply_fill(BTC, BUY, 100, 1, D(0), "USDT", MAKER, "a-1")
    assert ledger.position(BTC).size_lots == 0
    assert ledger.apply_fill(BTC, BUY, 100, 1, D(0), "USDT", MAKER, "a-1", ts_ns=5) is News.NEW
    assert ledger.apply_fill(BTC, BUY, 100, 1, D(0), "USDT", MAKER, "a-1", ts_ns=6) is News.DUPLICATE


def test_money_that_is_not_there_cannot_be_locked_or_withdrawn(ledger):
    assert not ledger.lock("USDT", D("10000.01"))
    assert not ledger.withdraw("EUR", D(1))
    assert ledger.lock("USDT", D(10_000))
    assert not ledger.withdraw("USDT", D("0.01"))
    assert (ledger.balance("USDT").free, ledger.balance("USDT").locked) == (0, 10_000)
    ledger.unlock("USDT", D(4000))
    assert ledger.withdraw("USDT", D(4000))
    with pytest.raises(ValueError, match="only 6000 is locked"):
        ledger.unlock("USDT", D(6001))
    for wrong in (D(-1), D("NaN")):
        with pytest.raises(ValueError):
            ledger.deposit("USDT", wrong)


def test_a_fill_better_than_its_limit_frees_the_rest_of_the_lock(ledger):
    ledger.lock("USDT", BTC.notional(6_100_000, 2000))
    ledger.apply_fill(BTC, BUY, 6_000_000, 1000, D(0), "USDT", TAKER, 1, release=BTC.notional(6_100_000, 1000))
    balance = ledger.balance("USDT")
    assert (balance.free, balance.locked, balance.total) == (D(10_000) - 1220 + 10, 610, D(9400))


def test_a_fill_of_a_lock_takes_the_locked_money_first(ledger):
    ledger.lock("BTC", D("0.02"))
    ledger.apply_fill(BTC, SELL, 6_000_000, 1500, D(0), "USDT", MAKER, 1)
    assert (ledger.balance("BTC").free, ledger.balance("BTC").locked) == (D("0.98"), D("0.005"))


def test_a_fill_is_a_fact_even_if_it_overdraws():
    ledger = Ledger()
    ledger.apply_fill(BTC, BUY, 6_000_000, 1000, D(0), "USDT", MAKER, 1)
    assert ledger.overdrawn() == ["USDT"]
    ledger.set_balance("USDT", D(5), D(1))
    assert ledger.overdrawn() == []
    assert ledger.balance("USDT").total == 6


def test_nonsense_fills_raise_and_change_nothing(ledger):
    for side, price, lots in ((0, 1, 1), (BUY, -1, 1), (SELL, 1, 0)):
        with pytest.raises(ValueError, match="no fill"):
            ledger.apply_fill(BTC, side, price, lots, D(0), "USDT", MAKER, 1)
    with pytest.raises(TypeError, match="float"):
        ledger.apply_fill(BTC, BUY, 1, 1, 0.1, "USDT", MAKER, 1)
    assert ledger.apply_fill(BTC, BUY, 1, 1, D(0), "USDT", MAKER, 1) is News.NEW


def test_a_long_that_is_reduced_realizes_against_its_average():
    position = Position(BTC)
    position.apply(BUY, 100, 100_000)
    position.apply(BUY, 200, 100_000)
    assert position.average_cost == D("1.5")
    assert position.apply(SELL, 300, 50_000) == D("0.75")
    assert (position.size_lots, position.average_cost, position.realized_pnl) == (
        150_000,
        D("1.5"),
        D("0.75"),
    )
    assert position.unrealized_pnl(100) == D("-0.75")
    assert position.pnl(100) == 0


def test_a_short_gains_when_the_price_falls_and_flips_to_long():
    position = Position(BTC)
    position.apply(SELL, 300, 100_000)
    assert (position.average_cost, position.cost, position.unrealized_pnl(100)) == (3, -3, 2)
    assert position.apply(BUY, 200, 150_000) == 1
    assert (position.size_lots, position.cost, position.average_cost) == (50_000, 1, 2)
    position.apply(SELL, 200, 50_000)
    assert (position.size_lots, position.cost, position.realized_pnl, position.average_cost) == (0, 0, 1, 0)


fills = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]),
        st.integers(1, 10**7),
        st.integers(1, 10**6),
        st.sampled_from([D(0), D("0.00000001"), D("-0.3"), D("1.23456789")]),
        st.sampled_from(["base", "quote", "BNB"]),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([BTC, ODD]), fills, st.integers(0, 10**7))
def test_realized_and_unrealized_are_the_cash_flow_and_the_value_exactly(market, trades, mark):
    ledger = Ledger()
    position, cash, lots = ledger.position(market), Fraction(0), 0
    fees = {"base": Fraction(0), "quote": Fraction(0), "BNB": Fraction(0)}
    for trade_id, (side, price, size, fee, where) in enumerate(trades):
        asset = {"base": market.base, "quote": market.quote}.get(where, where)
        for _ in range(1 + trade_id % 2):  # some are told twice
            ledger.apply_fill(market, side, price, size, fee, asset, MAKER, trade_id)
        sign = 1 if side == BUY else -1
        cash -= sign * price * size * Fraction(market.notional_unit)
        lots += sign * size
        fees[where] += Fraction(fee)
        assert (position.size_lots == 0) <= (position.cost == 0)
        assert position.size_lots * position.cost >= 0
    assert position.size_lots == lots
    assert Fraction(position.cash_flow) == cash
    assert position.pnl(mark) == position.realized_pnl + position.unrealized_pnl(mark)
    assert Fraction(position.pnl(mark)) == cash + lots * mark * Fraction(market.notional_unit)
    assert Fraction(ledger.balance(market.quote).total) == cash - fees["quote"]
    assert Fraction(ledger.balance(market.base).total) == lots * Fraction(market.lot_size) - fees["base"]
    assert Fraction(ledger.balance("BNB").total) == -fees["BNB"]
    prices = {market.quote: D(1), market.base: market.price(mark), "BNB": D(600)}
    paid = fees["quote"] + fees["base"] * Fraction(market.price(mark)) + fees["BNB"] * 600
    assert Fraction(ledger.equity(prices)) == Fraction(position.pnl(mark)) - paid


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 8), st.lists(st.integers(0, 30), max_size=60))
def test_no_id_is_ever_new_twice(limit, ids):
    seen, taken = Seen(limit), []
    for trade_id in ids:
        news = seen.add(trade_id)
        if news is News.NEW:
            taken.append(trade_id)
        assert len(seen) <= limit
        assert news is not News.DUPLICATE or trade_id in taken
    assert len(taken) == len(set(taken))
