"""OrderListRules: how the orders of a list affect each other: one cancels, starts or pays for the other."""

from venue.accounts.accounts import Accounts, ExchangeAccount
from venue.base.api_errors import ApiError
from venue.engine import holds, pegs
from venue.engine.activation import REJECTED, OrderActivation
from venue.engine.ledger_records import LedgerRecords
from venue.engine.listeners import UserListener
from venue.engine.settlement import Settlement
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.orders.order_lists import OrderList, OrderLists
from venue.orders.stops import would_trigger
from venue.symbols import filters
from venue.symbols.symbol import Symbol

OCO_TRIGGER = "OCO_TRIGGER"
PHASE_ONE_EXPIRED = "OTO_PHASE_ONE_EXPIRED"


class OrderListRules:
    """Settlement reports events of listed orders here; the other orders of the list follow.

    The two orders of an OCO together lock what the more expensive one needs, on one of them. A pending order locks
    nothing until it starts, unless its working order pays for it; if the balance is too small then, it expires.
    """

    def __init__(
        self,
        lists: OrderLists,
        accounts: Accounts,
        records: LedgerRecords,
        settlement: Settlement,
        activation: OrderActivation,
    ) -> None:
        self.lists = lists
        self.accounts = accounts
        self.records = records
        self.settlement = settlement
        self.activation = activation
        self.listener: UserListener = settlement.user_listener

    def on_accepted(self, order: ExchangeOrder, now_ns: int) -> None:
        """The working order of a new OTO is accepted: reports its pending orders, then the list."""
        one = self.lists.open[order.list_id]
        if not one.is_waiting or order.order_id != one.working_id:
            return
        for pending in self._open(one.orders[1:]):
            self.settlement.accept_waiting(self._symbol(one), pending, now_ns)
        self.report(one, now_ns)

    def on_activity(self, order: ExchangeOrder, now_ns: int) -> None:
        """An order has its first fill, or triggers: in an OCO the other order expires."""
        one = self.lists.open[order.list_id]
        other = self._sibling(one, order)
        if other is None:
            return
        symbol = self._symbol(one)
        order.locked_atoms += other.locked_atoms
        other.locked_atoms = 0
        excess = order.locked_atoms - holds.hold_of(symbol, order)
        if excess > 0:
            self.settlement.funds.release(symbol, order, excess, now_ns)
        self.settlement.expire(symbol, other, OCO_TRIGGER, now_ns)

    def on_fill(self, order: ExchangeOrder, fill: Execution, now_ns: int) -> None:
        """A fill of a working order that pays for the pending ones: the received amount is locked. Its commission is
        paid from the free balance, or from the received amount if that is too small."""
        one = self.lists.open[order.list_id]
        if not one.is_paid or order.order_id != one.working_id:
            return
        symbol, account = self._symbol(one), self._account(one)
        got = fill.size_lots * symbol.lot_atoms
        if fill.fee_asset == symbol.base and account.balance(symbol.base).free < got:
            got -= fill.fee_atoms
        account.lock(symbol.base, got)
        one.held_atoms += got
        self.records.order_list(one)

    def on_end(self, order: ExchangeOrder, now_ns: int) -> None:
        """An order has ended: the others may expire, the pending ones may start, the list may be done."""
        one = self.lists.open[order.list_id]
        if one.is_waiting and order.order_id == one.working_id:
            pending = self._open(one.orders[1:])
            if order.status == "FILLED":
                self.settlement.due.append(pending[0])
            elif order.status != "CANCELED":  # a cancel request cancels all orders of the list by itself
                for other in pending:
                    self.settlement.expire(self._symbol(one), other, PHASE_ONE_EXPIRED, now_ns)
        elif not one.is_waiting and order.status not in ("FILLED", "CANCELED") and order.expiry_reason != OCO_TRIGGER:
            sibling = self._sibling(one, order)
            if sibling is not None:
                self.settlement.expire(self._symbol(one), sibling, OCO_TRIGGER, now_ns)
        if not one.is_done and not self._open(one.orders):
            self._done(one, now_ns)

    def start_pending(self, order: ExchangeOrder, now_ns: int) -> None:
        """The working order is filled: the pending orders start, or expire if they cannot."""
        one = self.lists.open[order.list_id]
        symbol, pending = self._symbol(one), self._open(one.orders[1:])
        one.update_ns = now_ns
        try:
            for each in pending:
                if each.peg and not each.is_contingent:
                    pegs.select(symbol, each, now_ns)
            self._set_paid_size(one, symbol, pending, now_ns)
            self._check(symbol, pending, now_ns)
            self.hold(symbol, pending, now_ns)
        except ApiError:
            for each in pending:
                self.settlement.expire(symbol, each, REJECTED, now_ns)
            return
        one.is_waiting = False
        for each in pending:
            each.status, each.update_ns = "NEW", now_ns
            if not each.is_contingent:
                each.working_ns = now_ns
                each.priority = self.records.counter("order").next_id()
        self.records.order_list(one)
        for each in pending:
            self.activation.activate(symbol, each, now_ns)

    def hold(self, symbol: Symbol, orders: list[ExchangeOrder], now_ns: int) -> None:
        """Locks what one order, or the two of an OCO, need. Raises -2010 if the balance is too small."""
        costliest = max(orders, key=lambda order: holds.hold_of(symbol, order))
        self.activation.hold(symbol, costliest, now_ns)

    def cancel(self, one: OrderList, cancel_id: str, now_ns: int) -> list[ExchangeOrder]:
        """Cancels the open orders of a list and returns them."""
        symbol, ended = self._symbol(one), self._open(one.orders)
        for order in ended:
            self.settlement.withdraw(symbol, order)
            self.settlement.canceled(symbol, order, cancel_id, now_ns)
        return ended

    def report(self, one: OrderList, now_ns: int) -> None:
        """Records and reports the status of a list."""
        self.records.order_list(one)
        self.listener.list_status(one, now_ns)

    # Inside

    def _done(self, one: OrderList, now_ns: int) -> None:
        one.update_ns = now_ns
        self._free(one, self._symbol(one), now_ns)
        self.lists.end(one)
        self.report(one, now_ns)

    def _free(self, one: OrderList, symbol: Symbol, now_ns: int) -> None:
        """Unlocks what the working order received."""
        if not one.held_atoms:
            return
        account = self._account(one)
        account.unlock(symbol.base, one.held_atoms)
        one.held_atoms = 0
        self.settlement.funds.changed(account, (symbol.base,), now_ns)
        self.listener.position(account, (symbol.base,), now_ns)

    def _set_paid_size(self, one: OrderList, symbol: Symbol, pending: list[ExchangeOrder], now_ns: int) -> None:
        """Sets the pending orders' size to what the working order received. Raises -1013 if it violates a filter."""
        if not one.is_paid:
            return
        most = symbol.max_lots(is_market=any(order.is_market for order in pending))
        size_lots = min(one.held_atoms // symbol.lot_atoms, most)
        self._free(one, symbol, now_ns)
        for order in pending:
            order.size_lots = size_lots
            filters.check_size_and_notional(symbol, order, now_ns)
            filters.check_iceberg(symbol, order)

    def _check(self, symbol: Symbol, pending: list[ExchangeOrder], now_ns: int) -> None:
        """Raises -2010 if an order cannot start in the present state of the market."""
        for order in pending:
            if would_trigger(order, symbol.last_ticks):
                raise ApiError(-2010, "Stop price would trigger immediately.")
            if order.ord_type == "LIMIT_MAKER" and symbol.matching.would_match(order.side, order.price_ticks):
                raise ApiError(-2010, "Order would immediately match and take.")

    def _sibling(self, one: OrderList, order: ExchangeOrder) -> ExchangeOrder | None:
        """The other order of an OCO, while it is open."""
        if order.order_id not in one.pair:
            return None
        first, second = one.pair
        return self.settlement.open_orders.get(second if order.order_id == first else first)

    def _open(self, orders: list[tuple[int, str]]) -> list[ExchangeOrder]:
        known = self.settlement.open_orders
        return [known[order_id] for order_id, _ in orders if order_id in known]

    def _symbol(self, one: OrderList) -> Symbol:
        return self.activation.symbols[one.symbol]

    def _account(self, one: OrderList) -> ExchangeAccount:
        return self.accounts.by_name[one.account]
