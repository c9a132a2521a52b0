"""OrderActivation: starts orders at once, when their price trades, or when the order they depend on fills."""

import msgspec

from market import codes
from protocol.enums import OrdType, SelfTradePrevention, TimeInForce
from venue.accounts.accounts import Accounts, ExchangeAccount
from venue.base.api_errors import ApiError
from venue.engine import holds, pegs
from venue.engine.ledger_records import LedgerRecords
from venue.engine.settlement import Settlement
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.symbols.symbol import Symbol

ORD_TYPES = dict(OrdType.__members__)
TIMES_IN_FORCE = dict(TimeInForce.__members__)
STP_MODES = dict(SelfTradePrevention.__members__)
REJECTED = "REJECTED"
"""The expiry reason of an order that could not be activated."""


class OrderActivation:
    """Activates orders. Call `drain` after each change: it activates the orders that became due, one by one."""

    def __init__(
        self, symbols: dict[str, Symbol], accounts: Accounts, records: LedgerRecords, settlement: Settlement
    ) -> None:
        self.symbols = symbols
        self.accounts = accounts
        self.records = records
        self.settlement = settlement

    def hold(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> None:
        """Locks what the order may cost. Raises -2010 if the balance is too small; then nothing has changed."""
        account = self.accounts.by_name[order.account]
        if order.ord_type == "MARKET":
            holds.check_market(account, symbol, order)
            return
        asset, amount_atoms = symbol.held_asset(order), holds.hold_of(symbol, order)
        account.lock(asset, amount_atoms)
        order.locked_atoms = amount_atoms
        self.settlement.funds.changed(account, (asset,), now_ns)

    def activate(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> list[Execution]:
        """Matches a registered order whose funds are locked, or lets it wait for its trigger."""
        if not order.is_contingent:
            return self._match(symbol, order, now_ns)
        if not order.stop_ticks:
            order.extreme_ticks, order.trailing_ns = symbol.last_ticks, now_ns
        symbol.stops.add(order)
        self.records.price(symbol.name, symbol.last_ticks)
        self.settlement.accept_waiting(symbol, order, now_ns)
        return []

    def drain(self, now_ns: int) -> None:
        """Activates all orders that are due, and those that become due by that."""
        due = self.settlement.due
        while due:
            order = due.popleft()
            if not order.is_open:
                continue
            symbol = self.symbols[order.symbol]
            if order.status == "PENDING_NEW":
                self.settlement.list_listener.start_pending(order, now_ns)
            else:
                self._trigger(symbol, order, now_ns)

    def as_placed(self, order: ExchangeOrder) -> ExchangeOrder:
        """The order for the answer to its placement: its state before the due orders are activated."""
        return msgspec.structs.replace(order) if self.settlement.due else order

    def _trigger(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> None:
        if order.list_id >= 0:
            self.settlement.list_listener.on_activity(order, now_ns)
        account = self.accounts.by_name[order.account]
        if order.is_market:
            self.settlement.funds.release_all(symbol, order, now_ns)
            try:
                holds.check_market(account, symbol, order)
            except ApiError:
                self.settlement.expire(symbol, order, REJECTED, now_ns)
                return
        elif order.peg and not self._peg(symbol, account, order, now_ns):
            return
        order.working_ns = order.update_ns = now_ns
        order.priority = self.records.counter("order").next_id()
        self._match(symbol, order, now_ns)

    def _peg(self, symbol: Symbol, account: ExchangeAccount, order: ExchangeOrder, now_ns: int) -> bool:
        """Sets a triggered order's price from the book and locks its funds; expires the order if that fails."""
        asset, held_atoms = symbol.held_asset(order), order.locked_atoms
        try:
            pegs.select(symbol, order, now_ns)
            order.locked_atoms = holds.hold_of(symbol, order)
            if order.locked_atoms > held_atoms:
                account.lock(asset, order.locked_atoms - held_atoms)
            else:
                account.unlock(asset, held_atoms - order.locked_atoms)
        except ApiError:
            order.locked_atoms = held_atoms
            self.settlement.expire(symbol, order, REJECTED, now_ns)
            return False
        self.settlement.funds.changed(account, (asset,), now_ns)
        return True

    def _match(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> list[Execution]:
        events = symbol.matching.submit(
            order.order_id,
            self.accounts.by_name[order.account].trader,
            order.side,
            ORD_TYPES[order.works_as],
            TIMES_IN_FORCE[order.time_in_force],
            order.price_ticks,
            order.size_lots,
            STP_MODES[order.stp],
            order.iceberg_lots,
        )
        assert events[0][0] == codes.ACCEPTED, events
        fills = self.settlement.apply(symbol, order.side, events, now_ns)
        return [fill for fill in fills if fill.order_id == order.order_id]
