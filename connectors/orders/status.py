"""Condition: in what state a connector is, why, and what that allows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.connector import Connector

MS_NS = 1_000_000
STALE_POLLS = 5  # polls missed in a row, after which nothing new is placed
TRADES_IN = ("TRADING", "DEGRADED")


class Condition:
    """States: CONNECTING, RECONCILING, TRADING, DEGRADED (REST polling stands in for the user stream), HALTED,
    STOPPING; DATA where there are no keys. `halted` and `paused` last until a person resumes."""

    def __init__(self, host: "Connector") -> None:
        self.host = host
        self.halted = ""
        self.paused = ""
        self.halted_symbols: dict[str, str] = {}
        self.journal_trouble = ""
        self.stopping = False

    def resume(self) -> None:
        """A person has looked. A journal that cannot be written needs a restart."""
        self.halted = self.paused = ""
        self.halted_symbols.clear()

    @property
    def is_ready(self) -> bool:
        """The rules of every market are known, and the exchange's time."""
        host = self.host
        return len(host.instruments) == len(host.markets) and host.caller.clock.is_known

    def state(self) -> tuple[str, str]:
        """(state, detail)."""
        host = self.host
        if self.stopping:
            left = len(host.tracker.open)
            return "STOPPING", f"{left} orders may be live" if left else ""
        if host.feed.unknown:
            return "HALTED", host.feed.detail
        if host.keys is None:
            return ("DATA", "no keys: market data alone") if host.feed.state != "STARTING" else self._connecting()
        if self.halted:
            return "HALTED", self.halted
        if not self.is_ready:
            return self._connecting()
        if not host.reconciler.passes:
            return "RECONCILING", host.caller.trouble
        if level := host.kill_switch():
            return "HALTED", f"kill switch at level {level}"
        if reason := self.journal_trouble or self.paused:
            return "HALTED", reason
        return self._trading()

    def _connecting(self) -> tuple[str, str]:
        return "CONNECTING", self.host.caller.trouble or self.host.feed.detail

    def _trading(self) -> tuple[str, str]:
        user = self.host.user
        if user.is_reliable:
            return "TRADING", "; ".join(f"{symbol}: {why}" for symbol, why in self.halted_symbols.items())
        return "DEGRADED", "user stream down: polling" if not user.is_live else "user stream silent: polling"

    def _is_open(self, symbol: str) -> bool:
        """TRADING, and nothing speaks against this market."""
        host = self.host
        if self.stopping or self.halted or self.paused or self.journal_trouble or host.keys is None:
            return False
        caller = host.caller
        return (
            host.user.is_reliable
            and bool(host.reconciler.passes)
            and not host.feed.unknown
            and self.is_ready
            and symbol in host.instruments
            and not host.scale_troubles.get(symbol)
            and symbol not in self.halted_symbols
            and caller.throttle.paused_until_ns <= caller.now_ns
            and not host.kill_switch()
        )

    def why_not_new(self, symbol: str) -> str:
        """Why nothing new is placed in a market; "" if something may be."""
        # Before every order: the short way first, and the words only where it says no.
        return "" if self._is_open(symbol) else self._why_not(symbol)

    def _why_not(self, symbol: str) -> str:
        host = self.host
        state, detail = self.state()
        if state not in TRADES_IN:
            return f"{host.name} is {state}: {detail}"
        if symbol not in host.instruments:
            return f"{host.name} does not serve {symbol}"
        if trouble := host.scale_troubles.get(symbol):
            return trouble
        if symbol in self.halted_symbols:
            return f"{symbol} is halted: {self.halted_symbols[symbol]}"
        if host.caller.throttle.is_paused(host.caller.now_ns):
            return "the exchange has asked for silence"
        settings, age_ns = host.settings, host.now_ns - host.reconciler.done_ns
        patience_ms = max(settings.poll_ms * STALE_POLLS, settings.request_ms * 2)
        if state == "DEGRADED" and age_ns > patience_ms * MS_NS:
            return f"the account was last read {age_ns // MS_NS} ms ago"
        return ""
