"""What a strategy may override to be told of things as they happen. The replicas have the news before these run."""

from protocol import (
    Balances,
    BookDelta,
    BookSnapshot,
    BookStatus,
    Fill,
    OrdersSnapshot,
    OrderUpdate,
    Rules,
    TopOfBook,
    Trade,
)
from strategies.order import Order


class Handlers:
    """Each of them does nothing here."""

    def order_changed(self, order: Order) -> None:
        """An own order moved: answered, told, filled, cancelled, or proven."""

    def on_fill(self, fill: Fill) -> None:
        """An own order traded; told once."""

    def on_order_update(self, update: OrderUpdate) -> None:
        """The connector's word on an own order."""

    def on_orders_snapshot(self, snapshot: OrdersSnapshot) -> None:
        """The connector's whole list of own orders: at the start, and after something was missed."""

    def on_balances(self, balances: Balances) -> None:
        """The account's balances."""

    def on_trade(self, trade: Trade) -> None:
        """A public trade."""

    def on_top_of_book(self, top: TopOfBook) -> None:
        """Best bid and ask, ahead of the book where the exchange tells it so. Needs extra_streams = ("top",)."""

    def on_book_snapshot(self, snapshot: BookSnapshot) -> None:
        """A whole book."""

    def on_book_delta(self, delta: BookDelta) -> None:
        """Changed levels of a book."""

    def on_book_status(self, status: BookStatus) -> None:
        """A book became stale, or is fed by polling."""

    def on_rules(self, rules: Rules) -> None:
        """A market's rules."""
