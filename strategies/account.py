"""AccountReplica: the account at one connector, in the strategy's process: balances less what own orders hold."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from market.exact import EXACT, ZERO
from market.instrument import Instrument
from market.rules import instrument_of, rules_in_scale
from market.scale import Scale, in_scale, scale_of_message
from protocol import Balances, Message, OrdersSnapshot, OrdType, Rules, Side
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


T = TypeVar("T", bound=Message)
ScaleChanged = Callable[[str, int, int], None]
"""Receives (symbol, price factor, size factor): by these factors ticks and lots are smaller now."""


class AccountMarket(Protocol):
    """What an account uses of each of its markets."""

    rules: Instrument | None
    best_ask_ticks: int

    def update_status(self) -> None:
        """The account's `known` may have changed."""

    def multiply(self, price_factor: int, size_factor: int, scale: Scale) -> None:
        """The market's scale has become finer."""


class AccountReplica:
    """Balances, orders and markets at one connector; all its markets share it."""

    def __init__(self, connector: str, on_scale_changed: ScaleChanged = lambda symbol, price, size: None) -> None:
        self.connector = connector
        self.orders = OrderTable()
        self.scales: dict[str, Scale] = {}  # by symbol: as fine as every message so far
        self._on_scale_changed = on_scale_changed
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

    def aligned(self, message: T) -> T:
        """The message in the scale of its market, which first becomes as fine as the message's."""
        known, own = self.scales.get(message.symbol), _scale_of(message)  # type: ignore[attr-defined]
        if own is None or own == known:
            return message
        scale = own if known is None else known.join(own)
        if scale != known:
            self._refine(message.symbol, scale)  # type: ignore[attr-defined]
        if isinstance(message, Rules):
            return rules_in_scale(message, scale)  # type: ignore[return-value]  # T is Rules here
        return in_scale(message, scale)

    def aligned_orders(self, snapshot: OrdersSnapshot) -> OrdersSnapshot:
        """The snapshot with each row in the scale of its market."""
        lists = snapshot.orders, snapshot.positions, snapshot.fills, snapshot.ledgers
        rows: list[Message] = [row for part in lists for row in part]
        if all(_scale_of(row) in (None, self.scales.get(row.symbol)) for row in rows):  # type: ignore[attr-defined]
            return snapshot
        for row in rows:  # the scales first: a later row may need a finer one
            self.aligned(row)
        orders, positions, fills, ledgers = ([self.aligned(row) for row in part] for part in lists)
        return msgspec.structs.replace(
            snapshot, orders=orders, positions=positions, fills=fills, ledgers=ledgers
        )  # fmt: skip

    def _refine(self, symbol: str, scale: Scale) -> None:
        before = self.scales.get(symbol)
        self.scales[symbol] = scale
        factors = (1, 1) if before is None else before.factors_to(scale)
        self.orders.multiply(symbol, *factors, scale)
        market = self._markets.get(symbol)
        if market is not None:
            market.multiply(*factors, scale)
        self._updates += 1
        if factors != (1, 1):
            self._on_scale_changed(symbol, *factors)

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


def _scale_of(message: Message) -> Scale | None:
    return instrument_of(message).scale if isinstance(message, Rules) else scale_of_message(message)
