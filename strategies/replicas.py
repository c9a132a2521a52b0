"""Replicas: what a strategy hears of its markets, orders and balances, kept up to the bus."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from protocol import (
    Balances,
    BookDelta,
    BookSnapshot,
    BookStatus,
    Fill,
    OrdersSnapshot,
    OrderUpdate,
    Rules,
    Tick,
    TopOfBook,
    Trade,
    topics,
)
from strategies.account import Account
from strategies.market import Market
from strategies.stage_names import BUS, REPLICA

if TYPE_CHECKING:
    from strategies.strategy import Strategy

ASK_AGAIN_NS = 500_000_000  # while something has never been told, or an order is in doubt
FROM_NOW = 2**62  # a cursor beyond every fill


class Replicas:
    """Markets by name, accounts by connector; its methods are the upkeep behind a strategy's handlers."""

    def __init__(self, strategy: "Strategy") -> None:
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}
        self._strategy = strategy
        self._envelope = strategy.envelope
        self._by_topic: dict[str, Market] = {}  # market data
        self._accounts_by_topic: dict[str, Account] = {}  # order streams
        self._marks: dict[str, Callable[[str], None]] = {}  # topic -> where its being stale is noted
        self._started = False
        self._asking = False

    def upkeep(self) -> dict[str, Callable[..., None]]:
        """What has to run for each handler before the strategy's own."""
        return {
            "on_start": self._start,
            "on_tick": self._tick,
            "on_stale": self._stale,
            "on_live": self._live,
            "on_book_snapshot": self._book_snapshot,
            "on_book_delta": self._book_delta,
            "on_book_status": self._book_status,
            "on_top_of_book": self._top_of_book,
            "on_trade": self._trade,
            "on_rules": self._rules,
            "on_orders_snapshot": self._orders_snapshot,
            "on_order_update": self._order_update,
            "on_balances": self._balances,
        }

    # -- opening --------------------------------------------------------------------------------------

    def open(self, name: str) -> Market:
        """A new Market; subscribed now, or at the start."""
        connector, colon, symbol = name.partition(":")
        if not (connector and colon and symbol):
            raise ValueError(f"market {name!r}: want connector:symbol, as in binance:BTC-USDT")
        account = self.accounts.get(connector) or self._open_account(connector)
        market = self.markets[name] = Market(name, connector, symbol, account)
        for kind in ("book", "top", "trade", "rules"):
            self._by_topic[market.topic(kind)] = market
        for kind in ("book", "rules"):
            self._marks[market.topic(kind)] = partial(market.mark, kind)
        if self._started:
            self._subscribe(market)
        return market

    def _open_account(self, connector: str) -> Account:
        account = self.accounts[connector] = Account(connector)
        orders = topics.orders(connector, self._strategy.name)
        self._accounts_by_topic[orders] = account
        self._marks[orders] = partial(account.mark, "orders")
        self._marks[topics.account(connector)] = partial(account.mark, "balances")
        return account

    def _start(self) -> None:
        self._started = True
        settings = self._strategy.settings
        for name in [getattr(settings, "market", ""), *getattr(settings, "markets", [])]:
            if isinstance(name, str) and name and name not in self.markets:
                self.open(name)
        for market in self.markets.values():
            self._subscribe(market)

    def _tick(self, tick: Tick) -> None:
        """Marks are seen: the book of a connector that had its turn before us is as of this tick."""
        follows = self._strategy.follows
        for market in self.markets.values():
            on_time = market.connector in follows and market.connector not in tick.late
            if on_time and not (tick.stale and market.topic("book") in tick.stale):
                market.seen_ns = tick.time_ns

    def _subscribe(self, market: Market) -> None:
        strategy = self._strategy
        strategy.subscribe(topics.orders(market.connector, strategy.name))
        strategy.subscribe(topics.account(market.connector))
        for kind in ("rules", "book", "trade", *strategy.extra_streams):
            strategy.subscribe(market.topic(kind))
        self.ask_soon()

    def cursor(self, topic: str) -> int:
        """The last fill counted of an order stream; a new life asks for none: its position has the old ones."""
        account = self._accounts_by_topic.get(topic)
        if account is None:
            return 0
        return account.orders.fill_no if account.orders.known else FROM_NOW

    # -- asking again ---------------------------------------------------------------------------------

    def ask_soon(self) -> None:
        """Until all is told and nothing is in doubt, ask for it from time to time."""
        if not self._asking:
            self._asking = True
            self._strategy.after(ASK_AGAIN_NS, self._ask)

    def _ask(self) -> None:
        self._asking = False
        missing = [market.topic(kind) for market in self.markets.values() for kind in market.untold]
        for topic, account in self._accounts_by_topic.items():
            if not account.orders.known or account.orders.in_doubt:
                missing.append(topic)
            if not account.balances_told:
                missing.append(topics.account(account.connector))
        for topic in missing:
            self._strategy.resync(topic)
        if missing:
            self.ask_soon()

    # -- what streams say of themselves -----------------------------------------------------------------

    def _stale(self, topic: str) -> None:
        mark = self._marks.get(topic)
        if mark is not None:
            mark("messages are missing")

    def _live(self, topic: str) -> None:
        mark = self._marks.get(topic)
        if mark is not None:
            mark("")

    # -- market data ------------------------------------------------------------------------------------

    def _book_snapshot(self, news: BookSnapshot) -> None:
        envelope = self._envelope
        market = self._by_topic.get(envelope.topic)
        if market is None:  # of a stream that the strategy itself has subscribed to
            return
        try:
            market.take_snapshot(news, envelope.seq, envelope.ts_ns)
        except ValueError as error:
            self._bad_book(market, error)

    def _book_delta(self, news: BookDelta) -> None:
        envelope, strategy = self._envelope, self._strategy
        stages, now_ns = strategy.stages, strategy.now_ns
        market = self._by_topic.get(envelope.topic)
        if market is None:
            return
        stages.begin(now_ns)
        stages.record(BUS, now_ns - envelope.ts_ns)
        try:
            market.take_delta(news, envelope.seq, envelope.ts_ns)
        except ValueError as error:
            self._bad_book(market, error)
        stages.mark(REPLICA)

    def _bad_book(self, market: Market, error: ValueError) -> None:
        """Levels that are none: the book is not to be relied on, and asked for whole."""
        self._strategy.log.error("unusable book", market=market.name, error=str(error))
        self._strategy.resync(market.topic("book"))
        market.mark("book", f"unusable levels: {error}")

    def _book_status(self, news: BookStatus) -> None:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            market.take_status(news, self._envelope.seq, self._envelope.ts_ns)

    def _top_of_book(self, news: TopOfBook) -> None:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            market.top = news

    def _trade(self, news: Trade) -> None:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            market.last_trade = news

    def _rules(self, news: Rules) -> None:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            market.take_rules(news)

    # -- orders and balances ----------------------------------------------------------------------------

    def _balances(self, news: Balances) -> None:
        if (account := self.accounts.get(self._envelope.sender)) is not None:
            account.take_balances(news)

    def _orders_snapshot(self, news: OrdersSnapshot) -> None:
        account = self._accounts_by_topic.get(self._envelope.topic)
        if account is None:
            return
        known_before = account.orders.known
        changed, fills = account.orders.replace(news, self._envelope.ts_ns)
        account.judge()
        if account.orders.in_doubt:
            self.ask_soon()
        for fill in fills if known_before else []:
            self._strategy.told_fill(fill)
        for order in changed:
            self._strategy.order_changed(order)

    def _order_update(self, news: OrderUpdate) -> None:
        account = self._accounts_by_topic.get(self._envelope.topic)
        order = account.orders.update(news) if account is not None else None
        if order is not None:
            self._strategy.order_changed(order)

    def fill(self, news: Fill) -> None:
        """Count a fill once, and tell the strategy of it if it is news."""
        account = self._accounts_by_topic.get(self._envelope.topic)
        if account is None or not account.orders.fill(news):
            return
        orders = account.orders
        self._strategy.told_fill(news)
        order = orders.get(news.order_ref)
        if order is not None:
            self._strategy.order_changed(order)
