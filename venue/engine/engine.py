"""Engine: places, cancels and ends orders, deposits funds, and accepts the orders of the order flow."""

import hashlib

import msgspec

from market import codes
from protocol.enums import OrdType, Side, TimeInForce
from venue.accounts.accounts import Accounts, ExchangeAccount
from venue.accounts.rate_limits import RateLimits
from venue.base import api_errors
from venue.base.settings import OrderLimits
from venue.engine.activation import OrderActivation
from venue.engine.ledger_records import LedgerRecords
from venue.engine.order_list_rules import OrderListRules
from venue.engine.settlement import Settlement
from venue.orders.exchange_order import MARKETS, WORKS_AS, ExchangeOrder, Execution
from venue.orders.order_lists import OrderList, OrderLists
from venue.orders.stops import would_trigger
from venue.symbols.symbol import FLOW_ACCOUNT, Symbol

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CLIENT_ID_LENGTH = 22


class NewOrder(msgspec.Struct, gc=False):
    """A new order that has passed the filters."""

    symbol: Symbol
    side: Side
    ord_type: str
    time_in_force: str
    stp: str
    price_ticks: int
    size_lots: int
    quote_order_atoms: int = 0
    client_order_id: str | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    stop_ticks: int = 0
    trailing_delta: int = 0
    iceberg_lots: int = 0
    peg: str = ""
    peg_offset: int = 0
    asked_ticks: int = 0

    @property
    def is_market(self) -> bool:
        return self.ord_type in MARKETS


