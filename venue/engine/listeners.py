"""The listeners of settlement: market data, user data and order lists."""

from typing import Any, Protocol

from venue.accounts.accounts import ExchangeAccount
from venue.orders.exchange_order import AggTrade, ExchangeOrder, Execution, PublicTrade
from venue.orders.order_lists import OrderList
from venue.symbols.symbol import Symbol


class MarketListener(Protocol):
    """Publishes market data."""

    def traded(self, symbol: Symbol, trades: list[PublicTrade], aggregates: list[AggTrade], now_ns: int) -> None: ...

    def book_changed(self, symbol: Symbol, now_ns: int) -> None: ...


class UserListener(Protocol):
    """Reports to the owner of an account."""

    def report(
        self,
        symbol: Symbol,
        order: ExchangeOrder,
        kind: str,
        now_ns: int,
        fill: Execution | None,
        cancel_id: str | None,
        extra: dict[str, Any] | None = None,
    ) -> int: ...

    def position(self, account: ExchangeAccount, assets: tuple[str, ...], now_ns: int) -> None: ...

    def deposited(self, account: ExchangeAccount, asset: str, amount_atoms: int, now_ns: int) -> None: ...

    def list_status(self, one: OrderList, now_ns: int, status_type: str | None = None) -> None: ...


class OrderListListener(Protocol):
    """Follows the orders of order lists."""

    def on_accepted(self, order: ExchangeOrder, now_ns: int) -> None: ...

    def on_activity(self, order: ExchangeOrder, now_ns: int) -> None: ...

    def on_fill(self, order: ExchangeOrder, fill: Execution, now_ns: int) -> None: ...

    def on_end(self, order: ExchangeOrder, now_ns: int) -> None: ...

    def start_pending(self, order: ExchangeOrder, now_ns: int) -> None: ...


class NoOrderLists:
    """The listener before order lists exist."""

    def on_accepted(self, order: ExchangeOrder, now_ns: int) -> None: ...

    def on_activity(self, order: ExchangeOrder, now_ns: int) -> None: ...

    def on_fill(self, order: ExchangeOrder, fill: Execution, now_ns: int) -> None: ...

    def on_end(self, order: ExchangeOrder, now_ns: int) -> None: ...

    def start_pending(self, order: ExchangeOrder, now_ns: int) -> None: ...
