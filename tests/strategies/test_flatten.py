"""Closing a position: cancels first, then market orders until less than the smallest order is left."""

import pytest

from protocol import Control, OrdStatus, OrdType, RefusalCode, Side
from strategies import Strategy


class Idle(Strategy):
    """Does nothing by itself."""

    class Settings(Strategy.Settings):
        market: str = "binance:BTC-USDT"


class ClosesAtStop(Idle):
    flatten_on_stop = True


@pytest.fixture
def held(bot):
    """20 lots are held, and a bid and an ask rest."""
    return hold(bot, Idle)


def hold(bot, kind):
    strategy = bot.start(kind)
    market = strategy.market("binance:BTC-USDT")
    bought = bot.act(strategy, strategy.buy, market, price_ticks=9_990, size_lots=20)
    bot.exchange(bot.broker.trade, bought.order_ref, 20)
    bot.act(strategy, strategy.buy, market, price_ticks=9_900, size_lots=5)
    bot.act(strategy, strategy.sell, market, price_ticks=10_100, size_lots=5)
    return strategy


def market_orders(bot):
    return [(one.side, one.size_lots) for one in bot.broker.places if one.ord_type is OrdType.MARKET]


def fill(bot):
    """The exchange fills the market order."""
    (order,) = bot.broker.orders.values()
    bot.exchange(bot.broker.trade, order.order_ref, order.size_lots)
    bot.sim.run_for(0.5)


def test_it_cancels_then_sells_what_is_held_and_then_allows_orders_again(bot, held):
    market = held.market("binance:BTC-USDT")
    bot.act(held, held.flatten, market)
    assert held.is_flattening(market)
    bot.sim.run_for(0.5)
    assert market_orders(bot) == [(Side.SELL, 20)]
    refused = bot.act(held, held.buy, market, price_ticks=9_900, size_lots=2)
    assert (refused.status, refused.refusal) == (OrdStatus.REJECTED, RefusalCode.PAUSED)
    assert refused.reason == "binance:BTC-USDT is being flattened"
    fill(bot)
    assert not held.is_flattening(market)
    assert (market.position.held_lots, market.open_orders) == (0, [])
    assert bot.act(held, held.buy, market, price_ticks=9_900, size_lots=2).is_open


def test_it_waits_for_the_confirmed_cancels(bot, held):
    bot.broker.holds_cancels = True
    bot.act(held, held.flatten, held.market("binance:BTC-USDT"))
    bot.sim.run_for(2)
    assert market_orders(bot) == []
    for order_ref in bot.broker.held:
        bot.exchange(bot.broker.end, order_ref, OrdStatus.CANCELED)
    bot.sim.run_for(0.5)
    assert market_orders(bot) == [(Side.SELL, 20)]


def test_an_order_over_a_limit_is_split(bot, held):
    bot.broker.refuse, bot.broker.refusal = "over max_order_notional", RefusalCode.LIMIT
    bot.act(held, held.flatten, held.market("binance:BTC-USDT"))
    bot.sim.run_for(0.6)
    bot.broker.refuse = ""
    assert market_orders(bot)[:2] == [(Side.SELL, 20), (Side.SELL, 10)]
    bot.sim.run_for(0.5)
    while bot.broker.orders:
        fill(bot)
    assert held.market("binance:BTC-USDT").position.held_lots == 0
    assert not held.flattener.is_busy


def test_a_limit_that_no_size_passes_is_waited_for(bot, held):
    """The orders of other strategies fill max_open_orders."""
    bot.broker.refuse, bot.broker.refusal = "5 orders may be live", RefusalCode.LIMIT
    bot.act(held, held.flatten, held.market("binance:BTC-USDT"))
    bot.sim.run_for(20)
    assert held.flattener.is_busy
    assert len(market_orders(bot)) < 30
    bot.broker.refuse = ""
    bot.sim.run_for(20)
    while bot.broker.orders:
        fill(bot)
    assert held.market("binance:BTC-USDT").position.held_lots == 0
    assert not held.flattener.is_busy


def test_a_refused_order_is_tried_again_with_growing_pauses(bot, held):
    bot.broker.refuse, bot.broker.refusal = "the book is stale", RefusalCode.LATER
    bot.act(held, held.flatten, held.market("binance:BTC-USDT"))
    bot.sim.run_for(8)
    assert 3 <= len(market_orders(bot)) <= 5
    bot.broker.refuse = ""
    bot.sim.run_for(8)
    fill(bot)
    assert not held.flattener.is_busy


def test_it_waits_while_the_market_is_not_ready(bot, held):
    bot.exchange(bot.broker.stale, "gap")
    bot.act(held, held.flatten, held.market("binance:BTC-USDT"))
    bot.sim.run_for(3)
    assert market_orders(bot) == []
    bot.exchange(bot.broker.live)
    bot.sim.run_for(0.5)
    assert market_orders(bot) == [(Side.SELL, 20)]


def test_what_is_not_free_is_left_after_a_while(bot, held):
    """Someone has withdrawn a part of it."""
    market = held.market("binance:BTC-USDT")
    bot.act(held, held.cancel_all, market)
    bot.broker.free["BTC"] = bot.broker.free["BTC"] * 0
    bot.exchange(bot.broker.publish_balances)
    bot.act(held, held.flatten, market)
    bot.sim.run_for(4)
    assert held.is_flattening(market)
    bot.sim.run_for(2)
    assert not held.is_flattening(market)
    assert market_orders(bot) == []


def test_a_short_is_bought_back(bot):
    strategy = bot.start(Idle)
    market = strategy.market("binance:BTC-USDT")
    sold = bot.act(strategy, strategy.sell, market, price_ticks=10_010, size_lots=7)
    bot.exchange(bot.broker.trade, sold.order_ref, 7)
    bot.act(strategy, strategy.flatten, market)
    bot.sim.run_for(0.5)
    assert market_orders(bot) == [(Side.BUY, 7)]


def test_with_nothing_held_it_is_done_at_once(bot):
    strategy = bot.start(Idle)
    market = strategy.market("binance:BTC-USDT")
    bot.act(strategy, strategy.flatten, market)
    assert not strategy.is_flattening(market)
    assert bot.broker.places == []


def test_an_operators_command_pauses_the_strategy_and_closes_all_markets(bot, held):
    bot.act(held, held.on_control, Control(1, 0, "flatten"))
    assert held.paused
    bot.sim.run_for(0.5)
    assert market_orders(bot) == [(Side.SELL, 20)]


def test_a_strategy_may_close_its_position_before_it_stops(bot):
    strategy = hold(bot, ClosesAtStop)
    bot.sim.request_stop("maker")
    bot.sim.run_for(1)
    assert market_orders(bot) == [(Side.SELL, 20)]
    assert "maker" in bot.sim.processes, "it waits for the fill"
    fill(bot)
    bot.sim.run_for(0.5)
    assert "maker" not in bot.sim.processes
    assert strategy.market("binance:BTC-USDT").position.held_lots == 0
