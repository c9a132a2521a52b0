"""A strategy queries its market, sends orders and receives reports, in the sim driver, with the Broker."""

from decimal import Decimal

import pytest

from actors.actor import Actor
from protocol import (
    AnswerCode,
    Balances,
    BookDelta,
    BookSnapshot,
    BookStatus,
    Control,
    OrdersSnapshot,
    OrdStatus,
    OrdType,
    Side,
    StreamState,
    TopOfBook,
    Trade,
)
from protocol.errors import BadHandler
from strategies import Strategy
from strategies.order_table import ENDED_UNSEEN


class Watcher(Strategy):
    """Sends nothing by itself; keeps what it receives."""

    class Settings(Strategy.Settings):
        market: str = "binance:BTC-USDT"

    def __init__(self, name, settings, runtime) -> None:
        super().__init__(name, settings, runtime)
        self.fill_numbers = []
        self.updates = []
        self.moves = []

    def on_fill(self, fill) -> None:
        self.fill_numbers.append(fill.fill_no)

    def on_order_update(self, update) -> None:
        self.updates.append(update.status)

    def order_changed(self, order) -> None:
        self.moves.append((order.order_ref, order.status))


@pytest.fixture
def watcher(bot):
    return bot.start(Watcher)


@pytest.fixture
def market(watcher):
    return watcher.market("binance:BTC-USDT")


def buy(bot, market, price_ticks=9_900, size_lots=10, **how):
    return bot.act(bot.strategy, bot.strategy.buy, market, price_ticks=price_ticks, size_lots=size_lots, **how)


def test_a_market_named_in_the_settings_is_subscribed_at_the_start(market):
    assert market.ready, market.why_not_ready
    assert (market.best_bid_ticks, market.best_ask_ticks, market.mid_ticks) == (9_990, 10_010, 10_000)
    assert market.rules.tick_size == Decimal("0.01")
    assert market.maker_fee == Decimal("0.001")


def test_the_market_answers_from_the_book(market):
    assert market.price_for_volume(Side.BUY, 60) == 10_020
    assert market.volume_for_price(Side.SELL, 9_985) == 50
    assert market.vwap(Side.BUY, 100) == 10_015
    assert market.cost(Side.SELL, 60) == (60, 50 * 9_990 + 10 * 9_980)
    assert market.levels(Side.BUY, 1) == [(9_990, 50)]


def test_the_book_follows_deltas(bot, market):
    bot.exchange(bot.broker.set_book, [(9_000, 5)], [(9_100, 7)])
    assert (market.best_bid_ticks, market.best_bid_lots, market.spread_ticks) == (9_000, 5, 100)


def test_a_new_strategy_with_no_orders_anywhere_learns_that_it_has_none(market):
    assert market.account.orders.known
    assert market.open_orders == []


class Signal(Actor):
    """Publishes a signal in the messages of market data and accounts."""

    ticks = False

    def on_start(self) -> None:
        snapshot = OrdersSnapshot("maker", [], [])
        for message in (
            TopOfBook("IDEA", 1, 99, 1, 101, 1), BookSnapshot("IDEA", 1, b"", b""), BookDelta("IDEA", 2, 2, b"", b""),
            BookStatus("IDEA", StreamState.LIVE), Trade("IDEA", 1, Side.BUY, 100, 1), Balances([]), snapshot,
        ):  # fmt: skip
            self.publish("md.signal.IDEA.mix.", message)


class Listener(Watcher):
    """Subscribes to a stream of its own beside its market's."""

    def on_start(self) -> None:
        super().on_start()
        self.heard = []
        self.subscribe("md.signal.IDEA.")

    def on_top_of_book(self, top) -> None:
        self.heard.append((self.envelope.sender, top.symbol))


def test_market_data_of_another_actor_reaches_the_strategy_and_not_its_replicas(bot):
    listener = bot.start(Listener)
    bot.sim.add("signal", Signal)
    bot.sim.run_for(1)
    assert ("signal", "IDEA") in listener.heard
    market = listener.market("binance:BTC-USDT")
    assert market.ready, market.why_not_ready
    assert (market.best_bid_ticks, market.best_ask_ticks) == (9_990, 10_010)


def test_an_invalid_market_name_is_refused_with_an_example(watcher):
    with pytest.raises(ValueError, match="use connector:symbol, as in binance:BTC-USDT"):
        watcher.market("BTC-USDT")


