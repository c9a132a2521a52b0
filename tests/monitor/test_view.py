"""The view, compared as text."""

from decimal import Decimal

import msgspec
import pytest

from market.levels import pack_levels
from monitor import view
from monitor.state import RunState
from monitor.sums import equity
from monitor.view import ProcessRow
from protocol import (
    Balances,
    BookDelta,
    BookSnapshot,
    Health,
    Heartbeat,
    OrdStatus,
    RefusalCode,
    Refusals,
    Side,
    Stages,
    TickReport,
    topics,
)
from tests.monitor.conftest import BOOK_TOPIC

ROWS = [
    ProcessRow("venue", 10, "RUNNING", 0, 57_000_000),
    ProcessRow("clockd", 11, "RUNNING", 0),
    ProcessRow("binance", 12, "RUNNING", 1),
]


@pytest.fixture
def state(tapped):
    state = RunState()
    state.update(tapped.rules())
    state.update(tapped.book())
    state.update(
        tapped(
            topics.account("binance"), Balances([("BTC", Decimal(1), Decimal(1)), ("USDT", Decimal(500), Decimal(0))])
        )
    )
    state.update(tapped(topics.heart("binance"), Heartbeat(12, 99, [], state="TRADING")))
    state.update(tapped(topics.ticks("clockd"), TickReport(99, 0, 0, 1_500_000, 0, [("binance", 480.0)], [], 99, 2, 1)))
    state.update(tapped.order("a", OrdStatus.PARTIALLY_FILLED, Side.BUY, 9_998, 4, 1))
    state.update(tapped.order("b", OrdStatus.NEW, Side.SELL, 10_050, 6))
    state.update(tapped.order("c", OrdStatus.UNKNOWN, Side.SELL, 10_060, 6))
    state.update(tapped.fill(1))
    return state


def test_refused_orders_are_counted_by_cause(state, tapped):
    refused = Refusals(
        [("maker", RefusalCode.LATER, 1), ("maker", RefusalCode.LIMIT, 3), ("other", RefusalCode.LIMIT, 1)],
        [("maker", RefusalCode.FUNDS, 2)],
    )
    state.update(tapped(topics.refusals("binance"), refused))
    lines = text(state, tapped).splitlines()
    assert "  refused by the risk check  LIMIT 4  LATER 1" in lines
    assert "  refused by the exchange  FUNDS 2" in lines


def text(state, tapped, **given):
    return "\n".join(view.lines(state, ROWS, "tickbus  paper.toml", tapped.now_ns + 500_000_000, **given))


def test_the_whole_view(state, tapped):
    assert (
        text(state, tapped)
        == """\
tickbus  paper.toml
tick 99  ticks 99  tick p50 1500 us p99 1500 us  hop p50 480 us p99 480 us  skipped 2  late 1

actor            pid state       ticks  lost     rss restarts  health
venue             10 RUNNING         -     0   57 MB        0
clockd            11 RUNNING        99     0       -        0
binance           12 RUNNING        99     0       -        1  TRADING

book binance:BTC-USDT  mid 100.000  spread 2 ticks
  ask         100.50              0  * 0.006 ours
  ask         100.03          0.007
  ask         100.01           0.03
  bid          99.99           0.02
  bid          99.98          0.005  * 0.003 ours

open orders 3  IN DOUBT 1
  maker      SELL        0.006 @         100.60  filled 0            UNKNOWN
  maker      SELL        0.006 @         100.50  filled 0            NEW
  maker      BUY         0.004 @          99.98  filled 0.001        PARTIALLY_FILLED

fills 1
  maker      BUY         0.002 @          99.98  MAKER fee 0.000002 BTC

balances  BTC 2 (1 locked)  USDT 500
equity  700.00  change +0.00  by trading +0.00"""
    )


def test_before_the_first_message_the_view_waits(tapped):
    assert text(RunState(), tapped).split("\n")[1] == "tick  waiting for the clock"
    assert "balances  not received yet" in text(RunState(), tapped)


def test_no_line_is_wider_and_no_view_taller_than_the_terminal(state, tapped):
    for width, height in ((40, 10), (60, 5), (200, 100)):
        lines = text(state, tapped, width=width, height=height).split("\n")
        assert max(map(len, lines)) <= width
        assert len(lines) <= height
    assert max(map(len, text(state, tapped, width=3).split("\n"))) <= view.MIN_WIDTH


