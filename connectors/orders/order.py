"""One order as the connector knows it: what was wanted, and all that was learned since."""

from connectors.core.records import Intent, OrderRow
from market.order_state import OrderState
from protocol import OrderUpdate, OrdStatus


class Order:
    """`state` is merged news; `trades` are the keys of its fills (trade_ids.trade_key); `final_ns` is 0 while open."""

    __slots__ = ("final_ns", "findings", "intent", "order_id", "reason", "state", "touched_ns", "trades", "ts_event_ns")

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self.state = OrderState(intent.size_lots)
        self.order_id = ""
        self.reason = ""
        self.ts_event_ns = 0
        self.final_ns = 0
        self.touched_ns = intent.ts_ns  # when news of it was last merged
        self.trades: set[int] = set()
        self.findings: set[str] = set()

    @property
    def cl_ord_id(self) -> str:
        return self.intent.cl_ord_id

    @property
    def status(self) -> OrdStatus:
        return self.state.status

    @property
    def is_final(self) -> bool:
        return self.state.status.is_final

    @property
    def is_tombstone(self) -> bool:
        """Gone by proof, not by the exchange's word: remembered for as long as memory allows."""
        return self.state.status is OrdStatus.NOT_PLACED and self.state.doubted

    @property
    def wants_fills(self) -> bool:
        """The exchange has counted more than the fills known come to."""
        return self.state.cum_lots > self.state.filled_lots

    def update(self) -> OrderUpdate:
        """The message that tells it."""
        intent, state = self.intent, self.state
        return OrderUpdate(
            intent.owner,
            intent.intent,
            intent.cl_ord_id,
            intent.symbol,
            intent.side,
            intent.ord_type,
            intent.price_ticks,
            intent.size_lots,
            state.cum_lots,
            state.status,
            self.order_id,
            self.reason,
            self.ts_event_ns,
            state.cancel_wanted,
        )

    def row(self) -> OrderRow:
        state = self.state
        return OrderRow(
            self.intent,
            state.status,
            state.cum_lots,
            state.filled_lots,
            state.seen,
            state.doubted,
            state.cancel_wanted,
            -1 if state.ended is None else int(state.ended),
            self.order_id,
            self.reason,
            self.ts_event_ns,
            self.final_ns,
            sorted(self.trades),
        )

    @classmethod
    def from_row(cls, row: OrderRow) -> "Order":
        order = cls(row.intent)
        order.state = OrderState(
            row.intent.size_lots,
            row.status,
            row.cum_lots,
            row.filled_lots,
            row.seen,
            row.doubted,
            row.cancel_wanted,
            None if row.ended < 0 else OrdStatus(row.ended),
        )
        order.order_id, order.reason = row.order_id, row.reason
        order.ts_event_ns, order.final_ns = row.ts_event_ns, row.final_ns
        order.trades = set(row.trades)
        return order
