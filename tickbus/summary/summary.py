"""The result of a foreground run, as one JSON object or as lines of text."""

from typing import Any

from actors.run.run_file import Run
from monitor.sums import equity, percentile
from protocol.errors import JournalDamaged
from tickbus.summary.journal_totals import JournalTotals, net_positions, totals, trackers
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
        self._positions: list[str] = []
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
            self._positions = net_positions(found)
        except JournalDamaged as error:
            self._differences = [str(error)]

    @property
    def is_clean(self) -> bool:
        """Whether no order is open or unknown, nothing differs from the exchange, and all processes ran."""
        compared = self._differences is not None or not any(
            one.keys.startswith(VENUE) for one in self._run.actors.values()
        )
        all_ran = self._running_rows == self._rows
        return compared and not self._differences and not self._after.orders_open and all_ran

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
            *(f"  {one}" for one in self._differences or self._positions),
            *(f"{name} ended and was restarted; its last error: {error}" for name, error in self._errors.items()),
            *([f"{money}, by trading {found['trading_pnl']:+.2f}"] if money else []),
            *([] if self.is_clean else [f"logs and journals are in {self._run.dir}"]),
        ]
