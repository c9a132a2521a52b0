"""Balances from whole reports and single changes, in any order; and the exchange's clock."""

from decimal import Decimal

from connectors.core.reports import AccountReport, BalanceRow
from connectors.net.server_clock import ServerClock
from connectors.orders.balances import BalanceBook


def report(at_ns: int, whole: bool, **rows: str) -> AccountReport:
    made = [BalanceRow(asset, Decimal(free), Decimal(0)) for asset, free in rows.items()]
    return AccountReport(made, at_ns, whole)


def shown(balances: BalanceBook) -> dict[str, Decimal]:
    return {asset: free for asset, free, _ in balances.message().rows}


def test_a_report_older_than_a_stream_event_does_not_undo_it():
    balances = BalanceBook()
    assert balances.add(report(10, True, BTC="1", USDT="5"))
    assert balances.add(report(30, False, BTC="2"))
    assert not balances.add(report(20, True, BTC="1", USDT="5"))
    assert shown(balances) == {"BTC": Decimal(2), "USDT": Decimal(5)}


def test_an_asset_that_a_whole_reading_does_not_name_is_gone():
    balances = BalanceBook()
    balances.add(report(10, True, BTC="1", USDT="5"))
    balances.add(report(20, True, USDT="5"))
    assert shown(balances) == {"BTC": Decimal(0), "USDT": Decimal(5)}


def test_nothing_is_reconciled_before_a_whole_reading():
    balances = BalanceBook()
    balances.add(report(10, False, BTC="1"))
    assert not balances.message().reconciled
    assert balances.add(report(10, True, BTC="1"))
    assert balances.message().reconciled
    assert not balances.add(report(11, True, BTC="1")), "the same again changes nothing"


def test_the_clock_is_the_median_of_its_readings():
    clock = ServerClock()
    for sent, received, there in ((0, 10, 105), (20, 30, 126), (40, 900, 140), (910, 920, 1_014), (930, 940, 1_035)):
        assert not clock.is_known
        clock.add(sent, received, there)
    assert clock.is_known
    assert clock.offset_ns == 100
    assert clock.offset_ns == 100
    clock.reset()
    assert clock.is_stale(941)
    assert clock.offset_ns == 100, "a stale offset is better than none"
