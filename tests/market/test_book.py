"""The order book: its queries, and that both implementations agree."""

import gzip
import math
import random
import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book import BUY, SELL, Book, FastBook, PlainBook
from market.levels import MAX_INT, pack_levels, parse_levels, unpack_levels

IMPLEMENTATIONS = [one for one in (PlainBook, FastBook) if one is not None]
needs_both = pytest.mark.skipif(FastBook is None, reason="market._book is not compiled")


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda one: one.__name__)
def book(request):
    made = request.param()
    made.apply_snapshot(pack_levels([(99, 5), (98, 7), (95, 1)]), pack_levels([(101, 4), (102, 6), (110, 10)]))
    return made


def test_the_book_in_use_is_one_of_the_implementations():
    assert Book in IMPLEMENTATIONS


def test_an_empty_book_answers_with_zeros_and_nan():
    for one in IMPLEMENTATIONS:
        book = one()
        assert (book.best_bid_ticks, book.best_bid_lots, book.best_ask_ticks, book.best_ask_lots) == (
            0,
            0,
            0,
            0,
        )
        assert (book.mid_ticks, book.mid_x2_ticks, book.spread_ticks) == (0, 0, 0)
        assert book.is_empty
        assert not book.is_crossed
        assert book.price_for_volume(BUY, 1) == book.volume_for_price(BUY, 10) == book.price_for_notional(BUY, 1) == 0
        assert book.cost(SELL, 5) == (0, 0)
        assert math.isnan(book.vwap(BUY, 1))
        assert math.isnan(book.micro_ticks)
        assert math.isnan(book.imbalance(5))
        assert book.snapshot() == (b"", b"")


def test_the_top_and_the_mid_price(book):
    assert (book.best_bid_ticks, book.best_bid_lots) == (99, 5)
    assert (book.best_ask_ticks, book.best_ask_lots) == (101, 4)
    assert (book.mid_ticks, book.mid_x2_ticks, book.spread_ticks) == (100, 200, 2)
    assert book.micro_ticks == (99 * 4 + 101 * 5) / 9
    assert book.imbalance(1) == 1 / 9
    assert (book.bid_levels, book.ask_levels) == (3, 3)


def test_an_odd_mid_price_is_rounded_down(book):
    book.set_level(SELL, 100, 1)
    assert (book.mid_x2_ticks, book.mid_ticks) == (199, 99)


def test_a_buy_walks_the_asks_and_a_sell_the_bids(book):
    assert [book.price_for_volume(BUY, lots) for lots in (0, 1, 4, 5, 10, 11, 20, 21)] == [
        0, 101, 101, 102, 102, 110, 110, 0,
    ]  # fmt: skip
    assert [book.price_for_volume(SELL, lots) for lots in (5, 6, 13, 14)] == [99, 98, 95, 0]
    assert [book.volume_for_price(BUY, price) for price in (100, 101, 109, 110, 999)] == [0, 4, 10, 20, 20]
    assert [book.volume_for_price(SELL, price) for price in (100, 99, 96, 1)] == [0, 5, 12, 13]
    assert book.cost(BUY, 7) == (7, 4 * 101 + 3 * 102)
    assert book.cost(SELL, 99) == (13, 5 * 99 + 7 * 98 + 95)
    assert book.vwap(BUY, 7) == (4 * 101 + 3 * 102) / 7
    assert math.isnan(book.vwap(BUY, 21))


def test_a_notional_buys_whole_lots(book):
    assert book.price_for_notional(BUY, 404) == 101
    assert book.price_for_notional(BUY, 405) == 102
    assert book.price_for_notional(BUY, 10**9) == 0
    assert book.lots_for_notional(BUY, 404 + 101) == 4
    assert book.lots_for_notional(BUY, 404 + 102) == 5
    assert book.lots_for_notional(BUY, 10**40) == 20
    assert book.lots_for_notional(BUY, -3) == 0


def test_depth_is_best_first_and_size_zero_deletes(book):
    book.apply_delta(pack_levels([(98, 0), (97, 3), (50, 0)]), b"")
    assert book.levels(BUY, 2) == [(99, 5), (97, 3)]
    assert unpack_levels(book.depth(SELL, 2)) == [(101, 4), (102, 6)]
    assert book.depth(SELL, 99) == book.snapshot()[1]
    assert (book.size_at(BUY, 97), book.size_at(BUY, 98), book.size_at(SELL, 101)) == (3, 0, 4)
    assert book.levels(BUY, -1) == []


