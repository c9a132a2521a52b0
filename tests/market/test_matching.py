"""Matching: each order type, what never happens, and that both implementations agree."""

import random
import struct
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import matching as module
from market.book import BUY, SELL, Book
from market.levels import MAX_INT, pack_levels
from market.matching import (
    ACCEPTED,
    BAD_FIELD,
    BAD_PRICE,
    BAD_SIZE,
    CANCELED,
    DUPLICATE_ID,
    EXPIRED,
    FOK_UNFILLABLE,
    NO_LIQUIDITY,
    OP_CANCEL,
    OP_REDUCE,
    OP_SUBMIT,
    ORDER_ID_MAX,
    PREVENTED,
    REDUCED,
    REJECTED,
    ROW_BYTES,
    STP,
    TRADE,
    WOULD_TAKE,
    FastMatching,
    Matching,
    PlainMatching,
)
from protocol.enums import OrdType, SelfTradePrevention, Side, TimeInForce

MARKET, LIMIT, LIMIT_MAKER = 1, 2, 101
GTC, IOC, FOK = 1, 3, 4
ALICE, BOB = 11, 22
IMPLEMENTATIONS = [one for one in (PlainMatching, FastMatching) if one is not None]
needs_both = pytest.mark.skipif(FastMatching is None, reason="market._matching is not compiled")


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda one: one.__name__)
def engine(request):
    """Bids 5 + 3 at 99 and 4 at 98, asks 2 + 6 at 101 and 7 at 103; odd ids are Alice's, even ones Bob's."""
    made = request.param()
    for order_id, side, price, size in (
        (1, BUY, 99, 5), (2, BUY, 99, 3), (3, BUY, 98, 4), (4, SELL, 101, 2), (5, SELL, 101, 6), (6, SELL, 103, 7),
    ):  # fmt: skip
        account = ALICE if order_id % 2 else BOB
        assert made.submit(order_id, account, side, LIMIT, GTC, price, size) == [(ACCEPTED, order_id, size)]
    return made


