"""The bot of the fast-path rows, live: for each frame that it receives, an order is sent."""

import pytest

from benchmarks.book_tape import BookTape
from benchmarks.depth import NAME, RULES
from benchmarks.frames import RECORDED
from benchmarks.placement import cores
from benchmarks.trade_sides import LoopSide, TradeSide
from connectors.binance.parse import new_parser
from connectors.market_data.book_sync import BookSync
from protocol import StreamState

pytestmark = pytest.mark.process

pytestmark = pytest.mark.skipif(
    not RECORDED.exists() or len(cores()) < 2, reason="needs the recorded frames and two cores"
)


def test_the_tape_has_no_gap_and_returns_to_its_book():
    tape, parser, sync = BookTape([NAME]), new_parser(), BookSync(RULES.symbol)
    parser.add_market(NAME, RULES)
    sync.on_snapshot(parser.parse_snapshot(NAME, tape.snapshot, 0), 1_000)
    length = len(tape.frames) + 1
    tops = []
    for number, frame in zip(range(2 * length + 500), tape, strict=False):
        (delta,) = parser.parse(frame, 0)
        assert sync.on_delta(delta) is delta, sync.reason
        assert not sync.wants_refresh, "the scripted exchange has no other snapshot"
        if number % length in (length - 1, 499):
            tops.append((sync.book.best_bid_ticks, sync.book.best_ask_ticks, sync.book.levels(1, 20)))
    assert sync.state is StreamState.LIVE
    assert tops[0] == tops[2] == tops[4]
    assert tops[1] == tops[3]


@pytest.mark.process
def test_a_live_strategy_places_an_order_after_each_frame():
    side = TradeSide("ours", "p50_us", frames=30)
    assert side.round() > 0
    assert side.detail["ours_missed"] < 30


@pytest.mark.process
def test_it_does_so_without_a_network():
    side = LoopSide("p50_us", frames=30)
    assert side.round() > 0
