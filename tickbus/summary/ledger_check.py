"""Each connector's journal compared with the ledger of the run's own exchange: orders, fills, positions."""

import http.client
import json
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.run.run_file import Run
from connectors.orders.client_id import decode_id
from connectors.orders.tracker import OrderTracker
from venue.run_table import VENUE

TIMEOUT_S = 5.0
MAX_DIFFERENCES = 10
Sums = dict[str, dict[str, Decimal]]
"""{symbol: {what: amount}}"""


def differences(run: Run, found: dict[str, OrderTracker]) -> list[str] | None:
    """Returns what differs between the connectors' journals and the exchange's ledger; empty if nothing does.

    Returns None if they cannot be compared: no connector trades on the run's own exchange, or that does not respond.
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
    """Returns the exchange's ledger of an account; None if the exchange does not respond in TIMEOUT_S."""
    try:
        base = json.loads((run_dir / "venue.address").read_text())["http"]
        with urllib.request.urlopen(f"{base}/control/ledger?account={account}", timeout=TIMEOUT_S) as response:
            found = json.load(response)
    except (OSError, ValueError, KeyError, urllib.error.URLError, http.client.HTTPException):
        return None
    return found if isinstance(found, dict) else None


def compare(tracker: OrderTracker, ledger: dict[str, Any]) -> list[str]:
    """Returns the differences in open orders, filled amounts and sums, at most MAX_DIFFERENCES.

    An UNKNOWN order that the exchange never received is not a difference.
    """
    ours = {one["clientOrderId"]: one for one in ledger["orders"] if _is_of(tracker, one["clientOrderId"])}
    by_order_id = {one["orderId"]: one["clientOrderId"] for one in ours.values()}
    texts = _compare_orders(tracker, ours)
    open_there = {one["clientOrderId"] for one in ledger["open_orders"] if one["clientOrderId"] in ours}
    texts += [f"order {one} is open on the exchange and not here" for one in sorted(open_there - tracker.open.keys())]
    open_here = {name for name, order in tracker.open.items() if order.state.seen or name in ours}
    texts += [f"order {one} is open here and not on the exchange" for one in sorted(open_here - open_there)]
    texts += _compare_sums(tracker, [one for one in ledger["trades"] if one["orderId"] in by_order_id])
    return texts[:MAX_DIFFERENCES]


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
            continue  # closed long ago and dropped from memory: the sums below still include it
        filled = order.state.filled_lots * tracker.scales[order.terms.symbol].lot
        if filled != Decimal(row["executedQty"]):
            texts.append(f"order {cl_ord_id}: {filled} filled here, {row['executedQty']} on the exchange")
    return texts


def _compare_sums(tracker: OrderTracker, trades: list[dict[str, Any]]) -> list[str]:
    """Compares the amounts bought, sold and paid, and the fees, for each symbol, exactly."""
    here, there = _sums_of_journal(tracker), _sums_of_trades(trades)
    texts: list[str] = []
    for symbol in sorted(here.keys() | there.keys()):
        a, b = here.get(symbol, {}), there.get(symbol, {})
        for what in sorted(a.keys() | b.keys()):
            if a.get(what, 0) != b.get(what, 0):
                texts.append(f"{symbol}: {what} {a.get(what, 0)} here, {b.get(what, 0)} on the exchange")
    return texts


def _sums_of_trades(trades: list[dict[str, Any]]) -> Sums:
    """Returns the sums of the exchange's trades."""
    found: Sums = {}
    for trade in trades:
        side = "bought" if trade["isBuyer"] else "sold"
        rows = {
            side: Decimal(trade["qty"]),
            f"quote {side}": Decimal(trade["quoteQty"]),
            f"fees in {trade['commissionAsset']}": Decimal(trade["commission"]),
        }
        _add(found, trade["symbol"], rows)
    return found


def _sums_of_journal(tracker: OrderTracker) -> Sums:
    """Returns the sums of all positions in a journal, under the exchange's symbols."""
    found: Sums = {}
    for owner in tracker.owners.values():
        for symbol, position in owner.positions.items():
            lot_size = tracker.scales[symbol].lot
            rows = {
                "bought": position.bought_lots * lot_size,
                "sold": position.sold_lots * lot_size,
                "quote bought": position.bought_notional,
                "quote sold": position.sold_notional,
                **{f"fees in {asset}": fee for asset, fee in position.fees.items()},
            }
            _add(found, symbol.replace("-", ""), rows)
    return found


def _add(sums: Sums, symbol: str, rows: dict[str, Decimal]) -> None:
    of_symbol = sums.setdefault(symbol, {})
    for what, amount in rows.items():
        of_symbol[what] = of_symbol.get(what, Decimal(0)) + amount
