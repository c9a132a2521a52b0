"""Books out of snapshots and deltas: small made-up cases."""

import pytest

from connectors.market_data.book_sync import MAX_BUFFERED, NOTHING, BookSync
from market.levels import pack_levels
from protocol import BookDelta, BookSnapshot, BookStatus, StreamState, TopOfBook

SYMBOL = "BTC-USDT"


def diff(first_id, last_id, bids=(), asks=()):
    return BookDelta(SYMBOL, first_id, last_id, pack_levels(bids), pack_levels(asks))


def snap(update_id, bids=((99, 5), (98, 5)), asks=((101, 5), (102, 5))):
    return BookSnapshot(SYMBOL, update_id, pack_levels(bids), pack_levels(asks))


def top(update_id, bid, ask):
    return TopOfBook(SYMBOL, update_id, *bid, *ask)


@pytest.fixture
def live():
    """A book that is live at update 100."""
    sync = BookSync(SYMBOL)
    assert sync.on_snapshot(snap(100)) == sync.whole()
    assert sync.state is StreamState.LIVE
    return sync


def test_deltas_that_came_before_the_snapshot_are_in_the_first_book():
    sync = BookSync(SYMBOL)
    assert sync.on_delta(diff(95, 98, bids=[(99, 1)])) is None
    assert sync.on_delta(diff(99, 103, bids=[(99, 7)])) is None
    assert sync.on_delta(diff(104, 106, asks=[(101, 0)])) is None
    received = sync.on_snapshot(snap(100))
    assert (received.update_id, received.state) == (106, StreamState.LIVE)
    assert sync.book.levels(1, 1) == [(99, 7)]
    assert sync.book.levels(2, 1) == [(102, 5)]


def test_the_first_delta_may_begin_one_after_the_snapshot_or_reach_back_over_it():
    for first_id in (101, 100, 90):
        sync = BookSync(SYMBOL)
        sync.on_delta(diff(first_id, 105, bids=[(99, 1)]))
        assert sync.on_snapshot(snap(100)).update_id == 105


def test_a_snapshot_older_than_the_first_delta_is_never_published():
    sync = BookSync(SYMBOL)
    sync.on_delta(diff(103, 105))
    assert sync.on_snapshot(snap(100)) is None
    assert sync.needs_snapshot
    assert sync.state is StreamState.STALE
    assert sync.on_snapshot(snap(102)).update_id == 105
    assert not sync.needs_snapshot


def test_a_delta_that_follows_exactly_is_published_as_it_came(live):
    delta = diff(101, 104, bids=[(100, 3)])
    assert live.on_delta(delta) is delta
    assert live.update_id == 104
    assert live.book.best_bid_ticks == 100


def test_a_double_and_an_older_delta_change_nothing(live):
    delta = diff(101, 104, bids=[(100, 3)])
    live.on_delta(delta)
    before = live.book.state_hash()
    assert live.on_delta(delta) is None
    assert live.on_delta(diff(90, 95, bids=[(97, 1)])) is None
    assert live.book.state_hash() == before
    assert live.ignored == 2
    assert live.state is StreamState.LIVE


def test_a_gap_makes_the_book_stale_on_that_very_delta(live):
    received = live.on_delta(diff(103, 104, bids=[(99, 9)]))
    assert isinstance(received, BookStatus)
    assert received.state is StreamState.STALE
    assert "100 then 103" in received.reason
    assert live.needs_snapshot
    assert live.on_snapshot(snap(102)).update_id == 104


def test_a_delta_that_was_only_late_closes_the_gap_without_a_snapshot(live):
    live.on_delta(diff(103, 104, bids=[(99, 9)]))
    received = live.on_delta(diff(101, 102, asks=[(101, 1)]))
    assert (received.update_id, received.state) == (104, StreamState.LIVE)
    assert not live.needs_snapshot
    assert live.on_snapshot(snap(103)) is None, "the answer to a question that settled itself"


def test_live_an_overlap_is_no_sequence(live):
    live.on_delta(diff(101, 104))
    received = live.on_delta(diff(103, 106))
    assert received.state is StreamState.STALE
    assert live.update_id == NOTHING


def test_during_a_handover_two_streams_may_overlap_and_run_apart(live):
    live.on_delta(diff(101, 104))
    live.two_streams = True
    assert live.on_delta(diff(103, 106, bids=[(99, 2)])).update_id == 106
    assert live.on_delta(diff(109, 110, bids=[(99, 4)])) is None, "the other connection may bring 107"
    assert live.state is StreamState.LIVE
    received = live.on_delta(diff(107, 108, bids=[(99, 3)]))
    assert (received.update_id, received.state) == (110, StreamState.LIVE)
    assert live.book.best_bid_lots == 4
    live.on_delta(diff(113, 114))
    assert live.on_one_stream().state is StreamState.STALE, "no connection is left to bring 111"


@pytest.mark.parametrize(
    ("bids", "asks", "word"),
    [([(101, 1)], [], "crossed"), ([], [(101, 0), (102, 0), (900, 1)], "implausible")],
)
def test_a_crossed_or_implausible_book_is_stale_until_a_snapshot(live, bids, asks, word):
    received = live.on_delta(diff(101, 101, bids=bids, asks=asks))
    assert received.state is StreamState.STALE
    assert word in received.reason
    assert live.on_delta(diff(102, 102)) is None
    assert live.on_snapshot(snap(102)).state is StreamState.LIVE


