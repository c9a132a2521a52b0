"""What may be done on the exchange: place, cancel, look up, deposit; and the orders of the flow."""

import hashlib

import msgspec

from market import codes
from protocol.enums import OrdType, SelfTradePrevention, Side, TimeInForce
from venue import errors
from venue.accounts import Account, Accounts
from venue.limits import Limits
from venue.orders import Execution, Order
from venue.records import Records
from venue.settlement import Settlement
from venue.symbol import FLOW_ACCOUNT, Symbol

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CLIENT_ID_LENGTH = 22


class Intent(msgspec.Struct, gc=False):
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


class Engine:
    """Every market and account. Calls are atomic: each ends with one record of all that it changed."""

    def __init__(
        self,
        symbols: list[Symbol],
        accounts: Accounts,
        limits: Limits,
        records: Records,
        settlement: Settlement,
    ) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols}
        self.accounts = accounts
        self.limits = limits
        self.records = records
        self.settlement = settlement

    def symbol(self, name: str) -> Symbol:
        """Raises -1121 for a symbol that is not traded."""
        found = self.symbols.get(name)
        if found is None:
            raise errors.bad_symbol()
        return found

    def place(self, account: Account, intent: Intent, now_ns: int) -> tuple[Order, list[Execution]]:
        """Match a new order; it and its own fills. Raises -2010 where it is refused, with nothing changed."""
        self._check(account, intent)
        order = self._order(account, intent, now_ns)
        self._pay(account, intent.symbol, order, now_ns)
        events = intent.symbol.matching.submit(
            order.order_id,
            account.uid,
            order.side,
            OrdType[order.ord_type],
            TimeInForce[order.time_in_force],
            order.price_ticks,
            order.size_lots,
            SelfTradePrevention[order.stp],
        )
        assert events[0][0] == codes.ACCEPTED, events
        account.add_order(order)
        self.settlement.open_orders[order.order_id] = order
        fills = self.settlement.apply(intent.symbol, order.side, events, now_ns)
        self.records.commit()
        return order, [fill for fill in fills if fill.order_id == order.order_id]

    def cancel(self, order: Order, cancel_id: str, now_ns: int) -> None:
        """End an open order. Raises -2011 where it is not open any more."""
        if not order.is_open:
            raise errors.unknown_order()
        symbol = self.symbols[order.symbol]
        events = symbol.matching.cancel(order.order_id)
        assert events, order
        self.settlement.canceled(symbol, order, cancel_id, now_ns)
        self.records.commit()

    def deposit(self, account: Account, asset: str, amount_atoms: int, now_ns: int) -> None:
        """Add to (or, below zero, take from) what is free. Raises -2010 where there is not so much."""
        balance = account.balance(asset)
        if balance.free + amount_atoms < 0:
            raise errors.insufficient()
        balance.free += amount_atoms
        self.settlement.balances_changed(account, (asset,), now_ns)
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
        """An order of the flow; its id where some of it rests, else 0."""
        order_id = self.records.counter("order").take()
        events = symbol.matching.submit(order_id, FLOW_ACCOUNT, side, ord_type, tif, price_ticks, size_lots)
        accepted = events[0][0] == codes.ACCEPTED
        if accepted:
            self.settlement.apply(symbol, side, events, now_ns)
        self.records.commit()
        return order_id if accepted and events[0][2] else 0

    def cancel_flow(self, symbol: Symbol, order_id: int, now_ns: int) -> bool:
        """False where it was not open any more."""
        if not symbol.matching.cancel(order_id):
            return False
        self.settlement.book_changed(symbol, now_ns)
        self.records.commit()
        return True

    def new_client_id(self, *seeds: int | str) -> str:
        """22 characters that follow from `seeds`."""
        number = int.from_bytes(hashlib.blake2b(repr(seeds).encode(), digest_size=20).digest(), "big")
        letters = []
        for _ in range(CLIENT_ID_LENGTH):
            number, rest = divmod(number, 62)
            letters.append(BASE62[rest])
        return "".join(letters)

    # Inside

    def _check(self, account: Account, intent: Intent) -> None:
        if intent.symbol.closed:
            raise errors.rejected("Market is closed.")
        if (intent.symbol.name, intent.client_order_id) in account.open_by_client_id:
            raise errors.rejected("Duplicate order sent.")
        if intent.ord_type == "LIMIT_MAKER" and intent.symbol.matching.would_match(intent.side, intent.price_ticks):
            raise errors.rejected("Order would immediately match and take.")

    def _order(self, account: Account, intent: Intent, now_ns: int) -> Order:
        order_id = self.records.counter("order").take()
        return Order(
            symbol=intent.symbol.name,
            order_id=order_id,
            account=account.name,
            client_order_id=intent.client_order_id or self.new_client_id("order", order_id),
            side=intent.side,
            ord_type=intent.ord_type,
            time_in_force=intent.time_in_force,
            stp=intent.stp,
            price_ticks=intent.price_ticks,
            size_lots=intent.size_lots,
            quote_order_atoms=intent.quote_order_atoms,
            time_ns=now_ns,
            update_ns=now_ns,
            working_ns=now_ns,
            strategy_id=intent.strategy_id,
            strategy_type=intent.strategy_type,
        )

    def _pay(self, account: Account, symbol: Symbol, order: Order, now_ns: int) -> None:
        """Hold what a limit order may cost; see that a market order can be paid."""
        asset = symbol.held_asset(order)
        if order.ord_type == "MARKET":
            if self._market_cost(account, symbol, order) > account.balance(asset).free:
                raise errors.insufficient()
            return
        order.locked_atoms = symbol.held_atoms(order, order.size_lots)
        account.lock(asset, order.locked_atoms)
        self.settlement.balances_changed(account, (asset,), now_ns)

    def _market_cost(self, account: Account, symbol: Symbol, order: Order) -> int:
        if order.side is Side.SELL:
            return order.size_lots * symbol.lot_atoms
        reach = order.size_lots
        if order.stp != "NONE":  # it passes over its own account's orders, and so reaches deeper
            reach += sum(o.open_lots for o in account.open_orders.values() if o.symbol == symbol.name)
        return symbol.cost(Side.BUY, reach) * symbol.notional_atoms
