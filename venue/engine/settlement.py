"""Settlement: carries out the events of matching: order states, trades, executions, and the reports of them."""

from collections import deque
from typing import Any

from market import codes
from protocol.enums import Side
from venue.accounts import prevented_matches
from venue.accounts.accounts import Accounts
from venue.accounts.prevented_matches import PreventedMatch
from venue.accounts.rate_limits import RateLimits
from venue.engine.funds import Funds
from venue.engine.ledger_records import LedgerRecords
from venue.engine.listeners import MarketListener, NoOrderLists, OrderListListener, UserListener
from venue.orders.exchange_order import ExchangeOrder, Execution, PublicTrade
from venue.symbols.symbol import Symbol

Event = tuple[int, ...]

EXPIRY_REASONS = {
    codes.NO_LIQUIDITY: "UNFILLED_IOC_QUANTITY_EXPIRED",
    codes.FOK_UNFILLABLE: "UNFILLED_FOK_ORDER_EXPIRED",
}


class Settlement:
    """Carries out the events of one call of matching, in their order."""

    def __init__(
        self,
        accounts: Accounts,
        funds: Funds,
        limits: RateLimits,
        records: LedgerRecords,
        market_listener: MarketListener,
        user_listener: UserListener,
    ) -> None:
        self.accounts = accounts
        self.funds = funds
        self.limits = limits
        self.records = records
        self.market_listener = market_listener
        self.user_listener = user_listener
        self.list_listener: OrderListListener = NoOrderLists()
        self.open_orders: dict[int, ExchangeOrder] = {}
        self.due: deque[ExchangeOrder] = deque()  # orders to activate

    def apply(self, symbol: Symbol, taker_side: Side, events: list[Event], now_ns: int) -> list[Execution]:
        """Applies `events`; returns the accounts' executions, the taker's before its maker's."""
        trades: list[PublicTrade] = []
        fills: list[Execution] = []
        for event in events:
            code = event[0]
            if code == codes.TRADE:
                trades.append(self._traded(symbol, taker_side, event, now_ns, fills))
            elif code == codes.ACCEPTED:
                self._accepted(symbol, event, now_ns)
            elif code == codes.PREVENTED:
                self._prevented(symbol, event, now_ns)
            elif code == codes.EXPIRED:
                self._expired(symbol, event, now_ns)
        if trades:
            self.market_listener.traded(
                symbol, trades, symbol.aggregate(trades, self.records.counter("agg:" + symbol.name).next_id), now_ns
            )
        self.book_changed(symbol, now_ns)
        return fills

    def canceled(self, symbol: Symbol, order: ExchangeOrder, cancel_id: str, now_ns: int) -> None:
        """Ends an order that its owner canceled."""
        order.status = "CANCELED"
        self._ended(symbol, order, now_ns)
        self._report(symbol, order, "CANCELED", now_ns, cancel_id=cancel_id)
        self._position(symbol, order, now_ns)
        if order.is_working:
            self.book_changed(symbol, now_ns)
        self._notify_lists(order, now_ns)

    def accept_waiting(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> None:
        """Reports a new order that does not work yet."""
        self._report(symbol, order, "NEW", now_ns)
        if order.locked_atoms:
            self._position(symbol, order, now_ns)

    def expire(self, symbol: Symbol, order: ExchangeOrder, reason: str, now_ns: int, status: str = "EXPIRED") -> None:
        """Ends a waiting or resting order for the exchange; `status` may also be REJECTED."""
        was_in_book = self.withdraw(symbol, order)
        order.status = status
        order.expiry_reason = reason
        had_locked = order.locked_atoms > 0
        self._ended(symbol, order, now_ns)
        self._report(symbol, order, status, now_ns)
        if had_locked:
            self._position(symbol, order, now_ns)
        if was_in_book:
            self.book_changed(symbol, now_ns)
        self._notify_lists(order, now_ns)

    def withdraw(self, symbol: Symbol, order: ExchangeOrder) -> bool:
        """Removes an order from the waiting ones and from the book; returns whether it was in the book."""
        symbol.stops.discard(order)
        return bool(order.is_working and symbol.matching.cancel(order.order_id))

    def amended(self, symbol: Symbol, order: ExchangeOrder, old_id: str, freed_atoms: int, now_ns: int) -> int:
        """Reports a reduced order, and ends it if nothing is left open; returns the report's execution id."""
        order.update_ns = now_ns
        self.funds.release(symbol, order, freed_atoms, now_ns)
        if order.open_lots <= 0:
            order.status = "EXPIRED"
            self._ended(symbol, order, now_ns)
        execution_id = self._report(symbol, order, "REPLACED", now_ns, extra={"C": old_id})
        if freed_atoms:
            self._position(symbol, order, now_ns)
        if order.is_working:
            self.book_changed(symbol, now_ns)
        self._notify_lists(order, now_ns)
        return execution_id

    def book_changed(self, symbol: Symbol, now_ns: int) -> None:
        symbol.update_id = self.records.counter("book:" + symbol.name).next_id()
        self.market_listener.book_changed(symbol, now_ns)

    # One event each

    def _accepted(self, symbol: Symbol, event: Event, now_ns: int) -> None:
        _, order_id, resting_lots = event
        order = self.open_orders.get(order_id)
        if order is None:
            return
        order.shown_lots = min(order.iceberg_lots, resting_lots)
        self._report(symbol, order, "NEW", now_ns)
        if order.locked_atoms:
            self._position(symbol, order, now_ns)
        if order.list_id >= 0:
            self.list_listener.on_accepted(order, now_ns)

    def _traded(
        self, symbol: Symbol, taker_side: Side, event: Event, now_ns: int, fills: list[Execution]
    ) -> PublicTrade:
        _, maker_id, taker_id, price_ticks, lots, *_ = event
        trade_id = self.records.counter("trade:" + symbol.name).next_id()
        maker_buys = taker_side is Side.SELL
        trade = PublicTrade(trade_id, price_ticks, lots, now_ns, maker_buys)
        symbol.add_trade(trade)
        if symbol.stops:
            self.trigger_stops(symbol, price_ticks, now_ns)
        maker, taker = self.open_orders.get(maker_id), self.open_orders.get(taker_id)
        if maker is None and taker is None:
            return trade
        for order, is_maker in ((taker, False), (maker, True)):
            if order is None:
                self.funds.trade_with_flow(symbol, maker_buys == is_maker, trade)
            else:
                fills.append(self._filled(symbol, order, trade, is_maker, now_ns))
        self.records.price(symbol.name, price_ticks)
        return trade

    def _filled(
        self, symbol: Symbol, order: ExchangeOrder, trade: PublicTrade, is_maker: bool, now_ns: int
    ) -> Execution:
        if order.list_id >= 0 and not order.executed_lots:
            self.list_listener.on_activity(order, now_ns)
        account = self.accounts.by_name[order.account]
        quote_atoms = trade.price_ticks * trade.size_lots * symbol.notional_atoms
        got_asset, got = self.funds.exchange(account, symbol, order, trade.price_ticks, trade.size_lots)
        is_buy = order.side is Side.BUY
        fee, fee_asset = self.funds.charge_commission(account, symbol, got_asset, got, is_buy, is_maker)
        if order.executed_lots == 0:
            self.limits.count_first_fill(account.name, now_ns, is_maker)
        if is_maker and order.iceberg_lots:
            self._reduce_shown(order, trade.size_lots)
        order.executed_lots += trade.size_lots
        order.quote_atoms += quote_atoms
        order.update_ns = now_ns
        is_over = not order.open_lots
        order.status = "FILLED" if is_over else "PARTIALLY_FILLED"
        fill = Execution(
            symbol.name, trade.trade_id, order.order_id, order.account, order.side, trade.price_ticks,
            trade.size_lots, quote_atoms, fee, fee_asset, now_ns, is_maker, order.list_id,
        )  # fmt: skip
        account.add_execution(fill, self.accounts.trades_kept)
        self.records.execution(fill)
        if is_over:
            self._ended(symbol, order, now_ns)
        if order.list_id >= 0:
            self.list_listener.on_fill(order, fill, now_ns)
        assets = symbol.assets if fee_asset in symbol.assets else (*symbol.assets, fee_asset)
        self.funds.changed(account, assets, now_ns)
        self._report(symbol, order, "TRADE", now_ns, fill=fill)
        self.user_listener.position(account, assets, now_ns)
        self._notify_lists(order, now_ns)
        return fill

    def _reduce_shown(self, order: ExchangeOrder, lots: int) -> None:
        """Follows a fill of an iceberg in matching: its next part goes to the back of the queue."""
        left = order.open_lots - lots
        order.shown_lots = min(order.shown_lots, order.open_lots) - lots
        if left and not order.shown_lots:
            order.shown_lots = min(order.iceberg_lots, left)
            order.priority = self.records.counter("order").next_id()

    def trigger_stops(self, symbol: Symbol, price_ticks: int, now_ns: int) -> None:
        """Applies a trade to the stop orders: some trigger, trailing ones may move."""
        triggered, moved = symbol.stops.trade(price_ticks, now_ns)
        self.due.extend(triggered)
        for order in moved:
            self.records.order(order)
        self.records.price(symbol.name, price_ticks)

    def _prevented(self, symbol: Symbol, event: Event, now_ns: int) -> None:
        _, maker_id, taker_id, _, maker_lots, taker_lots, maker_leaves, taker_leaves, _ = event
        taker, maker = self.open_orders[taker_id], self.open_orders[maker_id]
        match = self._add_prevented_match(symbol, taker, maker, event, now_ns)
        for order, lots, leaves in ((taker, taker_lots, taker_leaves), (maker, maker_lots, maker_leaves)):
            if not lots:
                continue
            order.prevented_lots += lots
            order.prevented_match_id = match.match_id
            order.update_ns = now_ns
            if match.stp == "TRANSFER":
                if order.list_id >= 0 and not order.executed_lots:
                    self.list_listener.on_activity(order, now_ns)
                account = self.accounts.by_name[order.account]
                self.funds.exchange(account, symbol, order, match.price_ticks, lots)
                self.funds.changed(account, symbol.assets, now_ns)
            elif leaves:
                self.funds.release(symbol, order, symbol.held_atoms(order, lots), now_ns)
            if not leaves:
                order.status = "EXPIRED_IN_MATCH"
                self._ended(symbol, order, now_ns)
            extra = prevented_matches.reported(symbol, match, is_maker=order is maker)
            self._report(symbol, order, "TRADE_PREVENTION", now_ns, extra=extra)
            if match.stp == "TRANSFER":
                account = self.accounts.by_name[order.account]
                self.user_listener.position(account, (symbol.base, symbol.quote), now_ns)
            else:
                self._position(symbol, order, now_ns)
            self._notify_lists(order, now_ns)

    def _add_prevented_match(
        self, symbol: Symbol, taker: ExchangeOrder, maker: ExchangeOrder, event: Event, now_ns: int
    ) -> PreventedMatch:
        """Records the prevented match of an event for both owners."""
        maker_lots, taker_lots = event[4], event[5]
        match = PreventedMatch(
            symbol.name, self.records.counter("prevented:" + symbol.name).next_id(), taker.order_id, maker.order_id,
            taker.account, maker.account, self.accounts.by_name[taker.account].trade_group_id,
            prevented_matches.mode(taker, maker), event[3], taker_lots, maker_lots,
            min(maker_lots + event[6], taker_lots + event[7]), now_ns,
        )  # fmt: skip
        for name in {taker.account, maker.account}:
            self.accounts.by_name[name].prevented.add(match)
        self.records.prevented(match)
        return match

    def _expired(self, symbol: Symbol, event: Event, now_ns: int) -> None:
        _, order_id, _, reason = event
        order = self.open_orders.get(order_id)
        if order is None or reason == codes.STP:  # an order of the flow, or one that ended with its prevented match
            return
        order.status = "EXPIRED"
        order.expiry_reason = "INSUFFICIENT_LIQUIDITY" if order.is_market else EXPIRY_REASONS[reason]
        self._ended(symbol, order, now_ns)
        self._report(symbol, order, "EXPIRED", now_ns)
        if not order.is_market:
            self._position(symbol, order, now_ns)
        self._notify_lists(order, now_ns)

    # Shared

    def _ended(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> None:
        account = self.accounts.by_name[order.account]
        order.update_ns = now_ns
        if order.locked_atoms:
            self.funds.release(symbol, order, order.locked_atoms, now_ns)
        account.end_order(order)
        del self.open_orders[order.order_id]
        self.accounts.keep_finished(account, order)

    def _notify_lists(self, order: ExchangeOrder, now_ns: int) -> None:
        if order.list_id >= 0 and not order.is_open:
            self.list_listener.on_end(order, now_ns)

    def _report(
        self,
        symbol: Symbol,
        order: ExchangeOrder,
        kind: str,
        now_ns: int,
        fill: Execution | None = None,
        cancel_id: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> int:
        """Records and reports an order; returns the execution id."""
        self.records.order(order)
        return self.user_listener.report(symbol, order, kind, now_ns, fill, cancel_id, extra)

    def _position(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> None:
        self.user_listener.position(self.accounts.by_name[order.account], (symbol.held_asset(order),), now_ns)
