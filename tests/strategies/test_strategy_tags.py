"""Tags of a strategy's orders: orders and ledgers by tag, over restarts of the strategy and of the connector."""

from decimal import Decimal

import pytest

from protocol import OrdType, RefusalCode
from strategies import Strategy
from tests.strategies.quote_only import QuoteOnly


class Trader(Strategy):
    """Does nothing by itself."""

    class Settings(Strategy.Settings):
        market: str


@pytest.fixture
def bot():
    return QuoteOnly(Trader).ready()


def buy_now(bot, size_lots, tag=""):
    order = bot.act(bot.strategy.buy, bot.market, price_ticks=0, size_lots=size_lots, ord_type=OrdType.MARKET, tag=tag)
    bot.sim.run_for(1)
    return order


def rest(bot, tag=""):
    order = bot.act(
        bot.strategy.buy, bot.market, price_ticks=bot.market.best_bid_ticks - 5_000, size_lots=1_000, tag=tag
    )
    bot.sim.run_for(1)
    return order


def refs(orders):
    return [order.order_ref for order in orders]


def test_a_ledger_has_the_fills_of_one_tag_and_the_position_has_all(bot):
    buy_now(bot, 1_000, "grid")
    buy_now(bot, 500, "twap")
    buy_now(bot, 200)
    market = bot.market
    assert [market.ledger(tag).net_lots for tag in ("grid", "twap", "other")] == [1_000, 500, 0]
    assert market.position.net_lots == 1_700
    assert market.ledger("grid").held == Decimal("0.00999")
    assert market.ledger("grid").cost + market.ledger("twap").cost < market.position.cost
    with pytest.raises(ValueError, match="give a tag"):
        market.ledger("")


def test_orders_and_ledgers_of_a_tag_survive_a_restart_of_the_strategy_and_of_the_connector(bot):
    buy_now(bot, 1_000, "grid")
    order = rest(bot, "grid")
    rest(bot)
    before = bot.market.ledger("grid").row("grid")
    for restart in (
        lambda: (bot.sim.kill("bot"), bot.start_strategy()),
        lambda: (bot.sim.kill("binance"), bot.sim.run_for(1), bot.start_connector()),
    ):
        restart()
        bot.sim.run_for(10)
        assert refs(bot.market.orders("grid")) == [order.order_ref]
        assert len(bot.market.open_orders) == 2
        assert bot.market.ledger("grid").row("grid") == before
    buy_now(bot, 300, "grid")
    assert bot.market.ledger("grid").net_lots == 1_300


def test_a_replacement_keeps_the_tag(bot):
    old = rest(bot, "grid")
    new = bot.act(bot.strategy.replace, bot.market, old, price_ticks=old.price_ticks - 100, size_lots=1_000)
    bot.sim.run_for(1)
    assert new.tag == "grid"
    assert refs(bot.market.orders("grid")) == [new.order_ref]


def test_cancel_all_of_a_tag_leaves_the_other_orders(bot):
    rest(bot, "grid")
    other = rest(bot, "twap")
    plain = rest(bot)
    bot.act(bot.strategy.cancel_all, bot.market, tag="grid")
    bot.sim.run_for(1)
    assert refs(bot.market.open_orders) == [other.order_ref, plain.order_ref]


def test_a_released_tag_begins_anew(bot):
    buy_now(bot, 1_000, "grid")
    bot.act(bot.strategy.release_tag, bot.market, "grid")
    bot.sim.run_for(1)
    assert bot.market.ledger("grid").net_lots == 0
    buy_now(bot, 100, "grid")
    assert bot.market.ledger("grid").net_lots == 100
    assert bot.market.position.net_lots == 1_100


def test_a_tag_with_an_open_order_is_not_released(bot):
    buy_now(bot, 1_000, "grid")
    rest(bot, "grid")
    bot.act(bot.strategy.release_tag, bot.market, "grid")
    bot.sim.run_for(1)
    assert bot.market.ledger("grid").net_lots == 1_000


def test_a_tag_that_is_too_long_is_refused_for_ever(bot):
    order = rest(bot, "x" * 65)
    assert order.refusal is RefusalCode.NEVER


def test_what_can_be_sold_is_what_is_held_less_what_is_offered(bot):
    buy_now(bot, 1_000)
    assert (bot.market.position.net_lots, bot.market.sellable_lots) == (1_000, 999)
    bot.act(bot.strategy.sell, bot.market, price_ticks=bot.market.best_ask_ticks + 5_000, size_lots=400)
    assert bot.market.sellable_lots == 599, "at once, before the exchange reports the balance"
    bot.sim.run_for(1)
    assert bot.market.sellable_lots == 599