def test_an_order_exists_at_once_and_follows_the_reports(bot, market, watcher):
    order = watcher.buy(market, price_ticks=9_900, size_lots=10)
    assert order.status is OrdStatus.PENDING_NEW
    assert market.open_orders == [order]
    bot.act(watcher, lambda: None)
    assert order.status is OrdStatus.NEW
    assert order.cl_ord_id
    bot.exchange(bot.broker.trade, order.order_ref, 4)
    assert (order.status, order.cum_lots, order.leaves_lots) == (OrdStatus.PARTIALLY_FILLED, 4, 6)
    bot.exchange(bot.broker.trade, order.order_ref, 6)
    assert order.status is OrdStatus.FILLED
    assert market.open_orders == []
    assert watcher.fill_numbers == [1, 2]
    assert market.position.net_lots == 10
    assert market.position.bought_notional == Decimal("0.99")
    assert market.position.pnl(10_000) == Decimal("0.01")


def test_the_authors_handlers_run_after_the_replicas_are_updated(bot, watcher, market):
    order = buy(bot, market)
    assert watcher.updates == [OrdStatus.PENDING_NEW, OrdStatus.NEW]
    assert watcher.moves == [(order.order_ref, OrdStatus.PENDING_NEW), (order.order_ref, OrdStatus.NEW)]


def test_an_order_names_the_book_of_its_decision(bot, market):
    buy(bot, market)
    placed = bot.broker.places[0]
    assert placed.book_seq == market.book_seq > 0
    assert placed.book_age_ns == placed.deadline_ns - 2_000_000_000 - market.book_ts_ns


def test_a_quiet_book_is_as_young_as_the_last_tick_at_which_its_connector_had_its_turn(bot, market, watcher):
    watcher.follows.append("binance")
    bot.sim.run_for(20)
    bot.tick(late=["binance"])
    assert market.book_age_ns(bot.sim.now_ns) > 20_000_000_000
    bot.tick()
    assert market.book_age_ns(bot.sim.now_ns) == 100_000_000


def test_a_stale_book_gives_no_orders_unless_allowed(bot, market):
    bot.exchange(bot.broker.stale, "gap in the depth stream")
    assert not market.ready
    assert market.why_not_ready == "book stale: gap in the depth stream"
    order = buy(bot, market)
    assert order.status is OrdStatus.REJECTED
    assert "not ready: book stale: gap in the depth stream" in order.reason
    assert bot.broker.places == []
    assert buy(bot, market, allow_stale=True).status is OrdStatus.NEW
    bot.exchange(bot.broker.live)
    assert market.ready


def test_a_crossed_or_one_sided_book_is_not_ready(bot, market):
    bot.exchange(bot.broker.set_book, [(9_100, 5)], [(9_100, 7)])
    assert market.why_not_ready == "book crossed: bid 9100, ask 9100"
    bot.exchange(bot.broker.set_book, [], [(9_100, 7)])
    assert market.why_not_ready == "book empty on a side"
    assert not market.ready


def test_an_order_against_the_rules_is_not_sent(bot, market):
    order = buy(bot, market, size_lots=0)
    assert order.status is OrdStatus.REJECTED
    assert order.reason.startswith("SIZE")
    assert bot.broker.places == []


def test_a_float_price_is_a_bug_and_raises(watcher, market):
    with pytest.raises(TypeError):
        watcher.buy(market, price_ticks=9_900.0, size_lots=1)


def test_a_refused_order_is_over_with_the_reason(bot, market, watcher):
    bot.broker.refuse = "over the position limit"
    order = buy(bot, market)
    assert (order.status, order.reason) == (OrdStatus.REJECTED, "over the position limit")
    assert market.open_orders == []
    assert watcher.moves == [(order.order_ref, OrdStatus.REJECTED)]


def test_with_the_connector_gone_an_order_is_provably_not_placed(bot, market):
    bot.sim.kill("binance")
    order = buy(bot, market)
    assert order.status is OrdStatus.NOT_PLACED
    assert "not connected" in order.reason


def test_a_market_is_not_ready_once_a_command_found_its_connector_gone_and_ready_when_it_is_back(bot, market):
    bot.sim.kill("binance")
    assert market.ready, "nothing has shown it yet"
    buy(bot, market)
    assert not market.ready
    bot.start_broker()
    bot.sim.run_for(3)
    assert market.ready, market.why_not_ready


def test_no_answer_leaves_an_order_in_doubt_until_the_connectors_list_proves_it_was_placed(bot, market, watcher):
    order = watcher.buy(market, price_ticks=9_900, size_lots=10)
    bot.sim.processes["maker"].settle()  # the command leaves
    bot.sim.kill("binance")  # and its receiver dies before it arrives
    bot.sim.run_for(3)
    assert order.in_doubt
    assert order.status is OrdStatus.UNKNOWN
    assert not market.ready
    bot.start_broker()
    bot.sim.at(bot.sim.now_ns, bot.act, bot.broker, bot.broker.accept, order.order_ref, Side.BUY, 9_900, 10)
    bot.sim.run_for(3)
    assert order.status is OrdStatus.NEW
    assert not order.in_doubt
    assert market.ready


