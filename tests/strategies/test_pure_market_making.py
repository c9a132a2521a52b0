"""The market maker on its ticks, in the sim driver, with the Broker."""

import re
from decimal import Decimal

import msgspec
import pytest

from protocol import OrdStatus, OrdType, Side
from strategies.pure_market_making import PureMarketMaking

PLAIN = {
    "market": "binance:BTC-USDT",
    "bid_spread_bps": Decimal(100),
    "ask_spread_bps": Decimal(100),
    "size": Decimal("0.010"),
    "order_refresh_ms": 1_000,
    "filled_order_delay_ms": 2_000,
}


@pytest.fixture
def maker(bot):
    def start(**changes):
        bot.start(PureMarketMaking, **{**PLAIN, **changes})
        return bot.strategy

    return start


def open_rows(bot):
    orders = bot.broker.orders.values()
    return sorted((order.side.name, order.price_ticks, order.size_lots - order.cum_lots) for order in orders)


def only(bot, side):
    return next(order for order in bot.broker.orders.values() if order.side is side)


def move_mid(bot, mid):
    bot.exchange(bot.broker.set_book, [(mid - 10, 50)], [(mid + 10, 50)])


def test_it_quotes_both_sides_post_only_and_then_leaves_its_orders_alone(bot, maker):
    maker()
    bot.tick(5)
    assert open_rows(bot) == [("BUY", 9_900, 10), ("SELL", 10_100, 10)]
    assert [place.ord_type for place in bot.broker.places] == [OrdType.LIMIT_MAKER] * 2
    assert bot.broker.cancels == []


def test_levels_sizes_and_plain_limit_orders_as_set(bot, maker):
    maker(levels=2, level_spacing_bps=Decimal(50), level_size_step=Decimal("0.005"), post_only=False)
    bot.tick()
    assert open_rows(bot) == [("BUY", 9_850, 15), ("BUY", 9_900, 10), ("SELL", 10_100, 10), ("SELL", 10_150, 15)]
    assert bot.broker.places[0].ord_type is OrdType.LIMIT


def test_orders_follow_the_mid_at_the_refresh_and_not_before(bot, maker):
    maker()
    bot.tick()
    move_mid(bot, 10_200)
    bot.tick(5)
    assert open_rows(bot) == [("BUY", 9_900, 10), ("SELL", 10_100, 10)]
    bot.tick(6)
    assert open_rows(bot) == [("BUY", 10_098, 10), ("SELL", 10_302, 10)]


def test_an_order_near_enough_to_its_new_price_is_kept(bot, maker):
    maker(refresh_tolerance_bps=Decimal(10))
    bot.tick()
    move_mid(bot, 10_009)
    bot.tick(15)
    assert bot.broker.cancels == []
    move_mid(bot, 10_020)
    bot.tick(15)
    assert open_rows(bot) == [("BUY", 9_919, 10), ("SELL", 10_121, 10)]


def test_new_quotes_that_need_the_money_of_old_ones_wait_for_confirmed_cancels(bot, maker):
    bot.broker.free = {"BTC": Decimal("0.010"), "USDT": Decimal("1.0")}
    bot.exchange(bot.broker.publish_balances)
    maker()
    bot.tick()
    bot.broker.holds_cancels = True
    move_mid(bot, 9_900)
    bot.tick(12)
    assert len(bot.broker.held) == 2
    assert len(bot.broker.places) == 2, "nothing is free"
    for order_ref in bot.broker.held:
        bot.exchange(bot.broker.end, order_ref, OrdStatus.CANCELED)
    bot.tick()
    assert open_rows(bot) == [("BUY", 9_801, 10), ("SELL", 9_999, 10)]


def test_a_whole_fill_is_followed_by_a_pause_and_then_by_fresh_quotes(bot, maker):
    maker(order_refresh_ms=60_000)
    bot.tick()
    bot.exchange(bot.broker.trade, only(bot, Side.BUY).order_ref, 10)
    move_mid(bot, 9_950)
    bot.tick(19)
    assert open_rows(bot) == [("SELL", 10_100, 10)], "the filled order's delay is not over"
    bot.tick(3)
    assert open_rows(bot) == [("BUY", 9_850, 10), ("SELL", 10_050, 10)]


