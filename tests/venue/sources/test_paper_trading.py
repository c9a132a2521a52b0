"""Paper trading: a market that follows the bus, is closed without a reliable book, and has correct fills."""

import json
from decimal import Decimal

import msgspec
import pytest

from market.levels import pack_levels
from protocol import BookDelta, BookSnapshot, BookStatus, Heartbeat, Rules, StreamState, TopOfBook, Trade
from protocol.enums import Side
from venue.base.settings import MarketSettings, PaperSettings, VenueSettings
from venue.base.venue_errors import BadVenue
from venue.server.main import run
from venue.sources.paper import REQUEST_EVERY_NS, market_settings

SYMBOL = "BTC-USDT"
RULES = Rules(SYMBOL, "BTC", "USDT", Decimal("0.01"), Decimal("0.001"), 1, 10**7, 1, 10**7, Decimal("0.01"))
BOOK = ([(10_000, 50), (9_999, 80)], [(10_002, 40), (10_003, 70)])


class OnPaper:
    """An exchange in paper trading, and the messages of its connector, by hand."""

    def __init__(self, world, **settings):
        paper = PaperSettings(connector="binance", **settings)
        self.world = world(markets=[market_settings(RULES, MarketSettings())], paper=paper)
        self.paper = self.world.exchange.paper
        self.u, self.t = 1_000, 1

    def publish(self, message):
        self.world.exchange.on_live_message(message, self.world.now_ns)
        self.world._settle()

    def snapshot(self, bids=BOOK[0], asks=BOOK[1], state=StreamState.LIVE):
        self.publish(BookSnapshot(SYMBOL, self.u, pack_levels(bids), pack_levels(asks), state=state))

    def diff(self, bids=(), asks=()):
        self.u += 1
        self.publish(BookDelta(SYMBOL, self.u, self.u, pack_levels(bids), pack_levels(asks)))

    def trade(self, taker, price, lots):
        self.t += 1
        self.publish(Trade(SYMBOL, self.t, taker, price, lots))

    def buy(self, price, lots):
        return self.world.order("BUY", f"{lots / 1000:.3f}", f"{price / 100:.2f}")

    def filled(self, order_id):
        _, body = self.world.signed("GET", "order", symbol="BTCUSDT", orderId=order_id)
        return round(Decimal(body["executedQty"]) * 1000)

    @property
    def why_closed(self):
        return self.world.exchange.engine.symbols["BTCUSDT"].closed


@pytest.fixture
def on_paper(world):
    return OnPaper(world)


def test_the_market_opens_with_a_book_and_fills_come_from_its_trades_alone(on_paper):
    status, body = on_paper.buy(6_000_000, 10)
    assert (status, body["code"], body["msg"]) == (400, -2010, "Market is closed.")
    on_paper.snapshot()
    status, body = on_paper.buy(10_000, 10)
    assert status == 200, body
    on_paper.world.advance(60_000)
    on_paper.publish(Heartbeat(1, 0))
    assert on_paper.filled(body["orderId"]) == 0, "time alone fills nothing"
    on_paper.snapshot()
    on_paper.trade(Side.SELL, 10_000, 53)
    assert on_paper.filled(body["orderId"]) == 3
    trades = on_paper.world.signed("GET", "myTrades", symbol="BTCUSDT")[1]
    assert [(one["qty"], one["commission"], one["isMaker"]) for one in trades] == [("0.00300000", "0.00000300", True)]


def test_a_book_change_waits_for_the_trade_that_explains_it(on_paper):
    on_paper.snapshot()
    order_id = on_paper.buy(10_000, 10)[1]["orderId"]
    matching = on_paper.world.exchange.engine.symbols["BTCUSDT"].matching
    on_paper.u += 1
    on_paper.publish(TopOfBook(SYMBOL, on_paper.u, 10_000, 20, 10_002, 40))
    on_paper.world.advance(3)
    assert matching.queue_ahead(order_id) == 50
    on_paper.trade(Side.SELL, 10_000, 30)
    on_paper.world.advance(3)
    assert matching.queue_ahead(order_id) == 20
    assert matching.size_at(Side.BUY, 10_000) == 30


def test_a_gap_closes_the_market_until_a_book_that_what_came_since_goes_on_from(on_paper):
    on_paper.snapshot()
    order_id = on_paper.buy(10_000, 10)[1]["orderId"]
    lost = on_paper.u = on_paper.u + 1
    on_paper.diff(bids=[(10_000, 60)])
    assert "gap" in on_paper.why_closed
    assert on_paper.buy(10_000, 10)[1]["msg"] == "Market is closed."
    on_paper.trade(Side.SELL, 10_000, 900)
    assert on_paper.filled(order_id) == 0, "messages about a market without a known book fill nothing"
    on_paper.u, later = lost, on_paper.u
    on_paper.snapshot()
    on_paper.u = later
    on_paper.world.advance(10)
    assert not on_paper.why_closed
    matching = on_paper.world.exchange.engine.symbols["BTCUSDT"].matching
    assert matching.size_at(Side.BUY, 10_000) == 70, "the delta received before the book is in it"
    status, _ = on_paper.world.signed("DELETE", "order", symbol="BTCUSDT", orderId=order_id)
    assert status == 200


