"""An account at one connector as a strategy knows it: balances, less what its own orders will hold."""

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from market.exact import EXACT, ZERO
from protocol import Balances, OrdType, Side
from strategies.order import Order
from strategies.order_table import OrderTable

if TYPE_CHECKING:
    from strategies.market import Market


class Balance(NamedTuple):
    """Of one asset: what is free to use, and what open orders hold."""

    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        return EXACT.add(self.free, self.locked)


NOTHING = Balance(ZERO, ZERO)


class Account:
    """Balances, orders and markets at one connector; shared by every Market of it."""

    def __init__(self, connector: str) -> None:
        self.connector = connector
        self.orders = OrderTable()
        self.markets: dict[str, Market] = {}
        self.known = False  # orders and balances are both told and whole
        self._rows: dict[str, tuple[Decimal, Decimal]] = {}
        self._ts_event_ns = 0
        self.balances_told = False
        self._stale: dict[str, str] = {}  # "orders", "balances": why they are not to be relied on
        self._net: dict[str, Balance] = {}
        self._net_version = -1
        self._told_times = 0

    @property
    def version(self) -> int:
        """Grows whenever a balance may have changed: for those who cache."""
        return self._told_times + self.orders.version

    def balance(self, asset: str) -> Balance:
        """Free and locked; what own orders will hold that the exchange has not yet counted is locked."""
        if self._net_version != self.version:
            self._count()
        return self._net.get(asset, NOTHING)

    def take_balances(self, news: Balances) -> None:
        """The whole account as the connector now knows it."""
        self._rows = {asset: (free, locked) for asset, free, locked in news.rows}
        self._ts_event_ns = news.ts_event_ns
        self.balances_told = True
        self._told_times += 1
        self.judge()

    def recount(self) -> None:
        """What is held must be worked out anew: a market's rules became known, or changed."""
        self._told_times += 1

    def mark(self, what: str, why_stale: str) -> None:
        """Orders or balances can ("" as the reason) or cannot be relied on."""
        if why_stale:
            self._stale[what] = why_stale
        else:
            self._stale.pop(what, None)
        self.judge()

    @property
    def why_unknown(self) -> str:
        """What is missing to know this account; "" if nothing is."""
        if self._stale:
            return ", ".join(f"{what} stale: {why}" for what, why in sorted(self._stale.items()))
        if not self.orders.known:
            return f"orders not yet told by {self.connector}"
        return "" if self.balances_told else f"balances not yet told by {self.connector}"

    def judge(self) -> None:
        """Look again whether all is known, and tell the markets."""
        self.known = not self.why_unknown
        for market in self.markets.values():
            market.judge()

    def _count(self) -> None:
        held: dict[str, Decimal] = {}
        for order in self.orders.open.values():
            if order.is_in_flight or order.accepted_ns > self._ts_event_ns:
                asset, amount = self._holds(order)
                held[asset] = EXACT.add(held.get(asset, ZERO), amount)
        self._net = {}
        for asset, (free, locked) in self._rows.items():
            amount = held.get(asset, ZERO)
            self._net[asset] = Balance(EXACT.subtract(free, amount), EXACT.add(locked, amount))
        self._net_version = self.version

    def _holds(self, order: Order) -> tuple[str, Decimal]:
        """(asset, amount) that the exchange locks for an open order."""
        market = self.markets.get(order.symbol)
        if market is None or market.rules is None:
            return "", ZERO  # of an earlier life, in a market that nobody asked for
        rules = market.rules
        if order.side is Side.SELL:
            return rules.base, rules.size(order.leaves_lots)
        price_ticks = market.best_ask_ticks if order.ord_type is OrdType.MARKET else order.price_ticks
        return rules.quote, rules.notional(price_ticks, order.leaves_lots)