def test_a_partial_fill_changes_nothing_until_the_refresh(bot, maker):
    maker()
    bot.tick()
    bot.exchange(bot.broker.trade, only(bot, Side.BUY).order_ref, 7)
    bot.tick(3)
    assert ("BUY", 9_900, 3) in open_rows(bot)
    bot.tick(12)
    assert open_rows(bot) == [("BUY", 9_900, 10), ("SELL", 10_100, 10)]


def test_the_other_half_of_a_filled_pair_hangs_until_it_is_too_far_away(bot, maker):
    maker(hanging_orders=True, hanging_cancel_bps=Decimal(300), filled_order_delay_ms=200)
    bot.tick()
    bot.exchange(bot.broker.trade, only(bot, Side.BUY).order_ref, 10)
    move_mid(bot, 9_900)
    bot.tick(15)
    assert open_rows(bot) == [("BUY", 9_801, 10), ("SELL", 9_999, 10), ("SELL", 10_100, 10)]
    move_mid(bot, 9_800)
    bot.tick(15)
    assert ("SELL", 10_100, 10) not in open_rows(bot), "3.06% off"
    assert len(open_rows(bot)) == 2


def test_the_skew_buys_more_and_sells_less_below_the_target(bot, maker):
    bot.broker.free = {"BTC": Decimal(9), "USDT": Decimal(1_100)}
    bot.exchange(bot.broker.publish_balances)
    maker(target_base_ratio=Decimal("0.5"), size=Decimal("1.000"))
    bot.tick()
    # 9 of 20 BTC's worth; 1 BTC below the target in a range of 2 BTC.
    assert open_rows(bot) == [("BUY", 9_900, 1_500), ("SELL", 10_100, 500)]


def test_fees_are_paid_out_of_the_spread(bot, maker):
    maker(bid_spread_bps=Decimal(1), ask_spread_bps=Decimal(1))
    bot.tick()
    (bid, ask) = open_rows(bot)
    fee = Decimal("0.001")
    assert ask[1] * (1 - fee) >= bid[1] * (1 + fee)
    assert ask[1] - bid[1] == 21


def test_outside_the_price_band_only_one_side_is_quoted(bot, maker):
    maker(price_ceiling=Decimal("100.5"), price_floor=Decimal("99.5"))
    bot.tick()
    assert len(open_rows(bot)) == 2
    move_mid(bot, 10_050)
    bot.tick(12)
    assert [row[0] for row in open_rows(bot)] == ["SELL"]
    move_mid(bot, 9_950)
    bot.tick(12)
    assert [row[0] for row in open_rows(bot)] == ["BUY"]


def test_a_stale_book_gives_no_quotes_and_takes_old_ones_off_after_a_while(bot, maker):
    maker(cancel_stale_after_ms=500)
    bot.exchange(bot.broker.stale, "silence")
    bot.tick(2)
    assert bot.broker.places == []
    bot.exchange(bot.broker.live)
    bot.tick()
    assert len(open_rows(bot)) == 2
    bot.exchange(bot.broker.stale, "silence")
    bot.tick(3)
    assert len(open_rows(bot)) == 2
    bot.tick(5)
    assert open_rows(bot) == []
    bot.exchange(bot.broker.live)
    bot.tick(12)
    assert len(open_rows(bot)) == 2


def test_nothing_new_is_placed_in_a_tick_in_which_the_connector_is_late(bot, maker):
    maker()
    bot.tick(3, late=["binance"])
    assert bot.broker.places == []
    bot.tick()
    assert len(bot.broker.places) == 2


def test_while_paused_it_cancels_what_is_off_and_places_nothing(bot, maker):
    strategy = maker()
    bot.tick()
    strategy.paused = True
    move_mid(bot, 10_200)
    bot.tick(12)
    assert open_rows(bot) == []
    strategy.paused = False
    bot.tick(12)
    assert open_rows(bot) == [("BUY", 10_098, 10), ("SELL", 10_302, 10)]


def test_refused_orders_are_not_tried_again_on_every_tick(bot, maker):
    maker()
    bot.broker.refuse = "refused by the risk check"
    bot.tick(9)
    assert len(bot.broker.places) == 2
    bot.broker.refuse = ""
    bot.tick(5)
    assert len(open_rows(bot)) == 2


