"""Own position against the exchange's: each connector's journal, compared with the ledger of the run's own exchange."""

import http.client
import json
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from actors.live.journal import Journal
from actors.run.run_file import Run
from connectors.core.records import decode_record
from connectors.orders.client_id import decode_id
from connectors.orders.tracker import OrderTracker
from protocol import OrdStatus
from protocol.errors import JournalDamaged
from tickbus.keys.source import VENUE

TIMEOUT_S = 5.0
TOLD_MAX = 10


class Tally(msgspec.Struct):
    """What the journals of a run's connectors add up to."""

    orders_sent: int = 0
    orders_unknown: int = 0
    orders_doubted: int = 0
    orders_open: int = 0
    fills: int = 0


def journal_of(run: Run, connector: str) -> Path:
    return run.dir / f"{connector}.orders.journal"


def replay(path: Path) -> OrderTracker:
    """The tracker as a connector would rebuild it. Raises JournalDamaged. The connector must not be running."""
    tracker, journal = OrderTracker(), Journal(path)
    for record in journal.records():
        tracker.apply(decode_record(record))
    journal.close()
    return tracker


def trackers(run: Run) -> dict[str, OrderTracker]:
    """By connector; those that have a journal."""
    return {name: replay(journal_of(run, name)) for name in run.actors if journal_of(run, name).exists()}


def tally(found: dict[str, OrderTracker]) -> Tally:
    """Counts over all lives of these journals."""
    sums = Tally()
    for tracker in found.values():
        sums.orders_sent += tracker.counter
        sums.orders_open += len(tracker.open)
        sums.orders_unknown += sum(one.status is OrdStatus.UNKNOWN for one in tracker.open.values())
        sums.orders_doubted += sum(one.state.doubted for one in tracker.orders.values())
        sums.fills += sum(owner.fill_no for owner in tracker.owners.values())
    return sums


def differences(run: Run, found: dict[str, OrderTracker]) -> list[str] | None:
    """Where a connector's books and the exchange's ledger disagree; empty if nowhere.

    None if it cannot be known: no connector trades on the run's own exchange, or that does not answer.
    """
    texts: list[str] | None = None
    for name, conf in run.actors.items():
        if not conf.keys.startswith(VENUE):
            continue
        ledger = fetch_ledger(run.dir, conf.keys.removeprefix(VENUE))
        if ledger is None:
            return None
        tracker = found.get(name) or OrderTracker()
        texts = (texts or []) + [f"{name}: {text}" for text in compare(tracker, ledger)]
    return texts


def fetch_ledger(run_dir: Path, account: str) -> dict[str, Any] | None:
    """The exchange's own word on an account; None if it does not answer."""
    try:
        base = json.loads((run_dir / "venue.address").read_text())["http"]
        with urllib.request.urlopen(f"{base}/control/ledger?account={account}", timeout=TIMEOUT_S) as answer:
            found = json.load(answer)
    except (OSError, ValueError, KeyError, urllib.error.URLError, http.client.HTTPException):
        return None
    return found if isinstance(found, dict) else None


def compare(tracker: OrderTracker, ledger: dict[str, Any]) -> list[str]:
    """Open orders, orders' fills, trades and sums: all that can differ.

    An order in doubt that the exchange has never seen is no difference: that is what the doubt is about.
    """
    ours = {one["clientOrderId"]: one for one in ledger["orders"] if _is_of(tracker, one["clientOrderId"])}
    by_order_id = {one["orderId"]: one["clientOrderId"] for one in ours.values()}
    texts = _compare_orders(tracker, ours)
    open_there = {one["clientOrderId"] for one in ledger["open_orders"] if one["clientOrderId"] in ours}
    texts += [f"order {one} is open on the exchange and not here" for one in sorted(open_there - tracker.open.keys())]
    open_here = {name for name, order in tracker.open.items() if order.state.seen or name in ours}
    texts += [f"order {one} is open here and not on the exchange" for one in sorted(open_here - open_there)]
    texts += _compare_sums(tracker, [one for one in ledger["trades"] if one["orderId"] in by_order_id])
    return texts[:TOLD_MAX]


def _is_of(tracker: OrderTracker, cl_ord_id: str) -> bool:
    known = decode_id(cl_ord_id)
    return known is not None and known.tag == tracker.tag


def _compare_orders(tracker: OrderTracker, ours: dict[str, Any]) -> list[str]:
    texts = []
    for cl_ord_id, row in ours.items():
        known = decode_id(cl_ord_id)
        order = tracker.orders.get(cl_ord_id)
        if order is None:
            if known is None or known.counter > tracker.counter:
                texts.append(f"order {cl_ord_id} is on the exchange and in no journal")
            continue  # final for long, and forgotten: the sums below still hold it
        filled = order.state.filled_lots * tracker.scales[order.intent.symbol].lot_size
        if filled != Decimal(row["executedQty"]):
            texts.append(f"order {cl_ord_id}: {filled} filled here, {row['executedQty']} on the exchange")
    return texts


def _compare_sums(tracker: OrderTracker, trades: list[dict[str, Any]]) -> list[str]:
    """Bought, sold, paid and fees by symbol, exactly."""
    there: dict[str, dict[str, Decimal]] = {}
    for trade in trades:
        sums = there.setdefault(trade["symbol"], {})
        side = "bought" if trade["isBuyer"] else "sold"
        fee, asset = Decimal(trade["commission"]), f"fees in {trade['commissionAsset']}"
        for what, field in ((side, "qty"), (f"quote {side}", "quoteQty")):
            sums[what] = sums.get(what, Decimal(0)) + Decimal(trade[field])
        sums[asset] = sums.get(asset, Decimal(0)) + fee
    here: dict[str, dict[str, Decimal]] = {}
    for owner in tracker.owners.values():
        for symbol, position in owner.positions.items():
            lot_size = tracker.scales[symbol].lot_size
            sums = here.setdefault(symbol.replace("-", ""), {})
            rows = {
                "bought": position.bought_lots * lot_size,
                "sold": position.sold_lots * lot_size,
                "quote bought": position.bought_notional,
                "quote sold": position.sold_notional,
                **{f"fees in {asset}": fee for asset, fee in position.fees.items()},
            }
            for what, amount in rows.items():
                sums[what] = sums.get(what, Decimal(0)) + amount
    texts: list[str] = []
    for symbol in sorted(here.keys() | there.keys()):
        a, b = here.get(symbol, {}), there.get(symbol, {})
        for what in sorted(a.keys() | b.keys()):
            if a.get(what, 0) != b.get(what, 0):
                texts.append(f"{symbol}: {what} {a.get(what, 0)} here, {b.get(what, 0)} on the exchange")
    return texts


def readable(found: dict[str, OrderTracker] | JournalDamaged) -> list[str]:
    """Positions in words, for a summary."""
    if isinstance(found, JournalDamaged):
        return [str(found)]
    lines = []
    for name, tracker in found.items():
        for owner in tracker.owners.values():
            for symbol, position in owner.positions.items():
                net = position.net_lots * tracker.scales[symbol].lot_size
                lines.append(f"{owner.name} on {name}: {net.normalize():f} {symbol.partition('-')[0]} net")
    return lines
