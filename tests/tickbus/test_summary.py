"""The summary of a run: an unknown order is named, and the end is not clean."""

import shutil
from pathlib import Path

from actors.live.journal import Journal
from actors.run.run_file import load
from connectors.core.records import EpochRecord, NewOrderRecord, ResolvedRecord, ScaleRecord, encode_record
from connectors.orders.client_id import encode_id
from protocol import OrdStatus, OrdType, SelfTradePrevention, Side, TimeInForce
from tickbus.summary.journal_totals import journal_of
from tickbus.summary.summary import UNKNOWN_ORDERS, Summary

DEFAULT = Path(__file__).resolve().parents[2] / "runs" / "default.toml"
NAME = encode_id("00000000", "maker", 1, 1)


def records(*more):
    return [
        EpochRecord(1, "00000000", 0),
        ScaleRecord("BTC-USDT", "0.01", "0.001"),
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


def test_an_order_that_is_confirmed_as_absent_is_not_unknown(tmp_path):
    unknown = ResolvedRecord(NAME, OrdStatus.UNKNOWN, "no answer in 1000 ms", 9)
    summary = ended_with(tmp_path, unknown, ResolvedRecord(NAME, OrdStatus.NOT_PLACED, "not found 3 times", 99))
    assert UNKNOWN_ORDERS not in summary.lines()
    assert (summary.as_dict()["orders_open"], summary.as_dict()["orders_unknown"]) == (0, 0)
