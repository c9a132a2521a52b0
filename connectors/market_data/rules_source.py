"""RulesSource: trading rules by REST: requested until they arrive, read again regularly; and the unknown markets."""

from collections.abc import Sequence
from typing import Protocol

from actors.effects import Effects
from actors.net import HttpAnswer, HttpFailure
from connectors.core.market_api import BadFrame, BadRules, MarketApi, SendRequest
from connectors.core.throttle import Limit
from connectors.market_data.market_state import MS_NS
from connectors.market_data.snapshots import OK
from protocol import Rules

RETRY_NS = 1_000 * MS_NS
MAX_RETRY_NS = 30_000 * MS_NS
HALTED_NS = 5_000 * MS_NS  # time until the rules of a halted or missing market are read again
BAD_REQUEST = 400


class RulesListener(Protocol):
    """Receives what the exchange answers about each market."""

    def on_rules(self, rules: Rules) -> None:
        """The rules of a market."""

    def on_bad_rules(self, bad: BadRules) -> None:
        """The exchange has this market, and its rules cannot be used."""

    def on_unknown(self, symbol: str) -> None:
        """The exchange has no such market."""

    def on_limits(self, limits: Sequence[Limit]) -> None:
        """The exchange has stated its rate limits."""

    def on_invalid_answer(self, reason: str) -> None:
        """An answer had no known form."""


class RulesSource:
    """Requests rules for its listener. `trouble` is why rules are missing. Begin with `request`, end with `stop`.

    One market's rules that cannot be read, and a market that the exchange refuses, cost that market alone.
    """

    def __init__(
        self, fx: Effects, api: MarketApi, refresh_ms: int, send: SendRequest, listener: RulesListener
    ) -> None:
        self.trouble = ""
        self._fx = fx
        self._api = api
        self._send = send
        self._listener = listener
        self._refresh_ns = refresh_ms * MS_NS
        self._retry_ns = RETRY_NS
        self._running = True
        self._known: set[str] = set()  # markets that the exchange has had
        self._watched: set[str] = set()  # markets that are halted, have vanished, or have rules of no use
        self._is_watching = False

    def request(self, symbols: Sequence[str]) -> None:
        """Request the rules of these markets, repeatedly until they arrive."""
        if self._running and symbols:
            self._send(self._api.rules_request(symbols), lambda answer: self._on_answer(symbols, answer))

    def keep_fresh(self, symbols: Sequence[str]) -> None:
        """From now on read the rules of `symbols` again each `refresh_ms`."""
        self._fx.after(self._refresh_ns, self._refresh, symbols)

    def stop(self) -> None:
        """Send no more requests."""
        self._running = False

    def _refresh(self, symbols: Sequence[str]) -> None:
        if self._running:
            self.keep_fresh(symbols)
            self.request(symbols)

    def _on_answer(self, symbols: Sequence[str], answer: HttpAnswer | HttpFailure) -> None:
        if isinstance(answer, HttpAnswer) and self._is_refused(symbols, answer):
            return
        rows = self._parse(answer)
        if rows is None:
            self._fx.after(self._retry_ns, self.request, symbols)
            self._retry_ns = min(2 * self._retry_ns, MAX_RETRY_NS)
            return
        self._retry_ns = RETRY_NS
        self.trouble = ""
        if isinstance(answer, HttpAnswer):
            self._listener.on_limits(self._api.parse_limits(answer.body))
        by_symbol = {row.symbol: row for row in rows}
        unnamed = by_symbol.get("")
        for symbol in symbols:
            row = by_symbol.get(symbol)
            if row is None and isinstance(unnamed, BadRules):
                row = BadRules(symbol, unnamed.reason)  # the unreadable row may be this market's
            self._report(symbol, row)

    def _report(self, symbol: str, row: Rules | BadRules | None) -> None:
        """Pass the answer on. A market that is not in order may be at any time: its rules are read more often."""
        if row is None:
            self._listener.on_unknown(symbol)
        elif isinstance(row, BadRules):
            self._listener.on_bad_rules(row)
        else:
            self._listener.on_rules(row)
        if row is not None:
            self._known.add(symbol)
        if (isinstance(row, Rules) and row.trading) or symbol not in self._known:
            self._watched.discard(symbol)
            return
        self._watched.add(symbol)
        if not self._is_watching:
            self._is_watching = True
            self._fx.after(HALTED_NS, self._on_watch_timer)

    def _on_watch_timer(self) -> None:
        self._is_watching = False
        self.request(sorted(self._watched))
        self._watched.clear()

    def _parse(self, answer: HttpAnswer | HttpFailure) -> Sequence[Rules | BadRules] | None:
        """Returns the rules in an answer; None if it contains none."""
        if isinstance(answer, HttpFailure):
            self.trouble = answer.text
        elif answer.status != OK:
            self.trouble = f"HTTP {answer.status} to a request for rules"
        else:
            try:
                return self._api.parse_rules(answer.body)
            except BadFrame as error:
                self.trouble = str(error)
                self._listener.on_invalid_answer(self.trouble)
        return None

    def _is_refused(self, symbols: Sequence[str], answer: HttpAnswer) -> bool:
        """Handle a refusal because of one of these markets: find out which, by halves."""
        is_unknown = self._api.is_unknown_market(answer.status, answer.body)
        if not is_unknown and answer.status != BAD_REQUEST:
            return False
        if len(symbols) > 1:
            middle = len(symbols) // 2
            self.request(symbols[:middle])
            self.request(symbols[middle:])
        elif is_unknown:
            self._report(symbols[0], None)
        else:
            text = answer.body[:100].decode("utf-8", "replace")
            self._report(symbols[0], BadRules(symbols[0], f"the exchange refuses to give its rules: {text}"))
        return True
