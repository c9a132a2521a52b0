"""TradedMarkets: rules follow the feed; the journal's tick and lot follow only while nothing depends on them."""

from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest

from connectors.core.records import ScaleRecord
from connectors.orders.traded_markets import TradedMarkets
from protocol import OrdStatus
from tests.connectors.parts import RULES, SYMBOL, Parts, new_order

FINER = msgspec.structs.replace(RULES, tick_size=Decimal("0.1"))
OTHER_LOT = msgspec.structs.replace(RULES, lot_size=Decimal("0.01"))


def made(parts, symbols=(SYMBOL,)):
    rules = {SYMBOL: RULES}
    feed = SimpleNamespace(rules=rules, instrument=rules.get)
    return TradedMarkets(list(symbols), feed, parts.api, parts.tracker, parts.journal), feed


@pytest.fixture
def parts():
    return Parts()


def test_each_market_is_taken_over_once_its_rules_are_known(parts):
    markets, feed = made(parts, (SYMBOL, "ETH-USDT"))
    markets.refresh()
    assert set(markets.instruments) == {SYMBOL}
    feed.rules["ETH-USDT"] = msgspec.structs.replace(RULES, symbol="ETH-USDT", base="ETH")
    markets.refresh()
    assert set(markets.instruments) == {SYMBOL, "ETH-USDT"}
    assert ScaleRecord("ETH-USDT", RULES.tick_size, RULES.lot_size) in parts.fx.records


def test_a_new_tick_is_adopted_once_no_order_is_open():
    order = new_order()
    parts = Parts([order])
    markets, feed = made(parts)
    feed.rules[SYMBOL] = FINER
    markets.refresh()
    assert "have become" in markets.scale_problems[SYMBOL]
    assert parts.tracker.scales[SYMBOL].tick_size == Decimal(1)
    parts.journal.commit(parts.tracker.decide_status(order.cl_ord_id, OrdStatus.NOT_PLACED, "test", 0))
    markets.refresh()
    assert markets.scale_problems[SYMBOL] == ""
    assert parts.tracker.scales[SYMBOL].tick_size == Decimal("0.1")


def test_a_new_lot_is_never_adopted(parts):
    markets, feed = made(parts)
    feed.rules[SYMBOL] = OTHER_LOT
    markets.refresh()
    assert "move the journal away" in markets.scale_problems[SYMBOL]
    assert parts.tracker.scales[SYMBOL].lot_size == Decimal("0.1")


def test_open_orders_in_a_market_that_is_not_in_the_settings_are_tracked_too():
    parts = Parts([new_order()])
    markets, _feed = made(parts, ("ETH-USDT",))
    markets.start()
    assert markets.unlisted == [SYMBOL]
    assert markets.symbols() == ["ETH-USDT", SYMBOL]