def test_the_codes_are_those_of_the_protocol():
    assert Matching in IMPLEMENTATIONS
    assert (module.BUY, module.SELL) == (Side.BUY, Side.SELL)
    assert (module.MARKET, module.LIMIT, module.LIMIT_MAKER) == (
        OrdType.MARKET,
        OrdType.LIMIT,
        OrdType.LIMIT_MAKER,
    )
    assert (module.GTC, module.IOC, module.FOK) == (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
    modes = (
        module.NONE,
        module.EXPIRE_TAKER,
        module.EXPIRE_MAKER,
        module.EXPIRE_BOTH,
        module.DECREMENT,
        module.TRANSFER,
    )
    assert modes == tuple(SelfTradePrevention)


def test_the_best_price_fills_first_and_then_who_came_first(engine):
    assert engine.submit(7, BOB, BUY, LIMIT, GTC, 103, 10) == [
        (ACCEPTED, 7, 0),
        (TRADE, 4, 7, 101, 2, 0, 8, BOB, BOB),
        (TRADE, 5, 7, 101, 6, 0, 2, ALICE, BOB),
        (TRADE, 6, 7, 103, 2, 5, 0, BOB, BOB),
    ]
    assert (engine.best_ask_ticks, engine.best_ask_lots) == (103, 5)


def test_what_a_limit_order_does_not_take_rests(engine):
    assert engine.submit(7, BOB, SELL, LIMIT, GTC, 99, 10) == [
        (ACCEPTED, 7, 2),
        (TRADE, 1, 7, 99, 5, 0, 5, ALICE, BOB),
        (TRADE, 2, 7, 99, 3, 0, 2, BOB, BOB),
    ]
    assert engine.order(7) == (7, BOB, SELL, 99, 10, 2)
    assert (engine.best_bid_ticks, engine.best_ask_ticks, engine.best_ask_lots) == (98, 99, 2)


def test_a_market_order_takes_at_any_price_and_never_rests(engine):
    events = engine.submit(7, BOB, BUY, MARKET, GTC, 0, 20)
    assert events[0] == (ACCEPTED, 7, 0)
    assert events[-1] == (EXPIRED, 7, 5, NO_LIQUIDITY)
    assert engine.submit(8, BOB, BUY, MARKET, GTC, 0, 1) == [(ACCEPTED, 8, 0), (EXPIRED, 8, 1, NO_LIQUIDITY)]
    assert engine.best_ask_ticks == 0


def test_immediate_or_cancel_takes_within_its_limit_only(engine):
    events = engine.submit(7, BOB, BUY, LIMIT, IOC, 102, 20)
    assert [event[0] for event in events] == [ACCEPTED, TRADE, TRADE, EXPIRED]
    assert events[-1] == (EXPIRED, 7, 12, NO_LIQUIDITY)
    assert engine.order(7) is None


def test_fill_or_kill_fills_whole_or_not_at_all(engine):
    before = engine.state_hash()
    for kind, price, size in ((LIMIT, 101, 9), (LIMIT, 100, 1), (MARKET, 0, 16)):
        told = engine.submit(7, BOB, BUY, kind, FOK, price, size)
        assert told == [(ACCEPTED, 7, 0), (EXPIRED, 7, size, FOK_UNFILLABLE)]
    assert engine.state_hash() == before
    assert [event[0] for event in engine.submit(7, BOB, BUY, LIMIT, FOK, 101, 8)] == [ACCEPTED, TRADE, TRADE]
    assert [event[0] for event in engine.submit(8, BOB, BUY, MARKET, FOK, 0, 7)] == [ACCEPTED, TRADE]


def test_a_limit_maker_never_takes(engine):
    before = engine.state_hash()
    assert engine.submit(7, BOB, BUY, LIMIT_MAKER, GTC, 101, 1) == [(REJECTED, 7, WOULD_TAKE)]
    assert engine.state_hash() == before
    assert engine.submit(7, BOB, BUY, LIMIT_MAKER, IOC, 100, 1) == [(ACCEPTED, 7, 1)]
    assert engine.best_bid_ticks == 100


def test_wrong_orders_are_rejected_with_a_reason_and_leave_no_trace(engine):
    before = engine.state_hash()
    for order, reason in (
        ((7, ALICE, 3, LIMIT, GTC, 100, 1), BAD_FIELD),
        ((7, ALICE, BUY, 3, GTC, 100, 1), BAD_FIELD),
        ((7, ALICE, BUY, LIMIT, 2, 100, 1), BAD_FIELD),
        ((7, ALICE, BUY, LIMIT, GTC, 100, 1, 6), BAD_FIELD),
        ((7, ALICE, BUY, LIMIT, GTC, 100, 1, -1), BAD_FIELD),
        ((1, ALICE, BUY, LIMIT, GTC, 100, 1), DUPLICATE_ID),
        ((0, ALICE, BUY, LIMIT, GTC, 100, 1), DUPLICATE_ID),
        ((-3, ALICE, BUY, LIMIT, GTC, 100, 1), DUPLICATE_ID),
        ((ORDER_ID_MAX + 1, ALICE, BUY, LIMIT, GTC, 100, 1), DUPLICATE_ID),
        ((7, ALICE, BUY, LIMIT, GTC, 100, 0), BAD_SIZE),
        ((7, ALICE, BUY, LIMIT, GTC, 100, MAX_INT + 1), BAD_SIZE),
        ((7, ALICE, BUY, LIMIT, GTC, 100, MAX_INT - 11), BAD_SIZE),
        ((7, ALICE, BUY, LIMIT, GTC, 0, 1), BAD_PRICE),
        ((7, ALICE, BUY, LIMIT_MAKER, GTC, MAX_INT + 1, 1), BAD_PRICE),
    ):
        assert engine.submit(*order) == [(REJECTED, order[0], reason)]
    assert engine.state_hash() == before
    assert engine.submit(ORDER_ID_MAX, -(2**63), BUY, LIMIT, GTC, 1, MAX_INT - 12)[0][0] == ACCEPTED


def test_an_id_may_be_used_again_once_its_order_is_gone(engine):
    assert engine.cancel(1) == [(CANCELED, 1, 5)]
    assert engine.cancel(1) == engine.cancel(999) == engine.cancel(-1) == []
    assert engine.submit(1, ALICE, BUY, LIMIT, GTC, 99, 1) == [(ACCEPTED, 1, 1)]
    assert engine.queue_ahead(1) == 3


def test_an_order_made_smaller_keeps_its_place(engine):
    engine.submit(7, BOB, SELL, LIMIT, GTC, 99, 1)
    assert engine.order(1) == (1, ALICE, BUY, 99, 5, 4)
    for wrong in (5, 6, 1, 0, -1):
        assert engine.reduce(1, wrong) == [(REJECTED, 1, BAD_SIZE)]
    assert engine.reduce(1, 3) == [(REDUCED, 1, 2)]
    assert engine.order(1) == (1, ALICE, BUY, 99, 3, 2)
    assert engine.size_at(BUY, 99) == 5
    assert engine.submit(8, BOB, SELL, LIMIT, IOC, 99, 3)[1] == (TRADE, 1, 8, 99, 2, 0, 1, ALICE, BOB)
    assert engine.reduce(999, 1) == []


def test_an_account_can_cancel_all_oldest_first(engine):
    assert [row[0] for row in engine.orders(ALICE)] == [1, 3, 5]
    assert engine.cancel_all(ALICE) == [(CANCELED, 1, 5), (CANCELED, 3, 4), (CANCELED, 5, 6)]
    assert engine.orders(ALICE) == []
    assert len(engine) == 3


def test_the_queue_and_the_depth_can_be_queried(engine):
    assert [engine.queue_ahead(order_id) for order_id in (1, 2, 3, 5, 999)] == [0, 5, 0, 2, -1]
    assert engine.depth(BUY, 1) == pack_levels([(99, 8)])
    assert engine.snapshot() == (pack_levels([(99, 8), (98, 4)]), pack_levels([(101, 8), (103, 7)]))
    assert engine.snapshot(1) == (pack_levels([(99, 8)]), pack_levels([(101, 8)]))
    assert (engine.best_bid_lots, engine.size_at(SELL, 103), engine.size_at(SELL, 102)) == (8, 7, 0)
    assert [engine.volume_for_price(BUY, price) for price in (100, 101, 103)] == [0, 8, 15]
    assert [engine.would_match(BUY, price) for price in (100, 101)] == [False, True]
    assert [engine.would_match(SELL, price) for price in (100, 99)] == [False, True]
    assert [engine.lots_for_notional(BUY, n) for n in (100, 101, 808, 910, 911, 10**60, -1)] == [
        0,
        1,
        8,
        8,
        9,
        15,
        0,
    ]
    assert (engine.bid_levels, engine.ask_levels, engine.is_empty) == (2, 2, False)
    with pytest.raises(ValueError, match=r"protocol\.Side"):
        engine.depth(0, 1)


def test_changes_give_the_whole_book_first_and_then_what_changed(engine):
    assert engine.changes() == engine.snapshot()
    assert engine.changes() == (b"", b"")
    engine.submit(7, BOB, BUY, LIMIT, GTC, 101, 9)
    engine.submit(8, BOB, BUY, LIMIT, GTC, 97, 2)
    engine.cancel(8)
    assert engine.changes() == (pack_levels([(101, 1), (97, 0)]), pack_levels([(101, 0)]))
    engine.clear()
    assert engine.changes() == (pack_levels([(101, 0), (99, 0), (98, 0)]), pack_levels([(103, 0)]))
    assert (len(engine), engine.is_empty) == (0, True)
    assert engine.submit(1, BOB, BUY, LIMIT, GTC, 97, 2) == [(ACCEPTED, 1, 2)]


def row(op, order_id, account=0, side=0, ord_type=0, tif=0, price=0, size=0, stp=0):
    return struct.pack("<9q", op, order_id, account, side, ord_type, tif, price, size, stp)


def test_many_commands_at_once_give_packed_events(engine):
    rows = row(OP_SUBMIT, 7, BOB, SELL, LIMIT, IOC, 99, 1) + row(OP_REDUCE, 3, size=2) + row(OP_CANCEL, 2) + row(9, 5)
    assert struct.unpack("<45q", engine.submit_many(rows)) == (
        *(ACCEPTED, 7, 0, 0, 0, 0, 0, 0, 0),
        *(TRADE, 1, 7, 99, 1, 4, 0, ALICE, BOB),
        *(REDUCED, 3, 2, 0, 0, 0, 0, 0, 0),
        *(CANCELED, 2, 3, 0, 0, 0, 0, 0, 0),
        *(REJECTED, 5, BAD_FIELD, 0, 0, 0, 0, 0, 0),
    )
    assert engine.submit_many(b"") == b""
    before = engine.state_hash()
    with pytest.raises(ValueError, match="rows of"):
        engine.submit_many(row(OP_CANCEL, 1) + b"\0")
    assert engine.state_hash() == before


# Self-trade prevention: the worked scenarios of Binance's FAQ (in tenths), then what it leaves open.

NONE, EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH, DECREMENT, TRANSFER = range(6)


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda one: one.__name__)
def empty(request):
    return request.param()


