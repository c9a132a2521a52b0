"""The result of a foreground run, as one JSON object or as lines of text."""

from decimal import Decimal
from typing import Any

import msgspec

from actors.run.run_file import Run
from monitor.sums import equity, percentile
from monitor.view import causes, plain
from protocol import RefusalCode
from protocol.errors import JournalDamaged
from tickbus.summary.journal_totals import JournalTotals, PositionLine, growth, positions, totals, trackers
from tickbus.summary.ledger_check import differences
from tickbus.watch.watch import Watch
from venue.run_table import VENUE

UNKNOWN_ORDERS = "unknown: sent without a response, and not confirmed as absent; the next run continues to check"
AGREEMENT = {
    True: "agree with the exchange's ledger",
    False: "DIFFER from the exchange's ledger",
    None: "were not compared",
}


class Summary:
    """Made before the bot starts. `watch_bot`, `trading_ended` and `compare` are then called in this order."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._watch: Watch | None = None
        self._seconds = 0.0
        self._before = totals(trackers(run))
        self._after = JournalTotals()
        self._differences: list[str] | None = None
        self._positions: list[PositionLine] = []
        self._errors: dict[str, str] = {}
        self._running_rows = 0
        self._rows = 0
        self._rss_bytes = 0

    def watch_bot(self, watch: Watch) -> None:
        """Sets the source of what passes on the bus; called when the bot runs."""
        self._watch = watch

    def trading_ended(self, seconds: float) -> None:
        """Notes the state of all processes before they are stopped. `seconds`: the duration of the run."""
        assert self._watch is not None
        self._seconds = seconds
        self._watch.refresh_processes()
        rows = self._watch.rows
        self._rows = len(rows)
        self._rss_bytes = sum(row.rss_bytes for row in rows)
        self._running_rows = sum(row.state == "RUNNING" for row in rows)
        self._errors = {row.name: row.last_error for row in rows if row.last_error}

    def compare(self) -> None:
        """Compares the journals with the exchange's ledger; strategies and connectors have stopped."""
        try:
            found = trackers(self._run)
            self._after = totals(found)
            self._differences = differences(self._run, found)
            self._positions = positions(found)
        except JournalDamaged as error:
            self._differences = [str(error)]

    @property
    def is_clean(self) -> bool:
        """Whether no order is open, unknown or refused, nothing differs from the exchange, and all processes ran."""
        compared = self._differences is not None or not any(
            one.keys.startswith(VENUE) for one in self._run.actors.values()
        )
        all_ran = self._running_rows == self._rows
        refused = sum(self._refused_by_exchange.values()) + sum(self._refused_by_check.values())
        return compared and not self._differences and not self._after.orders_open and all_ran and not refused

    @property
    def _refused_by_check(self) -> dict[RefusalCode, int]:
        return {} if self._watch is None else self._watch.state.refused_by_check

    @property
    def _rejected(self) -> dict[RefusalCode, int]:
        """Returns what the exchange has rejected in this run, by cause."""
        after, before = self._after.refused, self._before.refused
        return {code: count - before.get(code, 0) for code, count in after.items() if count > before.get(code, 0)}

    @property
    def _refused_by_exchange(self) -> dict[RefusalCode, int]:
        """Without post-only orders that would have traded: that they are rejected is what post-only is for."""
        return {code: count for code, count in self._rejected.items() if code is not RefusalCode.WOULD_TAKE}

    def as_dict(self) -> dict[str, Any]:
        """Returns the JSON object of the last line; counts are of this run, not of earlier ones in its folder."""
        watch, after, before = self._watch, self._after, self._before
        state = watch.state if watch is not None else None
        sums = equity(state) if state is not None else {}
        return {
            "seconds": round(self._seconds, 1),
            "ticks": state.ticks if state else 0,
            "ticks_skipped": state.ticks_skipped if state else 0,
            "ticks_late": state.ticks_late if state else 0,
            "tick_hop_us_p50": round(percentile(state.hops_us, 0.5), 1) if state else 0,
            "tick_hop_us_p99": round(percentile(state.hops_us, 0.99), 1) if state else 0,
            "tick_us_p50": round(percentile(state.tick_us, 0.5), 1) if state else 0,
            "tick_us_p99": round(percentile(state.tick_us, 0.99), 1) if state else 0,
            "orders_sent": after.orders_sent - before.orders_sent,
            "orders_unknown": after.orders_unknown,
            "orders_open": after.orders_open,
            "fills": after.fills - before.fills,
            "refused_by_exchange": sum(self._refused_by_exchange.values()),
            "refused_by_risk_check": sum(self._refused_by_check.values()),
            "refused_post_only": self._rejected.get(RefusalCode.WOULD_TAKE, 0),
            "refusals": {
                by: {code.name: count for code, count in sorted(refused.items())}
                for by, refused in (("exchange", self._refused_by_exchange), ("risk_check", self._refused_by_check))
            },
            "positions": [msgspec.to_builtins(one) for one in self._positions],
            "realized_pnl": _texts(growth(after.realized_pnl, before.realized_pnl)),
            "fees": _texts(growth(after.fees, before.fees)),
            "lost_messages": state.lost() if state else 0,
            "lost_by_watcher": watch.lost if watch else 0,
            "invalid_frames": sum(one.invalid_frames for one in state.actors.values()) if state else 0,
            "restarts": sum(watch.restarts.values()) if watch else 0,
            "processes": self._rows,
            "processes_running": self._running_rows,
            "own_position_matches_venue": None if self._differences is None else not self._differences,
            "differences": self._differences or [],
            "last_errors": self._errors,
            "equity": round(float(sums["equity"]), 2) if sums else None,
            "equity_change": round(float(sums["equity_change"]), 2) if sums else None,
            "trading_pnl": round(float(sums["trading_pnl"]), 2) if sums else None,
            "rss_mb": round(self._rss_bytes / 1e6),
            "run_dir": str(self._run.dir),
        }

    def lines(self) -> list[str]:
        """Returns the same as text."""
        found = self.as_dict()
        money = (
            f"equity {found['equity']:.2f}, change {found['equity_change']:+.2f}" if found["equity"] is not None else ""
        )
        return [
            f"ran {found['seconds']} s, {found['ticks']} ticks ({found['ticks_skipped']} skipped, "
            f"{found['ticks_late']} late), hop p50 {found['tick_hop_us_p50']} us",
            f"{found['orders_sent']} orders sent, {found['orders_open']} open, {found['orders_unknown']} unknown, "
            f"{found['fills']} fills, {found['restarts']} restarts, {found['lost_messages']} messages lost",
            *([UNKNOWN_ORDERS] if found["orders_unknown"] else []),
            f"own orders, fills and position {AGREEMENT[found['own_position_matches_venue']]}",
            *(f"  {one}" for one in self._differences or [one.text for one in self._positions]),
            *(
                [f"realized profit {_amounts(found['realized_pnl'])}; fees {_amounts(found['fees'])}"]
                if found["fees"]
                else []
            ),
            *self._refusal_lines(),
            *(f"{name} ended and was restarted; its last error: {error}" for name, error in self._errors.items()),
            *([f"{money}, by trading {found['trading_pnl']:+.2f}"] if money else []),
            *([] if self.is_clean else [f"logs and journals are in {self._run.dir}"]),
        ]

    def _refusal_lines(self) -> list[str]:
        """Returns a line for each of risk check and exchange that has refused orders."""
        both = (("the risk check", self._refused_by_check), ("the exchange", self._refused_by_exchange))
        return [f"{sum(refused.values())} orders refused by {by}: {causes(refused)}" for by, refused in both if refused]


def _texts(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {asset: plain(amount) for asset, amount in amounts.items()}


def _amounts(texts: dict[str, str]) -> str:
    """Returns amounts with at most 8 places, for display."""
    return ", ".join(f"{plain(round(Decimal(amount), 8))} {asset}" for asset, amount in texts.items())