def test_an_actor_without_messages_is_shown_as_silent(state, tapped):
    tapped.now_ns += 10_000_000_000
    assert "SILENT for 10 s  TRADING" in text(state, tapped)


def test_a_stopped_actor_has_no_health(state):
    loop = ProcessRow("maker", 7, "RUNNING", 4, crash_loop="5 crashes in 60 s, last: ValueError: x", last_error="old")
    line = view.process_lines(state, [loop], 0)[1]
    assert line.endswith("CRASH LOOP: 5 crashes in 60 s, last: ValueError: x")
    assert view.painted(line) == f"{view.RED}{line}{view.PLAIN}"
    assert view.painted("calm") == "calm"
    stopped = [ProcessRow("binance", 0, "STOPPED", 0)]
    assert view.process_lines(state, stopped, 0)[1].split() == ["binance", "-", "STOPPED", "99", "0", "-", "0"]


def test_a_stale_book_is_shown_in_capitals(state, tapped):
    state.markets["binance", "BTC-USDT"].trouble = "stale: stream down"
    assert "book binance:BTC-USDT  STALE: STREAM DOWN" in text(state, tapped)


def test_equity_shows_the_part_made_by_trading(state, tapped):
    state.update(tapped.book(bids=[(10_999, 1)], asks=[(11_001, 1)]))
    state.update(
        tapped(
            topics.account("binance"), Balances([("BTC", Decimal(2), Decimal(0)), ("USDT", Decimal(507), Decimal(0))])
        )
    )
    sums = equity(state)
    assert (sums["equity"], sums["equity_change"], sums["trading_pnl"]) == (727, 27, 7)


def test_without_a_terminal_the_state_is_one_line(state):
    assert view.status_line(state, ROWS, 12.3) == (
        "  12.3 s  3/3 running  ticks 99 skipped 2 late 1  hop p50 480 us  orders 3 (3 open)  fills 1  lost 0"
        "  equity 700.00 (+0.00)"
    )


def test_the_status_line_states_what_an_actor_waits_for(state, tapped):
    reason = "no answer: ClientConnectorDNSError: Cannot connect to host api.binance.com:443"
    state.update(tapped(topics.health("binance"), Health("CONNECTING", reason)))
    assert view.status_line(state, ROWS, 12.3).endswith(f"  binance CONNECTING {reason}")
    state.update(tapped(topics.health("binance"), Health("TRADING", "")))
    assert "binance" not in view.status_line(state, ROWS, 12.3)


def test_stage_durations_are_shown_while_an_actor_publishes_them(state, tapped):
    state.update(tapped(topics.stages("binance"), Stages([("parse", 40, 17.4, 94.2), ("send", 2, 60.0, 300.4)])))
    assert "\nus binance   parse 17/94  send 60/300\n" in text(state, tapped)
    tapped.now_ns += 10_000_000_000
    assert "us binance" not in text(state, tapped)


def test_prices_and_sizes_are_shown_by_the_scale_of_each_message(tapped):
    state = RunState()
    coarse, fine = {"price_digits": 2, "size_digits": 3}, {"price_digits": 3, "size_digits": 6}
    book = BookSnapshot("BTC-USDT", 7, pack_levels([(6_000_000, 70)]), pack_levels([(6_000_100, 80)]), **coarse)
    order = tapped.order("a", OrdStatus.NEW, Side.BUY, 5_999_503, 10)
    for message in (
        replaced(tapped.rules(), tick_size=Decimal("0.10"), **coarse),
        tapped(BOOK_TOPIC, book),
        replaced(order, **coarse),
        tapped(BOOK_TOPIC, BookDelta("BTC-USDT", 8, 8, pack_levels([(59_995_030, 10_500)]), b"", **fine)),
        replaced(tapped.fill(1), last_ticks=59_995_030, last_lots=10_000, **fine),
    ):
        state.update(message)
    lines = view.lines(state, ROWS, "", 0)
    assert "book binance:BTC-USDT  mid 60000.50  spread 10 ticks" in lines
    assert "  bid        60000.0           0.07" in lines
    assert "  bid       59995.03         0.0105  * 0.01 ours" in lines
    assert any("0.01 @       59995.03  filled 0" in line for line in lines)
    assert any("0.01 @       59995.03  MAKER" in line for line in lines)


def replaced(tapped, **fields):
    return msgspec.structs.replace(tapped, body=msgspec.structs.replace(tapped.body, **fields))
