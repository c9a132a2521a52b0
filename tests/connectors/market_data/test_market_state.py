"""MarketState: a delta that continues the book is published as it came; everything else changes the book's state."""

import pytest

from actors.stages import NoStages
from connectors.market_data.lateness import Lateness
from connectors.market_data.market_state import STEADY_NS, Counters, MarketState
from connectors.market_data.settings import FeedSettings
from market.levels import pack_levels
from protocol import BookDelta, BookSnapshot, BookStatus, Side, StreamState, TopOfBook, Trade
from tests.connectors.parts import SYMBOL, FakeEffects

BOOK = f"md.binance.{SYMBOL}.book."


class Market(MarketState):
    """A market whose book is live at update 100."""

    __slots__ = ("changes", "counters", "fx")

    def __init__(self) -> None:
        self.fx, self.counters, self.changes = FakeEffects(), Counters(), []
        super().__init__(
            self.fx, SYMBOL, FeedSettings(), NoStages(), self.counters, Lateness(),
            lambda market, is_stale: self.changes.append(is_stale),
        )  # fmt: skip
        self.publish(self.sync.on_snapshot(BookSnapshot(SYMBOL, 100, pack_levels([(99, 5)]), pack_levels([(101, 5)]))))

    def published(self) -> list[type]:
        return [type(message) for message in self.fx.messages(BOOK)]


@pytest.fixture
def market():
    return Market()


def delta(first_id, last_id, bids=()):
    return BookDelta(SYMBOL, first_id, last_id, pack_levels(bids), pack_levels([]))


def test_a_delta_that_continues_the_book_is_published_as_it_came(market):
    update = delta(101, 102, [(99, 7)])
    market.on_delta(update)
    assert market.fx.messages(BOOK)[-1] is update
    assert (market.changes, market.counters.deltas) == ([False], 1), "it does not change the state of the book"


def test_a_gap_makes_the_book_stale_and_the_next_snapshot_is_delayed_if_it_comes_soon(market):
    market.on_delta(delta(105, 106))
    assert market.published() == [BookSnapshot, BookStatus]
    assert market.changes == [False, True]
    assert market.retry_ns > market.fx.now_ns, "stale again soon after it became right"


def test_a_book_that_was_right_for_long_is_repaired_at_once(market):
    market.fx.now_ns += STEADY_NS
    market.on_delta(delta(105, 106))
    assert market.retry_ns == 0


def test_best_prices_and_trades_are_published_once(market):
    top = TopOfBook(SYMBOL, 100, 99, 5, 101, 5)
    trade = Trade(SYMBOL, 7, Side.BUY, 101, 1)
    for _ in range(2):
        market.on_top(top)
        market.on_trade(trade)
    assert len(market.fx.messages(market.top_topic)) == len(market.fx.messages(market.trade_topic)) == 1
    assert market.counters.duplicates == 2


def test_best_prices_that_differ_from_the_book_make_it_stale(market):
    market.on_top(TopOfBook(SYMBOL, 100, 98, 5, 101, 5))
    assert market.sync.state is StreamState.STALE
    assert market.published()[-1] is BookStatus


def test_a_snapshot_of_each_stream_is_its_latest_message(market):
    assert market.snapshot("book").update_id == 100
    assert market.snapshot("top") is None
    market.on_delta(delta(105, 106))
    assert isinstance(market.snapshot("book"), BookStatus)
