"""Figures computed from a RunState: equity, its change, percentiles."""

from collections import deque
from decimal import Decimal

from monitor.state import RunState

ZERO = Decimal(0)


def equity(state: RunState) -> dict[str, Decimal]:
    """Equity now, its change since the start, and the part made by trading (start and end at the prices of now)."""
    prices = state.prices()
    if not prices or not state.opening:
        return {}
    opening: dict[str, Decimal] = {}
    for rows in state.opening.values():
        for asset, amount in rows.items():
            opening[asset] = opening.get(asset, Decimal(0)) + amount
    now = value(state.totals(), prices)
    return {
        "equity": now,
        "equity_change": now - value(opening, prices | state.opening_mids),
        "trading_pnl": now - value(opening, prices),
    }


def value(amounts: dict[str, Decimal], prices: dict[str, Decimal]) -> Decimal:
    """The value of all amounts whose asset has a price."""
    return sum((amount * prices[asset] for asset, amount in amounts.items() if asset in prices), ZERO)


def percentile(values: "deque[float] | list[float]", share: float) -> float:
    """The value below which `share` of the values are; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
