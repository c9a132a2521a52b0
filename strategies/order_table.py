"""OrderTable: the orders of a strategy at one connector, updated by the connector's answers and reports."""

from collections import OrderedDict

from market.instrument import Instrument
from market.position import Position
from market.scale import Scale
from protocol import Answer, AnswerCode, Fill, OrdersSnapshot, OrderUpdate, OrdStatus, RefusalCode
from strategies.order import Order

FINISHED_MAX = 1_000  # ended orders that are kept and found by order_ref, per connector
TRADES_MAX = 2_000  # counted trades that are kept, per connector
NUMBERED_AGAIN = 100  # fills before the cursor that a snapshot contains once more, since their numbers may have changed
ENDED_UNSEEN = "ended while this strategy was out of touch"


class OrderTable:
    """All open orders of a strategy at one connector, its latest ended ones, and its positions.

    `fill_no` is the number of the last fill counted. A fill is new if its trade was not reported before: a connector
    that has lost the end of its journal numbers the same trades again.
    """

    def __init__(self) -> None:
        self.open: dict[int, Order] = {}
        self.finished: OrderedDict[int, Order] = OrderedDict()
        self.by_symbol: dict[str, dict[int, Order]] = {}
        self.positions: dict[str, Position] = {}
        self.ledgers: dict[tuple[str, str], Position] = {}  # by symbol and tag
        self.fill_no = 0
        self._first_no = 0  # fills up to here are contained in the positions of the first snapshot
        self._trades: dict[tuple[str, str], None] = {}  # the latest TRADES_MAX that were counted
        self.known = False  # a snapshot has shown the orders of earlier process runs
        self.version = 0  # grows with every change, for caches

    def get(self, order_ref: int) -> Order | None:
        """An order by its number: an open one, or one of the last FINISHED_MAX that ended."""
        return self.open.get(order_ref) or self.finished.get(order_ref)

    def open_in(self, symbol: str) -> list[Order]:
        """The open orders of a symbol, oldest first."""
        return list(self.by_symbol.get(symbol, {}).values())

    def position(self, symbol: str) -> Position:
        """The position in a symbol. The object is updated in place; it is flat if nothing was traded."""
        found = self.positions.get(symbol)
        if found is None:
            found = self.positions[symbol] = Position(symbol)
        return found

    def ledger(self, symbol: str, tag: str) -> Position:
        """The part of a position that the orders of one tag made; flat if they have not traded."""
        found = self.ledgers.get((symbol, tag))
        if found is None:
            found = self.ledgers[symbol, tag] = Position(symbol)
            rules = self.position(symbol).rules
            if rules is not None:
                found.set_rules(rules)
        return found

    def set_rules(self, rules: Instrument) -> None:
        """A market's rules are known, or have changed."""
        self.position(rules.symbol).set_rules(rules)
        for (symbol, _), ledger in self.ledgers.items():
            if symbol == rules.symbol:
                ledger.set_rules(rules)

    def multiply(self, symbol: str, price_factor: int, size_factor: int, scale: Scale) -> None:
        """The scale of a market has become finer: converts all orders and positions in it."""
        for order in (*self.open.values(), *self.finished.values()):
            if order.symbol == symbol:
                order.multiply(price_factor, size_factor)
        ledgers = [ledger for (name, _), ledger in self.ledgers.items() if name == symbol]
        for position in (self.position(symbol), *ledgers):
            position.multiply(price_factor, size_factor, scale)
        self.version += 1

    @property
    def in_doubt(self) -> bool:
        """Whether the state of an order can only be found in a snapshot of the connector."""
        return any(order.in_doubt for order in self.open.values())

    def add(self, order: Order) -> None:
        """Adds a new order."""
        self.version += 1
        self.open[order.order_ref] = order
        self.by_symbol.setdefault(order.symbol, {})[order.order_ref] = order

    def on_answer(self, order: Order, answer: Answer) -> bool:
        """Handles the answer to the order's command; returns whether it changed the order's status."""
        if answer.code is AnswerCode.OK:
            order.acknowledged = True
        if order.reported or order.status.is_final or answer.code is AnswerCode.OK:
            return False
        if answer.code is AnswerCode.SILENT:
            order.in_doubt = True
            order.status = OrdStatus.UNKNOWN
        elif answer.code is AnswerCode.REFUSED:
            refusal = answer.refusal or RefusalCode.OTHER
            order.end(OrdStatus.REJECTED, answer.text or "refused by the connector", refusal)
        else:
            order.end(OrdStatus.NOT_PLACED, answer.text or answer.code.name.lower())
        self._store(order)
        return True

    def on_update(self, update: OrderUpdate) -> Order | None:
        """Handles a report on one order; returns the order if it changed. An order of an earlier run is added."""
        order = self.get(update.order_ref)
        if order is None:
            terms = update.symbol, update.side, update.price_ticks, update.size_lots, update.ord_type
            order = Order(update.order_ref, *terms, created_ns=update.ts_event_ns, tag=update.tag)
        before = order.visible_state
        order.reported = True
        order.in_doubt = False
        order.cl_ord_id = update.cl_ord_id
        order.order_id = update.order_id or order.order_id
        order.reason = update.reason or order.reason
        order.refusal = update.refusal or order.refusal
        order.size_lots = update.size_lots  # smaller than before if it was amended by hand
        order.cum_lots = max(order.cum_lots, update.cum_lots)
        order.cancel_wanted = order.cancel_wanted or update.cancel_wanted
        order.status = update.status
        if not order.accepted_ns and update.status >= OrdStatus.NEW:
            order.accepted_ns = update.ts_event_ns
        self._store(order)
        return order if order.visible_state != before else None

    def on_fill(self, fill: Fill) -> bool:
        """Counts a fill; returns False if it was counted before."""
        if fill.fill_no <= self.fill_no:
            return False
        self.fill_no = fill.fill_no
        self.position(fill.symbol).apply(fill)
        if fill.tag:
            self.ledger(fill.symbol, fill.tag).apply(fill)
        self._fill_order(fill)
        return self._is_new(fill)

    @property
    def cursor(self) -> int:
        """The fill number after which a snapshot is to contain fills; some are contained twice, see NUMBERED_AGAIN."""
        return max(self._first_no, self.fill_no - NUMBERED_AGAIN)

    def _is_new(self, fill: Fill) -> bool:
        """Whether the trade was not counted before; it is from now on."""
        key = fill.cl_ord_id, fill.trade_id  # an exchange that was reset gives trade ids out again
        if key in self._trades:
            return False
        self._trades[key] = None
        if len(self._trades) > TRADES_MAX:
            del self._trades[next(iter(self._trades))]
        return True

    def on_snapshot(self, snapshot: OrdersSnapshot, ts_ns: int) -> tuple[list[Order], list[Fill]]:
        """Handles the connector's snapshot of `ts_ns`; returns (changed orders, fills not counted before).

        An open order that is not in it has ended: if the connector had it, by an end that was missed; if not, and
        its deadline was before ts_ns, it was never placed. Before its deadline its command may still arrive: the
        order is in doubt, and another snapshot is needed.
        """
        if not self.known:
            self._first_no = snapshot.fill_no
        fills = [fill for fill in snapshot.fills if fill.fill_no > self._first_no and self._is_new(fill)]
        self.fill_no = snapshot.fill_no
        self._replace_positions(snapshot)
        changed = self._fill_orders(fills)
        changed += [order for order in map(self.on_update, snapshot.orders) if order is not None]
        listed = {row.order_ref for row in snapshot.orders}
        for order in [order for order in self.open.values() if order.order_ref not in listed]:
            if not order.reported and order.deadline_ns >= ts_ns:
                order.in_doubt = True
                continue
            _end_unlisted(order)
            self._store(order)
            changed.append(order)
        self.known = True
        return list(dict.fromkeys(changed)), fills

    def _fill_orders(self, fills: list[Fill]) -> list[Order]:
        """Applies missed fills to their orders; returns the orders that changed."""
        orders = {order: order.visible_state for fill in fills if (order := self.get(fill.order_ref)) is not None}
        for fill in fills:
            self._fill_order(fill)
        return [order for order, before in orders.items() if order.visible_state != before]

    def _replace_positions(self, snapshot: OrdersSnapshot) -> None:
        listed = {row.symbol for row in snapshot.positions}
        for symbol in {*self.positions, *listed} - listed:
            self.positions[symbol].clear()
        for row in snapshot.positions:
            self.position(row.symbol).replace(row)
        for ledger in self.ledgers.values():
            ledger.clear()
        for row in snapshot.ledgers:
            self.ledger(row.symbol, row.tag).replace(row)

    def _fill_order(self, fill: Fill) -> None:
        order = self.get(fill.order_ref)
        if order is None:
            return  # an ended order of an earlier process run: only the position shows it
        order.reported = True
        order.in_doubt = False
        order.cum_lots = max(order.cum_lots, fill.cum_lots)
        order.accepted_ns = order.accepted_ns or fill.ts_event_ns
        if order.is_open and order.cum_lots >= order.size_lots:
            order.status = OrdStatus.FILLED
        elif order.status < OrdStatus.PARTIALLY_FILLED:
            order.status = OrdStatus.PARTIALLY_FILLED
        self._store(order)

    def _store(self, order: Order) -> None:
        """Puts an order among the open or the ended ones, by its status."""
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
    """Ends an order that the connector's snapshot does not list."""
    if order.reported or order.acknowledged:
        filled = order.cum_lots >= order.size_lots
        order.end(OrdStatus.FILLED if filled else OrdStatus.CANCELED, "" if filled else ENDED_UNSEEN)
    else:
        order.end(OrdStatus.NOT_PLACED, "not in the connector's list after its deadline")
