"""RulesSource: trading rules by REST: requested until they arrive, read again regularly; and the unknown markets."""

from collections.abc import Callable, Mapping, Sequence

from actors.effects import Effects
from actors.net import HttpAnswer, HttpFailure
from connectors.core.market_api import BadFrame, MarketApi, SendRequest
from connectors.market_data.market_state import MS_NS
from connectors.market_data.snapshots import OK
from protocol import Rules

RETRY_NS = 1_000 * MS_NS
MAX_RETRY_NS = 30_000 * MS_NS
HALTED_NS = 5_000 * MS_NS  # time until the rules of a halted or missing market are read again


class RulesSource:
    """`on_rules(rules)` gets the rules of each market, `on_unknown(symbol)` the markets that the exchange lacks.

    `trouble` is why rules are missing. Begin with `request`, end with `stop`.
    """

    def __init__(
        self,
        fx: Effects,
        api: MarketApi,
        refresh_ms: int,
        send: SendRequest,
        on_rules: Callable[[Rules], None],
        on_unknown: Callable[[str], None],
        on_invalid: Callable[[str], None],
    ) -> None:
        self.trouble = ""
        self._fx = fx
        self._api = api
        self._send = send
        self._on_rules = on_rules
        self._on_unknown = on_unknown
        self._on_invalid = on_invalid
        self._refresh_ns = refresh_ms * MS_NS
        self._retry_ns = RETRY_NS
        self._running = True
        self._known: set[str] = set()  # markets whose rules were read
        self._halted: set[str] = set()  # markets that are halted, or have vanished

    def request(self, symbols: Sequence[str]) -> None:
        """Request the rules of these markets, repeatedly until they arrive."""
        if self._running and symbols:
            self._send(self._api.rules_request(symbols), lambda answer: self._on_answer(symbols, answer))

    def keep_fresh(self, symbols: Callable[[], Sequence[str]]) -> None:
        """From now on read the rules of `symbols()` again each `refresh_ms`."""
        self._fx.after(self._refresh_ns, self._refresh, symbols)

    def stop(self) -> None:
        """Send no more requests."""
        self._running = False

    def _refresh(self, symbols: Callable[[], Sequence[str]]) -> None:
        if self._running:
            self.keep_fresh(symbols)
            self.request(symbols())

    def _on_answer(self, symbols: Sequence[str], answer: HttpAnswer | HttpFailure) -> None:
        if isinstance(answer, HttpAnswer) and self._api.is_unknown_market(answer.status, answer.body):
            self._halve(symbols)
            return
        rules = self._parse(answer)
        if rules is None:
            self._fx.after(self._retry_ns, self.request, symbols)
            self._retry_ns = min(2 * self._retry_ns, MAX_RETRY_NS)
            return
        self._retry_ns = RETRY_NS
        self.trouble = ""
        by_symbol = {row.symbol: row for row in rules}
        for symbol in symbols:
            if symbol in by_symbol:
                self._on_rules(by_symbol[symbol])
            else:
                self._on_unknown(symbol)
        self._watch(symbols, by_symbol)

    def _watch(self, symbols: Sequence[str], rules: Mapping[str, Rules]) -> None:
        """A halted or vanished market may be back at any time: its rules are read more often."""
        self._known.update(rules)
        for symbol in symbols:
            row = rules.get(symbol)
            if row.trading if row is not None else symbol not in self._known:
                self._halted.discard(symbol)
            elif symbol not in self._halted:
                self._halted.add(symbol)
                self._fx.after(HALTED_NS, self._on_halted_timer, symbol)

    def _on_halted_timer(self, symbol: str) -> None:
        if symbol in self._halted:
            self._halted.discard(symbol)
            self.request([symbol])

    def _parse(self, answer: HttpAnswer | HttpFailure) -> list[Rules] | None:
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
                self._on_invalid(self.trouble)
        return None

    def _halve(self, symbols: Sequence[str]) -> None:
        """One of these markets does not exist: find out which, by halves."""
        if len(symbols) > 1:
            middle = len(symbols) // 2
            self.request(symbols[:middle])
            self.request(symbols[middle:])
        else:
            self._on_unknown(symbols[0])
            self._watch(symbols, {})
