"""OrderStore: the orders of a connector by each of their names, what they may still do, and how long they are kept."""

from collections import deque

from connectors.orders.order import Order
from market.order_state import News, merge
from protocol import Message, Side

KEEP_NS = 15 * 60_000_000_000  # final orders stay known for this long, so that late news finds them
KEPT_MAX = 20_000
TOMBSTONES_MAX = 10_000


class Exposure:
    """What orders that may be live can still do in one market. Lots."""

    __slots__ = ("buy_lots", "count", "net_lots", "sell_lots")

    def __init__(self) -> None:
        self.buy_lots = self.sell_lots = self.count = 0
        self.net_lots = 0  # of all fills, over all owners


class OrderStore:
    """Public: `orders` by client id, `open` (those that may be live), `exposures` by symbol."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.exposures: dict[str, Exposure] = {}
        self._by_order_id: dict[tuple[str, str], Order] = {}
        self._by_intent: dict[tuple[str, int], Order] = {}
        self._final: deque[Order] = deque()
        self._tombstones: deque[Order] = deque()

    def exposure(self, symbol: str) -> Exposure:
        found = self.exposures.get(symbol)
        if found is None:
            found = self.exposures[symbol] = Exposure()
        return found

    def by_intent(self, owner: str, intent: int) -> Order | None:
        return self._by_intent.get((owner, intent))

    def by_order_id(self, symbol: str, order_id: str) -> Order | None:
        return self._by_order_id.get((symbol, order_id))

    def begin(self, order: Order) -> None:
        """An order that is just being placed."""
        intent = order.intent
        self.orders[intent.cl_ord_id] = self.open[intent.cl_ord_id] = order
        if intent.intent:
            self._by_intent[intent.owner, intent.intent] = order
        exposure = self.exposure(intent.symbol)
        exposure.count += 1
        if intent.side is Side.BUY:
            exposure.buy_lots += intent.size_lots
        else:
            exposure.sell_lots += intent.size_lots

    def add(self, order: Order) -> None:
        """An order of an earlier life, as it was left."""
        intent = order.intent
        self.orders[intent.cl_ord_id] = order
        self.name(order, order.order_id)
        if intent.intent:
            self._by_intent[intent.owner, intent.intent] = order
        if order.is_final:
            self._bury(order)
        else:
            self.open[intent.cl_ord_id] = order
            self._expose(order, 1)

    def name(self, order: Order, order_id: str) -> None:
        """The exchange's own id of an order, once it is known."""
        if order_id and (not order.order_id or order.order_id == order_id):
            order.order_id = order_id
            self._by_order_id[order.intent.symbol, order_id] = order

    def merge(self, order: Order, news: News, reason: str, ts_ns: int) -> list[Message]:
        """Merge news into an order; what to publish, if it changed."""
        before = order.state
        self._expose(order, -1)
        order.state, _ = merge(before, news)
        self._expose(order, 1)
        order.touched_ns = ts_ns
        if reason:
            order.reason = reason
        if order.is_final and not before.status.is_final:
            order.final_ns = ts_ns
            self.open.pop(order.cl_ord_id, None)
            self._bury(order)
        elif before.status.is_final and not order.is_final:
            order.final_ns = 0
            self.open[order.cl_ord_id] = order
        return [] if order.state == before else [order.update()]

    def _bury(self, order: Order) -> None:
        (self._tombstones if order.is_tombstone else self._final).append(order)

    def _expose(self, order: Order, sign: int) -> None:
        if order.is_final:
            return
        exposure = self.exposure(order.intent.symbol)
        exposure.count += sign
        if order.intent.side is Side.BUY:
            exposure.buy_lots += sign * order.state.open_lots
        else:
            exposure.sell_lots += sign * order.state.open_lots

    def forget(self, now_ns: int) -> None:
        """Drop orders that have been final for long; tombstones only when there are very many."""
        final = self._final
        while final and (final[0].final_ns < now_ns - KEEP_NS or len(final) > KEPT_MAX):
            self._drop(final.popleft())
        while len(self._tombstones) > TOMBSTONES_MAX:
            self._drop(self._tombstones.popleft())

    def _drop(self, order: Order) -> None:
        if not order.is_final or self.orders.get(order.cl_ord_id) is not order:
            return  # it came back to life since it was put there
        del self.orders[order.cl_ord_id]
        self._by_order_id.pop((order.intent.symbol, order.order_id), None)
        self._by_intent.pop((order.intent.owner, order.intent.intent), None)