class Engine:
    """All markets and accounts. Calls are atomic: each ends with one ledger record of everything it changed."""

    def __init__(
        self,
        symbols: list[Symbol],
        accounts: Accounts,
        limits: RateLimits,
        records: LedgerRecords,
        settlement: Settlement,
        order_limits: OrderLimits,
    ) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols}
        self.accounts = accounts
        self.limits = limits
        self.records = records
        self.settlement = settlement
        self.order_limits = order_limits
        self.activation = OrderActivation(self.symbols, accounts, records, settlement)
        self.lists = OrderLists(accounts.orders_kept)
        self.list_rules = OrderListRules(self.lists, accounts, records, settlement, self.activation)
        settlement.list_listener = self.list_rules

    def symbol(self, name: str) -> Symbol:
        """The symbol. Raises -1121 for an unknown or delisted one."""
        found = self.symbols.get(name)
        if found is None or not found.is_listed:
            raise api_errors.bad_symbol()
        return found

    def place(
        self, account: ExchangeAccount, new_order: NewOrder, now_ns: int
    ) -> tuple[ExchangeOrder, list[Execution]]:
        """Places a new order; returns it and its fills. Raises -2010 if it is rejected; then nothing has changed."""
        self.check(account, new_order)
        order = self.order_of(account, new_order, now_ns)
        self.activation.hold(new_order.symbol, order, now_ns)
        self.register(account, order)
        fills = self.activation.activate(new_order.symbol, order, now_ns)
        placed = self.activation.as_placed(order)
        self.finish(now_ns)
        return placed, fills

    def cancel(self, order: ExchangeOrder, cancel_id: str, now_ns: int) -> None:
        """Cancels an open order and all orders of its list. Raises -2011 if it is no longer open."""
        if not order.is_open:
            raise api_errors.unknown_order()
        if order.list_id >= 0:
            self.cancel_list(self.lists.open[order.list_id], cancel_id, now_ns)
            return
        symbol = self.symbols[order.symbol]
        self.settlement.withdraw(symbol, order)
        self.settlement.canceled(symbol, order, cancel_id, now_ns)
        self.finish(now_ns)

    def cancel_list(self, one: OrderList, cancel_id: str, now_ns: int) -> list[ExchangeOrder]:
        """Cancels the open orders of a list and returns them."""
        ended = self.list_rules.cancel(one, cancel_id, now_ns)
        self.finish(now_ns)
        return ended

    def end(self, order: ExchangeOrder, status: str, now_ns: int) -> None:
        """Ends an open order for the exchange, with the status REJECTED or EXPIRED."""
        self.settlement.expire(self.symbols[order.symbol], order, "", now_ns, status)
        self.finish(now_ns)

    def deposit(self, account: ExchangeAccount, asset: str, amount_atoms: int, now_ns: int) -> None:
        """Adds to the free balance or, below zero, withdraws. Raises -2010 if the balance is too small."""
        balance = account.balance(asset)
        if balance.free + amount_atoms < 0:
            raise api_errors.insufficient()
        self.settlement.funds.deposit(account, asset, amount_atoms, now_ns)
        self.records.commit()

    def submit_flow(
        self,
        symbol: Symbol,
        side: Side,
        ord_type: OrdType,
        tif: TimeInForce,
        price_ticks: int,
        size_lots: int,
        now_ns: int,
    ) -> int:
        """Places an order of the order flow; returns its id if a part of it rests, else 0."""
        if not symbol.is_trading:
            return 0
        price_ticks -= price_ticks % symbol.tick_step
        size_lots += -size_lots % symbol.lot_step
        order_id = self.records.counter("order").next_id()
        events = symbol.matching.submit(order_id, FLOW_ACCOUNT, side, ord_type, tif, price_ticks, size_lots)
        accepted = events[0][0] == codes.ACCEPTED
        if accepted:
            self.settlement.apply(symbol, side, events, now_ns)
        self.finish(now_ns)
        return order_id if accepted and events[0][2] else 0

    def cancel_flow(self, symbol: Symbol, order_id: int, now_ns: int) -> bool:
        """Cancels an order of the flow; False if it was no longer open."""
        if not symbol.is_trading or not symbol.matching.cancel(order_id):
            return False
        self.settlement.book_changed(symbol, now_ns)
        self.records.commit()
        return True

    def new_client_id(self, *seeds: int | str) -> str:
        """A client order id of 22 characters, determined by `seeds`."""
        number = int.from_bytes(hashlib.blake2b(repr(seeds).encode(), digest_size=20).digest(), "big")
        letters = []
        for _ in range(CLIENT_ID_LENGTH):
            number, rest = divmod(number, 62)
            letters.append(BASE62[rest])
        return "".join(letters)

    # Steps of placing, also used for order lists

    def finish(self, now_ns: int) -> None:
        """Activates the orders that are due, then commits one record of all changes."""
        self.activation.drain(now_ns)
        self.records.commit()

    def register(self, account: ExchangeAccount, order: ExchangeOrder) -> None:
        """Adds a new order to its account and to the open orders."""
        account.add_order(order)
        self.settlement.open_orders[order.order_id] = order

    def check(self, account: ExchangeAccount, new_order: NewOrder) -> None:
        """Raises -2010 if the order cannot be accepted in the present state of market and account."""
        symbol = new_order.symbol
        if not symbol.is_trading:
            raise api_errors.market_closed()
        if symbol.closed:
            raise api_errors.rejected("Market is closed.")
        if (symbol.name, new_order.client_order_id) in account.open_by_client_id:
            raise api_errors.rejected("Duplicate order sent.")
        if new_order.ord_type == "LIMIT_MAKER" and symbol.matching.would_match(new_order.side, new_order.price_ticks):
            raise api_errors.rejected("Order would immediately match and take.")
        if would_trigger(new_order, symbol.last_ticks):
            raise api_errors.rejected("Stop price would trigger immediately.")

    def order_of(self, account: ExchangeAccount, new_order: NewOrder, now_ns: int) -> ExchangeOrder:
        """The order for a new order, with its id and client order id."""
        order_id = self.records.counter("order").next_id()
        return ExchangeOrder(
            symbol=new_order.symbol.name,
            order_id=order_id,
            account=account.name,
            client_order_id=new_order.client_order_id or self.new_client_id("order", order_id),
            side=new_order.side,
            ord_type=new_order.ord_type,
            time_in_force=new_order.time_in_force,
            stp=new_order.stp,
            price_ticks=new_order.price_ticks,
            size_lots=new_order.size_lots,
            quote_order_atoms=new_order.quote_order_atoms,
            time_ns=now_ns,
            update_ns=now_ns,
            working_ns=0 if new_order.ord_type in WORKS_AS else now_ns,
            strategy_id=new_order.strategy_id,
            strategy_type=new_order.strategy_type,
            stop_ticks=new_order.stop_ticks,
            trailing_delta=new_order.trailing_delta,
            iceberg_lots=new_order.iceberg_lots,
            peg=new_order.peg,
            peg_offset=new_order.peg_offset,
            asked_ticks=new_order.asked_ticks,
        )
