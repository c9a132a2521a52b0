"""Trading rules by REST: asked for until they are there, read again now and then, and which markets do not exist."""

from collections.abc import Callable, Mapping, Sequence

from actors.net import HttpAnswer, HttpFailure
from connectors.core.market_api import BadFrame, MarketDialect
from connectors.market_data.snapshots import OK, Ask
from connectors.net.session import MS_NS, Host
from protocol import Rules

RETRY_NS = 1_000 * MS_NS
MAX_RETRY_NS = 30_000 * MS_NS
HALTED_NS = 5_000 * MS_NS  # the rules of a market that stands still are read again so often


class RulesSource:
    """`take(rules)` gets what came of each market, `unknown(symbol)` those that the exchange does not have.

    `trouble` is why rules are missing. Begin with `ask`, end with `stop`.
    """

    def __init__(
        self, host: Host, dialect: MarketDialect, refresh_ms: int, ask: Ask,
        take: Callable[[Rules], None], unknown: Callable[[str], None], garbage: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.host = host
        self.dialect = dialect
        self.trouble = ""
        self._ask = ask
        self._take = take
        self._unknown = unknown
        self._garbage = garbage
        self._refresh_ns = refresh_ms * MS_NS
        self._retry_ns = RETRY_NS
        self._running = True
        self._told: set[str] = set()  # whose rules have been there
        self._halted: set[str] = set()  # markets that stand still, or have vanished

    def ask(self, symbols: Sequence[str]) -> None:
        """Ask for these markets, again and again until there is an answer."""
        if self._running and symbols:
            self._ask(self.dialect.rules_request(symbols), lambda answer: self._answered(symbols, answer))

    def keep_fresh(self, symbols: Callable[[], Sequence[str]]) -> None:
        """From now on read the rules of `symbols()` again every so often."""
        self.host.after(self._refresh_ns, self._refresh, symbols)

    def stop(self) -> None:
        """Ask nothing more."""
        self._running = False

    def _refresh(self, symbols: Callable[[], Sequence[str]]) -> None:
        if self._running:
            self.keep_fresh(symbols)
            self.ask(symbols())

    def _answered(self, symbols: Sequence[str], answer: HttpAnswer | HttpFailure) -> None:
        if isinstance(answer, HttpAnswer) and self.dialect.unknown_market(answer.status, answer.body):
            self._halve(symbols)
            return
        rules = self._parse(answer)
        if rules is None:
            self.host.after(self._retry_ns, self.ask, symbols)
            self._retry_ns = min(2 * self._retry_ns, MAX_RETRY_NS)
            return
        self._retry_ns = RETRY_NS
        self.trouble = ""
        told = {row.symbol: row for row in rules}
        for symbol in symbols:
            if symbol in told:
                self._take(told[symbol])
            else:
                self._unknown(symbol)
        self._watch(symbols, told)

    def _watch(self, symbols: Sequence[str], told: Mapping[str, Rules]) -> None:
        """A market that stands still, or is there no more, may be back at any time."""
        self._told.update(told)
        for symbol in symbols:
            row = told.get(symbol)
            if row.trading if row is not None else symbol not in self._told:
                self._halted.discard(symbol)
            elif symbol not in self._halted:
                self._halted.add(symbol)
                self.host.after(HALTED_NS, self._look, symbol)

    def _look(self, symbol: str) -> None:
        if symbol in self._halted:
            self._halted.discard(symbol)
            self.ask([symbol])

    def _parse(self, answer: HttpAnswer | HttpFailure) -> list[Rules] | None:
        """The rules in an answer; None if it holds none."""
        if isinstance(answer, HttpFailure):
            self.trouble = answer.text
        elif answer.status != OK:
            self.trouble = f"HTTP {answer.status} to a request for rules"
        else:
            try:
                return self.dialect.parse_rules(answer.body)
            except BadFrame as error:
                self.trouble = str(error)
                self._garbage(self.trouble)
        return None

    def _halve(self, symbols: Sequence[str]) -> None:
        """One of these does not exist: find out which."""
        if len(symbols) > 1:
            middle = len(symbols) // 2
            self.ask(symbols[:middle])
            self.ask(symbols[middle:])
        else:
            self._unknown(symbols[0])
            self._watch(symbols, {})
