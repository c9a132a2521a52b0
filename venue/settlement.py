"""What matching decided, carried out: balances, fees, order states, public trades, and the news of them."""

from market import codes
from protocol.enums import Side
from venue.accounts import Account, Accounts
from venue.feeds import MarketFeed, Nobody, UserFeed
from venue.limits import Limits
from venue.numbers import ATOMS
from venue.orders import Execution, Order, PublicTrade
from venue.records import Records
from venue.symbol import Symbol

Event = tuple[int, ...]

EXPIRY_REASONS = {
    codes.NO_LIQUIDITY: "UNFILLED_IOC_QUANTITY_EXPIRED",
    codes.FOK_UNFILLABLE: "UNFILLED_FOK_ORDER_EXPIRED",
}


class Settlement:
    """Carries out the events of one call to matching, in their order."""

    def __init__(self, accounts: Accounts, limits: Limits, records: Records, user_feed: UserFeed) -> None:
        self.accounts = accounts
        self.limits = limits
        self.records = records
        self.market_feed: MarketFeed = Nobody()
        self.user_feed = user_feed
        self.open_orders: dict[int, Order] = {}
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
                self._accepted(symbol, event[1], now_ns)
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
        self.book_changed(symbol, now_ns)

    def ended_by_exchange(self, symbol: Symbol, order: Order, status: str, now_ns: int) -> None:
        """Nobody asked for it: an open order, taken out of the book already, is REJECTED or EXPIRED."""
        order.status = status
        self._ended(symbol, order, now_ns)
        self._report(symbol, order, status, now_ns)
        self._position(symbol, order, now_ns)
        self.book_changed(symbol, now_ns)

    def book_changed(self, symbol: Symbol, now_ns: int) -> None:
        symbol.update_id = self.records.counter("book:" + symbol.name).take()
        self.market_feed.book_changed(symbol, now_ns)

    def balances_changed(self, account: Account, assets: tuple[str, ...], now_ns: int) -> None:
        """Note balances for the log."""
        account.update_ns = now_ns
        for asset in assets:
            balance = account.balance(asset)
            self.records.balance(account.name, asset, balance.free, balance.locked)

    # One event each

    def _accepted(self, symbol: Symbol, order_id: int, now_ns: int) -> None:
        order = self.open_orders.get(order_id)
        if order is None:
            return
        self._report(symbol, order, "NEW", now_ns)
        if order.locked_atoms:
            self._position(symbol, order, now_ns)

    def _traded(
        self, symbol: Symbol, taker_side: Side, event: Event, now_ns: int, fills: list[Execution]
    ) -> PublicTrade:
        _, maker_id, taker_id, price_ticks, lots, *_ = event
        trade_id = self.records.counter("trade:" + symbol.name).take()
        maker_buys = taker_side is Side.SELL
        trade = PublicTrade(trade_id, price_ticks, lots, now_ns, maker_buys)
        symbol.add_trade(trade)
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
        account = self.accounts.by_name[order.account]
        base_atoms = trade.size_lots * symbol.lot_atoms
        quote_atoms = trade.price_ticks * trade.size_lots * symbol.notional_atoms
        is_buy = order.side is Side.BUY
        paid, got = (quote_atoms, base_atoms) if is_buy else (base_atoms, quote_atoms)
        paid_asset, got_asset = (symbol.quote, symbol.base) if is_buy else (symbol.base, symbol.quote)
        if order.ord_type == "MARKET":
            account.balance(paid_asset).free -= paid
        else:
            held = symbol.held_atoms(order, trade.size_lots)
            account.unlock(paid_asset, held)
            account.balance(paid_asset).free -= paid
            order.locked_atoms -= held
        fee = got * (account.maker_fee_atoms if is_maker else account.taker_fee_atoms) // ATOMS
        account.balance(got_asset).free += got - fee
        self.house[got_asset] = self.house.get(got_asset, 0) + fee
        if order.executed_lots == 0:
            self.limits.count_first_fill(account.name, now_ns, is_maker)
        order.executed_lots += trade.size_lots
        order.quote_atoms += quote_atoms
        order.update_ns = now_ns
        order.status = "PARTIALLY_FILLED" if order.open_lots else "FILLED"
        fill = Execution(
            symbol.name, trade.trade_id, order.order_id, order.account, order.side, trade.price_ticks,
            trade.size_lots, quote_atoms, fee, got_asset, now_ns, is_maker,
        )  # fmt: skip
        account.add_execution(fill, self.accounts.trades_kept)
        self.records.execution(fill)
        if not order.open_lots:
            self._ended(symbol, order, now_ns)
        self.balances_changed(account, (paid_asset, got_asset), now_ns)
        self._report(symbol, order, "TRADE", now_ns, fill=fill)
        self.user_feed.position(account, (symbol.base, symbol.quote), now_ns)
        return fill

    def _flow_filled(self, symbol: Symbol, is_buy: bool, trade: PublicTrade) -> None:
        sign = 1 if is_buy else -1
        base_atoms = sign * trade.size_lots * symbol.lot_atoms
        quote_atoms = sign * trade.price_ticks * trade.size_lots * symbol.notional_atoms
        self.house[symbol.base] = self.house.get(symbol.base, 0) + base_atoms
        self.house[symbol.quote] = self.house.get(symbol.quote, 0) - quote_atoms

    def _prevented(self, symbol: Symbol, event: Event, now_ns: int) -> None:
        _, maker_id, taker_id, _, maker_lots, taker_lots, maker_leaves, taker_leaves, _ = event
        match_id = self.records.counter("prevented").take()
        for order_id, lots, leaves in (
            (taker_id, taker_lots, taker_leaves),
            (maker_id, maker_lots, maker_leaves),
        ):
            order = self.open_orders.get(order_id)
            if order is None or not lots:
                continue
            order.prevented_lots += lots
            order.prevented_match_id = match_id
            order.update_ns = now_ns
            if leaves:
                self._release(symbol, order, symbol.held_atoms(order, lots), now_ns)
            else:
                order.status = "EXPIRED_IN_MATCH"
                self._ended(symbol, order, now_ns)
            self._report(symbol, order, "TRADE_PREVENTION", now_ns)
            self._position(symbol, order, now_ns)

    def _expired(self, symbol: Symbol, event: Event, now_ns: int) -> None:
        _, order_id, _, reason = event
        order = self.open_orders.get(order_id)
        if order is None or reason == codes.STP:  # of the flow; or ended as it was prevented
            return
        order.status = "EXPIRED"
        is_market = order.ord_type == "MARKET"
        order.expiry_reason = "INSUFFICIENT_LIQUIDITY" if is_market else EXPIRY_REASONS[reason]
        self._ended(symbol, order, now_ns)
        self._report(symbol, order, "EXPIRED", now_ns)
        if not is_market:
            self._position(symbol, order, now_ns)

    # Shared

    def _ended(self, symbol: Symbol, order: Order, now_ns: int) -> None:
        account = self.accounts.by_name[order.account]
        order.update_ns = now_ns
        if order.locked_atoms:
            self._release(symbol, order, order.locked_atoms, now_ns)
        account.end_order(order)
        del self.open_orders[order.order_id]
        self.accounts.keep_finished(account, order)

    def _release(self, symbol: Symbol, order: Order, amount_atoms: int, now_ns: int) -> None:
        """Free what an order held; a market order holds nothing."""
        amount_atoms = min(amount_atoms, order.locked_atoms)
        account = self.accounts.by_name[order.account]
        account.unlock(symbol.held_asset(order), amount_atoms)
        order.locked_atoms -= amount_atoms
        self.balances_changed(account, (symbol.held_asset(order),), now_ns)

    def _report(
        self,
        symbol: Symbol,
        order: Order,
        kind: str,
        now_ns: int,
        fill: Execution | None = None,
        cancel_id: str | None = None,
    ) -> None:
        self.records.order(order)
        self.user_feed.report(symbol, order, kind, now_ns, fill, cancel_id)

    def _position(self, symbol: Symbol, order: Order, now_ns: int) -> None:
        self.user_feed.position(self.accounts.by_name[order.account], (symbol.held_asset(order),), now_ns)
