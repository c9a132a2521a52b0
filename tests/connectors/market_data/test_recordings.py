"""The recorded books against the recorded best prices; then with drops, doubles and reorderings.

docs/recordings.md describes what is checked, and the frames that cannot be.
"""

import gzip
from collections import Counter
from decimal import Decimal
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from connectors.binance.parse import PlainParser, new_parser
from connectors.core.market_api import FinerFrame
from connectors.market_data.book_sync import BookSync
from market.instrument import Instrument
from market.levels import unpack_levels
from market.rules import instrument_in_scale
from protocol import BookDelta, BookSnapshot, BookStatus, StreamState, TopOfBook, Trade

MARKETS = {
    # Eight places of a size: old orders have sizes below today's lot.
    "btcusdt": Instrument("BTC-USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), size_digits=8),
    "ethusdt": Instrument("ETH-USDT", "ETH", "USDT", Decimal("0.01"), Decimal("0.0001"), size_digits=8),
}
LIMIT = 1_000  # levels of the recorded snapshots
FINAL, BETWEEN = "the last of its diff", "between"


@pytest.fixture(scope="module", params=list(MARKETS))
def recording(request, recorded):
    """(parser, messages in the order they came)."""
    instrument = MARKETS[request.param]
    name = request.param.upper()
    parser = new_parser()
    parser.add_market(name, instrument)
    messages = []
    with gzip.open(recorded(f"binance_spot/{request.param}_20240808.gz")) as lines:
        for line in lines:
            received, _, raw = line.rstrip(b"\n").partition(b" ")
            if raw.startswith(b'{"lastUpdateId"'):
                messages.append(parser.parse_snapshot(name, raw, int(received)))
            else:
                messages.extend(parser.parse(raw, int(received)))
    return messages


def best(book):
    return book.best_bid_ticks, book.best_bid_lots, book.best_ask_ticks, book.best_ask_lots


def received(top):
    return top.bid_ticks, top.bid_lots, top.ask_ticks, top.ask_lots


def of_kind(messages, kind):
    return [message for message in messages if type(message) is kind]


def segments(messages):
    """Per delta after the snapshot: (delta, the tops with update ids within it)."""
    snapshot = of_kind(messages, BookSnapshot)[0]
    tops = of_kind(messages, TopOfBook)
    at = sum(top.update_id <= snapshot.update_id for top in tops)
    for delta in of_kind(messages, BookDelta):
        if delta.update_id <= snapshot.update_id:
            continue
        within = []
        while at < len(tops) and tops[at].update_id <= delta.update_id:
            within.append(tops[at])
            at += 1
        yield delta, within


def test_the_recordings_have_no_hole_of_their_own(recording):
    deltas = of_kind(recording, BookDelta)
    assert all(b.first_id == a.update_id + 1 for a, b in pairwise(deltas))
    tops = of_kind(recording, TopOfBook)
    assert all(b.update_id > a.update_id for a, b in pairwise(tops))
    trades = of_kind(recording, Trade)
    assert all(b.trade_id == a.trade_id + 1 for a, b in pairwise(trades))


@pytest.mark.slow
def test_the_rebuilt_book_agrees_with_every_recorded_best_price(recording):
    """Every top that is the last one within a delta must equal the book after that delta: price and size.

    A top in the middle of a delta describes a state that the delta does not: there only levels that the delta leaves
    alone can be compared, and the levels above them must be among those that the delta changes.
    """
    sync = BookSync("X")
    seen = Counter()
    snapshot = of_kind(recording, BookSnapshot)[0]
    sync.on_snapshot(snapshot)
    for delta, tops in segments(recording):
        before = sync.book.copy()
        assert sync.on_delta(delta) is delta, "a recording without holes never makes the book stale"
        for top in tops[:-1]:
            _check_between(before, delta, top, seen)
        if tops:
            assert received(tops[-1]) == best(sync.book), tops[-1]
            seen[FINAL] += 1
    every = of_kind(recording, TopOfBook)
    before_it = sum(top.update_id <= snapshot.update_id for top in every)
    after_it = sum(top.update_id > sync.update_id for top in every)
    assert seen[FINAL] + seen[BETWEEN] + before_it + after_it == len(every)
    assert seen[FINAL] > 2_000
    assert seen["a side compared exactly"] > 1_000
    assert before_it + after_it <= 10


def _check_between(before, delta, top, seen):
    seen[BETWEEN] += 1
    for side, packed, price, size in (
        (1, delta.bids, top.bid_ticks, top.bid_lots),
        (2, delta.asks, top.ask_ticks, top.ask_lots),
    ):
        changed = dict(unpack_levels(packed))
        if price not in changed:
            assert before.size_at(side, price) == size, top
            seen["a side compared exactly"] += 1
        better = [p for p, _ in before.levels(side, 200) if (p > price if side == 1 else p < price)]
        assert set(better) <= set(changed), "a level better than the best was there before, and was not touched"


def test_a_refresh_in_time_keeps_the_book_live_where_the_price_leaves_the_snapshot(recording, truth):
    _, wholes = truth
    sync = BookSync("X")
    sync.on_snapshot(of_kind(recording, BookSnapshot)[0], LIMIT)
    refreshes = 0
    for n, (delta, _) in enumerate(segments(recording)):
        assert sync.on_delta(delta) is delta
        if sync.wants_refresh:
            refreshes += 1
            whole = wholes[n - 3]  # REST is behind the stream
            cut = BookSnapshot("X", whole.update_id, whole.bids[: 16 * LIMIT], whole.asks[: 16 * LIMIT])
            assert sync.on_snapshot(cut, LIMIT).state is StreamState.LIVE
            assert not sync.wants_refresh
    assert refreshes < 20


def test_the_last_best_prices_before_the_snapshot_agree_with_it(recording):
    snapshot = of_kind(recording, BookSnapshot)[0]
    sync = BookSync("X")
    sync.on_snapshot(snapshot, LIMIT)
    before = [top for top in of_kind(recording, TopOfBook) if top.update_id <= snapshot.update_id]
    assert received(before[-1]) == best(sync.book)


@pytest.fixture(scope="module")
def truth(recording):
    """State hash of the book at every update id at which it is known; and the books for snapshots, by index."""
    sync = BookSync("X")
    sync.on_snapshot(of_kind(recording, BookSnapshot)[0])
    hashes = {sync.update_id: sync.book.state_hash()}
    wholes = []
    for delta, _ in segments(recording):
        sync.on_delta(delta)
        hashes[delta.update_id] = sync.book.state_hash()
        wholes.append(sync.whole())
    return hashes, wholes


def disturbed(messages, random, drop, double, reorder):
    """The messages with deltas and tops lost, repeated, and moved back by some places."""
    out = []
    for at, message in enumerate(messages):
        if random.random() < drop:
            continue
        places = random.randint(1, 40) if random.random() < reorder else 0
        out.append((at + places + 0.5 * bool(places), len(out), message))
        if random.random() < double:
            out.append((at + random.randint(0, 60) + 0.25, len(out), message))
    return [message for _, _, message in sorted(out, key=lambda row: row[:2])]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_with_drops_doubles_and_reorderings_the_book_is_right_or_stale(recording, truth, seed):
    """Whatever is published as live equals the true book at that update id; and it comes back each time."""
    hashes, wholes = truth
    random = Random(seed)
    rates = [(0.02, 0, 0), (0, 0.05, 0), (0, 0, 0.02), (0.01, 0.02, 0.01), (0.1, 0.1, 0.1), (0.003, 0.3, 0.05)][seed]
    stream = [m for m in recording if type(m) in (BookDelta, TopOfBook)]
    sync = BookSync("X")
    replica, live, answer_in, checked, behind = None, False, 0, 0, 0
    newest = 0
    for message in disturbed(stream, random, *rates):
        if type(message) is TopOfBook:
            out = sync.on_top(message)
        else:
            newest = max(newest, message.update_id)
            out = sync.on_delta(message)
        if sync.needs_snapshot and not answer_in:
            answer_in = random.randint(1, 300)  # messages until REST answers
        elif answer_in:
            answer_in -= 1
            if not answer_in and sync.needs_snapshot and out is None:
                lag = random.randint(0, 3)  # REST replicas lag behind the stream, or run ahead of it
                known = [whole for whole in wholes if whole.update_id <= newest]
                if known:
                    out = sync.on_snapshot(known[max(0, len(known) - 1 - lag)])
        if out is None:
            continue
        if type(out) is BookStatus:
            assert out.state is StreamState.STALE
            live = False
        elif type(out) is BookSnapshot:
            replica = sync.book.copy()
            live = True
        else:
            assert live, "a diff is published only while the book is live"
            replica.apply_delta(out.bids, out.asks)
        if live:
            checked += 1
            assert replica.state_hash() == hashes[sync.update_id], f"wrong at {sync.update_id}"
        behind += not live
    assert checked > 300
    assert sync.dropped == 0
    if rates[0] or rates[2]:
        assert sync.gaps > 5
        assert sync.resyncs > sync.gaps * 0.8, "after each gap it was right again"
    else:
        assert sync.gaps == 0
        assert sync.ignored > 100


def test_both_implementations_parse_every_recorded_frame_alike(recorded):
    name, instrument = "btcusdt", MARKETS["btcusdt"]
    fast, plain = new_parser(), PlainParser()
    for parser in (fast, plain):
        parser.add_market(name.upper(), instrument)
    with gzip.open(recorded(f"binance_spot/{name}_20240808.gz")) as lines:
        raws = [line.rstrip(b"\n").partition(b" ")[2] for line in lines]
    frames = [raw for raw in raws if not raw.startswith(b'{"lastUpdateId"')]
    for frame in frames[::3]:
        assert fast.parse(frame, 7) == plain.parse(frame, 7)
        assert fast.parse(frame[frame.index(b'"data":') + 7 : -1], 7) == plain.parse(frame, 7), "raw, unwrapped"


@pytest.mark.parametrize(("name", "lot"), [("btcusdt", "0.00001"), ("ethusdt", "0.0001")])
def test_a_recording_with_sizes_below_a_lot_makes_the_scale_finer_once_and_loses_nothing(recorded, name, lot):
    """A connector begins with the digits of the exchange's rules; some levels have sizes of older, smaller lots."""
    symbol = f"{name[:3].upper()}-USDT"
    rules = Instrument(symbol, name[:3].upper(), "USDT", Decimal("0.01"), Decimal(lot))
    parser, refined, frames = new_parser(), [], 0
    parser.add_market(name.upper(), rules)
    with gzip.open(recorded(f"binance_spot/{name}_20240808.gz")) as lines:
        for line in lines:
            raw = line.rstrip(b"\n").partition(b" ")[2]
            is_snapshot = raw.startswith(b'{"lastUpdateId"')
            parse = (
                partial(parser.parse_snapshot, name.upper(), raw, 0) if is_snapshot else partial(parser.parse, raw, 0)
            )
            try:
                parse()
            except FinerFrame as error:
                refined.append(error.scale)
                rules = instrument_in_scale(rules, rules.scale.join(error.scale))
                parser.add_market(name.upper(), rules)
                parse()
            frames += 1
    assert frames > 10_000
    assert 1 <= len(refined) <= 4
    assert rules.scale.price_digits == 2, "no price lies between two ticks"


def test_a_recorded_size_below_a_lot_is_kept_exactly():
    """One of the recorded sizes that are not a multiple of the lot (see docs/recordings.md)."""
    name, instrument = "btcusdt", MARKETS["btcusdt"]
    parser = new_parser()
    parser.add_market(name.upper(), instrument)
    frame = b'{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[],"a":[["200000.00000000","25.42618900"]]}'
    (delta,) = parser.parse(frame, 0)
    assert unpack_levels(delta.asks) == [(20_000_000, 2_542_618_900)]
