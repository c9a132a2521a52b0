"""The reference price: a moving average in buckets, the oldest of which counts in part."""

import pytest

from venue.base.settings import MarketSettings, ReferenceSettings
from venue.symbols.reference_price import ReferencePrice

SECOND_NS = 10**9


@pytest.fixture
def average():
    """Three buckets of a second each."""
    return ReferencePrice(ReferenceSettings(bucket_count=3, bucket_width_ms=1000))


def test_it_is_the_mean_of_trade_prices_whatever_their_size(average):
    for price in (100, 200, 600):
        average.add(price, 0)
    assert average.atoms(0) == 300
    assert average.text(0) == "0.00000300"


def test_the_oldest_bucket_counts_in_part_and_then_no_more(average):
    average.add(100, 0)
    average.add(200, 2 * SECOND_NS)
    assert average.atoms(3 * SECOND_NS) == 150
    # Half of the first bucket is outside: (100 / 2 + 200) / 1.5
    assert average.atoms(3 * SECOND_NS + SECOND_NS // 2) == 166
    assert average.atoms(4 * SECOND_NS) == 200
    assert average.atoms(6 * SECOND_NS) is None


def test_a_price_that_left_the_window_is_null_and_one_that_never_was_is_an_error(world):
    settings = MarketSettings(flow=world().settings.markets[0].flow, reference_price=ReferenceSettings())
    one = world(markets=[settings])
    assert one.get("referencePrice", symbol="BTCUSDT")["code"] == -2043
    assert one.get("referencePrice/calculation", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT", "calculationType": "ARITHMETIC_MEAN", "bucketCount": 10, "bucketWidthMs": 1000,
    }  # fmt: skip
    conn_id = one.open("/ws/btcusdt@referencePrice")
    one.order("SELL", "1", "60000", who="bob")
    one.order("BUY", "1", "60000")
    one.advance(1000)
    stamp = one.now_ns // 10**6
    assert one.get("referencePrice", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT", "referencePrice": "60000.00000000", "timestamp": stamp,
    }  # fmt: skip
    assert one.received(conn_id)[-1] == {"e": "referencePrice", "s": "BTCUSDT", "r": "60000.00000000", "t": stamp}
    one.advance(20_000)
    assert one.get("referencePrice", symbol="BTCUSDT")["referencePrice"] is None
    assert one.received(conn_id)[-1]["r"] is None