def three_makers(engine):
    for order_id, price, size in ((2, 12, 12), (3, 11, 13), (4, 10, 81)):
        engine.submit(order_id, ALICE, BUY, LIMIT, GTC, price, size, NONE)


def test_stp_scenario_a_none_trades_with_itself(empty):
    empty.submit(2, ALICE, BUY, LIMIT, GTC, 10, 10, NONE)
    assert empty.submit(3, ALICE, SELL, LIMIT, GTC, 10, 10, NONE) == [
        (ACCEPTED, 3, 0),
        (TRADE, 2, 3, 10, 10, 0, 0, ALICE, ALICE),
    ]


def test_stp_scenario_b_expire_maker_clears_the_way_and_rests(empty):
    three_makers(empty)
    assert empty.submit(5, ALICE, SELL, LIMIT, GTC, 10, 30, EXPIRE_MAKER) == [
        (ACCEPTED, 5, 30),
        (PREVENTED, 2, 5, 12, 12, 0, 0, 30, EXPIRE_MAKER),
        (EXPIRED, 2, 12, STP),
        (PREVENTED, 3, 5, 11, 13, 0, 0, 30, EXPIRE_MAKER),
        (EXPIRED, 3, 13, STP),
        (PREVENTED, 4, 5, 10, 81, 0, 0, 30, EXPIRE_MAKER),
        (EXPIRED, 4, 81, STP),
    ]
    assert empty.snapshot() == (b"", pack_levels([(10, 30)]))


