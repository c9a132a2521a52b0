"""Journals compared with the exchange's ledger: every kind of difference is found."""

from decimal import Decimal

import pytest

from actors.live.journal import Journal
from connectors.core.records import (
    EpochRecord,
    FillRecord,
    NewOrderRecord,
    ReportRecord,
    ResolvedRecord,
    ScaleRecord,
    encode_record,
)
from connectors.orders.client_id import encode_id
from connectors.orders.tracker import OrderTracker
from protocol import Liquidity, OrdStatus, OrdType, SelfTradePrevention, Side, TimeInForce
from tickbus.summary.journal_totals import JournalTotals, positions, replay, totals
from tickbus.summary.ledger_check import compare, fetch_ledger

TAG = "00000000"


def cl_ord_id(counter):
    return encode_id(TAG, "maker", 1, counter)


def intent(counter, side=Side.BUY, size_lots=10):
    return NewOrderRecord(
        counter, cl_ord_id(counter), "maker", counter, "BTC-USDT", side, OrdType.LIMIT, TimeInForce.GTC,
        SelfTradePrevention.NONE, 6_000_000, size_lots, 0, 0,
    )  # fmt: skip


def fill(counter, trade_id, lots, fill_no):
    return FillRecord(
        cl_ord_id(counter), trade_id, 6_000_000, lots, Liquidity.MAKER, Decimal("0.001"), "BTC", fill_no, 0, 0, "stream"
    )


RECORDS = [
    EpochRecord(1, TAG, 0),
    ScaleRecord("BTC-USDT", Decimal("0.01"), Decimal("0.001")),
    intent(1),
    ReportRecord(cl_ord_id(1), OrdStatus.NEW, 0, "71", 0, 0, "ack"),
    fill(1, 900, 4, 1),
    fill(1, 901, 6, 2),
    ReportRecord(cl_ord_id(1), OrdStatus.FILLED, 10, "71", 0, 0, "stream"),
    intent(2, Side.SELL),
    ReportRecord(cl_ord_id(2), OrdStatus.NEW, 0, "72", 0, 0, "ack"),
]


def order_row(counter, executed):
    return {"clientOrderId": cl_ord_id(counter), "orderId": 70 + counter, "executedQty": executed}


def trade_row(trade_id, qty, quote, fee="0.001", order_id=71):
    return {
        "symbol": "BTCUSDT", "id": trade_id, "orderId": order_id, "qty": qty, "quoteQty": quote, "commission": fee,
        "commissionAsset": "BTC", "isBuyer": True,
    }  # fmt: skip


@pytest.fixture
def tracker():
    tracker = OrderTracker()
    for record in RECORDS:
        tracker.apply(record)
    return tracker


@pytest.fixture
def ledger():
    """A ledger that agrees with RECORDS, with external orders beside ours."""
    external = {"clientOrderId": "web_1", "orderId": 5, "executedQty": "3"}
    return {
        "orders": [order_row(1, "0.010"), order_row(2, "0.000"), external],
        "open_orders": [order_row(2, "0.000"), external],
        "trades": [trade_row(900, "0.004", "240"), trade_row(901, "0.006", "360"), trade_row(5, "3", "9", order_id=5)],
    }


def test_books_that_agree_have_no_difference(tracker, ledger):
    assert compare(tracker, ledger) == []


def test_an_order_that_only_the_exchange_knows_is_found(tracker, ledger):
    ledger["orders"].append(order_row(3, "0"))
    assert compare(tracker, ledger) == [f"order {cl_ord_id(3)} is on the exchange and in no journal"]


def test_an_order_left_open_is_found_on_either_side(tracker, ledger):
    ledger["open_orders"] = [order_row(1, "0.010")]
    assert compare(tracker, ledger) == [
        f"order {cl_ord_id(1)} is open on the exchange and not here",
        f"order {cl_ord_id(2)} is open here and not on the exchange",
    ]


def test_an_unknown_order_that_the_exchange_never_received_is_no_difference(tracker, ledger):
    tracker.apply(intent(3))
    tracker.apply(ResolvedRecord(cl_ord_id(3), OrdStatus.UNKNOWN, "no answer in 1000 ms", 9))
    assert compare(tracker, ledger) == []
    ledger["orders"].append(order_row(3, "0.000"))
    assert compare(tracker, ledger) == [f"order {cl_ord_id(3)} is open here and not on the exchange"]


def test_a_lost_fill_is_found_in_the_order_and_in_the_sums(tracker, ledger):
    ledger["orders"][1] = order_row(2, "0.002")
    ledger["trades"].append(trade_row(902, "0.002", "120", order_id=72) | {"isBuyer": False})
    assert compare(tracker, ledger) == [
        f"order {cl_ord_id(2)}: 0.000 filled here, 0.002 on the exchange",
        "BTCUSDT: fees in BTC 0.002 here, 0.003 on the exchange",
        "BTCUSDT: quote sold 0 here, 120 on the exchange",
        "BTCUSDT: sold 0.000 here, 0.002 on the exchange",
    ]


def test_a_fee_that_differs_in_its_last_digit_is_found(tracker, ledger):
    ledger["trades"][0]["commission"] = "0.00100001"
    assert compare(tracker, ledger) == ["BTCUSDT: fees in BTC 0.002 here, 0.00200001 on the exchange"]


def test_the_totals_come_from_the_journal_alone(tmp_path):
    journal = Journal(tmp_path / "binance.orders.journal")
    for record in RECORDS:
        journal.append(encode_record(record))
    journal.close()
    found = {"binance": replay(tmp_path / "binance.orders.journal")}
    assert totals(found) == JournalTotals(
        orders_sent=2, orders_open=1, fills=2, realized_pnl={"USDT": Decimal(0)}, fees={"BTC": Decimal("0.002")}
    )
    (position,) = positions(found)
    assert (position.traded, position.held, position.cost) == ("0.01", "0.008", "600")
    assert position.text == "maker on binance: 0.008 BTC held at an average cost of 75000.00 USDT"


def test_an_exchange_that_does_not_respond_gives_no_ledger(tmp_path):
    assert fetch_ledger(tmp_path, "maker") is None
    (tmp_path / "venue.address").write_text('{"http": "http://127.0.0.1:1", "ws": ""}')
    assert fetch_ledger(tmp_path, "maker") is None
