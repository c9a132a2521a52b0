"""The example strategy."""

import pytest

from strategies.ping_pong import PingPong


def test_it_keeps_one_bid_and_one_ask_around_the_mid(bot):
    bot.start(PingPong, market="binance:BTC-USDT", size_lots=10, half_spread_ticks=15)
    bot.tick()
    bot.exchange(bot.broker.set_book, [(9_090, 50)], [(9_110, 50)])
    bot.tick(2)
    rows = sorted((order.side.name, order.price_ticks, order.size_lots) for order in bot.broker.orders.values())
    assert rows == [("BUY", 9_085, 10), ("SELL", 9_115, 10)]


def test_it_does_not_quote_on_a_stale_book(bot):
    bot.start(PingPong, market="binance:BTC-USDT", size_lots=10, half_spread_ticks=15)
    bot.exchange(bot.broker.stale, "gap")
    bot.tick(3)
    assert bot.broker.places == []


@pytest.mark.parametrize("name", ["size_lots", "half_spread_ticks"])
def test_a_bad_setting_is_named(name):
    good = {"market": "binance:BTC-USDT", "size_lots": 1, "half_spread_ticks": 1}
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, not 0"):
        PingPong.Settings(**{**good, name: 0})
