"""OrderStore: the orders of a connector by each of their ids, their exposure, and how long they are kept."""

from collections import deque
from decimal import Decimal

from connectors.orders.tracked_order import TrackedOrder
from market.exact import EXACT, ZERO
from market.order_state import OrderEvidence, forget, merge
from protocol import Fill, OrderUpdate, Side

KEEP_NS = 15 * 60_000_000_000  # how long a final order is kept, for late reports
KEPT_MAX = 5_000  # final orders; about 1 KB each
TOMBSTONES_MAX = 10_000  # orders that are absent by evidence


class Exposure:
    """What the orders that may be live can still buy and sell in one market, and what is held in it. Lots."""

    __slots__ = ("_held", "buy_lots", "count", "held_lots", "sell_lots")

    def __init__(self) -> None:
        self.buy_lots = self.sell_lots = self.count = 0
        self.held_lots = 0  # whole lots held, over all owners: a part of a lot cannot be sold
        self._held = ZERO

    def add_held(self, size: Decimal, lot_size: Decimal) -> None:
        """What is held has changed by `size`, in base."""
        self._held = EXACT.add(self._held, size)
        self.held_lots = int(EXACT.divide_int(self._held, lot_size))

    def multiply(self, size_factor: int, lot_size: Decimal) -> None:
        """Count in smaller lots."""
        self.buy_lots *= size_factor
        self.sell_lots *= size_factor
        self.add_held(ZERO, lot_size)


class OrderStore:
    """Public: `orders` by client order id, `open` (those that may be live), `exposures` by symbol."""

    def __init__(self) -> None:
        self.orders: dict[str, TrackedOrder] = {}
        self.open: dict[str, TrackedOrder] = {}
        self.exposures: dict[str, Exposure] = {}
        self._by_order_id: dict[tuple[str, str], TrackedOrder] = {}
        self._by_order_ref: dict[tuple[str, int], TrackedOrder] = {}
        self._final: deque[TrackedOrder] = deque()
        self._tombstones: deque[TrackedOrder] = deque()

    def exposure(self, symbol: str) -> Exposure:
        """Returns the exposure in one market; it is updated in place."""
        found = self.exposures.get(symbol)
        if found is None:
            found = self.exposures[symbol] = Exposure()
        return found

    def by_order_ref(self, owner: str, order_ref: int) -> TrackedOrder | None:
        """Returns the order that `owner` placed under `order_ref`."""
        return self._by_order_ref.get((owner, order_ref))

    def by_order_id(self, symbol: str, order_id: str) -> TrackedOrder | None:
        """Returns the order with the exchange's id `order_id`."""
        return self._by_order_id.get((symbol, order_id))

    def begin(self, order: TrackedOrder) -> None:
        """Add an order that is just being placed."""
        terms = order.terms
        self.orders[terms.cl_ord_id] = self.open[terms.cl_ord_id] = order
        if terms.order_ref:
            self._by_order_ref[terms.owner, terms.order_ref] = order
        exposure = self.exposure(terms.symbol)
        exposure.count += 1
        if terms.side is Side.BUY:
            exposure.buy_lots += terms.size_lots
        else:
            exposure.sell_lots += terms.size_lots

    def restore(self, order: TrackedOrder) -> None:
        """Add an order of a compaction."""
        terms = order.terms
        self.orders[terms.cl_ord_id] = order
        self.set_order_id(order, order.order_id)
        if terms.order_ref:
            self._by_order_ref[terms.owner, terms.order_ref] = order
        if order.is_final:
            self._retire(order)
        else:
            self.open[terms.cl_ord_id] = order
            self._expose(order, 1)

    def set_order_id(self, order: TrackedOrder, order_id: str) -> None:
        """Note the exchange's own id of an order; an id already known is kept."""
        if order_id and (not order.order_id or order.order_id == order_id):
            order.order_id = order_id
            self._by_order_id[order.terms.symbol, order_id] = order

    def merge(
        self, order: TrackedOrder, evidence: OrderEvidence | None, reason: str, ts_ns: int
    ) -> list[Fill | OrderUpdate]:
        """Merge evidence into an order; None: the exchange no longer has it. Returns the update to publish, if any."""
        before = order.state
        self._expose(order, -1)
        order.state = forget(before) if evidence is None else merge(before, evidence)[0]
        self._expose(order, 1)
        order.updated_ns = ts_ns
        if reason:
            order.reason = reason
        if order.is_final and not before.status.is_final:
            order.final_ns = ts_ns
            self.open.pop(order.cl_ord_id, None)
            self._retire(order)
        elif before.status.is_final and not order.is_final:
            order.final_ns = 0
            self.open[order.cl_ord_id] = order
        return [] if order.state == before else [order.update()]

    def _retire(self, order: TrackedOrder) -> None:
        (self._tombstones if order.is_tombstone else self._final).append(order)

    def _expose(self, order: TrackedOrder, sign: int) -> None:
        if order.is_final:
            return
        exposure = self.exposure(order.terms.symbol)
        exposure.count += sign
        if order.terms.side is Side.BUY:
            exposure.buy_lots += sign * order.state.open_lots
        else:
            exposure.sell_lots += sign * order.state.open_lots

    def drop_old(self, now_ns: int) -> None:
        """Drop orders that have been final for KEEP_NS; tombstones only when there are more than TOMBSTONES_MAX."""
        final = self._final
        while final and (final[0].final_ns < now_ns - KEEP_NS or len(final) > KEPT_MAX):
            self._drop(final.popleft())
        while len(self._tombstones) > TOMBSTONES_MAX:
            self._drop(self._tombstones.popleft())

    def _drop(self, order: TrackedOrder) -> None:
        if not order.is_final or self.orders.get(order.cl_ord_id) is not order:
            return  # it is open again since it was put there
        del self.orders[order.cl_ord_id]
        by_id = order.terms.symbol, order.order_id
        if self._by_order_id.get(by_id) is order:  # else an exchange that was reset has given its id out again
            del self._by_order_id[by_id]
        self._by_order_ref.pop((order.terms.owner, order.terms.order_ref), None)
