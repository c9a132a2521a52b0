"""The market feed in the sim driver, on the local exchange, with a disturbed venue_link in between."""

from decimal import Decimal
from random import Random

import pytest

from actors.actor import Actor
from actors.net import HttpAnswer
from actors.sim.driver import Sim
from connectors.binance.market import BinanceMarket
from connectors.market_data.feed import MarketFeed
from connectors.market_data.settings import FeedSettings
from connectors.net.session import SessionSettings
from market.book import Book
from protocol import Settings, StreamState
from venue.base.settings import FlowSettings, MarketSettings, VenueSettings
from venue.sim_service import SimVenue

SYMBOL = "BTC-USDT"
WHOLE = MarketSettings(symbol=SYMBOL, flow=FlowSettings(book_orders=600))  # snapshots show all of its book
SECOND_NS = 1_000_000_000


class BadConnection(SimVenue):
    """The local exchange, behind a connection that drops, doubles and delays frames as the test sets it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.random = Random(7)
        self.drop = self.double = self.delay = 0.0
        self.silent = False  # the streams send nothing, the sockets stay open
        self.rest_down = False
        self.lost = 0
        self.truth = {}  # update id -> hash of the whole book, noted at every delta
        self.requests = []
        self._late = []
        self._push = self.exchange.streams.push
        self.exchange.streams.push = self.push

    def push(self, name, event, now_ns):
        """Whenever the exchange publishes a delta, also without a subscriber: note the true state of its book."""
        if name.endswith("@depth@100ms"):
            self.note_truth()
        self._push(name, event, now_ns)

    def note_truth(self):
        if len(self.exchange.engine.symbols) == 1:
            (symbol,) = self.exchange.engine.symbols.values()
            book = Book()
            book.apply_snapshot(*symbol.matching.snapshot())
            self.truth[symbol.update_id] = book.state_hash()

    def http(self, request, path, now_ns):
        self.requests.append(path)
        if self.rest_down:
            return HttpAnswer(503, {}, b"<html>down</html>"), 0
        answer = super().http(request, path, now_ns)
        if "/depth?" in path:
            self.note_truth()  # snapshots stand between two deltas
        return answer

    def take_pushes(self):
        out, self._late = self._late, []
        for conn_id, data in super().take_pushes():
            if data is None or b'"e":"depthUpdate"' not in data:
                if data is None or not (self.silent and b'"result"' not in data):
                    out.append((conn_id, data))
                continue
            chance = self.random.random()
            if self.silent or chance < self.drop:
                self.lost += 1
            elif chance < self.drop + self.delay:
                self._late.append((conn_id, data))
            else:
                out.extend([(conn_id, data)] * (2 if chance > 1 - self.double else 1))
        return out


class Feeder(Actor):
    """The smallest connector: market data only."""

    ticks = False
    network = True

    class Settings(Settings):
        feed: FeedSettings = FeedSettings()
        markets: tuple[str, ...] = (SYMBOL,)

    def on_start(self):
        api = BinanceMarket("local://venue", "local://venue")
        self.states = []
        self.feed = MarketFeed(
            self,
            api,
            self.settings.markets,
            self.settings.feed,
            lambda call, then: self.http(call.request, then),
            self.note_state,
        )
        self.feed.start()

    def note_state(self):
        self.states.append(self.feed.state)

    def snapshot(self, topic, cursor):
        return self.feed.snapshot(topic, cursor)


class Watcher(Actor):
    """A strategy's side: a replica of each book, compared with the true book at every message."""

    ticks = False

    def on_start(self):
        self.books, self.changes, self.checked, self.state = {}, [], 0, None
        self.tops = self.trades = 0
        self.rules = {}
        self.subscribe("md.feeder.")

    def on_rules(self, rules):
        self.rules[rules.symbol] = rules

    def on_book_snapshot(self, message):
        book = self.books.setdefault(message.symbol, Book())
        book.apply_snapshot(message.bids, message.asks)
        self.note(message.state)
        if message.state is StreamState.LIVE:
            self.check(book, message.update_id)

    def on_book_delta(self, message):
        assert self.state is StreamState.LIVE
        book = self.books[message.symbol]
        book.apply_delta(message.bids, message.asks)
        self.check(book, message.update_id)

    def on_book_status(self, message):
        self.note(message.state, message.reason)

    def on_top_of_book(self, message):
        self.tops += 1

    def on_trade(self, message):
        self.trades += 1

    def note(self, state, reason=""):
        if state is not self.state:
            self.changes.append((self.now_ns, state, reason))
        self.state = state

    def check(self, book, update_id):
        self.checked += 1
        if self.truth is not None:
            assert book.state_hash() == self.truth[update_id], f"wrong at {update_id}"

    truth = None


