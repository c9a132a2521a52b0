"""What a foreground run amounts to: the numbers of its last line."""

from typing import TYPE_CHECKING, Any

from actors.run.run_file import Run
from monitor.sums import equity, percentile
from protocol.errors import JournalDamaged
from tickbus import ledger_check as truth

if TYPE_CHECKING:
    from tickbus.watch import Watch


IN_DOUBT = "in doubt: sent, never answered, not proven to be nowhere; the next run goes on asking"


class Summary:
    """`watch` is set while the house runs; `compare` is called when its connectors have stopped."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.watch: Watch | None = None
        self._seconds = 0.0
        self._before = truth.tally(truth.trackers(run))
        self._after = truth.Tally()
        self._differences: list[str] | None = None
        self._positions: list[str] = []
        self._trouble = ""
        self._troubles: dict[str, str] = {}
        self._running_rows = 0
        self._rows = 0
        self._rss_bytes = 0

    def trading_ended(self, seconds: float) -> None:
        assert self.watch is not None
        self._seconds = seconds
        self.watch.look()
        self._rows = len(self.watch.rows)
        self._rss_bytes = sum(row.rss_bytes for row in self.watch.rows)
        self._running_rows = sum(row.state == "RUNNING" for row in self.watch.rows)
        self._troubles = {row.name: row.words for row in self.watch.rows if row.words}

    def compare(self) -> None:
        """Replay the journals and ask the exchange; strategies and connectors have stopped."""
        try:
            found = truth.trackers(self._run)
            self._after = truth.tally(found)
            self._differences = truth.differences(self._run, found)
            self._positions = truth.readable(found)
        except JournalDamaged as error:
            self._trouble = str(error)
            self._differences = [self._trouble]

    @property
    def is_clean(self) -> bool:
        """Nothing is open, in doubt, or in disagreement with the exchange."""
        compared = self._differences is not None or not any(
            one.keys.startswith(truth.VENUE) for one in self._run.actors.values()
        )
        all_ran = self._running_rows == self._rows
        return compared and not self._differences and not self._after.orders_open and all_ran

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the last line; counts are of this run, not of earlier ones in its folder."""
        watch, after, before = self.watch, self._after, self._before
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
            "garbage": sum(one.invalid_frames for one in state.actors.values()) if state else 0,
            "restarts": sum(watch.restarts.values()) if watch else 0,
            "processes": self._rows,
            "processes_running": self._running_rows,
            "own_position_matches_venue": None if self._differences is None else not self._differences,
            "differences": self._differences or [],
            "troubles": self._troubles,
            "equity": round(float(sums["equity"]), 2) if sums else None,
            "equity_change": round(float(sums["equity_change"]), 2) if sums else None,
            "trading_pnl": round(float(sums["trading_pnl"]), 2) if sums else None,
            "rss_mb": round(self._rss_bytes / 1e6),
            "run_dir": str(self._run.dir),
        }

    def lines(self) -> list[str]:
        """The same for people."""
        found = self.as_dict()
        matches = found["own_position_matches_venue"]
        verdict = {
            True: "agree with the exchange's ledger",
            False: "DIFFER from the exchange's ledger",
            None: "were not compared",
        }
        money = (
            f"equity {found['equity']:.2f}, change {found['equity_change']:+.2f}" if found["equity"] is not None else ""
        )
        return [
            f"ran {found['seconds']} s, {found['ticks']} ticks ({found['ticks_skipped']} skipped, "
            f"{found['ticks_late']} late), hop p50 {found['tick_hop_us_p50']} us",
            f"{found['orders_sent']} orders sent, {found['orders_open']} open, {found['orders_unknown']} in doubt, "
            f"{found['fills']} fills, {found['restarts']} restarts, {found['lost_messages']} messages lost",
            *([IN_DOUBT] if found["orders_unknown"] else []),
            f"own orders, fills and position {verdict[matches]}",
            *(f"  {one}" for one in self._differences or self._positions),
            *(f"{name} ended and was started again; its last words: {words}" for name, words in self._troubles.items()),
            *([f"{money}, by trading {found['trading_pnl']:+.2f}"] if money else []),
            *([] if self.is_clean else [f"logs and journals are in {self._run.dir}"]),
        ]
