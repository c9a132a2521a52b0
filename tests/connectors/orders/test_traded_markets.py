"""TradedMarkets: rules follow the feed; the journal follows the connector's scale at once."""

from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest

from connectors.core.records import ScaleRecord
from connectors.orders.traded_markets import TradedMarkets
from market.scale import Scale
from tests.connectors.parts import RULES, SYMBOL, Parts, new_order

FINER = msgspec.structs.replace(RULES, tick_size=Decimal("0.1"), price_digits=1)


def made(parts, symbols=(SYMBOL,)):
    rules = {SYMBOL: RULES}
    feed = SimpleNamespace(rules=rules, instrument=rules.get)
    return TradedMarkets(list(symbols), feed, parts.api, parts.tracker, parts.journal), feed


@pytest.fixture
def parts():
    return Parts([new_order()])


def test_each_market_is_taken_over_once_its_rules_are_known(parts):
    markets, feed = made(parts, (SYMBOL, "ETH-USDT"))
    markets.refresh()
    assert set(markets.instruments) == {SYMBOL}
    feed.rules["ETH-USDT"] = msgspec.structs.replace(RULES, symbol="ETH-USDT", base="ETH")
    markets.refresh()
    assert set(markets.instruments) == {SYMBOL, "ETH-USDT"}


def test_new_rules_are_used_at_once_with_orders_open(parts):
    markets, feed = made(parts)
    markets.refresh()
    feed.rules[SYMBOL] = FINER
    markets.refresh()
    assert markets.instruments[SYMBOL] == FINER


def test_a_finer_scale_is_journaled_once(parts):
    markets, _ = made(parts)
    before = len(parts.fx.records)
    markets.record_scale(SYMBOL, Scale(1, 2))
    markets.record_scale(SYMBOL, Scale(1, 2))
    assert parts.fx.records[before:] == [ScaleRecord(SYMBOL, Decimal("0.1"), Decimal("0.01"))]
    assert [order.terms.price_ticks for order in parts.tracker.open.values()] == [1000]


def test_a_journal_with_the_exchanges_steps_of_earlier_versions_goes_on_in_powers_of_ten(parts):
    parts.journal.commit([ScaleRecord(SYMBOL, Decimal("0.5"), Decimal("0.1"))])
    markets, _ = made(parts)
    markets.start()
    assert parts.fx.records[-1] == ScaleRecord(SYMBOL, Decimal("0.1"), Decimal("0.1"))
    before = len(parts.fx.records)
    markets.start()
    assert len(parts.fx.records) == before


def test_open_orders_in_a_market_that_is_not_in_the_settings_are_tracked_too():
    parts = Parts([new_order()])
    markets, _feed = made(parts, ("ETH-USDT",))
    markets.start()
    assert markets.unlisted == [SYMBOL]
    assert markets.symbols() == ["ETH-USDT", SYMBOL]
