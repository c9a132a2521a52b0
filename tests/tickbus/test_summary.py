"""The summary of a run: an unknown order is named, and the end is not clean."""

import shutil
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from actors.live.journal import Journal
from actors.run.run_file import load
from actors.tap import Tapped
from connectors.core.records import EpochRecord, FillRecord, NewOrderRecord, ResolvedRecord, ScaleRecord, encode_record
from connectors.orders.client_id import encode_id
from monitor.state import RunState
from protocol import (
    Liquidity,
    OrdStatus,
    OrdType,
    RefusalCode,
    Refusals,
    SelfTradePrevention,
    Side,
    TimeInForce,
    topics,
)
from tickbus.summary.journal_totals import journal_of
from tickbus.summary.summary import UNKNOWN_ORDERS, Summary

DEFAULT = Path(__file__).resolve().parents[2] / "runs" / "default.toml"
NAME = encode_id("00000000", "maker", 1, 1)


def records(*more):
    return [
        EpochRecord(1, "00000000", 0),
        ScaleRecord("BTC-USDT", Decimal("0.01"), Decimal("0.001")),
        NewOrderRecord(
            1, NAME, "maker", 1, "BTC-USDT", Side.BUY, OrdType.LIMIT, TimeInForce.GTC, SelfTradePrevention.NONE,
            6_000_000, 10, 0, 0,
        ),
        *more,
    ]  # fmt: skip


def ended_with(tmp_path, *more):
    """Returns the summary of a run with these journal records, after its exchange has ended too."""
    path = tmp_path / "bot.toml"
    shutil.copy(DEFAULT, path)
    run = load(path)
    run.dir.mkdir(parents=True)
    summary = Summary(run)
    journal = Journal(journal_of(run, "binance"))
    for record in records(*more):
        journal.append(encode_record(record))
    journal.close()
    summary.compare()
    return summary


def test_an_unknown_order_is_reported_and_the_end_is_not_clean(tmp_path):
    summary = ended_with(tmp_path, ResolvedRecord(NAME, OrdStatus.UNKNOWN, "no answer in 1000 ms", 9))
    assert not summary.is_clean
    assert UNKNOWN_ORDERS in summary.lines()
    assert (summary.as_dict()["orders_open"], summary.as_dict()["orders_unknown"]) == (1, 1)


def rejected(code):
    return ResolvedRecord(NAME, OrdStatus.REJECTED, "no", 9, code)


def test_a_run_with_rejections_of_the_exchange_is_not_clean_and_shows_their_causes(tmp_path):
    summary = ended_with(tmp_path, rejected(RefusalCode.FUNDS))
    assert not summary.is_clean
    assert "1 orders refused by the exchange: FUNDS 1" in summary.lines()
    found = summary.as_dict()
    assert (found["refused_by_exchange"], found["refused_by_risk_check"], found["refused_post_only"]) == (1, 0, 0)
    assert found["refusals"] == {"exchange": {"FUNDS": 1}, "risk_check": {}}


def test_a_post_only_order_that_would_have_traded_is_counted_apart(tmp_path):
    found = ended_with(tmp_path, rejected(RefusalCode.WOULD_TAKE)).as_dict()
    assert (found["refused_by_exchange"], found["refused_post_only"]) == (0, 1)


def test_refusals_of_the_risk_check_are_shown(tmp_path):
    summary = ended_with(tmp_path)
    state = RunState()
    summary.watch_bot(SimpleNamespace(state=state, restarts={}, lost=0))
    for epoch, count in ((1, 2), (2, 1)):
        counts = Refusals([("maker", RefusalCode.LIMIT, count)])
        state.update(Tapped(topics.refusals("binance"), "binance", epoch, 1, 0, 0, counts))
    assert summary.as_dict()["refused_by_risk_check"] == 3, "of both process runs"
    assert "3 orders refused by the risk check: LIMIT 3" in summary.lines()
    assert not summary.is_clean


def test_profit_and_fees_are_those_of_this_run(tmp_path):
    fill = FillRecord(NAME, 5, 6_000_000, 10, Liquidity.TAKER, Decimal("0.6"), "USDT", 1, 0, 0, "test")
    summary = ended_with(tmp_path, fill)
    found = summary.as_dict()
    assert found["fees"] == {"USDT": "0.6"}
    assert found["realized_pnl"] == {"USDT": "0"}
    (position,) = found["positions"]
    assert (position["held"], position["cost"], position["average_cost"]) == ("0.01", "600.6", "60060")
    assert "realized profit 0 USDT; fees 0.6 USDT" in summary.lines()


def test_an_order_that_is_confirmed_as_absent_is_not_unknown(tmp_path):
    unknown = ResolvedRecord(NAME, OrdStatus.UNKNOWN, "no answer in 1000 ms", 9)
    summary = ended_with(tmp_path, unknown, ResolvedRecord(NAME, OrdStatus.NOT_PLACED, "not found 3 times", 99))
    assert UNKNOWN_ORDERS not in summary.lines()
    assert (summary.as_dict()["orders_open"], summary.as_dict()["orders_unknown"]) == (0, 0)
