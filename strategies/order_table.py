"""The orders of a strategy at one connector, and what the connector's news does to them."""

from collections import OrderedDict

from market.position import Position
from protocol import Answer, AnswerCode, Fill, OrdersSnapshot, OrderUpdate, OrdStatus
from strategies.order import Order

FINISHED_MAX = 1_000  # orders that are over and still looked up by order_ref, per connector
ENDED_UNSEEN = "ended while this strategy was out of touch"


class OrderTable:
    """Every open order of a strategy at one connector, its latest finished ones, and what its fills add up to.

    Methods that take news return the orders that it changed. `fill_no` is the number of the last fill taken:
    each counts once.
    """

    def __init__(self) -> None:
        self.open: dict[int, Order] = {}
        self.finished: OrderedDict[int, Order] = OrderedDict()
        self.by_symbol: dict[str, dict[int, Order]] = {}
        self.positions: dict[str, Position] = {}
        self.fill_no = 0
        self.known = False  # a snapshot has told what was there before this life
        self.version = 0  # grows with every change: for those who cache

    def get(self, order_ref: int) -> Order | None:
        """An order by its number, open or among the last FINISHED_MAX."""
        return self.open.get(order_ref) or self.finished.get(order_ref)

    def of(self, symbol: str) -> list[Order]:
        """The open orders of a symbol, oldest first."""
        return list(self.by_symbol.get(symbol, {}).values())

    def position(self, symbol: str) -> Position:
        """The position in a symbol (live; flat if there never was one)."""
        found = self.positions.get(symbol)
        if found is None:
            found = self.positions[symbol] = Position()
        return found

    @property
    def in_doubt(self) -> bool:
        """Whether the connector's list must prove what became of an order."""
        return any(order.in_doubt for order in self.open.values())

    def add(self, order: Order) -> None:
        """An order begins to exist."""
        self.version += 1
        self.open[order.order_ref] = order
        self.by_symbol.setdefault(order.symbol, {})[order.order_ref] = order

    def answered(self, order: Order, answer: Answer) -> bool:
        """The connector's answer to the order's command; whether it changed the order."""
        if answer.code is AnswerCode.OK:
            order.taken = True
        if order.told or order.status.is_final or answer.code is AnswerCode.OK:
            return False
        if answer.code is AnswerCode.SILENT:
            order.in_doubt = True
            order.status = OrdStatus.UNKNOWN
        elif answer.code is AnswerCode.REFUSED:
            order.end(OrdStatus.REJECTED, answer.text or "refused by the connector")
        else:
            order.end(OrdStatus.NOT_PLACED, answer.text or answer.code.name.lower())
        self._file(order)
        return True

    def update(self, news: OrderUpdate) -> Order | None:
        """The connector's word on one order; the order if that changed it. Those of an earlier life are adopted."""
        order = self.get(news.order_ref)
        if order is None:
            what = news.symbol, news.side, news.price_ticks, news.size_lots, news.ord_type
            order = Order(news.order_ref, *what, created_ns=news.ts_event_ns)
        before = (order.told, order.status, order.cum_lots, order.cancel_wanted)
        order.told = True
        order.in_doubt = False
        order.cl_ord_id = news.cl_ord_id
        order.order_id = news.order_id or order.order_id
        order.reason = news.reason or order.reason
        order.cum_lots = max(order.cum_lots, news.cum_lots)
        order.cancel_wanted = order.cancel_wanted or news.cancel_wanted
        order.status = news.status
        if not order.accepted_ns and news.status >= OrdStatus.NEW:
            order.accepted_ns = news.ts_event_ns
        self._file(order)
        return order if before != (True, order.status, order.cum_lots, order.cancel_wanted) else None

    def fill(self, fill: Fill) -> bool:
        """A trade; False if it was counted before."""
        if fill.fill_no <= self.fill_no:
            return False
        self.fill_no = fill.fill_no
        self.position(fill.symbol).apply(fill)
        self._trade(fill)
        return True

    def replace(self, snapshot: OrdersSnapshot, ts_ns: int) -> tuple[list[Order], list[Fill]]:
        """The connector's whole list, told at ts_ns: (orders it changed, fills that are news).

        An open order that is not in it is over: if the connector had it, by an end that was missed; if not,
        and its deadline was before ts_ns, it was never placed. Before its deadline it may be on its way: it is
        in doubt, and the list must be asked for again.
        """
        news = [fill for fill in snapshot.fills if fill.fill_no > self.fill_no]
        self.fill_no = max([snapshot.fill_no, *(fill.fill_no for fill in news)])
        for fill in news:
            self._trade(fill)
        self.positions_from(snapshot)
        changed = [order for order in map(self.update, snapshot.orders) if order is not None]
        listed = {row.order_ref for row in snapshot.orders}
        for order in [order for order in self.open.values() if order.order_ref not in listed]:
            if not order.told and order.deadline_ns >= ts_ns:
                order.in_doubt = True  # until a list that is told later
                continue
            _end_unlisted(order)
            self._file(order)
            changed.append(order)
        self.known = True
        return changed, news

    def positions_from(self, snapshot: OrdersSnapshot) -> None:
        """Take the positions as the connector's list tells them."""
        listed = {row.symbol for row in snapshot.positions}
        for symbol in {*self.positions, *listed} - listed:
            self.positions[symbol].clear()
        for row in snapshot.positions:
            self.position(row.symbol).replace(row)

    def _trade(self, fill: Fill) -> None:
        order = self.get(fill.order_ref)
        if order is None:
            return  # of an earlier life, and over: the position alone tells of it
        order.told = True
        order.in_doubt = False
        order.cum_lots = max(order.cum_lots, fill.cum_lots)
        order.accepted_ns = order.accepted_ns or fill.ts_event_ns
        if order.is_open and order.cum_lots >= order.size_lots:
            order.status = OrdStatus.FILLED
        elif order.status < OrdStatus.PARTIALLY_FILLED:
            order.status = OrdStatus.PARTIALLY_FILLED
        self._file(order)

    def _file(self, order: Order) -> None:
        """Put an order where its status says."""
        self.version += 1
        order_ref = order.order_ref
        if order.is_open:
            self.finished.pop(order_ref, None)
            self.open[order_ref] = order
            self.by_symbol.setdefault(order.symbol, {})[order_ref] = order
            return
        self.open.pop(order_ref, None)
        self.by_symbol.get(order.symbol, {}).pop(order_ref, None)
        self.finished[order_ref] = order
        while len(self.finished) > FINISHED_MAX:
            self.finished.popitem(last=False)


def _end_unlisted(order: Order) -> None:
    """Its connector's list has it no more."""
    if order.told or order.taken:
        filled = order.cum_lots >= order.size_lots
        order.end(OrdStatus.FILLED if filled else OrdStatus.CANCELED, "" if filled else ENDED_UNSEEN)
    else:
        order.end(OrdStatus.NOT_PLACED, "not in the connector's list after its deadline")
