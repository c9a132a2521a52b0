"""AccountReplica: the account at one connector, in the strategy's process: balances less what own orders hold."""

from decimal import Decimal
from typing import NamedTuple, Protocol

from market.exact import EXACT, ZERO
from market.instrument import Instrument
from protocol import Balances, OrdType, Side
from strategies.order import Order
from strategies.order_table import OrderTable


class Balance(NamedTuple):
    """The balance of one asset: `free` can be used, `locked` is held by open orders."""

    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        """Free and locked together."""
        return EXACT.add(self.free, self.locked)


NOTHING = Balance(ZERO, ZERO)


class AccountMarket(Protocol):
    """What an account uses of each of its markets."""

    rules: Instrument | None
    best_ask_ticks: int

    def update_status(self) -> None:
        """The account's `known` may have changed."""


class AccountReplica:
    """Balances, orders and markets at one connector; all its markets share it."""

    def __init__(self, connector: str) -> None:
        self.connector = connector
        self.orders = OrderTable()
        self.known = False  # orders and balances are received, and their streams are live
        self.balances_known = False
        self._markets: dict[str, AccountMarket] = {}
        self._rows: dict[str, tuple[Decimal, Decimal]] = {}
        self._ts_event_ns = 0
        self._stale: dict[str, str] = {}  # "orders", "balances" -> the reason
        self._net: dict[str, Balance] = {}
        self._net_version = -1
        self._updates = 0

    @property
    def version(self) -> int:
        """Grows whenever a balance may have changed, for caches."""
        return self._updates + self.orders.version

    def add_market(self, symbol: str, market: AccountMarket) -> None:
        """Adds a market, whose status then follows the account's."""
        self._markets[symbol] = market

    def balance(self, asset: str) -> Balance:
        """Free and locked; the amounts of own orders that the exchange has not yet counted are locked."""
        if self._net_version != self.version:
            self._update_net()
        return self._net.get(asset, NOTHING)

    def set_balances(self, balances: Balances) -> None:
        """Stores the balances of the whole account."""
        self._rows = {asset: (free, locked) for asset, free, locked in balances.rows}
        self._ts_event_ns = balances.ts_event_ns
        self.balances_known = True
        self._updates += 1
        self.update_status()

    def invalidate(self) -> None:
        """A market's rules have changed: the amounts that orders hold are computed again at the next query."""
        self._updates += 1

    def set_stale(self, stream: str, reason: str) -> None:
        """Sets the stream "orders" or "balances" stale, or live if `reason` is ""."""
        if reason:
            self._stale[stream] = reason
        else:
            self._stale.pop(stream, None)
        self.update_status()

    @property
    def why_unknown(self) -> str:
        """The reason why this account is not known; "" if it is."""
        if self._stale:
            return ", ".join(f"{stream} stale: {reason}" for stream, reason in sorted(self._stale.items()))
        if not self.orders.known:
            return f"no orders yet from {self.connector}"
        return "" if self.balances_known else f"no balances yet from {self.connector}"

    def update_status(self) -> None:
        """Updates `known`, and the status of each market."""
        self.known = not self.why_unknown
        for market in self._markets.values():
            market.update_status()

    def _update_net(self) -> None:
        held: dict[str, Decimal] = {}
        for order in self.orders.open.values():
            if order.is_in_flight or order.accepted_ns > self._ts_event_ns:
                asset, amount = self._hold_of(order)
                held[asset] = EXACT.add(held.get(asset, ZERO), amount)
        self._net = {}
        for asset, (free, locked) in self._rows.items():
            amount = held.get(asset, ZERO)
            self._net[asset] = Balance(EXACT.subtract(free, amount), EXACT.add(locked, amount))
        self._net_version = self.version

    def _hold_of(self, order: Order) -> tuple[str, Decimal]:
        """(asset, amount) that the exchange locks for an open order."""
        market = self._markets.get(order.symbol)
        if market is None or market.rules is None:
            return "", ZERO  # an order of an earlier process run, in a market that this run has not opened
        rules = market.rules
        if order.side is Side.SELL:
            return rules.base, rules.size(order.leaves_lots)
        price_ticks = market.best_ask_ticks if order.ord_type is OrdType.MARKET else order.price_ticks
        return rules.quote, rules.notional(price_ticks, order.leaves_lots)
