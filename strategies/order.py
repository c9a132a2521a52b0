"""Order: one order as its strategy sees it. It exists from `buy` or `sell` on, and ends only by evidence."""

from collections.abc import Iterable

from protocol import OrdStatus, OrdType, RefusalCode, Side, TimeInForce


class Order:
    """One order of this strategy. `order_ref` is its number on the bus; sizes are lots, prices ticks.

    `status` follows the connector's reports. `in_doubt`: the command had no answer, so the order may or may not be
    placed, until a snapshot of the connector shows which. `reason`: why the order ended, if it was not filled;
    `refusal`: the same as a code, if it was refused. `tag`: the group of orders to which it belongs.
    """

    __slots__ = (
        "accepted_ns",
        "acknowledged",
        "cancel_wanted",
        "cl_ord_id",
        "created_ns",
        "cum_lots",
        "deadline_ns",
        "in_doubt",
        "ord_type",
        "order_id",
        "order_ref",
        "price_ticks",
        "reason",
        "refusal",
        "reported",
        "side",
        "size_lots",
        "status",
        "symbol",
        "tag",
        "time_in_force",
    )

    def __init__(
        self,
        order_ref: int,
        symbol: str,
        side: Side,
        price_ticks: int,
        size_lots: int,
        ord_type: OrdType = OrdType.LIMIT,
        time_in_force: TimeInForce = TimeInForce.GTC,
        created_ns: int = 0,
        deadline_ns: int = 0,
        tag: str = "",
    ) -> None:
        self.order_ref = order_ref
        self.symbol = symbol
        self.side = side
        self.price_ticks = price_ticks
        self.size_lots = size_lots
        self.ord_type = ord_type
        self.time_in_force = time_in_force
        self.created_ns = created_ns
        self.deadline_ns = deadline_ns  # after it the connector does not execute the command
        self.status = OrdStatus.PENDING_NEW
        self.cum_lots = 0
        self.cl_ord_id = ""
        self.order_id = ""
        self.tag = tag
        self.reason = ""
        self.refusal = RefusalCode.NONE
        self.cancel_wanted = False
        self.in_doubt = False
        self.acknowledged = False  # the connector has answered OK
        self.reported = False  # the connector has published an update or a fill of it
        self.accepted_ns = 0  # the exchange's time of the first report that it rests or traded

    def multiply(self, price_factor: int, size_factor: int) -> None:
        """Counts in smaller ticks and lots: the market's scale has become finer."""
        self.price_ticks *= price_factor
        self.size_lots *= size_factor
        self.cum_lots *= size_factor

    @property
    def leaves_lots(self) -> int:
        """Lots that may still trade; 0 once the order has ended."""
        return 0 if self.status.is_final else self.size_lots - self.cum_lots

    @property
    def visible_state(self) -> tuple[bool, OrdStatus, int, int, bool]:
        """The part of an order whose change a strategy is called for."""
        return self.reported, self.status, self.size_lots, self.cum_lots, self.cancel_wanted

    @property
    def is_open(self) -> bool:
        """Whether the order may be live on the exchange, now or soon."""
        return not self.status.is_final

    @property
    def is_in_flight(self) -> bool:
        """Whether the order is open and not known to have reached the exchange."""
        return self.status <= OrdStatus.UNKNOWN

    def end(self, status: OrdStatus, reason: str, refusal: RefusalCode = RefusalCode.NONE) -> None:
        """Ends the order without a report of the exchange: it was never sent, refused, or is missing in a snapshot."""
        self.status = status
        self.reason = reason
        self.refusal = refusal
        self.in_doubt = False

    def __repr__(self) -> str:
        return (
            f"<Order {self.order_ref} {self.symbol} {self.side.name} {self.size_lots} @ {self.price_ticks}"
            f" {self.status.name} cum {self.cum_lots}{f': {self.reason}' if self.reason else ''}>"
        )


def set_cancel_wanted(orders: Iterable[Order], wanted: bool) -> list[Order]:
    """Sets or clears `cancel_wanted` on open orders; returns the orders that changed."""
    changed = [order for order in orders if order.is_open and order.cancel_wanted is not wanted]
    for order in changed:
        order.cancel_wanted = wanted
    return changed