def test_stp_scenario_c_expire_taker_leaves_the_makers(empty):
    three_makers(empty)
    before = empty.state_hash()
    assert empty.submit(5, ALICE, SELL, LIMIT, GTC, 10, 30, EXPIRE_TAKER) == [
        (ACCEPTED, 5, 0),
        (PREVENTED, 2, 5, 12, 0, 30, 12, 0, EXPIRE_TAKER),
        (EXPIRED, 5, 30, STP),
    ]
    assert empty.state_hash() == before


def test_stp_scenario_d_expire_both(empty):
    empty.submit(2, ALICE, BUY, LIMIT, GTC, 10, 10, NONE)
    assert empty.submit(5, ALICE, SELL, LIMIT, GTC, 10, 30, EXPIRE_BOTH) == [
        (ACCEPTED, 5, 0),
        (PREVENTED, 2, 5, 10, 10, 30, 0, 0, EXPIRE_BOTH),
        (EXPIRED, 2, 10, STP),
        (EXPIRED, 5, 30, STP),
    ]
    assert len(empty) == 0


def test_stp_scenario_e_the_mode_of_the_taker_counts(empty):
    empty.submit(0 + 1, ALICE, BUY, LIMIT, GTC, 10, 10, EXPIRE_MAKER)
    assert empty.submit(2, ALICE, SELL, LIMIT, GTC, 10, 10, EXPIRE_TAKER) == [
        (ACCEPTED, 2, 0),
        (PREVENTED, 1, 2, 10, 0, 10, 10, 0, EXPIRE_TAKER),
        (EXPIRED, 2, 10, STP),
    ]
    assert empty.order(1) == (1, ALICE, BUY, 10, 10, 10)


def test_stp_scenario_f_a_market_order_expires_for_want_of_liquidity(empty):
    empty.submit(2, ALICE, BUY, LIMIT, GTC, 10, 10, NONE)
    assert empty.submit(3, ALICE, SELL, MARKET, GTC, 0, 10, EXPIRE_MAKER) == [
        (ACCEPTED, 3, 0),
        (PREVENTED, 2, 3, 10, 10, 0, 0, 10, EXPIRE_MAKER),
        (EXPIRED, 2, 10, STP),
        (EXPIRED, 3, 10, NO_LIQUIDITY),
    ]


@pytest.mark.parametrize("mode", [DECREMENT, TRANSFER])
def test_stp_scenario_g_decrement_takes_the_smaller_size_from_both(empty, mode):
    empty.submit(23, ALICE, BUY, LIMIT, GTC, 20, 60, NONE)
    assert empty.submit(24, ALICE, SELL, LIMIT, GTC, 20, 20, mode) == [
        (ACCEPTED, 24, 0),
        (PREVENTED, 23, 24, 20, 20, 20, 40, 0, mode),
        (EXPIRED, 24, 20, STP),
    ]
    assert empty.order(23) == (23, ALICE, BUY, 20, 60, 40)
    assert empty.size_at(BUY, 20) == 40


