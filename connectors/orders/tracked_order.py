"""One order of a connector: its terms, and all evidence about it since."""

import msgspec

from connectors.core.records import NewOrderRecord, OrderRow
from market.order_state import OrderState
from market.scale import Scale
from protocol import OrderUpdate, OrdStatus, RefusalCode

NO_TRADES: frozenset[int] = frozenset()  # one empty set for all orders: most never trade
NO_FINDINGS: frozenset[str] = frozenset()


class TrackedOrder:
    """`terms`: what was ordered. `state`: the merged evidence. `trades`: keys of its fills (trade_ids.trade_key).

    `alias`: the client order id by which the exchange knows it since an amendment by hand; "" for ours.
    """

    __slots__ = (
        "alias",
        "final_ns",
        "findings",
        "order_id",
        "reason",
        "refusal",
        "scale",
        "state",
        "terms",
        "trades",
        "ts_event_ns",
        "updated_ns",
    )

    def __init__(self, terms: NewOrderRecord, scale: Scale | None = None) -> None:
        self.terms = terms
        self.scale = scale  # of its ticks and lots; None only in a journal without a scale
        self.state = OrderState(terms.size_lots)
        self.order_id = ""
        self.alias = ""
        self.reason = ""
        self.refusal = RefusalCode.NONE  # why the exchange rejected it
        self.ts_event_ns = 0
        self.final_ns = 0  # when it became final; 0 while it is open
        self.updated_ns = terms.ts_ns  # when the exchange last reported it, or evidence was last merged
        self.trades: set[int] | frozenset[int] = NO_TRADES
        self.findings: frozenset[str] = NO_FINDINGS

    def add_trade(self, key: int) -> None:
        """Notes that a trade is applied."""
        if isinstance(self.trades, set):
            self.trades.add(key)
        else:
            self.trades = {key}

    @property
    def cl_ord_id(self) -> str:
        """Our id of the order."""
        return self.terms.cl_ord_id

    @property
    def exchange_cl_ord_id(self) -> str:
        """The client order id by which the exchange knows the order now."""
        return self.alias or self.terms.cl_ord_id

    @property
    def status(self) -> OrdStatus:
        """The order status that follows from all evidence."""
        return self.state.status

    @property
    def is_final(self) -> bool:
        """Whether the order can no longer be filled."""
        return self.state.status >= OrdStatus.FILLED

    @property
    def is_tombstone(self) -> bool:
        """Absent by evidence, not by an answer of the exchange: kept as long as memory allows, in case it appears."""
        return self.state.status is OrdStatus.NOT_PLACED and self.state.doubted

    @property
    def misses_fills(self) -> bool:
        """Whether the exchange has counted more than the known fills add up to."""
        return self.state.cum_lots > self.state.filled_lots

    def update(self) -> OrderUpdate:
        """Returns the message that publishes the order."""
        terms, state, scale = self.terms, self.state, self.scale
        price_digits, size_digits = (-1, -1) if scale is None else (scale.price_digits, scale.size_digits)
        return OrderUpdate(
            terms.owner,
            terms.order_ref,
            terms.cl_ord_id,
            terms.symbol,
            terms.side,
            terms.ord_type,
            terms.price_ticks,
            state.size_lots,
            state.cum_lots,
            state.status,
            self.order_id,
            self.reason,
            self.ts_event_ns,
            state.cancel_wanted,
            terms.tag,
            self.refusal,
            price_digits,
            size_digits,
        )

    def multiply(self, price_factor: int, size_factor: int, scale: Scale) -> None:
        """Convert all ticks and lots to `scale`."""
        terms, state = self.terms, self.state
        self.scale = scale
        self.terms = msgspec.structs.replace(
            terms, price_ticks=terms.price_ticks * price_factor, size_lots=terms.size_lots * size_factor
        )
        self.state = msgspec.structs.replace(
            state,
            size_lots=state.size_lots * size_factor,
            cum_lots=state.cum_lots * size_factor,
            filled_lots=state.filled_lots * size_factor,
        )

    def row(self) -> OrderRow:
        """Returns the order for a compaction."""
        state = self.state
        return OrderRow(
            self.terms,
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
            self.refusal,
            state.size_lots,
            self.alias,
            state.forgotten,
        )

    @classmethod
    def from_row(cls, row: OrderRow, scale: Scale | None) -> "TrackedOrder":
        """Returns the order of a compaction."""
        order = cls(row.terms, scale)
        order.state = OrderState(
            row.size_lots or row.terms.size_lots,
            row.status,
            row.cum_lots,
            row.filled_lots,
            row.seen,
            row.doubted,
            row.cancel_wanted,
            None if row.ended < 0 else OrdStatus(row.ended),
            row.forgotten,
        )
        order.order_id, order.reason = row.order_id, row.reason
        order.ts_event_ns, order.final_ns = row.ts_event_ns, row.final_ns
        if row.trades:
            order.trades = set(row.trades)
        order.refusal, order.alias = row.refusal, row.alias
        return order