def test_an_order_without_answer_that_a_snapshot_after_the_deadline_lacks_was_never_placed(bot, market, watcher):
    order = watcher.buy(market, price_ticks=9_900, size_lots=10)
    bot.sim.processes["maker"].settle()
    bot.sim.kill("binance")
    bot.start_broker()
    bot.sim.run_for(1.0)
    assert order.is_open, "a snapshot before the deadline is no evidence"
    bot.sim.run_for(3)
    assert order.status is OrdStatus.NOT_PLACED
    assert market.ready


def test_an_order_that_ended_while_messages_were_lost_is_found_out(bot, market, watcher):
    order = buy(bot, market)
    other = buy(bot, market, price_ticks=9_800)
    bot.exchange(bot.broker.end, order.order_ref, OrdStatus.CANCELED, publish=False)
    bot.exchange(bot.broker.trade, other.order_ref, 10, publish=False)
    topic = bot.broker.ord
    bot.act(watcher, watcher.resync, topic)
    assert (order.status, order.reason) == (OrdStatus.CANCELED, ENDED_UNSEEN)
    assert other.status is OrdStatus.FILLED
    assert watcher.fill_numbers == [1], "a fill that was missed is handled, once"
    assert market.position.net_lots == 10


def test_while_the_order_stream_has_a_hole_nothing_new_is_placed(bot, market, watcher):
    watcher.on_stale(bot.broker.ord)
    assert market.why_not_ready == "orders stale: messages are missing"
    watcher.on_live(bot.broker.ord)
    assert market.ready


def test_a_fill_counts_once_however_often_it_comes(bot, market, watcher):
    order = buy(bot, market)
    fill = bot.exchange(bot.broker.trade, order.order_ref, 3)
    bot.exchange(bot.broker.publish, bot.broker.ord, fill)
    assert market.position.bought_lots == 3
    assert watcher.fill_numbers == [1]


def test_a_restarted_strategy_adopts_its_orders_and_its_position(bot, market):
    order = buy(bot, market)
    done = buy(bot, market, price_ticks=9_950)
    bot.exchange(bot.broker.trade, done.order_ref, 10)
    bot.sim.kill("maker")
    again = bot.start(Watcher)
    market = again.market("binance:BTC-USDT")
    assert [(one.order_ref, one.price_ticks, one.status) for one in market.open_orders] == [
        (order.order_ref, 9_900, OrdStatus.NEW)
    ]
    assert market.position.net_lots == 10
    assert again.fill_numbers == [], "fills of an earlier process run are in the position, and not handled again"
    bot.exchange(bot.broker.trade, order.order_ref, 10)
    assert again.fill_numbers == [2]


def test_a_restarted_connector_is_received_again(bot, market, watcher):
    order = buy(bot, market)
    bot.sim.kill("binance")
    bot.sim.run_for(4)
    assert not market.ready
    bot.start_broker()
    bot.exchange(bot.broker.accept, order.order_ref, Side.BUY, 9_900, 10)
    bot.sim.run_for(3)
    assert market.ready, market.why_not_ready
    assert market.open_orders == [order]


def test_a_cancel_request_is_sent_once_and_again_only_if_it_was_not_accepted(bot, market, watcher):
    bot.broker.holds_cancels = True
    order = buy(bot, market)
    bot.act(watcher, watcher.cancel, market, order)
    bot.act(watcher, watcher.cancel, market, order)
    assert bot.broker.cancels == [order.order_ref]
    bot.exchange(bot.broker.end, order.order_ref, OrdStatus.CANCELED)
    assert order.status is OrdStatus.CANCELED
    bot.act(watcher, watcher.cancel, market, order)
    assert bot.broker.cancels == [order.order_ref]


def test_a_cancel_request_without_answer_can_be_sent_again(bot, market, watcher):
    order = buy(bot, market)
    bot.sim.kill("binance")
    bot.act(watcher, watcher.cancel, market, order)
    assert not order.cancel_wanted


def test_cancel_all_is_sent_only_if_there_is_something_to_cancel(bot, market, watcher):
    bot.act(watcher, watcher.cancel_all, market)
    assert bot.broker.cancel_alls == 0
    orders = [buy(bot, market), buy(bot, market, price_ticks=9_800)]
    bot.act(watcher, watcher.cancel_all, market)
    assert bot.broker.cancel_alls == 1
    assert [order.status for order in orders] == [OrdStatus.CANCELED] * 2