def test_decrement_of_equal_sizes_ends_both_and_of_a_smaller_maker_goes_on(empty):
    empty.submit(1, ALICE, BUY, LIMIT, GTC, 20, 5)
    empty.submit(2, BOB, BUY, LIMIT, GTC, 20, 5)
    assert empty.submit(3, ALICE, SELL, LIMIT, GTC, 20, 8, DECREMENT) == [
        (ACCEPTED, 3, 0),
        (PREVENTED, 1, 3, 20, 5, 5, 0, 3, DECREMENT),
        (EXPIRED, 1, 5, STP),
        (TRADE, 2, 3, 20, 3, 2, 0, BOB, ALICE),
    ]
    assert empty.submit(4, BOB, SELL, LIMIT, GTC, 20, 2, DECREMENT)[2:] == [
        (EXPIRED, 2, 2, STP),
        (EXPIRED, 4, 2, STP),
    ]
    assert len(empty) == 0


def test_others_are_traded_with_before_prevention_ends_the_taker(empty):
    empty.submit(1, BOB, SELL, LIMIT, GTC, 10, 4)
    empty.submit(2, ALICE, SELL, LIMIT, GTC, 11, 4)
    assert empty.submit(3, ALICE, BUY, LIMIT, GTC, 11, 9, EXPIRE_TAKER) == [
        (ACCEPTED, 3, 0),
        (TRADE, 1, 3, 10, 4, 0, 5, BOB, ALICE),
        (PREVENTED, 2, 3, 11, 0, 5, 4, 0, EXPIRE_TAKER),
        (EXPIRED, 3, 5, STP),
    ]


@pytest.mark.parametrize("mode", [EXPIRE_TAKER, EXPIRE_BOTH, DECREMENT, TRANSFER])
def test_fill_or_kill_does_not_count_on_what_is_behind_an_own_order(empty, mode):
    for order_id, account in ((1, BOB), (2, ALICE), (3, BOB)):
        empty.submit(order_id, account, SELL, LIMIT, GTC, 10, 4)
    before = empty.state_hash()
    assert empty.submit(4, ALICE, BUY, LIMIT, FOK, 10, 5, mode)[1] == (EXPIRED, 4, 5, FOK_UNFILLABLE)
    assert empty.state_hash() == before
    assert [event[0] for event in empty.submit(4, ALICE, BUY, LIMIT, FOK, 10, 4, mode)] == [ACCEPTED, TRADE]


def test_fill_or_kill_that_expires_its_makers_counts_on_others(empty):
    for order_id, account in ((1, BOB), (2, ALICE), (3, BOB)):
        empty.submit(order_id, account, SELL, LIMIT, GTC, 10, 4)
    assert empty.submit(4, ALICE, BUY, LIMIT, FOK, 10, 9, EXPIRE_MAKER)[1] == (EXPIRED, 4, 9, FOK_UNFILLABLE)
    told = [event[0] for event in empty.submit(4, ALICE, BUY, LIMIT, FOK, 10, 8, EXPIRE_MAKER)]
    assert told == [ACCEPTED, TRADE, PREVENTED, EXPIRED, TRADE]


# Icebergs


def test_an_iceberg_shows_a_part_and_stands_last_with_the_next_one(empty):
    assert empty.submit(1, ALICE, SELL, LIMIT, GTC, 10, 10, NONE, 4) == [(ACCEPTED, 1, 10)]
    empty.submit(2, BOB, SELL, LIMIT, GTC, 10, 3)
    assert empty.snapshot() == (b"", pack_levels([(10, 7)]))
    assert [empty.queue_ahead(order_id) for order_id in (1, 2)] == [0, 4]
    assert empty.submit(3, BOB, BUY, LIMIT, GTC, 10, 5) == [
        (ACCEPTED, 3, 0),
        (TRADE, 1, 3, 10, 4, 6, 1, ALICE, BOB),
        (TRADE, 2, 3, 10, 1, 2, 0, BOB, BOB),
    ]
    assert [empty.queue_ahead(order_id) for order_id in (2, 1)] == [0, 2]
    assert empty.order(1) == (1, ALICE, SELL, 10, 10, 6)
    assert empty.size_at(SELL, 10) == 6
    assert empty.submit(4, BOB, BUY, MARKET, GTC, 0, 9)[1:] == [
        (TRADE, 2, 4, 10, 2, 0, 7, BOB, BOB),
        (TRADE, 1, 4, 10, 4, 2, 3, ALICE, BOB),
        (TRADE, 1, 4, 10, 2, 0, 1, ALICE, BOB),
        (EXPIRED, 4, 1, NO_LIQUIDITY),
    ]
    assert len(empty) == 0


