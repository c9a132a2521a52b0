"""Who is told of what happens: the public, and the owner of an account."""

from typing import Any, Protocol

from venue.accounts.accounts import Account
from venue.orders.order import AggTrade, Execution, Order, PublicTrade
from venue.orders.order_lists import OrderList
from venue.symbols.symbol import Symbol


class MarketFeed(Protocol):
    """Who tells the public."""

    def traded(self, symbol: Symbol, trades: list[PublicTrade], aggregates: list[AggTrade], now_ns: int) -> None: ...

    def book_changed(self, symbol: Symbol, now_ns: int) -> None: ...


class UserFeed(Protocol):
    """Who tells the owner of an account."""

    def report(
        self,
        symbol: Symbol,
        order: Order,
        kind: str,
        now_ns: int,
        fill: Execution | None,
        cancel_id: str | None,
        extra: dict[str, Any] | None = None,
    ) -> int: ...

    def position(self, account: Account, assets: tuple[str, ...], now_ns: int) -> None: ...

    def deposited(self, account: Account, asset: str, amount_atoms: int, now_ns: int) -> None: ...

    def list_status(self, one: OrderList, now_ns: int, status_type: str | None = None) -> None: ...


class ListWatch(Protocol):
    """Who looks after the orders of order lists."""

    def accepted(self, order: Order, now_ns: int) -> None: ...

    def touched(self, order: Order, now_ns: int) -> None: ...

    def filled(self, order: Order, fill: Execution, now_ns: int) -> None: ...

    def ended(self, order: Order, now_ns: int) -> None: ...

    def release(self, order: Order, now_ns: int) -> None: ...


class Nobody:
    """A public that does not listen yet, and lists that do not exist."""

    def traded(self, symbol: Symbol, trades: list[PublicTrade], aggregates: list[AggTrade], now_ns: int) -> None: ...

    def book_changed(self, symbol: Symbol, now_ns: int) -> None: ...

    def accepted(self, order: Order, now_ns: int) -> None: ...

    def touched(self, order: Order, now_ns: int) -> None: ...

    def filled(self, order: Order, fill: Execution, now_ns: int) -> None: ...

    def ended(self, order: Order, now_ns: int) -> None: ...

    def release(self, order: Order, now_ns: int) -> None: ...