def test_a_crossed_snapshot_is_not_published():
    sync = BookSync(SYMBOL)
    assert sync.on_snapshot(snap(100, bids=[(101, 1)], asks=[(101, 1)])) is None
    assert sync.needs_snapshot
    assert sync.state is StreamState.STALE


def test_best_prices_of_the_same_update_are_compared(live):
    assert live.on_top(top(100, (99, 5), (101, 5))) is None
    assert live.on_top(top(102, (99, 6), (101, 5))) is None, "ahead of the book: kept"
    assert live.on_delta(diff(101, 102, bids=[(99, 6)])) is not None
    assert live.state is StreamState.LIVE
    live.on_top(top(104, (99, 7), (101, 5)))
    received = live.on_delta(diff(103, 104, bids=[(98, 1)]))
    assert received.state is StreamState.STALE
    assert "104" in received.reason


def test_a_book_that_moves_beyond_its_snapshot_is_not_known():
    sync = BookSync(SYMBOL)
    sync.on_snapshot(snap(100), limit=2)
    received = sync.on_delta(diff(101, 101, asks=[(101, 0), (102, 0), (104, 3)]))
    assert received.state is StreamState.STALE, "103 may hold an order that the snapshot did not reach"
    assert not sync.wants_refresh
    whole = BookSync(SYMBOL)
    whole.on_snapshot(snap(100), limit=1000)
    assert whole.on_delta(diff(101, 101, asks=[(101, 0), (102, 0), (104, 3)])).update_id == 101


def test_a_snapshot_is_refreshed_before_the_price_leaves_it():
    asks = [(100 + n, 1) for n in range(1, 9)]
    sync = BookSync(SYMBOL)
    sync.on_snapshot(snap(100, asks=asks), limit=8)
    for n in range(1, 8):
        assert not sync.wants_refresh
        sync.on_delta(diff(100 + n, 100 + n, asks=[(100 + n, 0)]))
    assert sync.wants_refresh
    assert sync.on_snapshot(snap(99, asks=asks), limit=8) is None, "older than the diffs that are kept"
    received = sync.on_snapshot(snap(105, asks=[(106, 1), (107, 1), (108, 1), (109, 2), (110, 2)]), limit=8)
    assert (received.update_id, received.state) == (107, StreamState.LIVE)
    assert sync.book.levels(2, 3) == [(108, 1), (109, 2), (110, 2)]
    assert not sync.wants_refresh


def test_a_refresh_that_shows_another_book_makes_it_stale():
    asks = [(100 + n, 1) for n in range(1, 9)]
    sync = BookSync(SYMBOL)
    sync.on_snapshot(snap(100, asks=asks), limit=8)
    sync.on_delta(diff(101, 101, asks=[(100 + n, 0) for n in range(1, 8)]))
    received = sync.on_snapshot(snap(101, asks=[(107, 1), (108, 1)]), limit=8)
    assert received.state is StreamState.STALE


def test_polled_books_are_published_and_no_delta_is_built_on_them(live):
    live.on_stream_lost("stream down")
    received = live.on_poll(snap(120, bids=[(99, 1)]))
    assert received.state is StreamState.POLLING
    assert live.on_poll(snap(120)) is None, "nothing new"
    assert live.on_delta(diff(121, 122, bids=[(99, 2)])) is None
    assert live.needs_snapshot
    received = live.on_snapshot(snap(121))
    assert (received.update_id, received.state) == (122, StreamState.LIVE)


def test_an_exchange_that_numbers_anew_is_accepted_after_a_while(live):
    live.on_stream_lost("stream down")
    received = [live.on_snapshot(snap(3)) for _ in range(4)]
    assert [one is None for one in received] == [True, True, True, False]
    assert live.update_id == 3


def test_what_waits_for_a_snapshot_is_bounded():
    sync = BookSync(SYMBOL)
    for n in range(MAX_BUFFERED + 50):
        sync.on_delta(diff(n + 1, n + 1))
    assert sync.dropped == 50
    assert sync.on_snapshot(snap(20)) is None, "what it would need is dropped"
    assert sync.on_snapshot(snap(60)).update_id == MAX_BUFFERED + 50


def test_a_thin_book_whose_best_bid_comes_and_goes_stays_live():
    sync = BookSync(SYMBOL)
    sync.on_snapshot(snap(10, [(100, 1), (40, 1)], [(101, 1)]))
    changes, update_id = [], 10
    for n in range(20):
        update_id += 1
        changes.append(sync.on_delta(diff(update_id, update_id, bids=[(100, n % 2)])))
        if sync.needs_snapshot:  # the first jump is checked once
            bids = [(100, 1), (40, 1)] if n % 2 else [(40, 1)]
            sync.on_snapshot(snap(update_id, bids, [(101, 1)]))
    assert sum(isinstance(change, BookStatus) for change in changes) == 1
    assert sync.state is StreamState.LIVE