def test_what_an_iceberg_hides_can_be_taken_but_not_seen(empty):
    empty.submit(1, ALICE, SELL, LIMIT, GTC, 10, 10, NONE, 4)
    empty.submit(2, BOB, SELL, LIMIT, GTC, 11, 5)
    assert (empty.best_ask_lots, empty.volume_for_price(BUY, 10), empty.volume_for_price(BUY, 11)) == (4, 10, 15)
    assert [empty.lots_for_notional(BUY, n) for n in (99, 100, 111)] == [9, 10, 11]
    assert [empty.notional_for_lots(BUY, n) for n in (-1, 0, 4, 10, 12, 99)] == [0, 0, 40, 100, 122, 155]
    assert [event[0] for event in empty.submit(3, BOB, BUY, LIMIT, FOK, 10, 10)] == [ACCEPTED] + [TRADE] * 3


def test_an_iceberg_that_takes_first_shows_its_part_of_what_is_left(empty):
    empty.submit(1, BOB, SELL, LIMIT, GTC, 10, 3)
    assert empty.submit(2, ALICE, BUY, LIMIT, GTC, 10, 9, NONE, 4)[0] == (ACCEPTED, 2, 6)
    assert empty.snapshot() == (pack_levels([(10, 4)]), b"")
    assert empty.cancel(2) == [(CANCELED, 2, 6)]
    assert (empty.snapshot(), empty.volume_for_price(SELL, 1)) == ((b"", b""), 0)


def test_a_smaller_iceberg_hides_less_first(empty):
    empty.submit(1, ALICE, SELL, LIMIT, GTC, 10, 10, NONE, 4)
    empty.submit(2, BOB, SELL, LIMIT, GTC, 10, 1)
    assert empty.reduce(1, 5) == [(REDUCED, 1, 5)]
    assert (empty.size_at(SELL, 10), empty.volume_for_price(BUY, 10)) == (5, 6)
    assert empty.reduce(1, 3) == [(REDUCED, 1, 3)]
    assert (empty.size_at(SELL, 10), empty.volume_for_price(BUY, 10), empty.queue_ahead(2)) == (4, 4, 3)


def test_prevention_ends_an_iceberg_with_what_it_hides(empty):
    empty.submit(1, ALICE, SELL, LIMIT, GTC, 10, 10, NONE, 4)
    assert empty.submit(2, ALICE, BUY, LIMIT, IOC, 10, 6, DECREMENT)[1:] == [
        (PREVENTED, 1, 2, 10, 6, 6, 4, 0, DECREMENT),
        (EXPIRED, 2, 6, STP),
    ]
    assert empty.size_at(SELL, 10) == empty.volume_for_price(BUY, 10) == 4


@pytest.mark.parametrize("mode", [EXPIRE_TAKER, EXPIRE_BOTH, DECREMENT])
def test_fill_or_kill_does_not_count_on_what_an_iceberg_hides_behind_an_own_order(empty, mode):
    empty.submit(1, BOB, SELL, LIMIT, GTC, 10, 10, NONE, 4)
    empty.submit(2, ALICE, SELL, LIMIT, GTC, 10, 4)
    assert empty.submit(4, ALICE, BUY, LIMIT, FOK, 10, 5, mode)[1] == (EXPIRED, 4, 5, FOK_UNFILLABLE)
    assert [event[0] for event in empty.submit(4, ALICE, BUY, LIMIT, FOK, 10, 4, mode)] == [ACCEPTED, TRADE]


def test_an_iceberg_may_come_back_with_the_rest_of_its_part(empty):
    empty.submit(1, BOB, SELL, LIMIT, GTC, 10, 5, NONE, 5, 3)
    assert empty.size_at(SELL, 10) == 3
    told = empty.submit(2, ALICE, BUY, LIMIT, IOC, 10, 4)
    assert [event[4] for event in told[1:]] == [3, 1]
    for peak, shown in ((-1, 0), (4, -1)):
        assert empty.submit(7, BOB, SELL, LIMIT, GTC, 10, 5, NONE, peak, shown) == [(REJECTED, 7, BAD_SIZE)]


# Both implementations, and what never happens.


