"""Who is told of what happens: the public, and the owner of an account."""

from typing import Protocol

from venue.accounts import Account
from venue.orders import AggTrade, Execution, Order, PublicTrade
from venue.symbol import Symbol


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
    ) -> None: ...

    def position(self, account: Account, assets: tuple[str, ...], now_ns: int) -> None: ...

    def deposited(self, account: Account, asset: str, amount_atoms: int, now_ns: int) -> None: ...


class Nobody:
    """A public that does not listen yet."""

    def traded(self, symbol: Symbol, trades: list[PublicTrade], aggregates: list[AggTrade], now_ns: int) -> None: ...

    def book_changed(self, symbol: Symbol, now_ns: int) -> None: ...