def test_replace_swaps_one_order_for_another(bot, market, watcher):
    old = buy(bot, market)
    new = bot.act(watcher, watcher.replace, market, old, price_ticks=9_890, size_lots=5)
    assert old.status is OrdStatus.CANCELED
    assert (new.status, new.side, new.price_ticks, new.size_lots) == (OrdStatus.NEW, Side.BUY, 9_890, 5)
    again = bot.act(watcher, watcher.replace, market, old, price_ticks=9_880, size_lots=5)
    assert again.reason == "the order to replace has ended: CANCELED"


def test_a_replacement_keeps_the_type_of_its_order_and_takes_no_other(bot, market, watcher):
    """The connector places what the first order was: one that its strategy takes for post-only would pay as a taker."""
    old = bot.act(watcher, watcher.buy, market, price_ticks=9_900, size_lots=10, post_only=True, tag="a")
    new = bot.act(watcher, watcher.replace, market, old, price_ticks=9_890, size_lots=5)
    assert (new.ord_type, new.tag) == (OrdType.LIMIT_MAKER, "a")
    with pytest.raises(TypeError, match="post_only"):
        watcher.replace(market, new, price_ticks=9_880, size_lots=5, post_only=False)
    assert new.is_open


def test_balances_count_orders_that_are_still_on_their_way(bot, market, watcher):
    assert market.balance("USDT") == (Decimal(10_000), Decimal(0))
    order = watcher.buy(market, price_ticks=9_900, size_lots=10)
    assert market.balance("USDT") == (Decimal("9999.01"), Decimal("0.99"))
    bot.act(watcher, lambda: None)
    assert order.status is OrdStatus.NEW
    assert market.balance("USDT") == (Decimal("9999.01"), Decimal("0.99")), "now it is the exchange that locks it"
    assert market.balance("DOGE").total == 0
    watcher.sell(market, price_ticks=10_100, size_lots=1_000)
    assert market.balance("BTC") == (Decimal(9), Decimal(1))
    assert market.free_base_lots == 9_000
    assert market.free_quote == 999_901_000


def test_a_pause_holds_new_orders_and_a_resume_lets_them_go(bot, market, watcher):
    watcher.on_control(Control(1, 0, "pause"))
    assert buy(bot, market).reason == "this strategy is paused"
    watcher.on_control(Control(2, 0, "resume"))
    assert buy(bot, market).is_open
    bot.act(watcher, watcher.on_control, Control(3, 0, "cancel_all"))
    assert market.open_orders == []
    assert watcher.on_control(Control(4, 0, "dance")).code is AnswerCode.REFUSED


def test_a_stop_cancels_every_order_and_waits_for_the_confirmation(bot, market, watcher):
    bot.broker.holds_cancels = True
    order = buy(bot, market)
    bot.sim.request_stop("maker")
    bot.sim.run_for(1)
    assert "maker" in bot.sim.processes, "the cancel is not proven yet"
    assert watcher.buy(market, price_ticks=9_900, size_lots=1).reason == "this strategy is stopping"
    bot.exchange(bot.broker.end, order.order_ref, OrdStatus.CANCELED)
    bot.sim.run_for(1)
    assert "maker" not in bot.sim.processes


def test_an_author_who_overrides_everything_without_super_breaks_nothing(bot):
    class Careless(Watcher):
        def on_start(self) -> None:
            self.started = True

        def on_book_delta(self, delta) -> None:
            self.bid_seen = self.market("binance:BTC-USDT").best_bid_ticks

        def on_rules(self, rules) -> None:
            pass

        def on_orders_snapshot(self, snapshot) -> None:
            pass

        def on_balances(self, balances) -> None:
            pass

        def on_stop(self) -> None:
            self.stopped = True

    careless = bot.start(Careless)
    market = careless.market("binance:BTC-USDT")
    assert careless.started
    assert market.ready
    bot.exchange(bot.broker.set_book, [(9_000, 5)], [(9_100, 7)])
    assert careless.bid_seen == 9_000
    order = buy(bot, market, price_ticks=8_000)
    bot.sim.request_stop("maker")
    bot.sim.run_for(1)
    assert careless.stopped
    assert order.status is OrdStatus.CANCELED


def test_a_name_that_the_base_needs_is_refused_when_the_class_is_made():
    with pytest.raises(BadHandler, match="_place is a method of Strategy: choose another name"):
        type("Clash", (Strategy,), {"_place": None})


def test_invalid_levels_make_the_book_stale_and_a_snapshot_is_requested(bot, market):
    bot.exchange(bot.broker.publish, bot.broker.md("book"), BookDelta("BTC-USDT", 2, 2, b"short", b""))
    assert market.ready, "the snapshot has come"
    assert market.best_bid_ticks == 9_990