def random_row(rnd, next_id):
    """One command: mostly orders near each other, some wrong ones, cancels and reductions of recent ids."""
    kind = rnd.random()
    recent = max(1, next_id - rnd.randint(0, 300))
    if kind < 0.35:
        return OP_CANCEL, recent, 0, 0, 0, 0, 0, 0, 0
    if kind < 0.42:
        return OP_REDUCE, recent, 0, 0, 0, 0, 0, rnd.randint(0, 40), 0
    order_id = recent if kind < 0.44 else next_id
    side = rnd.choice((BUY, SELL)) if kind < 0.995 else rnd.randint(-1, 4)
    ord_type = rnd.choice((LIMIT, LIMIT, LIMIT, LIMIT, LIMIT_MAKER, MARKET))
    tif = rnd.choice((GTC, GTC, GTC, GTC, IOC, FOK))
    price = rnd.randint(1, 60) if rnd.random() < 0.2 else 30 + int(rnd.gauss(0, 4)) + (side == SELL) * 2
    size = rnd.randint(1, 40) if kind < 0.99 else rnd.randint(-1, 1)
    return (
        OP_SUBMIT,
        order_id,
        rnd.randint(1, 5),
        side,
        ord_type,
        tif,
        max(price, 0),
        size,
        rnd.choice((0, 0, 0, 1, 2, 3, 4, 5)),
    )


def perform(engine, command):
    op, order_id, *fields = command
    if op == OP_SUBMIT:
        return engine.submit(order_id, *fields)
    return engine.cancel(order_id) if op == OP_CANCEL else engine.reduce(order_id, fields[5])


def perform_some_as_icebergs(engine, command):
    op, order_id, *fields = command
    if op == OP_SUBMIT and order_id % 3 == 0:
        return engine.submit(order_id, *fields, 1 + order_id % 7, order_id % 4)
    return perform(engine, command)


def answers(engine, rnd):
    """Every query, with arguments drawn from rnd."""
    side, price, n, order_id = (
        rnd.randint(1, 2),
        rnd.randint(1, 60),
        rnd.randint(0, 9),
        rnd.randint(1, 60_000),
    )
    account = rnd.randint(1, 5)
    return (
        engine.best_bid_ticks,
        engine.best_bid_lots,
        engine.best_ask_ticks,
        engine.best_ask_lots,
        engine.is_empty,
        engine.bid_levels,
        engine.ask_levels,
        len(engine),
        engine.would_match(side, price),
        engine.size_at(side, price),
        engine.volume_for_price(side, price),
        engine.lots_for_notional(side, price * 100),
        engine.notional_for_lots(side, price * 5),
        engine.depth(side, n),
        engine.snapshot(n),
        engine.queue_ahead(order_id),
        engine.order(order_id),
        engine.orders(account),
        [(row, engine.queue_ahead(row[0])) for row in engine.orders(account)[:5]],
    )


@pytest.mark.slow
@needs_both
def test_both_implementations_agree_over_100_000_random_commands():
    plain, fast, rnd = PlainMatching(), FastMatching(), random.Random(11)
    replica = Book()
    next_id = 1
    for step in range(100_000):
        command = random_row(rnd, next_id)
        next_id += command[0] == OP_SUBMIT
        assert perform_some_as_icebergs(plain, command) == perform_some_as_icebergs(fast, command), command
        if step % 20 == 0:
            seed = rnd.random()
            assert answers(plain, random.Random(seed)) == answers(fast, random.Random(seed))
        if step % 50 == 0:
            changes = plain.changes()
            assert changes == fast.changes()
            replica.apply_delta(*changes)
            assert replica.snapshot() == fast.snapshot()  # the deltas rebuild the book
            assert plain.state_hash() == fast.state_hash()
        if step % 25_000 == 24_999:
            assert plain.cancel_all(3) == fast.cancel_all(3)
            plain.clear()
            fast.clear()
    assert plain.state_hash() == fast.state_hash()


@needs_both
def test_both_implementations_give_the_same_bytes_for_many_commands():
    rnd = random.Random(12)
    rows = b"".join(struct.pack("<9q", *random_row(rnd, step + 1)) for step in range(20_000))
    plain, fast, single = PlainMatching(), FastMatching(), FastMatching()
    half = len(rows) // 2 // ROW_BYTES * ROW_BYTES
    for part in (rows[:half], rows[half:]):
        assert plain.submit_many(part) == fast.submit_many(part)
        for command in struct.iter_unpack("<9q", part):
            perform(single, command)
        assert plain.state_hash() == fast.state_hash() == single.state_hash()