def test_a_delta_returns_whether_the_top_changed(book):
    assert not book.apply_delta(pack_levels([(98, 9)]), pack_levels([(102, 1)]))
    assert not book.apply_delta(pack_levels([(99, 5)]), b"")
    assert book.apply_delta(b"", pack_levels([(101, 3)]))
    assert book.apply_delta(pack_levels([(99, 0)]), b"")
    assert book.apply_delta(pack_levels([(98, 0), (95, 0)]), b"")


def test_of_two_levels_with_one_price_the_later_stays(book):
    book.apply_delta(pack_levels([(90, 1), (90, 2), (91, 4), (91, 0)]), b"")
    assert (book.size_at(BUY, 90), book.size_at(BUY, 91)) == (2, 0)


def test_a_snapshot_in_any_order_gives_the_same_book(book):
    bids, asks = book.snapshot()
    other = type(book)()
    other.apply_snapshot(pack_levels(unpack_levels(bids)[::-1]), pack_levels([(110, 9), *unpack_levels(asks), (7, 0)]))
    assert other.state_hash() == book.state_hash()


def test_a_crossed_book_is_reported_as_crossed(book):
    book.set_level(BUY, 101, 1)
    assert book.is_crossed
    assert book.spread_ticks == 0


def test_truncate_keeps_the_best(book):
    book.truncate(2)
    assert (book.levels(BUY, 9), book.levels(SELL, 9)) == ([(99, 5), (98, 7)], [(101, 4), (102, 6)])
    book.truncate(0)
    assert book.is_empty


def test_a_copy_does_not_change_with_the_original(book):
    copy = book.copy()
    assert copy.state_hash() == book.state_hash()
    copy.set_level(BUY, 1, 1)
    assert copy.state_hash() != book.state_hash()


@pytest.mark.parametrize(
    "garbage",
    [
        b"x",
        b"\0" * 15,
        pack_levels([(1, 1)]) + b"\0",
        pack_levels([(0, 1)]),
        pack_levels([(-5, 1)]),
        pack_levels([(5, -1)]),
        pack_levels([(MAX_INT + 1, 1)]),
        pack_levels([(1, MAX_INT + 1)]),
        pack_levels([(97, 3), (-(2**63), 2**63 - 1)]),
    ],
)
def test_invalid_levels_are_refused_and_change_nothing(book, garbage):
    before = book.state_hash()
    good = pack_levels([(1, 1)])
    for apply in (book.apply_delta, book.apply_snapshot):
        for bids, asks in ((good, garbage), (garbage, good)):
            with pytest.raises(ValueError, match="levels:"):
                apply(bids, asks)
    with pytest.raises(TypeError):
        book.apply_delta(None, b"")
    assert book.state_hash() == before


def test_a_side_that_does_not_exist_is_refused(book):
    for ask in (lambda: book.vwap(0, 1), lambda: book.set_level(3, 1, 1), lambda: book.levels(-1, 1)):
        with pytest.raises(ValueError, match=r"protocol\.Side"):
            ask()


def test_the_largest_numbers_stay_exact(book):
    book.clear()
    for step in range(20):
        book.set_level(SELL, MAX_INT - step, MAX_INT)
        book.set_level(BUY, MAX_INT - step, MAX_INT)
    assert book.volume_for_price(BUY, MAX_INT) == 20 * MAX_INT
    filled, notional = book.cost(BUY, 3 * MAX_INT)
    assert (filled, notional) == (3 * MAX_INT, MAX_INT * sum(MAX_INT - step for step in (17, 18, 19)))
    assert book.lots_for_notional(BUY, notional) == filled
    assert book.price_for_notional(BUY, notional) == MAX_INT - 17
    assert book.vwap(BUY, filled) == notional / filled
    assert book.mid_x2_ticks == 2 * MAX_INT - 19


def answers(book, rnd):
    """Every query, with arguments drawn from rnd."""
    price, lots, n, side = rnd.randint(1, 400), rnd.randint(-1, 3000), rnd.randint(0, 30), rnd.randint(1, 2)
    return repr(
        (
            book.best_bid_ticks,
            book.best_bid_lots,
            book.best_ask_ticks,
            book.best_ask_lots,
            book.mid_ticks,
            book.mid_x2_ticks,
            book.spread_ticks,
            book.is_crossed,
            book.is_empty,
            book.bid_levels,
            book.ask_levels,
            book.micro_ticks,
            book.price_for_volume(side, lots),
            book.volume_for_price(side, price),
            book.cost(side, lots),
            book.vwap(side, lots),
            book.price_for_notional(side, lots * price),
            book.lots_for_notional(side, lots * price),
            book.size_at(side, price),
            book.imbalance(n),
            book.levels(side, n),
            book.depth(side, n),
        )
    )