@pytest.fixture
def bot():
    """(sim, venue connection, feeder, watcher), not yet run."""
    return build()


def build(feed=None, venue=None, markets=(SYMBOL,), checked=True):
    sim = Sim()
    venue_link = BadConnection(venue or VenueSettings(markets=[WHOLE]), sim.now_ns)
    sim.serve("venue", venue_link)
    feeder = sim.add("feeder", Feeder, Feeder.Settings(feed=feed or FeedSettings(), markets=tuple(markets)))
    watcher = sim.add("watcher", Watcher)
    watcher.truth = venue_link.truth if checked else None
    return sim, venue_link, feeder, watcher


def states(watcher):
    return [state for _, state, _ in watcher.changes]


def test_rules_books_best_prices_and_trades_come_and_are_right(bot):
    sim, venue_link, feeder, watcher = bot
    sim.run_for(20)
    assert watcher.rules[SYMBOL].tick_size == Decimal("0.01")
    assert feeder.feed.state == "LIVE"
    assert StreamState.LIVE in states(watcher)
    assert watcher.checked > 150
    assert watcher.tops > 100
    assert watcher.trades > 10
    symbol = venue_link.exchange.engine.symbols["BTCUSDT"]
    view = feeder.feed.book(SYMBOL)
    assert view.state is StreamState.LIVE
    assert abs(view.bid_ticks - symbol.matching.best_bid_ticks) < 1_000
    assert view.age_ns < SECOND_NS
    assert feeder.feed.counters.invalid == 0
    assert feeder.feed.markets[SYMBOL].sync.gaps == 0
    assert states(watcher)[-1] is StreamState.LIVE


def test_a_late_joiner_gets_the_book_from_a_snapshot(bot):
    sim, venue_link, _feeder, _ = bot
    sim.run_for(5)
    late = sim.add("late", Watcher)
    late.truth = venue_link.truth
    sim.run_for(2)
    assert late.checked > 10
    assert SYMBOL in late.rules


