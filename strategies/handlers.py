"""The handlers that a strategy may override. The replicas are updated before a handler runs."""

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
from strategies.market import Market
from strategies.order import Order


class Handlers:
    """Each handler does nothing by default."""

    def order_changed(self, order: Order) -> None:
        """An own order changed: by an answer, a report, a fill, a cancel, or a snapshot."""

    def scale_changed(self, market: Market, price_factor: int, size_factor: int) -> None:
        """The ticks and lots of a market are smaller by these factors from now on (docs: units).

        All integers of `market` and of its orders are converted already; multiply those that the strategy itself keeps.
        """

    def on_fill(self, fill: Fill) -> None:
        """An own order traded. Called once for each fill."""

    def on_order_update(self, update: OrderUpdate) -> None:
        """The connector's report on an own order."""

    def on_orders_snapshot(self, snapshot: OrdersSnapshot) -> None:
        """All open orders at the connector: at the start, and after messages were missed."""

    def on_balances(self, balances: Balances) -> None:
        """The balances of the account."""

    def on_trade(self, trade: Trade) -> None:
        """A public trade."""

    def on_top_of_book(self, top: TopOfBook) -> None:
        """Best bid and ask, which some exchanges publish before the book. Needs extra_streams = ("top",)."""

    def on_book_snapshot(self, snapshot: BookSnapshot) -> None:
        """A complete book."""

    def on_book_delta(self, delta: BookDelta) -> None:
        """Changed levels of a book."""

    def on_book_status(self, status: BookStatus) -> None:
        """A book became stale, or comes from polling."""

    def on_rules(self, rules: Rules) -> None:
        """The trading rules of a market."""
