"""Watchdog: a stream that does not bring what it should is given up; one market's stall costs that market alone."""

import pytest

from actors.stages import NoStages
from connectors.binance.market import BinanceMarket
from connectors.core.market_scales import MarketScales
from connectors.market_data.frame_scaling import FrameScaling
from connectors.market_data.lateness import Lateness
from connectors.market_data.market_state import MS_NS, Counters, MarketState
from connectors.market_data.settings import FeedSettings
from connectors.market_data.snapshots import Snapshots
from connectors.market_data.subscriptions import Subscriptions
from connectors.market_data.watchdog import Watchdog
from connectors.net.session import Session, SessionSettings
from market.levels import pack_levels
from protocol import BookDelta, BookSnapshot, StreamState, TopOfBook
from tests.connectors.parts import FakeEffects

SETTINGS = FeedSettings()


class World:
    """A watchdog over two markets, live at update 100 on an open session, and over all the parts that it uses."""

    def __init__(self) -> None:
        self.fx, self.requests, self.delivered = FakeEffects(), 0, []
        self.fx.now_ns = 10**15
        api = BinanceMarket("http://x", "ws://x")
        self.markets = {
            name: MarketState(self.fx, name, SETTINGS, NoStages(), Counters(), Lateness(), lambda *_: None)
            for name in ("A-USDT", "B-USDT")
        }
        self.session = Session(self.fx, "ws://x", self, SessionSettings(max_silence_ms=60_000), "seed")
        self.snapshots = Snapshots(
            self.fx, api, SETTINGS, lambda call, then: self.fx.http(call.request, then),
            FrameScaling(MarketScales(self.fx.log, lambda *_: None), self.markets),
            lambda *snapshot: self.delivered.append(snapshot), self.delivered.append,
        )  # fmt: skip
        self.subscriptions = Subscriptions(self.fx, self.session, api, SETTINGS, lambda symbols: None)
        self.watchdog = Watchdog(
            self.fx, SETTINGS, self.markets, self.session, self.snapshots, self.subscriptions, self.count_request
        )
        self.session.start()
        self.fx.open(self.fx.links[0])
        self.subscriptions.begin(list(self.markets))
        self.watchdog.on_subscribed(list(self.markets))
        for market in self.markets.values():
            market.publish(market.sync.on_snapshot(book(market.symbol, 100), 0))
        self.requests = 0

    def count_request(self):
        self.requests += 1

    def session_up(self, session): ...

    def session_frame(self, session, data): ...

    def session_down(self, session, reason): ...

    def session_silent(self, session, silence_ms): ...

    def delta(self, name, update_id):
        self.markets[name].on_delta(BookDelta(name, update_id, update_id, pack_levels([(98, 5)]), b""))

    def top(self, name, update_id):
        self.markets[name].on_top(TopOfBook(name, update_id, 99, 5, 101, 5))

    def wait(self, ms):
        self.fx.run(ms / 1_000)

    @property
    def states(self):
        return [market.sync.state for market in self.markets.values()]


def book(symbol, update_id):
    return BookSnapshot(symbol, update_id, pack_levels([(99, 5)]), pack_levels([(101, 5)]))


@pytest.fixture
def world():
    return World()


def test_a_short_silence_is_compared_with_rest_and_a_long_one_costs_the_connection(world):
    world.watchdog.on_silence(SETTINGS.silence_ms // 2)
    assert (world.watchdog.probes, world.session.recycles) == (2, 0)
    assert world.fx.paths == ["GET depth"] * 2
    world.watchdog.on_silence(SETTINGS.silence_ms)
    assert (world.watchdog.stalls, world.session.recycles, world.requests) == (1, 1, 1)
    assert all(world.fx.now_ns - one.lost_ns == SETTINGS.silence_ms * MS_NS for one in world.markets.values())


def test_a_market_is_compared_once_at_a_time(world):
    world.watchdog.on_silence(SETTINGS.silence_ms // 2)
    world.watchdog.on_silence(SETTINGS.silence_ms // 2)
    assert world.watchdog.probes == 2


def test_an_equal_book_confirms_the_silence(world):
    world.wait(1_000)
    market = world.markets["A-USDT"]
    world.watchdog.compare(market, book("A-USDT", 100))
    assert market.updated_ns == world.session.last_frame_ns == world.fx.now_ns
    world.wait(10 * SETTINGS.grace_ms)
    assert world.watchdog.stalls == 0


def test_a_newer_book_at_rest_must_arrive_by_stream_in_time(world):
    market = world.markets["A-USDT"]
    world.watchdog.compare(market, book("A-USDT", 101))
    world.wait(SETTINGS.grace_ms - 1)
    world.delta("A-USDT", 101)
    world.wait(1)
    assert world.watchdog.stalls == 0
    world.watchdog.compare(market, book("A-USDT", 102))
    world.wait(SETTINGS.grace_ms + SETTINGS.stall_ms)
    assert (world.watchdog.stalls, world.session.recycles) == (1, 1)


def test_a_comparison_of_an_earlier_connection_or_of_a_stale_book_decides_nothing(world):
    market = world.markets["A-USDT"]
    world.watchdog.compare(market, book("A-USDT", 101))
    world.session.recycle("test")
    world.wait(SETTINGS.grace_ms)
    assert world.watchdog.stalls == 0
    market.publish(market.sync.on_stream_lost("test"))
    world.watchdog.compare(market, book("A-USDT", 500))
    world.wait(2 * SETTINGS.grace_ms)
    assert world.watchdog.stalls == 0


def test_best_prices_that_move_without_any_book_cost_the_connection(world):
    world.top("A-USDT", 101)
    world.wait(SETTINGS.stall_ms)
    world.watchdog.check()
    assert world.watchdog.stalls == 0, "not longer than stall_ms"
    world.wait(1)
    world.watchdog.check()
    assert (world.watchdog.stalls, world.session.recycles, world.watchdog.is_doubted) == (1, 1, True)


def test_best_prices_that_move_while_other_books_do_cost_the_market_alone(world):
    world.top("A-USDT", 101)
    world.wait(SETTINGS.stall_ms + 1)
    world.delta("B-USDT", 101)
    world.fx.frames.clear()
    world.watchdog.check()
    assert world.session.recycles == 0
    assert world.states == [StreamState.STALE, StreamState.LIVE]
    assert world.markets["A-USDT"].is_doubted
    assert not world.watchdog.is_doubted
    world.wait(1_000)
    assert any("ausdt@depth" in frame for frame in world.fx.frames), "it is subscribed again"


def test_after_a_stall_a_confirmed_subscription_is_not_enough_and_data_are(world):
    world.watchdog.on_stall("test")
    for market in world.markets.values():
        market.stream_lost()
    world.watchdog.on_stream_lost()
    world.watchdog.on_subscribed(["A-USDT"])
    assert not world.markets["A-USDT"].subscribed
    world.watchdog.on_data()
    assert world.markets["A-USDT"].subscribed
    assert not world.markets["B-USDT"].subscribed, "this connection has not confirmed it"


def test_polling_that_fails_makes_the_book_stale(world):
    market = world.markets["A-USDT"]
    market.stream_lost()
    market.publish(market.sync.on_stream_lost("test"))
    market.publish(market.sync.on_poll(book("A-USDT", 200), 100))
    market.updated_ns = world.fx.now_ns
    assert market.sync.state is StreamState.POLLING
    world.wait(SETTINGS.silence_ms)
    world.watchdog.check()
    assert market.sync.state is StreamState.POLLING
    world.wait(1)
    world.watchdog.check()
    assert market.sync.state is StreamState.STALE