def random_levels(rnd, most):
    levels = [(rnd.randint(1, 400), rnd.choice((0, 0, rnd.randint(1, 99)))) for _ in range(rnd.randint(0, most))]
    if rnd.random() < 0.7:
        levels.sort(reverse=rnd.random() < 0.5)
    return pack_levels(levels)


def command(book, rnd):
    """One command, the same for the same state of rnd."""
    kind = rnd.random()
    if kind < 0.55:
        return book.apply_delta(random_levels(rnd, 9), random_levels(rnd, 9))
    if kind < 0.97:
        return book.set_level(rnd.randint(1, 2), rnd.randint(1, 400), rnd.choice((0, rnd.randint(1, 99))))
    if kind < 0.98:
        return book.truncate(rnd.randint(0, 200))
    if kind < 0.998:
        return book.apply_snapshot(random_levels(rnd, 300), random_levels(rnd, 300))
    return book.clear()


@pytest.mark.slow
@needs_both
def test_both_implementations_agree_over_100_000_random_commands():
    plain, fast = PlainBook(), FastBook()
    plain_rnd, fast_rnd = random.Random(7), random.Random(7)
    for step in range(100_000):
        assert command(plain, plain_rnd) == command(fast, fast_rnd)
        if step % 20 == 0:
            assert answers(plain, plain_rnd) == answers(fast, fast_rnd)
        if step % 100 == 0:
            assert plain.state_hash() == fast.state_hash()
    assert plain.snapshot() == fast.snapshot()
    assert plain.bid_levels > 0


@needs_both
@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=80), st.binary(max_size=80)), max_size=5))
def test_both_implementations_refuse_the_same_bytes(pairs):
    plain, fast = PlainBook(), FastBook()
    for bids, asks in pairs:
        results = []
        for book in (plain, fast):
            try:
                results.append(book.apply_delta(bids, asks))
            except ValueError as error:
                results.append(str(error))
        assert results[0] == results[1]
    assert plain.state_hash() == fast.state_hash()


class Depth(msgspec.Struct):
    U: int
    u: int
    b: msgspec.Raw
    a: msgspec.Raw


class DepthFrame(msgspec.Struct):
    data: Depth


class Snapshot(msgspec.Struct):
    lastUpdateId: int
    bids: msgspec.Raw
    asks: msgspec.Raw


def recorded_news(path, size_digits):
    """(is_snapshot, packed bids, packed asks): the first snapshot of a recording, and every delta after it."""
    scale = (2, 1, size_digits, 1, True)
    diffs, last = [], None
    with gzip.open(path) as lines:
        for line in lines:
            raw = line.split(b" ", 1)[1]
            if last is None and raw.startswith(b'{"lastUpdateId"'):
                told = msgspec.json.decode(raw, type=Snapshot)
                last = told.lastUpdateId
                yield True, parse_levels(told.bids, *scale), parse_levels(told.asks, *scale)
            elif b'"depthUpdate"' in raw:
                diffs.append(msgspec.json.decode(raw, type=DepthFrame).data)
            while last is not None and diffs:  # those that came before the snapshot are later than it, or known
                diff = diffs.pop(0)
                if diff.u > last:
                    assert last + 1 >= diff.U
                    last = diff.u
                    yield False, parse_levels(diff.b, *scale), parse_levels(diff.a, *scale)


@needs_both
@pytest.mark.parametrize(("market", "size_digits"), [("btcusdt", 5), ("ethusdt", 4)])
def test_both_implementations_rebuild_the_recorded_book(recorded, market, size_digits):
    plain, fast = PlainBook(), FastBook()
    path = recorded(f"binance_spot/{market}_20240808.gz")
    frames = 0
    for is_snapshot, bids, asks in recorded_news(path, size_digits):
        told = [
            book.apply_snapshot(bids, asks) if is_snapshot else book.apply_delta(bids, asks) for book in (plain, fast)
        ]
        assert told[0] == told[1]
        assert plain.depth(BUY, 5) == fast.depth(BUY, 5)
        assert not fast.is_crossed
        frames += 1
        if frames % 100 == 0:
            assert plain.state_hash() == fast.state_hash()
    assert frames > 3000
    assert plain.snapshot() == fast.snapshot()


def test_packed_levels_are_little_endian_pairs(book):
    assert book.depth(BUY, 1) == struct.pack("<qq", 99, 5)