@pytest.mark.parametrize("state", [StreamState.STALE, StreamState.POLLING])
def test_a_book_that_the_connector_does_not_vouch_for_closes_the_market(on_paper, state):
    on_paper.snapshot()
    on_paper.publish(BookStatus(SYMBOL, state, "stream down"))
    assert on_paper.why_closed == "stream down"
    on_paper.snapshot(state=state)
    assert on_paper.why_closed
    on_paper.snapshot()
    assert not on_paper.why_closed


def test_a_silent_connector_closes_the_market_and_orders_can_still_be_canceled(on_paper):
    on_paper.snapshot()
    order_id = on_paper.buy(10_000, 10)[1]["orderId"]
    on_paper.world.advance(4_900)
    assert not on_paper.why_closed
    on_paper.world.advance(300)
    assert on_paper.why_closed == "binance is silent"
    on_paper.diff(bids=[(10_000, 60)])
    assert on_paper.why_closed, "only a whole book opens it"
    assert on_paper.world.signed("DELETE", "order", symbol="BTCUSDT", orderId=order_id)[0] == 200
    on_paper.snapshot()
    assert not on_paper.why_closed


def test_missing_books_are_requested_from_the_connector_and_not_too_often(on_paper):
    now_ns = on_paper.world.now_ns
    assert on_paper.paper.needs_snapshots(now_ns)
    assert not on_paper.paper.needs_snapshots(now_ns + REQUEST_EVERY_NS - 1)
    assert on_paper.paper.needs_snapshots(now_ns + REQUEST_EVERY_NS)
    on_paper.snapshot()
    assert not on_paper.paper.needs_snapshots(now_ns + 10 * REQUEST_EVERY_NS)


def test_rules_of_the_live_market_are_ours_and_only_a_finer_tick_closes_it(on_paper):
    row = on_paper.world.get("exchangeInfo")["symbols"][0]["filters"]
    assert next(one["stepSize"] for one in row if one["filterType"] == "LOT_SIZE") == "0.00100000"
    on_paper.snapshot()
    on_paper.publish(RULES)
    assert not on_paper.why_closed
    on_paper.publish(msgspec.structs.replace(RULES, tick_size=Decimal("0.1"), max_price_ticks=10**6))
    on_paper.snapshot()
    assert not on_paper.why_closed
    assert on_paper.world.order("BUY", "0.010", "100.01")[1]["msg"] == "Filter failure: PRICE_FILTER"
    assert on_paper.world.order("BUY", "0.010", "100.10")[0] == 200
    on_paper.publish(msgspec.structs.replace(RULES, tick_size=Decimal("0.001")))
    on_paper.snapshot()
    assert "tick or lot has become finer" in on_paper.why_closed
    assert not on_paper.paper.needs_snapshots(on_paper.world.now_ns + REQUEST_EVERY_NS), "no book would open it"


def test_a_live_market_in_a_finer_scale_is_followed_without_the_levels_between_our_ticks(on_paper):
    finer = {"price_digits": 3, "size_digits": 5}
    bids, asks = [(100_000, 5_349), (99_995, 7_000), (99_990, 1_000)], [(100_010, 2_000)]
    on_paper.publish(BookDelta(SYMBOL, on_paper.u + 1, on_paper.u + 1, pack_levels([(99_980, 300)]), b"", **finer))
    on_paper.publish(BookSnapshot(SYMBOL, on_paper.u, pack_levels(bids), pack_levels(asks), **finer))
    on_paper.world.advance(500)  # book changes wait for the trades that explain them
    depth = on_paper.world.get("depth", symbol="BTCUSDT")
    assert [row[0] for row in depth["bids"]] == ["100.00000000", "99.99000000", "99.98000000"]
    assert [row[1] for row in depth["bids"]] == ["0.05300000", "0.01000000", "0.00300000"]
    assert depth["asks"] == [["100.01000000", "0.02000000"]]
    _, body = on_paper.buy(10_000, 10)
    on_paper.publish(Trade(SYMBOL, 2, Side.SELL, 100_000, 6_300, **finer))
    assert on_paper.filled(body["orderId"]) == 10


def test_a_live_market_that_is_halted_is_closed_here_until_it_trades_again(on_paper):
    on_paper.snapshot()
    on_paper.publish(msgspec.structs.replace(RULES, trading=False))
    on_paper.snapshot()
    status = json.loads(on_paper.world.request("GET", "/control/status").body)
    assert status["symbols"]["BTCUSDT"]["closed"] == "the live market is not trading"
    on_paper.publish(RULES)
    assert on_paper.why_closed
    assert on_paper.paper.needs_snapshots(on_paper.world.now_ns)
    on_paper.snapshot()
    assert not on_paper.why_closed


def test_answers_have_no_weights_so_that_the_live_exchange_s_count_stands(on_paper, ann_and_bob):
    paper = on_paper.world.request("GET", "/api/v3/time").headers
    plain = ann_and_bob.request("GET", "/api/v3/time").headers
    assert set(plain) - set(paper) == {"x-mbx-used-weight", "x-mbx-used-weight-1m"}


def test_paper_without_a_run_is_refused_in_one_line(capsys):
    assert run(VenueSettings(paper=PaperSettings(connector="binance"))) == BadVenue.exit_code
    assert "tickbus run" in capsys.readouterr().err


def test_a_replay_and_paper_at_once_are_refused():
    with pytest.raises(msgspec.ValidationError, match="remove one"):
        msgspec.convert({"replay": {"file": "x"}, "paper": {"connector": "x"}}, VenueSettings)