@pytest.mark.slow
def test_drops_doubles_and_delays_never_give_a_wrong_book(bot):
    sim, venue_link, feeder, watcher = bot
    venue_link.drop, venue_link.double, venue_link.delay = 0.01, 0.2, 0.05
    sim.run_for(120)
    sync = feeder.feed.markets[SYMBOL].sync
    assert venue_link.lost > 10
    assert sync.gaps > 10
    assert sync.ignored > 50
    assert watcher.checked > 500
    venue_link.drop = venue_link.double = venue_link.delay = 0
    sim.run_for(10)
    assert states(watcher)[-1] is StreamState.LIVE
    stale = [
        (later[0] - at) / SECOND_NS
        for (at, state, _), later in zip(watcher.changes, watcher.changes[1:], strict=False)
        if state is StreamState.STALE
    ]
    assert sorted(stale)[len(stale) // 2] < 1, "half of all repairs take less than a second"
    assert max(stale) < 10


def test_a_dropped_socket_is_back_well_within_two_seconds(bot):
    sim, _venue_link, feeder, watcher = bot
    sim.run_for(15)
    dropped_ns = sim.now_ns
    _drop_all(sim)
    sim.run_for(0.01)
    assert watcher.state is StreamState.STALE, "at once"
    sim.run_for(5)
    back_ns = watcher.changes[-1][0]
    assert watcher.changes[-1][1] is StreamState.LIVE
    assert (back_ns - dropped_ns) / SECOND_NS < 0.5
    assert feeder.feed.session.connects == 2


def _drop_all(sim):
    node = sim.services["venue"]
    for conn_id in list(node._links):
        node.service.close(conn_id, sim.now_ns)
        node._drop(conn_id, "reset by peer")


def test_a_silent_stream_is_stale_in_time_then_polled_then_live_again(bot):
    sim, venue_link, feeder, watcher = bot
    sim.run_for(15)
    silent_ns = sim.now_ns
    venue_link.silent = True
    sim.run_for(20)
    (stale_ns, _, reason) = next(row for row in watcher.changes if row[0] > silent_ns and row[1] is StreamState.STALE)
    assert (stale_ns - silent_ns) / 1e6 <= feeder.feed.settings.silence_ms + 50
    assert reason
    polled = [row for row in watcher.changes if row[0] > silent_ns and row[1] is StreamState.POLLING]
    assert polled
    venue_link.rest_down = True
    sim.run_for(6)
    assert watcher.state is StreamState.STALE, "polling has failed for too long"
    venue_link.silent = venue_link.rest_down = False
    sim.run_for(10)
    assert watcher.state is StreamState.LIVE
    assert watcher.checked > 200, "and each book that was published as live was the true one"


def test_while_the_exchange_is_gone_the_feed_polls_in_vain_and_comes_back(bot):
    sim, venue_link, feeder, watcher = bot
    sim.run_for(10)
    node = sim.services["venue"]
    node.down()
    sim.run_for(30)
    assert watcher.state is StreamState.STALE
    again = BadConnection(venue_link.settings, sim.now_ns, venue_link.log)
    watcher.truth = again.truth
    node.back(again)
    up_ns = sim.now_ns
    sim.run_for(10)
    assert watcher.state is StreamState.LIVE
    assert (watcher.changes[-1][0] - up_ns) / SECOND_NS < 6
    assert feeder.feed.session.connects < 60


def test_a_market_where_nothing_happens_stays_live_because_rest_confirms_it(bot):
    sim, venue_link, feeder, watcher = bot
    sim.run_for(10)
    venue_link.exchange.flows.clear()
    sim.run_for(60)
    assert states(watcher) == [StreamState.LIVE]
    assert feeder.feed.watchdog.probes > 5
    assert feeder.feed.session.connects == 1
    view = feeder.feed.book(SYMBOL)
    assert view.age_ns < feeder.feed.settings.silence_ms * 1_000_000
    venue_link.rest_down = True
    sim.run_for(6)
    assert watcher.state is StreamState.STALE, "neither stream nor REST: nothing is known"


def test_a_connection_is_changed_for_a_new_one_without_a_stale_moment():
    feed = FeedSettings(session=SessionSettings(max_age_ms=10_000))
    sim, venue_link, feeder, watcher = build(feed=feed)
    venue_link.delay = 0.2
    sim.run_for(5)
    venue_link.delay = 0
    before = len(watcher.changes)
    sim.run_for(60)
    assert feeder.feed.session.handovers >= 4
    assert watcher.changes[before:] == [], "never stale"
    assert feeder.feed.counters.duplicates > 0
    assert feeder.feed.markets[SYMBOL].sync.ignored > 10
    assert watcher.checked > 500


def test_a_server_that_announces_its_end_is_left_in_time(bot):
    sim, _venue_link, feeder, watcher = bot
    sim.run_for(10)
    before = len(watcher.changes)
    node = sim.services["venue"]
    (conn_id,) = node._links
    port, link = node._links[conn_id]
    sim.at(sim.now_ns, port.ws_event, link, "frame", b'{"e":"serverShutdown","E":1770123456789}')
    sim.run_for(20)
    assert feeder.feed.session.handovers == 1
    assert watcher.changes[before:] == []


def test_after_a_freeze_the_book_is_old_until_the_backlog_is_processed(bot):
    sim, _venue_link, feeder, _watcher = bot
    sim.run_for(10)
    assert feeder.feed.book(SYMBOL).age_ns < SECOND_NS
    held = []
    port = sim.processes["feeder"].port
    port.ws_event = lambda link, kind, data: held.append((link, kind, data))
    sim.run_for(3)
    del port.ws_event
    ages = []
    for link, kind, data in held:
        port.ws_event(link, kind, data)
        ages.append(feeder.feed.book(SYMBOL).age_ns)
    assert max(ages) > 2 * SECOND_NS
    assert ages[-1] < SECOND_NS
    assert feeder.feed.markets[SYMBOL].sync.gaps == 0


def test_invalid_frames_are_counted_and_too_many_cost_the_connection(bot):
    sim, _venue_link, feeder, watcher = bot
    sim.run_for(10)
    node = sim.services["venue"]
    random = Random(3)
    (conn_id,) = node._links
    port, link = node._links[conn_id]
    for n in range(25):
        data = random.randbytes(random.randint(0, 200))
        sim.at(sim.now_ns + n * 1_000_000, port.ws_event, link, "frame", data)
    sim.run_for(10)
    assert feeder.feed.counters.invalid >= 20
    assert feeder.feed.session.recycles == 1
    assert watcher.state is StreamState.LIVE


def test_a_crossed_delta_or_wrong_best_prices_make_the_book_stale_and_a_snapshot_repairs_it(bot):
    sim, _venue_link, feeder, watcher = bot
    sim.run_for(15)
    sync = feeder.feed.markets[SYMBOL].sync
    node = sim.services["venue"]
    (conn_id,) = node._links
    port, link = node._links[conn_id]
    first = sync.update_id + 1
    wrong = b'{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":%d,"u":%d,"b":[["999999.00","1.00"]],"a":[]}' % (first, first)
    sim.at(sim.now_ns, port.ws_event, link, "frame", wrong)
    before = len(watcher.changes)
    sim.run_for(5)
    assert "crossed" in watcher.changes[before][2]
    assert watcher.state is StreamState.LIVE


def test_an_unknown_market_is_named_and_the_others_work():
    sim, _venue_link, feeder, watcher = build(markets=[SYMBOL, "BTC-NONE", "ETH-NONE"])
    sim.run_for(5)
    assert sorted(feeder.feed.unknown) == ["BTC-NONE", "ETH-NONE"]
    assert feeder.feed.state == "DEGRADED"
    assert "BTC-NONE" in feeder.feed.detail
    assert set(feeder.feed.troubles()) == {"BTC-NONE", "ETH-NONE"}
    assert watcher.state is StreamState.LIVE


def test_rules_are_requested_until_they_arrive(bot):
    sim, venue_link, feeder, _watcher = bot
    venue_link.rest_down = True
    sim.run_for(10)
    assert feeder.feed.state == "STARTING"
    assert "503" in feeder.feed.detail
    assert len(venue_link.requests) < 10
    venue_link.rest_down = False
    sim.run_for(15)
    assert feeder.feed.state == "LIVE"


def test_failed_snapshots_are_requested_at_a_bounded_pace(bot):
    sim, venue_link, _feeder, watcher = bot
    sim.run_for(15)
    venue_link.rest_down = True
    venue_link.drop = 0.1
    venue_link.requests.clear()
    sim.run_for(60)
    assert watcher.state is not StreamState.LIVE or venue_link.lost == 0
    assert len(venue_link.requests) < 40
    venue_link.rest_down, venue_link.drop = False, 0
    sim.run_for(10)
    assert watcher.state is StreamState.LIVE


@pytest.mark.slow
def test_a_hundred_markets_on_one_connection():
    names = [f"A{n:02d}-USDT" for n in range(100)]
    quiet = FlowSettings(limit_rate=0.5, market_rate=0.05, book_orders=20)
    venue = VenueSettings(
        markets=[MarketSettings(symbol=name, flow=quiet) for name in names], rate_limits="binance", accounts=[]
    )
    feed = FeedSettings(depth_levels=100)
    sim, venue_link, feeder, _watcher = build(feed=feed, venue=venue, markets=names, checked=False)
    sim.run_for(20)
    assert feeder.feed.state == "LIVE", feeder.feed.detail
    assert feeder.feed.session.connects == 1
    venue_link.exchange.flows.clear()
    sim.run_for(1)
    for name, symbol in venue_link.exchange.engine.symbols.items():
        sync = feeder.feed.markets[f"{name[:3]}-USDT"].sync
        assert (sync.update_id, sync.book.snapshot()) == (symbol.update_id, symbol.matching.snapshot())


def test_fees_go_out_with_the_rules(bot):
    sim, _venue_link, feeder, watcher = bot
    sim.run_for(3)
    feeder.feed.instruments.set_fees(Decimal("0.0005"), Decimal("0.0007"))
    sim.processes["feeder"].settle()
    sim.run_for(1)
    assert watcher.rules[SYMBOL].maker_fee == Decimal("0.0005")
    assert watcher.rules[SYMBOL].taker_fee == Decimal("0.0007")


def test_the_same_seed_gives_the_same_run():
    traces = []
    for _ in range(2):
        sim, venue_link, _feeder, watcher = build()
        venue_link.drop, venue_link.delay = 0.05, 0.05
        sim.run_for(20)
        traces.append((sim.processes["feeder"].runtime.outbox.trace, sim.events.count, watcher.checked))
    assert traces[0] == traces[1]


def test_a_finer_tick_is_used_at_once_and_the_book_stays_live():
    feed = FeedSettings(rules_ms=5_000)
    sim, venue_link, feeder, watcher = build(feed=feed, checked=False)
    sim.run_for(4)
    before = feeder.feed.book(SYMBOL)
    answer = venue_link.http

    def finer(request, path, now_ns):
        received, delay_ns = answer(request, path, now_ns)
        if "exchangeInfo" in path:
            received.body = received.body.replace(b'"tickSize":"0.01', b'"tickSize":"0.001')
        return received, delay_ns

    venue_link.http = finer
    sim.run_for(4)
    after = feeder.feed.book(SYMBOL)
    assert watcher.rules[SYMBOL].tick_size == Decimal("0.001")
    assert [state for _, state, _ in watcher.changes] == [StreamState.LIVE]
    assert 9.9 < after.bid_ticks / before.bid_ticks < 10.1
    assert watcher.books[SYMBOL].best_bid_ticks // 10**6 == after.bid_ticks // 10**6
