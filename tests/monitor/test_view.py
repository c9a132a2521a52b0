"""The view is text: tested as text."""

from decimal import Decimal

import pytest

from monitor import view
from monitor.state import RunState
from monitor.sums import equity
from monitor.view import ProcessRow
from protocol import Balances, Heartbeat, OrdStatus, Side, Stages, TickReport, topics

ROWS = [
    ProcessRow("venue", 10, "RUNNING", 0, 57_000_000),
    ProcessRow("clockd", 11, "RUNNING", 0),
    ProcessRow("binance", 12, "RUNNING", 1),
]


@pytest.fixture
def state(hear):
    state = RunState()
    state.take(hear.rules())
    state.take(hear.book())
    state.take(
        hear(topics.account("binance"), Balances([("BTC", Decimal(1), Decimal(1)), ("USDT", Decimal(500), Decimal(0))]))
    )
    state.take(hear(topics.heart("binance"), Heartbeat(12, 99, [], state="TRADING")))
    state.take(hear(topics.ticks("clockd"), TickReport(99, 0, 0, 1_500_000, 0, [("binance", 480.0)], [], 99, 2, 1)))
    state.take(hear.order("a", OrdStatus.PARTIALLY_FILLED, Side.BUY, 9_998, 4, 1))
    state.take(hear.order("b", OrdStatus.NEW, Side.SELL, 10_050, 6))
    state.take(hear.order("c", OrdStatus.UNKNOWN, Side.SELL, 10_060, 6))
    state.take(hear.fill(1))
    return state


def text(state, hear, **given):
    return "\n".join(view.lines(state, ROWS, "tickbus  paper.toml", hear.now_ns + 500_000_000, **given))


def test_the_whole_view(state, hear):
    assert (
        text(state, hear)
        == """\
tickbus  paper.toml
tick 99  ticks 99  tick p50 1500 us p99 1500 us  hop p50 480 us p99 480 us  skipped 2  late 1

actor            pid state       ticks  lost     rss restarts  says
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


def test_before_anything_is_known_the_view_says_so(hear):
    assert text(RunState(), hear).split("\n")[1] == "tick  waiting for the clock"
    assert "balances  not told yet" in text(RunState(), hear)


def test_no_line_is_wider_and_no_view_taller_than_the_terminal(state, hear):
    for width, height in ((40, 10), (60, 5), (200, 100)):
        lines = text(state, hear, width=width, height=height).split("\n")
        assert max(map(len, lines)) <= width
        assert len(lines) <= height
    assert max(map(len, text(state, hear, width=3).split("\n"))) <= view.MIN_WIDTH


def test_an_actor_that_tells_nothing_is_shown_as_silent(state, hear):
    hear.now_ns += 10_000_000_000
    assert "SILENT for 10 s  TRADING" in text(state, hear)


def test_a_stopped_actor_says_nothing(state):
    stopped = [ProcessRow("binance", 0, "STOPPED", 0)]
    assert view.process_lines(state, stopped, 0)[1].split() == ["binance", "-", "STOPPED", "99", "0", "-", "0"]


def test_a_stale_book_is_shouted(state, hear):
    state.markets["binance", "BTC-USDT"].trouble = "stale: stream down"
    assert "book binance:BTC-USDT  STALE: STREAM DOWN" in text(state, hear)


def test_equity_tells_the_market_s_share_from_the_trading_s(state, hear):
    state.take(hear.book(bids=[(10_999, 1)], asks=[(11_001, 1)]))
    state.take(
        hear(topics.account("binance"), Balances([("BTC", Decimal(2), Decimal(0)), ("USDT", Decimal(507), Decimal(0))]))
    )
    sums = equity(state)
    assert (sums["equity"], sums["equity_change"], sums["trading_pnl"]) == (727, 27, 7)


def test_one_line_says_all_where_there_is_no_terminal(state):
    assert view.status_line(state, ROWS, 12.3) == (
        "  12.3 s  3/3 running  ticks 99 skipped 2 late 1  hop p50 480 us  orders 3 (3 open)  fills 1  lost 0"
        "  equity 700.00 (+0.00)"
    )


def test_where_the_time_goes_is_a_line_an_actor_while_it_says_so(state, hear):
    state.take(hear(topics.stages("binance"), Stages([("parse", 40, 17.4, 94.2), ("send", 2, 60.0, 300.4)])))
    assert "\nus binance   parse 17/94  send 60/300\n" in text(state, hear)
    hear.now_ns += 10_000_000_000
    assert "us binance" not in text(state, hear)
