"""Replicas: a strategy's markets, orders and balances, kept up to date by the messages of the bus."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Protocol

from actors.effects import Log
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
from strategies.account import AccountReplica
from strategies.market import Market
from strategies.order import Order
from strategies.stage_names import BUS, REPLICA

REQUEST_EVERY_NS = 500_000_000  # interval of requests while data is missing, or an order is in doubt
FROM_NOW = 2**62  # a cursor above every fill


class ReplicaOwner(Protocol):
    """What replicas use of their strategy, and the two calls with which they report to it."""

    name: str
    settings: Any
    now_ns: int
    envelope: Any
    stages: Any

    @property
    def log(self) -> Log: ...

    @property
    def follows(self) -> Collection[str]: ...

    @property
    def extra_streams(self) -> tuple[str, ...]: ...

    def subscribe(self, prefix: str) -> None: ...

    def resync(self, topic: str) -> None: ...

    def after(self, delay_ns: int, call: Callable[..., None], *args: Any) -> int: ...

    def order_changed(self, order: Order) -> None:
        """An own order changed."""

    def apply_scale(self, market: Market, price_factor: int, size_factor: int) -> None:
        """The scale of a market has become finer."""

    def new_fill(self, fill: Fill) -> None:
        """A fill that was not counted before."""


class Replicas:
    """Markets by name and accounts by connector. `updates()` are the methods that run before the handlers."""

    def __init__(self, owner: ReplicaOwner) -> None:
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, AccountReplica] = {}
        self._owner = owner
        self._envelope = owner.envelope
        self._by_topic: dict[str, Market] = {}  # market data
        self._accounts_by_topic: dict[str, AccountReplica] = {}  # order streams
        self._set_stale: dict[str, Callable[[str], None]] = {}  # topic -> setter of the reason why it is stale
        self._started = False
        self._requesting = False

    def updates(self) -> dict[str, Callable[..., Any]]:
        """For each handler the method that runs before the strategy's own; it may return a converted message."""
        return {
            "on_start": self._on_start,
            "on_tick": self._on_tick,
            "on_stale": self._on_stale,
            "on_live": self._on_live,
            "on_book_snapshot": self._on_book_snapshot,
            "on_book_delta": self._on_book_delta,
            "on_book_status": self._on_book_status,
            "on_top_of_book": self._on_top_of_book,
            "on_trade": self._on_trade,
            "on_rules": self._on_rules,
            "on_orders_snapshot": self._on_orders_snapshot,
            "on_order_update": self._on_order_update,
            "on_balances": self._on_balances,
        }

    # -- opening --------------------------------------------------------------------------------------

    def open(self, name: str) -> Market:
        """Makes a Market and subscribes to it, now or at the start. Raises ValueError for an invalid name."""
        connector, colon, symbol = name.partition(":")
        if not (connector and colon and symbol):
            raise ValueError(f"market {name!r}: use connector:symbol, as in binance:BTC-USDT")
        account = self.accounts.get(connector) or self._open_account(connector)
        market = self.markets[name] = Market(name, connector, symbol, account)
        for kind in ("book", "top", "trade", "rules"):
            self._by_topic[market.topic(kind)] = market
        for kind in ("book", "rules"):
            self._set_stale[market.topic(kind)] = partial(market.set_stale, kind)
        if self._started:
            self._subscribe(market)
        return market

    def _open_account(self, connector: str) -> AccountReplica:
        account = self.accounts[connector] = AccountReplica(connector, partial(self._on_scale_changed, connector))
        orders = topics.orders(connector, self._owner.name)
        self._accounts_by_topic[orders] = account
        self._set_stale[orders] = partial(account.set_stale, "orders")
        self._set_stale[topics.account(connector)] = partial(account.set_stale, "balances")
        return account

    def _on_scale_changed(self, connector: str, symbol: str, price_factor: int, size_factor: int) -> None:
        market = self.markets.get(f"{connector}:{symbol}")
        if market is not None:
            self._owner.apply_scale(market, price_factor, size_factor)

    def _on_start(self) -> None:
        self._started = True
        settings = self._owner.settings
        for name in [getattr(settings, "market", ""), *getattr(settings, "markets", [])]:
            if isinstance(name, str) and name and name not in self.markets:
                self.open(name)
        for market in self.markets.values():
            self._subscribe(market)

    def _on_tick(self, tick: Tick) -> None:
        """The positions are reached: the book of a connector that had its turn before is as of this tick."""
        follows = self._owner.follows
        for market in self.markets.values():
            on_time = market.connector in follows and market.connector not in tick.late
            if on_time and not (tick.stale and market.topic("book") in tick.stale):
                market.confirmed_ns = tick.time_ns

    def _subscribe(self, market: Market) -> None:
        owner = self._owner
        owner.subscribe(topics.orders(market.connector, owner.name))
        owner.subscribe(topics.account(market.connector))
        for kind in ("rules", "book", "trade", *owner.extra_streams):
            owner.subscribe(market.topic(kind))
        self.request_soon()

    def cursor(self, topic: str) -> int:
        """The fill number after which a snapshot of an order stream is to contain fills.

        A new process run requests no fills: the positions of its first snapshot contain the earlier ones.
        """
        account = self._accounts_by_topic.get(topic)
        if account is None:
            return 0
        return account.orders.cursor if account.orders.known else FROM_NOW

    # -- requests -------------------------------------------------------------------------------------

    def request_soon(self) -> None:
        """Requests snapshots at intervals until no data is missing and no order is in doubt."""
        if not self._requesting:
            self._requesting = True
            self._owner.after(REQUEST_EVERY_NS, self._request_missing)

    def _request_missing(self) -> None:
        self._requesting = False
        missing = [market.topic(kind) for market in self.markets.values() for kind in market.missing_kinds]
        for topic, account in self._accounts_by_topic.items():
            if not account.orders.known or account.orders.in_doubt:
                missing.append(topic)
            if not account.balances_known:
                missing.append(topics.account(account.connector))
        for topic in missing:
            self._owner.resync(topic)
        if missing:
            self.request_soon()

    # -- state of streams -------------------------------------------------------------------------------

    def _on_stale(self, topic: str) -> None:
        set_stale = self._set_stale.get(topic)
        if set_stale is not None:
            set_stale("messages are missing")

    def set_unreachable(self, connector: str) -> None:
        """A command found no connection to the connector: its streams are stale until it sends snapshots again."""
        for topic in self._set_stale:
            if topics.publisher(topic) == connector:
                self._owner.resync(topic)

    def _on_live(self, topic: str) -> None:
        set_stale = self._set_stale.get(topic)
        if set_stale is not None:
            set_stale("")

    # -- market data ------------------------------------------------------------------------------------

    def _on_book_snapshot(self, snapshot: BookSnapshot) -> BookSnapshot | None:
        envelope = self._envelope
        market = self._by_topic.get(envelope.topic)
        if market is None:  # a stream to which the strategy itself has subscribed
            return None
        try:
            snapshot = market.account.aligned(snapshot)
            market.apply_snapshot(snapshot, envelope.seq, envelope.ts_ns)
        except ValueError as error:
            self._resync_book(market, error)
        return snapshot

    def _on_book_delta(self, delta: BookDelta) -> BookDelta | None:
        envelope, owner = self._envelope, self._owner
        stages, now_ns = owner.stages, owner.now_ns
        market = self._by_topic.get(envelope.topic)
        if market is None:
            return None
        stages.begin(now_ns)
        stages.record(BUS, now_ns - envelope.ts_ns)
        try:
            if delta.price_digits != market.price_digits or delta.size_digits != market.size_digits:
                delta = market.account.aligned(delta)
            market.apply_delta(delta, envelope.seq, envelope.ts_ns)
        except ValueError as error:
            self._resync_book(market, error)
        stages.lap(REPLICA)
        return delta

    def _resync_book(self, market: Market, error: ValueError) -> None:
        """Invalid levels: the book is stale until a snapshot comes."""
        self._owner.log.error("invalid book levels", market=market.name, error=str(error))
        self._owner.resync(market.topic("book"))
        market.set_stale("book", f"invalid levels: {error}")

    def _on_book_status(self, status: BookStatus) -> None:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            market.apply_status(status, self._envelope.seq, self._envelope.ts_ns)

    def _on_top_of_book(self, top: TopOfBook) -> TopOfBook:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            market.top = top = market.account.aligned(top)
        return top

    def _on_trade(self, trade: Trade) -> Trade:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            market.last_trade = trade = market.account.aligned(trade)
        return trade

    def _on_rules(self, rules: Rules) -> Rules:
        if (market := self._by_topic.get(self._envelope.topic)) is not None:
            rules = market.account.aligned(rules)
            market.apply_rules(rules)
        return rules

    # -- orders and balances ----------------------------------------------------------------------------

    def _on_balances(self, balances: Balances) -> None:
        if (account := self.accounts.get(self._envelope.sender)) is not None:
            account.set_balances(balances)

    def _on_orders_snapshot(self, snapshot: OrdersSnapshot) -> OrdersSnapshot:
        account = self._accounts_by_topic.get(self._envelope.topic)
        if account is None:
            return snapshot
        snapshot = account.aligned_orders(snapshot)
        known_before = account.orders.known
        changed, fills = account.orders.on_snapshot(snapshot, self._envelope.ts_ns)
        account.update_status()
        if account.orders.in_doubt:
            self.request_soon()
        for fill in fills if known_before else []:
            self._owner.new_fill(fill)
        for order in changed:
            self._owner.order_changed(order)
        return snapshot

    def _on_order_update(self, update: OrderUpdate) -> OrderUpdate:
        account = self._accounts_by_topic.get(self._envelope.topic)
        if account is None:
            return update
        update = account.aligned(update)
        order = account.orders.on_update(update)
        if order is not None:
            self._owner.order_changed(order)
        return update

    def on_fill(self, fill: Fill) -> None:
        """Counts a fill, and reports it to the strategy if it was not counted before."""
        account = self._accounts_by_topic.get(self._envelope.topic)
        if account is None:
            return
        fill = account.aligned(fill)
        order = account.orders.get(fill.order_ref)
        before = order.visible_state if order is not None else None
        if not account.orders.on_fill(fill):
            return
        self._owner.new_fill(fill)
        if order is not None and order.visible_state != before:  # a report can have counted the fill before
            self._owner.order_changed(order)
