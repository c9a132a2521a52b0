"""ConnectorStatus: the state of a connector that trades, the reason, and whether orders are allowed. Only reads."""

from collections.abc import Callable

from actors.effects import Effects
from connectors.market_data.feed import MarketFeed
from connectors.net.client import ExchangeClient
from connectors.net.user_stream import UserStream
from connectors.orders.halts import Halts
from connectors.orders.key_watch import KeyWatch
from connectors.orders.owner_watch import OwnerWatch
from connectors.orders.reconciler import ACCOUNT, Reconciler
from connectors.orders.refusal_limit import RefusalLimit
from connectors.orders.tracker import OrderTracker
from connectors.orders.traded_markets import TradedMarkets
from connectors.orders.unreadable_rows import UnreadableRows
from protocol import ACCEPTED, Refusal, RefusalCode

MS_NS = 1_000_000
MISSED_POLLS_MAX = 5  # in a row; then no new order is placed while polling stands in
TROUBLES_MAX = 5  # markets that the detail of a state names
TRADING_STATES = ("TRADING", "DEGRADED")
STARTING_STATES = ("CONNECTING", "RECONCILING")


class ConnectorStatus:
    """States: CONNECTING, RECONCILING, TRADING, DEGRADED (REST polling stands in for the user stream), HALTED,
    STOPPING. `stale_ns`: maximum age of the account while DEGRADED; then no new order is placed."""

    def __init__(
        self,
        fx: Effects,
        halts: Halts,
        tracker: OrderTracker,
        markets: TradedMarkets,
        feed: MarketFeed,
        client: ExchangeClient,
        user_stream: UserStream,
        reconciler: Reconciler,
        owner_watch: OwnerWatch,
        unreadable: UnreadableRows,
        key_watch: KeyWatch,
        refusal_limit: RefusalLimit,
        kill_switch: Callable[[], int],
        stale_ns: int,
    ) -> None:
        self._fx = fx
        self._halts = halts
        self._tracker = tracker
        self._markets = markets
        self._feed = feed
        self._client = client
        self._user_stream = user_stream
        self._reconciler = reconciler
        self._owner_watch = owner_watch
        self._unreadable = unreadable
        self._key_watch = key_watch
        self._refusal_limit = refusal_limit
        self._kill_switch = kill_switch
        self._stale_ns = stale_ns

    def state(self) -> tuple[str, str]:
        """Returns (state, detail)."""
        state, detail = self._state()
        return state, "; ".join(text for text in (detail, self._owner_watch.detail) if text)

    def _state(self) -> tuple[str, str]:
        halts, feed = self._halts, self._feed
        if halts.stopping:
            left = len(self._tracker.open)
            return "STOPPING", f"{left} orders may be live" if left else ""
        if feed.state == "UNKNOWN MARKET":
            return "HALTED", feed.detail
        if halts.halted:
            return "HALTED", halts.halted
        if level := self._kill_switch():
            return "HALTED", f"kill switch at level {level}"
        if self._key_watch.reason:
            return "HALTED", f"the exchange refuses the key, which is tried again: {self._key_watch.reason}"
        if not self._client.clock.is_known or not self._markets.instruments:
            return "CONNECTING", self._client.latest_failure or feed.detail
        read, instruments = self._reconciler.read_ns, self._markets.instruments
        if not self._reconciler.passes or ACCOUNT not in read or instruments.keys().isdisjoint(read):
            return "RECONCILING", self._client.latest_failure or "; ".join(self._reconciler.troubles.values())
        if reason := halts.journal_trouble or halts.paused or halts.safe:
            return "HALTED", reason
        return self._trading()

    def _trading(self) -> tuple[str, str]:
        stream, troubles = self._user_stream, self._troubles()
        if stream.is_reliable:
            return "TRADING", "; ".join(troubles)
        reason = "user stream down: polling" if not stream.is_live else "user stream silent: polling"
        return "DEGRADED", "; ".join([reason, *troubles])

    def _troubles(self) -> list[str]:
        """Returns what is wrong in single markets; empty if everything is in order."""
        found: dict[str, str] = {}
        for symbol in self._markets.unlisted:
            if count := sum(order.terms.symbol == symbol for order in self._tracker.open.values()):
                found[symbol] = f"{count} orders may be live, and it is not in `markets`"
        for reasons in (self._halts.symbols, self._reconciler.troubles):
            for name, reason in reasons.items():
                if reason:
                    found.setdefault(name, reason)
        for symbol, reason in self._feed.troubles().items():
            found.setdefault(symbol, reason)
        shown = [f"{name}: {reason}" for name, reason in found.items()]
        general = [self._client.order_pause, *self._refusal_limit.shown(), self._unreadable.shown()]
        shown = [*filter(None, general), *shown]
        if self._halts.notice:
            shown.insert(0, self._halts.notice)
        more = len(shown) - TROUBLES_MAX
        return shown if more <= 0 else [*shown[:TROUBLES_MAX], f"and {more} more"]

    def why_not(self, symbol: str) -> Refusal:
        """Returns why no new order is placed in a market; ACCEPTED if one may be."""
        # Runs before every order: the short way first, and the text only where it refuses.
        return ACCEPTED if self._is_open(symbol) else self._reason(symbol)

    def _is_open(self, symbol: str) -> bool:
        """Whether the state is TRADING and nothing stops this market. The common case of `why_not`."""
        halts, markets, client = self._halts, self._markets, self._client
        if halts.stopping or halts.halted or halts.paused or halts.safe or halts.journal_trouble:
            return False
        return (
            self._user_stream.is_reliable
            and symbol in self._reconciler.read_ns
            and ACCOUNT in self._reconciler.read_ns
            and bool(self._reconciler.passes)
            and symbol not in self._feed.instruments.troubles
            and symbol in markets.instruments
            and symbol not in halts.symbols
            and client.throttle.paused_until_ns <= client.now_ns
            and not self._key_watch.reason
            and len(self._refusal_limit.times) < self._refusal_limit.per_minute_max
            and not self._kill_switch()
        )

    def _reason(self, symbol: str) -> Refusal:
        state, detail = self.state()
        if state not in TRADING_STATES:
            code = RefusalCode.LATER if state in STARTING_STATES else RefusalCode.PAUSED
            return Refusal(f"{self._fx.name} is {state}: {detail}", code)
        if reason := self._feed.instruments.troubles.get(symbol):
            return Refusal(f"{symbol}: {reason}", RefusalCode.PAUSED)
        if symbol not in self._markets.instruments:
            return Refusal(f"{self._fx.name} does not serve {symbol}", RefusalCode.NEVER)
        if symbol not in self._reconciler.read_ns:
            reason = self._reconciler.troubles.get(symbol, "its first reconciliation is not done")
            return Refusal(f"{symbol}: {reason}", RefusalCode.LATER)
        if symbol in self._halts.symbols:
            return Refusal(f"{symbol} is halted: {self._halts.symbols[symbol]}", RefusalCode.PAUSED)
        if pause := self._client.order_pause or self._refusal_limit.blocked():
            return Refusal(pause, RefusalCode.LATER)
        if self._client.throttle.is_paused(self._client.now_ns):
            return Refusal("the exchange has paused all requests", RefusalCode.LATER)
        age_ns = self._fx.now_ns - min(self._reconciler.read_ns[symbol], self._reconciler.read_ns[ACCOUNT])
        if state == "DEGRADED" and age_ns > self._stale_ns:
            return Refusal(f"the account was last read {age_ns // MS_NS} ms ago", RefusalCode.LATER)
        return ACCEPTED