def test_after_a_restart_orders_that_still_fit_are_kept_and_others_are_cancelled(bot, maker):
    maker(levels=2, level_spacing_bps=Decimal(50))
    bot.tick()
    bot.sim.kill("maker")
    maker()
    bot.tick(3)
    assert open_rows(bot) == [("BUY", 9_900, 10), ("SELL", 10_100, 10)]
    assert len(bot.broker.places) == 4, "none was placed anew"


def test_with_the_connector_killed_and_back_it_quotes_again_without_doubles(bot, maker):
    maker()
    bot.tick()
    orders = dict(bot.broker.orders)
    bot.sim.kill("binance")
    bot.tick(40)
    bot.start_broker()
    for order in orders.values():
        bot.exchange(bot.broker.accept, order.order_ref, order.side, order.price_ticks, order.size_lots)
    bot.tick(20)
    assert open_rows(bot) == [("BUY", 9_900, 10), ("SELL", 10_100, 10)]


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("bid_spread_bps", Decimal(-1), "bid_spread_bps must be above 0, not -1"),
        ("ask_spread_bps", Decimal(0), "ask_spread_bps must be above 0, not 0"),
        ("size", Decimal("NaN"), "size must be a number, not NaN"),
        ("levels", 0, "levels must be 1 or more, not 0"),
        ("levels", 101, "levels must be 100 or less, not 101"),
        ("levels", 26, "max_open_orders must be 52 or more, not 50"),
        ("order_refresh_ms", 0, "order_refresh_ms must be 1 or more, not 0"),
        ("refresh_tolerance_bps", Decimal(-1), "refresh_tolerance_bps must be 0 or more, not -1"),
        ("target_base_ratio", Decimal(2), "target_base_ratio must be from 0 to 1, not 2"),
        ("price_floor", Decimal(0), "price_floor must be above 0, not 0"),
        ("minimum_profit_bps", Decimal(10_000), "minimum_profit_bps must be below 10000, not 10000"),
        ("bid_spread_bps", Decimal(10_000), "put the last bid 10000 bps off the mid"),
        ("market", "BTC-USDT", "market must be connector:symbol, as in binance:BTC-USDT, not 'BTC-USDT'"),
    ],
)
def test_a_bad_setting_is_named(name, value, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        PureMarketMaking.Settings(**{**PLAIN, "max_open_orders": 50 if value != 101 else 300, name: value})


def test_settings_that_do_not_fit_together_are_named():
    with pytest.raises(ValueError, match=r"price_floor 2 must be below price_ceiling 1"):
        PureMarketMaking.Settings(**PLAIN, price_floor=Decimal(2), price_ceiling=Decimal(1))
    with pytest.raises(ValueError, match=r"level_size_step -0.005 leaves no size at the last level"):
        PureMarketMaking.Settings(**PLAIN, levels=3, level_size_step=Decimal("-0.005"))


def test_settings_of_a_run_file_are_decoded_and_complained_of_with_their_path():
    table = {"market": "binance:BTC-USDT", "bid_spread_bps": "5", "ask_spread_bps": 5, "size": "0.01"}
    settings = msgspec.convert(table, PureMarketMaking.Settings)
    assert settings.bid_spread_bps == settings.ask_spread_bps == 5
    with pytest.raises(msgspec.ValidationError, match="bid_spread_bps must be above 0, not -5"):
        msgspec.convert({**table, "bid_spread_bps": "-5"}, PureMarketMaking.Settings)


def test_while_its_orders_are_refused_it_waits_longer_each_time_and_states_the_reason(bot, maker):
    maker()
    bot.broker.rejects = "This symbol is not permitted for this account."
    bot.tick(6_000)
    assert len(bot.broker.places) < 30
    effects = bot.strategy.effects
    assert (effects.state, effects.detail) == ("REFUSED", "This symbol is not permitted for this account.")
    bot.broker.rejects = ""
    bot.tick(3_100)
    assert effects.state == "QUOTING"
    assert effects.detail == ""
    assert len(open_rows(bot)) == 2
