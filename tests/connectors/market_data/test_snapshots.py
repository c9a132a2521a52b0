"""Snapshots: each market that needs a book requests one, within a bound; an answer that is too old is dropped."""

import pytest

from actors.stages import NoStages
from connectors.binance.market import BinanceMarket
from connectors.core.market_scales import MarketScales
from connectors.market_data.frame_scaling import FrameScaling
from connectors.market_data.lateness import Lateness
from connectors.market_data.market_state import MS_NS, Counters, MarketState
from connectors.market_data.settings import FeedSettings
from connectors.market_data.snapshots import Purpose, Snapshots
from market.levels import pack_levels
from market.rules import instrument_of
from protocol import BookSnapshot
from tests.connectors.parts import FakeEffects

BODY = b'{"lastUpdateId":7,"bids":[["99.00","1.0"]],"asks":[["101.00","1.0"]]}'
INFO = (
    '{"symbols":[{"symbol":"%sUSDT","status":"TRADING","baseAsset":"%s","quoteAsset":"USDT","filters":['
    '{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"100000","tickSize":"0.01"},'
    '{"filterType":"LOT_SIZE","minQty":"0.1","maxQty":"9000","stepSize":"0.1"}]}]}'
)


class World:
    """Markets of Binance that are subscribed; none has a book."""

    def __init__(self, count: int = 1, **settings) -> None:
        self.fx, self.settings = FakeEffects(), FeedSettings(**settings)
        self.fx.now_ns = 10**15
        self.delivered, self.invalid = [], []
        api = BinanceMarket("http://x", "ws://x")
        self.snapshots = Snapshots(
            self.fx, api, self.settings, lambda call, then: self.fx.http(call.request, then),
            FrameScaling(MarketScales(self.fx.log, lambda *_: None), {}), self.deliver, self.invalid.append,
        )  # fmt: skip
        self.markets = []
        for n in range(count):
            name = "ABCDEFGH"[n]
            market = MarketState(
                self.fx, f"{name}-USDT", self.settings, NoStages(), Counters(), Lateness(), lambda *_: None
            )
            (market.rules,) = api.parse_rules((INFO % (name, name)).encode())
            market.instrument = instrument_of(market.rules)
            api.add_market(market.rules)
            market.stream_back()
            self.markets.append(market)

    def deliver(self, market, purpose, snapshot, limit):
        self.delivered.append((market.symbol, purpose, snapshot.update_id, limit))

    def request_due(self) -> list[str]:
        """The symbols of the requests that were sent now."""
        before = len(self.requested)
        self.snapshots.request_due(self.markets)
        return self.requested[before:]

    @property
    def requested(self) -> list[str]:
        self.fx.perform()
        return [request.url.split("symbol=")[1].split("&")[0] for request, _ in self.fx.requests]


@pytest.fixture
def world():
    return World()


def test_a_market_without_a_book_requests_one_once_and_gets_it(world):
    assert world.request_due() == ["AUSDT"]
    assert world.request_due() == [], "its request is on its way"
    world.fx.answer(BODY)
    assert world.delivered == [("A-USDT", Purpose.SYNC, 7, world.settings.depth_levels)]


def test_requests_in_flight_are_bounded_and_those_that_wait_follow():
    world = World(6, snapshots_max=4)
    assert world.request_due() == ["AUSDT", "BUSDT", "CUSDT", "DUSDT"]
    assert world.request_due() == []
    world.fx.answer(BODY)
    world.markets[0].back_off()  # it has had its turn
    assert world.request_due() == ["EUSDT"]


def test_a_failed_request_is_repeated_after_a_delay_that_doubles_up_to_a_bound(world):
    delays_ms = []
    for status in (500, 418, None, 500, 500, 500, 500, 500):
        world.request_due()
        _ = world.fx.answer(b"", status) if status else world.fx.fail(sent=True)
        delays_ms.append((world.markets[0].retry_ns - world.fx.now_ns) // MS_NS)
        assert world.request_due() == []
        world.fx.now_ns = world.markets[0].retry_ns
    assert delays_ms == [100, 200, 400, 800, 1_600, 3_200, 4_000, 4_000]
    assert (world.snapshots.failed, world.delivered, world.invalid) == (8, [], [])


def test_an_invalid_answer_is_reported_with_its_market_and_repeated(world):
    world.request_due()
    world.fx.answer(b'{"lastUpdateId":"seven"}')
    (error,) = world.invalid
    assert (error.symbol, str(error).startswith("snapshot: ")) == ("A-USDT", True)
    world.fx.now_ns = world.markets[0].retry_ns
    assert world.request_due() == ["AUSDT"]


def test_the_answer_to_a_request_of_an_earlier_connection_is_dropped(world):
    world.request_due()
    world.snapshots.on_stream_lost()
    world.fx.answer(BODY)
    assert world.delivered == []
    assert world.request_due() == ["AUSDT"], "and the next connection requests its own"


def test_without_a_stream_the_book_is_polled_at_its_interval_once_the_loss_has_lasted(world):
    market = world.markets[0]
    market.stream_lost()
    assert world.request_due() == []
    world.fx.now_ns += world.settings.silence_ms * MS_NS
    assert world.request_due() == ["AUSDT"]
    world.fx.answer(BODY)
    assert world.delivered == [("A-USDT", Purpose.POLL, 7, world.settings.poll_levels)]
    world.fx.now_ns += world.settings.poll_ms * MS_NS - 1
    assert world.request_due() == []
    world.fx.now_ns += 1
    assert world.request_due() == ["AUSDT"]
    market.stream_back()
    world.fx.answer(BODY)
    assert len(world.delivered) == 1, "the stream is back: the polled book is not needed"


def test_a_quiet_book_is_compared_and_a_market_that_is_unknown_requests_nothing(world):
    market = world.markets[0]
    market.sync.on_snapshot(_book("A-USDT"), 0)
    assert world.request_due() == []
    world.fx.now_ns += world.settings.quiet_ms * MS_NS
    assert world.request_due() == ["AUSDT"]
    world.fx.answer(BODY)
    assert [purpose for _, purpose, *_ in world.delivered] == [Purpose.PROBE]
    market.gone = True
    world.fx.now_ns += world.settings.quiet_ms * MS_NS
    assert world.request_due() == []


def _book(symbol):
    return BookSnapshot(symbol, 100, pack_levels([(99, 5)]), pack_levels([(101, 5)]))
