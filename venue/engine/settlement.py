"""What matching decided, carried out: balances, fees, order states, public trades, and the news of them."""

from collections import deque
from typing import Any

from market import codes
from protocol.enums import Side
from venue.accounts import prevented_matches as prevention
from venue.accounts.accounts import Account, Accounts
from venue.accounts.commission import Commissions
from venue.accounts.prevented_matches import PreventedMatch
from venue.accounts.rate_limits import Limits
from venue.engine.listeners import ListWatch, MarketFeed, Nobody, UserFeed
from venue.engine.records import Records
from venue.orders.order import Execution, Order, PublicTrade
from venue.symbols.symbol import Symbol

Event = tuple[int, ...]

EXPIRY_REASONS = {
    codes.NO_LIQUIDITY: "UNFILLED_IOC_QUANTITY_EXPIRED",
    codes.FOK_UNFILLABLE: "UNFILLED_FOK_ORDER_EXPIRED",
}


class Settlement:
    """Carries out the events of one call to matching, in their order."""

    def __init__(
        self, accounts: Accounts, commissions: Commissions, limits: Limits, records: Records, user_feed: UserFeed
    ) -> None:
        self.accounts = accounts
        self.commissions = commissions
        self.limits = limits
        self.records = records
        self.market_feed: MarketFeed = Nobody()
        self.user_feed = user_feed
        self.lists: ListWatch = Nobody()
        self.open_orders: dict[int, Order] = {}
        self.due: deque[Order] = deque()  # orders whose time to work has come
        self.house: dict[str, int] = {}  # atoms that left the accounts: to the flow, and as fees; may be below zero

    def apply(self, symbol: Symbol, taker_side: Side, events: list[Event], now_ns: int) -> list[Execution]:
        """The accounts' executions among `events`; the taker's before its maker's."""
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
            self.market_feed.traded(
                symbol, trades, symbol.aggregate(trades, self.records.counter("agg:" + symbol.name).take), now_ns
            )
        self.book_changed(symbol, now_ns)
        return fills

    def canceled(self, symbol: Symbol, order: Order, cancel_id: str, now_ns: int) -> None:
        """The owner ended an order."""
        order.status = "CANCELED"
        self._ended(symbol, order, now_ns)
        self._report(symbol, order, "CANCELED", now_ns, cancel_id=cancel_id)
        self._position(symbol, order, now_ns)
        if order.is_working:
            self.book_changed(symbol, now_ns)
        self._told_lists(order, now_ns)

    def waits(self, symbol: Symbol, order: Order, now_ns: int) -> None:
        """A new order that does not work yet."""
        self._report(symbol, order, "NEW", now_ns)
        if order.locked_atoms:
            self._position(symbol, order, now_ns)

    def expire(self, symbol: Symbol, order: Order, reason: str, now_ns: int, status: str = "EXPIRED") -> None:
        """The exchange ends an order, wherever it waits or rests; `status` may also be REJECTED."""
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
        self._told_lists(order, now_ns)

    def withdraw(self, symbol: Symbol, order: Order) -> bool:
        """Take an order from among those that wait, or out of the book; whether it was there."""
        symbol.stops.discard(order)
        return bool(order.is_working and symbol.matching.cancel(order.order_id))

    def release(self, symbol: Symbol, order: Order, amount_atoms: int, now_ns: int) -> None:
        """Free what an order held; a market order holds nothing."""
        amount_atoms = min(amount_atoms, order.locked_atoms)
        account = self.accounts.by_name[order.account]
        account.unlock(symbol.held_asset(order), amount_atoms)
        order.locked_atoms -= amount_atoms
        self.balances_changed(account, (symbol.held_asset(order),), now_ns)

    def release_all(self, symbol: Symbol, order: Order, now_ns: int) -> None:
        """Free all that an order holds."""
        if order.locked_atoms:
            self.release(symbol, order, order.locked_atoms, now_ns)

    def amended(self, symbol: Symbol, order: Order, old_id: str, freed_atoms: int, now_ns: int) -> int:
        """An order has become smaller, and ends where nothing of it is open any more; the report's execution id."""
        order.update_ns = now_ns
        self.release(symbol, order, freed_atoms, now_ns)
        if order.open_lots <= 0:
            order.status = "EXPIRED"
            self._ended(symbol, order, now_ns)
        execution_id = self._report(symbol, order, "REPLACED", now_ns, extra={"C": old_id})
        if freed_atoms:
            self._position(symbol, order, now_ns)
        if order.is_working:
            self.book_changed(symbol, now_ns)
        self._told_lists(order, now_ns)
        return execution_id

    def book_changed(self, symbol: Symbol, now_ns: int) -> None:
        symbol.update_id = self.records.counter("book:" + symbol.name).take()
        self.market_feed.book_changed(symbol, now_ns)

    def balances_changed(self, account: Account, assets: tuple[str, ...], now_ns: int) -> None:
        """Note balances for the log."""
        account.update_ns = now_ns
        note, name = self.records.balance, account.name
        for asset in assets:
            balance = account.balance(asset)
            note(name, asset, balance.free, balance.locked)

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
            self.lists.accepted(order, now_ns)

    def _traded(
        self, symbol: Symbol, taker_side: Side, event: Event, now_ns: int, fills: list[Execution]
    ) -> PublicTrade:
        _, maker_id, taker_id, price_ticks, lots, *_ = event
        trade_id = self.records.counter("trade:" + symbol.name).take()
        maker_buys = taker_side is Side.SELL
        trade = PublicTrade(trade_id, price_ticks, lots, now_ns, maker_buys)
        symbol.add_trade(trade)
        if symbol.stops:
            self.wake(symbol, price_ticks, now_ns)
        maker, taker = self.open_orders.get(maker_id), self.open_orders.get(taker_id)
        if maker is None and taker is None:
            return trade
        for order, is_maker in ((taker, False), (maker, True)):
            if order is None:
                self._flow_filled(symbol, maker_buys == is_maker, trade)
            else:
                fills.append(self._filled(symbol, order, trade, is_maker, now_ns))
        self.records.price(symbol.name, price_ticks)
        return trade

    def _filled(self, symbol: Symbol, order: Order, trade: PublicTrade, is_maker: bool, now_ns: int) -> Execution:
        if order.list_id >= 0 and not order.executed_lots:
            self.lists.touched(order, now_ns)
        account = self.accounts.by_name[order.account]
        quote_atoms = trade.price_ticks * trade.size_lots * symbol.notional_atoms
        got_asset, got = self._exchanged(account, symbol, order, trade.price_ticks, trade.size_lots)
        is_buy = order.side is Side.BUY
        fee, fee_asset = self.commissions.charge(account, symbol, got_asset, got, is_buy, is_maker)
        account.balance(fee_asset).free -= fee
        self.house[fee_asset] = self.house.get(fee_asset, 0) + fee
        if order.executed_lots == 0:
            self.limits.count_first_fill(account.name, now_ns, is_maker)
        if is_maker and order.iceberg_lots:
            self._shows_less(order, trade.size_lots)
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
            self.lists.filled(order, fill, now_ns)
        assets = symbol.assets if fee_asset in symbol.assets else (*symbol.assets, fee_asset)
        self.balances_changed(account, assets, now_ns)
        self._report(symbol, order, "TRADE", now_ns, fill=fill)
        self.user_feed.position(account, assets, now_ns)
        self._told_lists(order, now_ns)
        return fill

    def _exchanged(
        self, account: Account, symbol: Symbol, order: Order, price_ticks: int, lots: int
    ) -> tuple[str, int]:
        """Let an order's owner pay for so many lots, and have them; the asset and atoms that were received."""
        base_atoms, quote_atoms = lots * symbol.lot_atoms, price_ticks * lots * symbol.notional_atoms
        is_buy = order.side is Side.BUY
        paid, got = (quote_atoms, base_atoms) if is_buy else (base_atoms, quote_atoms)
        paid_asset, got_asset = (symbol.quote, symbol.base) if is_buy else (symbol.base, symbol.quote)
        if not order.is_market:
            held = symbol.held_atoms(order, lots)
            account.unlock(paid_asset, held)
            order.locked_atoms -= held
        account.balance(paid_asset).free -= paid
        account.balance(got_asset).free += got
        return got_asset, got

    def _shows_less(self, order: Order, lots: int) -> None:
        """Follow what matching does to an iceberg that is traded with: its next part stands behind all others."""
        left = order.open_lots - lots
        order.shown_lots = min(order.shown_lots, order.open_lots) - lots
        if left and not order.shown_lots:
            order.shown_lots = min(order.iceberg_lots, left)
            order.priority = self.records.counter("order").take()

    def wake(self, symbol: Symbol, price_ticks: int, now_ns: int) -> None:
        """Contingent orders hear a trade."""
        triggered, moved = symbol.stops.trade(price_ticks, now_ns)
        self.due.extend(triggered)
        for order in moved:
            self.records.order(order)
        self.records.price(symbol.name, price_ticks)

    def _flow_filled(self, symbol: Symbol, is_buy: bool, trade: PublicTrade) -> None:
        sign = 1 if is_buy else -1
        base_atoms = sign * trade.size_lots * symbol.lot_atoms
        quote_atoms = sign * trade.price_ticks * trade.size_lots * symbol.notional_atoms
        self.house[symbol.base] = self.house.get(symbol.base, 0) + base_atoms
        self.house[symbol.quote] = self.house.get(symbol.quote, 0) - quote_atoms

    def _prevented(self, symbol: Symbol, event: Event, now_ns: int) -> None:
        _, maker_id, taker_id, _, maker_lots, taker_lots, maker_leaves, taker_leaves, _ = event
        taker, maker = self.open_orders[taker_id], self.open_orders[maker_id]
        match = self._match(symbol, taker, maker, event, now_ns)
        for order, lots, leaves in ((taker, taker_lots, taker_leaves), (maker, maker_lots, maker_leaves)):
            if not lots:
                continue
            order.prevented_lots += lots
            order.prevented_match_id = match.match_id
            order.update_ns = now_ns
            if match.stp == "TRANSFER":
                if order.list_id >= 0 and not order.executed_lots:
                    self.lists.touched(order, now_ns)
                account = self.accounts.by_name[order.account]
                self._exchanged(account, symbol, order, match.price_ticks, lots)
                self.balances_changed(account, symbol.assets, now_ns)
            elif leaves:
                self.release(symbol, order, symbol.held_atoms(order, lots), now_ns)
            if not leaves:
                order.status = "EXPIRED_IN_MATCH"
                self._ended(symbol, order, now_ns)
            extra = prevention.reported(symbol, match, is_maker=order is maker)
            self._report(symbol, order, "TRADE_PREVENTION", now_ns, extra=extra)
            if match.stp == "TRANSFER":
                account = self.accounts.by_name[order.account]
                self.user_feed.position(account, (symbol.base, symbol.quote), now_ns)
            else:
                self._position(symbol, order, now_ns)
            self._told_lists(order, now_ns)

    def _match(self, symbol: Symbol, taker: Order, maker: Order, event: Event, now_ns: int) -> PreventedMatch:
        """The prevented match that an event tells of, remembered for both owners."""
        maker_lots, taker_lots = event[4], event[5]
        match = PreventedMatch(
            symbol.name, self.records.counter("prevented:" + symbol.name).take(), taker.order_id, maker.order_id,
            taker.account, maker.account, self.accounts.by_name[taker.account].trade_group_id,
            prevention.mode(taker, maker), event[3], taker_lots, maker_lots,
            min(maker_lots + event[6], taker_lots + event[7]), now_ns,
        )  # fmt: skip
        for name in {taker.account, maker.account}:
            self.accounts.by_name[name].prevented.add(match)
        self.records.prevented(match)
        return match

    def _expired(self, symbol: Symbol, event: Event, now_ns: int) -> None:
        _, order_id, _, reason = event
        order = self.open_orders.get(order_id)
        if order is None or reason == codes.STP:  # of the flow; or ended as it was prevented
            return
        order.status = "EXPIRED"
        order.expiry_reason = "INSUFFICIENT_LIQUIDITY" if order.is_market else EXPIRY_REASONS[reason]
        self._ended(symbol, order, now_ns)
        self._report(symbol, order, "EXPIRED", now_ns)
        if not order.is_market:
            self._position(symbol, order, now_ns)
        self._told_lists(order, now_ns)

    # Shared

    def _ended(self, symbol: Symbol, order: Order, now_ns: int) -> None:
        account = self.accounts.by_name[order.account]
        order.update_ns = now_ns
        if order.locked_atoms:
            self.release(symbol, order, order.locked_atoms, now_ns)
        account.end_order(order)
        del self.open_orders[order.order_id]
        self.accounts.keep_finished(account, order)

    def _told_lists(self, order: Order, now_ns: int) -> None:
        if order.list_id >= 0 and not order.is_open:
            self.lists.ended(order, now_ns)

    def _report(
        self,
        symbol: Symbol,
        order: Order,
        kind: str,
        now_ns: int,
        fill: Execution | None = None,
        cancel_id: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> int:
        """Log an order and tell of it; the execution id."""
        self.records.order(order)
        return self.user_feed.report(symbol, order, kind, now_ns, fill, cancel_id, extra)

    def _position(self, symbol: Symbol, order: Order, now_ns: int) -> None:
        self.user_feed.position(self.accounts.by_name[order.account], (symbol.held_asset(order),), now_ns)
