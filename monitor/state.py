"""What a watcher knows of a running bot, reduced from the messages that a tap hears."""

from collections import OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from actors.tap import Tapped
from monitor.views import ActorView, MarketView
from protocol import (
    Balances,
    BookDelta,
    BookSnapshot,
    BookStatus,
    Fill,
    Health,
    Heartbeat,
    OrdersSnapshot,
    OrderUpdate,
    OrdStatus,
    Rules,
    Stages,
    StreamState,
    TickReport,
    topics,
)
from protocol.message import Message, handler_name

HOPS_MAX = 20_000  # the latest hops and ticks, for percentiles
FILLS_MAX = 200
FINISHED_MAX = 20_000  # ids of orders that are over, so that late news of one is not a new order
ZERO = Decimal(0)

Ask = Callable[[str, str], Any]
"""(publisher, prefix): ask for snapshots of these streams."""


class RunState:
    """All of it. `take` each message; `ask` is called for what has to be told afresh."""

    def __init__(self, ask: Ask = lambda *_: None) -> None:
        self.actors: dict[str, ActorView] = {}
        self.markets: dict[tuple[str, str], MarketView] = {}
        self.open_orders: OrderedDict[str, OrderUpdate] = OrderedDict()
        self.fills: deque[Fill] = deque(maxlen=FILLS_MAX)
        self.fills_seen = 0
        self.orders_seen = 0
        self.balances: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
        self.opening: dict[str, dict[str, Decimal]] = {}
        self.opening_mids: dict[str, Decimal] = {}
        self.report: TickReport | None = None
        self.hops_us: deque[float] = deque(maxlen=HOPS_MAX)
        self.tick_us: deque[float] = deque(maxlen=HOPS_MAX)
        self._before = (0, 0, 0)  # ticks, skipped, late of the clock's earlier lives
        self._clock_epoch = 0
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._fill_no: dict[tuple[str, str], int] = {}
        self._ask = ask
        kinds: tuple[type[Message], ...] = (
            Heartbeat, Health, TickReport, Rules, BookSnapshot, BookDelta, BookStatus, OrderUpdate, Fill,
            OrdersSnapshot, Balances, Stages,
        )  # fmt: skip
        self._takers: dict[type[Message], Callable[[Tapped, Any], None]] = {
            kind: getattr(self, handler_name(kind).replace("on_", "_take_", 1)) for kind in kinds
        }

    def take(self, heard: Tapped) -> None:
        """Take in one message; types that do not matter here are passed over."""
        taker = self._takers.get(type(heard.body))  # type: ignore[arg-type]
        if taker is not None:
            taker(heard, heard.body)

    # -- actors and clock -------------------------------------------------------------------------------

    def _actor(self, name: str) -> ActorView:
        found = self.actors.get(name)
        if found is None:
            found = self.actors[name] = ActorView()
            for prefix in (f"md.{name}.", f"ord.{name}.", f"acct.{name}."):
                self._ask(name, prefix)
        return found

    def _take_heartbeat(self, heard: Tapped, beat: Heartbeat) -> None:
        view = self._actor(heard.sender)
        view.pid, view.ticks, view.lost, view.invalid_frames = beat.pid, beat.ticks, beat.lost, beat.invalid_frames
        view.duplicates, view.loop = beat.duplicates, beat.loop
        view.state, view.detail = beat.state, beat.detail
        view.epoch = heard.epoch
        view.first_epoch = view.first_epoch or heard.epoch
        view.heard_ns = heard.recv_ns

    def _take_health(self, heard: Tapped, health: Health) -> None:
        view = self._actor(heard.sender)
        view.state, view.detail = health.state, health.detail

    def _take_stages(self, heard: Tapped, stages: Stages) -> None:
        view = self._actor(heard.sender)
        view.stages, view.stages_ns = stages, heard.recv_ns

    def _take_tick_report(self, heard: Tapped, report: TickReport) -> None:
        if heard.epoch != self._clock_epoch and self.report is not None:  # a new life of the clock counts from 0
            self._before = (self.ticks, self.ticks_skipped, self.ticks_late)
        self._clock_epoch = heard.epoch
        self.report = report
        self.hops_us.extend(us for _, us in report.hops)
        self.tick_us.append(report.took_ns / 1e3)

    @property
    def ticks(self) -> int:
        """Ticks over all lives of the clock that we have heard of."""
        return self._before[0] + (self.report.ticks if self.report else 0)

    @property
    def ticks_skipped(self) -> int:
        return self._before[1] + (self.report.ticks_skipped if self.report else 0)

    @property
    def ticks_late(self) -> int:
        return self._before[2] + (self.report.ticks_late if self.report else 0)

    # -- markets -----------------------------------------------------------------------------------------

    def _market(self, heard: Tapped, symbol: str) -> MarketView:
        key = heard.sender, symbol
        found = self.markets.get(key)
        if found is None:
            found = self.markets[key] = MarketView(*key)
        return found

    def _take_rules(self, heard: Tapped, rules: Rules) -> None:
        self._market(heard, rules.symbol).rules = rules

    def _take_book_snapshot(self, heard: Tapped, news: BookSnapshot) -> None:
        market = self._market(heard, news.symbol)
        market.book.apply_snapshot(news.bids, news.asks)
        market.epoch, market.seq = heard.epoch, heard.seq
        market.trouble = "" if news.state is not StreamState.STALE else "stale"
        self._note_opening(market)

    def _take_book_delta(self, heard: Tapped, news: BookDelta) -> None:
        market = self._market(heard, news.symbol)
        if heard.epoch == market.epoch and heard.seq <= market.seq:
            return  # older than the snapshot
        if heard.epoch != market.epoch or heard.seq != market.seq + 1:
            if market.trouble != "waiting for a snapshot":
                market.trouble = "waiting for a snapshot"
                self._ask(heard.sender, topics.market_data(heard.sender, news.symbol, "book"))
            return
        market.seq = heard.seq
        market.book.apply_delta(news.bids, news.asks)

    def _take_book_status(self, heard: Tapped, news: BookStatus) -> None:
        market = self._market(heard, news.symbol)
        if heard.epoch == market.epoch and heard.seq == market.seq + 1:
            market.seq = heard.seq
        market.trouble = f"{news.state.name.lower()}: {news.reason}" if news.state is not StreamState.LIVE else ""

    # -- orders and money --------------------------------------------------------------------------------

    def _take_order_update(self, _: Tapped, order: OrderUpdate) -> None:
        known = order.cl_ord_id in self.open_orders or order.cl_ord_id in self._finished
        if not known and order.cl_ord_id:
            self.orders_seen += 1
        if order.status.is_final:
            self.open_orders.pop(order.cl_ord_id, None)
            self._finish(order.cl_ord_id)
        elif order.cl_ord_id not in self._finished:
            self.open_orders[order.cl_ord_id] = order

    def _finish(self, cl_ord_id: str) -> None:
        self._finished[cl_ord_id] = None
        if len(self._finished) > FINISHED_MAX:
            self._finished.popitem(last=False)

    def _take_fill(self, heard: Tapped, fill: Fill) -> None:
        key = heard.sender, fill.owner
        if fill.fill_no <= self._fill_no.get(key, 0):
            return
        self._fill_no[key] = fill.fill_no
        self.fills_seen += 1
        self.fills.append(fill)

    def _take_orders_snapshot(self, heard: Tapped, news: OrdersSnapshot) -> None:
        listed = {order.cl_ord_id for order in news.orders}
        for cl_ord_id, order in list(self.open_orders.items()):
            if order.owner == news.owner and cl_ord_id not in listed:
                del self.open_orders[cl_ord_id]
                self._finish(cl_ord_id)
        for order in news.orders:
            self._take_order_update(heard, order)
        key = heard.sender, news.owner
        if key not in self._fill_no:  # fills of before we listened are not news
            self._fill_no[key] = news.fill_no
        for fill in news.fills:
            self._take_fill(heard, fill)

    def _take_balances(self, heard: Tapped, news: Balances) -> None:
        rows = {asset: (free, locked) for asset, free, locked in news.rows}
        self.balances[heard.sender] = rows
        if heard.sender not in self.opening:
            self.opening[heard.sender] = {asset: free + locked for asset, (free, locked) in rows.items()}

    # -- sums --------------------------------------------------------------------------------------------

    def _note_opening(self, market: MarketView) -> None:
        rules, mid = market.rules, market.mid
        if rules is not None and mid is not None and rules.base not in self.opening_mids:
            self.opening_mids[rules.base] = mid

    def prices(self) -> dict[str, Decimal]:
        """The price of each asset that has one, in the quote of the first market."""
        found: dict[str, Decimal] = {}
        for market in self.markets.values():
            if market.rules is not None and market.mid is not None:
                found.setdefault(market.rules.quote, Decimal(1))
                found.setdefault(market.rules.base, market.mid)
        return found

    def totals(self) -> dict[str, Decimal]:
        """What all accounts own, free and locked, by asset."""
        sums: dict[str, Decimal] = {}
        for rows in self.balances.values():
            for asset, (free, locked) in rows.items():
                sums[asset] = sums.get(asset, ZERO) + free + locked
        return sums

    def lost(self) -> int:
        """Messages that actors have found missing."""
        return sum(view.lost for view in self.actors.values())

    def in_doubt(self) -> list[OrderUpdate]:
        """Orders of which nobody knows whether they are on the exchange."""
        return [order for order in self.open_orders.values() if order.status is OrdStatus.UNKNOWN]