@needs_both
def test_the_cython_implementation_keeps_many_orders_apart():
    fast, rnd = FastMatching(), random.Random(3)
    ids = rnd.sample(range(1, ORDER_ID_MAX), 30_000)
    for order_id in ids:
        fast.submit(order_id, order_id % 7, BUY, LIMIT, GTC, 1 + order_id % 5000, 1 + order_id % 9)
    assert len(fast) == 30_000
    gone = set(rnd.sample(ids, 20_000))
    for order_id in gone:
        assert fast.cancel(order_id) == [(CANCELED, order_id, 1 + order_id % 9)]
    for order_id in ids:
        assert (fast.order(order_id) is None) == (order_id in gone)
    assert sum(len(fast.orders(account)) for account in range(7)) == len(fast) == 10_000


commands = st.lists(
    st.tuples(
        st.sampled_from([OP_SUBMIT] * 6 + [OP_CANCEL, OP_REDUCE]),
        st.integers(1, 25),
        st.integers(1, 3),
        st.sampled_from([BUY, SELL]),
        st.sampled_from([MARKET, LIMIT, LIMIT, LIMIT_MAKER]),
        st.sampled_from([GTC, GTC, IOC, FOK]),
        st.integers(1, 8),
        st.integers(1, 12),
        st.integers(0, 5),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(commands)
def test_lots_are_conserved_and_no_order_trades_beyond_its_size_or_limit(rows):
    """Each order: size == traded + prevented + reduced + cancelled or expired + still open. In both implementations."""
    for one in IMPLEMENTATIONS:
        engine, orders, lost = one(), {}, defaultdict(int)
        for command in rows:
            check_events(engine, perform_some_as_icebergs(engine, command), command, orders, lost)
            assert (
                not engine.best_bid_ticks or not engine.best_ask_ticks or engine.best_bid_ticks < engine.best_ask_ticks
            )
        for order_id, (_, _, _, size) in orders.items():
            told = engine.order(order_id)
            assert lost[order_id] + (told[5] if told else 0) == size


def check_events(engine, events, command, orders, lost):
    """Hold each event against what is known of its orders, and count what they lost."""
    op, order_id, account, side, ord_type, tif, price, size, stp = command
    traded = []
    for event in events:
        if event[0] == ACCEPTED:
            orders[order_id], lost[order_id] = (account, side, price if ord_type != MARKET else 0, size), 0
        elif event[0] == TRADE:
            _, maker, taker, at, lots, maker_leaves, taker_leaves, maker_account, taker_account = event
            assert taker == order_id
            assert lots > 0
            assert at == orders[maker][2]
            assert orders[maker][1] != side
            assert ord_type == MARKET or (at <= price if side == BUY else at >= price)
            assert not stp or maker_account != taker_account
            for who, leaves in ((maker, maker_leaves), (taker, taker_leaves)):
                lost[who] += lots
                assert leaves == orders[who][3] - lost[who] >= 0
            traded.append(at)
        elif event[0] == PREVENTED:
            assert orders[event[1]][0] == account
            lost[event[1]] += event[4]
            lost[event[2]] += event[5]
        elif event[0] == CANCELED or (event[0] == EXPIRED and event[3] != STP):
            lost[event[1]] += event[2]
            assert lost[event[1]] == orders[event[1]][3]
        elif event[0] == REDUCED:
            orders[order_id] = (*orders[order_id][:3], size)
            assert event[2] == size - lost[order_id]
    assert traded == sorted(traded, reverse=side == SELL)  # the best price first
    if op == OP_SUBMIT and tif == FOK and ord_type != LIMIT_MAKER and traded:
        assert lost[order_id] == size
        assert not any(event[0] == EXPIRED and event[1] == order_id for event in events)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), min_size=1, max_size=12), st.integers(1, 60))
def test_makers_of_a_price_fill_in_the_order_they_came(makers, size):
    for one in IMPLEMENTATIONS:
        engine = one()
        for order_id, (price, lots) in enumerate(makers, 1):
            engine.submit(order_id, ALICE, SELL, LIMIT, GTC, price, lots)
        filled = [event[1] for event in engine.submit(99, BOB, BUY, MARKET, IOC, 0, size) if event[0] == TRADE]
        ranked = sorted(range(1, len(makers) + 1), key=lambda order_id: (makers[order_id - 1][0], order_id))
        assert filled == ranked[: len(filled)]
