"""The example strategy."""

import pytest

from protocol import OrderUpdate, Side
from strategies.ping_pong import PingPong


@pytest.fixture
def pong(bot):
    return bot.start(PingPong, market="binance:BTC-USDT", size_lots=10, half_spread_ticks=15)


def rows(bot):
    return sorted((order.side.name, order.price_ticks, order.size_lots) for order in bot.broker.orders.values())


def only(bot, side: Side) -> OrderUpdate:
    (found,) = [order for order in bot.broker.orders.values() if order.side is side]
    return found


def test_with_nothing_held_it_keeps_one_bid_that_follows_the_mid(bot, pong):
    bot.tick()
    assert rows(bot) == [("BUY", 9_985, 10)]
    bot.exchange(bot.broker.set_book, [(9_090, 50)], [(9_110, 50)])
    bot.tick(2)
    assert rows(bot) == [("BUY", 9_085, 10)]


def test_what_was_bought_is_offered_and_then_it_buys_again(bot, pong):
    bot.tick()
    bot.exchange(bot.broker.trade, only(bot, Side.BUY).order_ref, 10)
    bot.tick(3)
    assert rows(bot) == [("SELL", 10_015, 10)]
    bot.exchange(bot.broker.trade, only(bot, Side.SELL).order_ref, 10)
    bot.tick()
    assert rows(bot) == [("BUY", 9_985, 10)]


def test_a_part_of_a_fill_is_offered_while_the_rest_of_the_bid_stays(bot, pong):
    bot.tick()
    bot.exchange(bot.broker.trade, only(bot, Side.BUY).order_ref, 4)
    bot.tick()
    assert rows(bot) == [("BUY", 9_985, 10), ("SELL", 10_015, 4)]


def test_it_does_not_quote_on_a_stale_book(bot, pong):
    bot.exchange(bot.broker.stale, "gap")
    bot.tick(3)
    assert bot.broker.places == []


@pytest.mark.parametrize("name", ["size_lots", "half_spread_ticks"])
def test_a_bad_setting_is_named(name):
    good = {"market": "binance:BTC-USDT", "size_lots": 1, "half_spread_ticks": 1}
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, not 0"):
        PingPong.Settings(**{**good, name: 0})
