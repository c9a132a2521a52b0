"""RunState: the state of a running bot, computed from the messages of a tap."""

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
    RefusalCode,
    Refusals,
    Rules,
    Stages,
    StreamState,
    TickReport,
    topics,
)
from protocol.message import Message, handler_name

HOPS_MAX = 20_000  # the latest hops and ticks, for percentiles
FILLS_MAX = 200
FINISHED_MAX = 20_000  # ids of ended orders, so that a late update of one does not count as a new order
ZERO = Decimal(0)

RequestSnapshots = Callable[[str, str], Any]
"""(publisher, prefix): request snapshots of these streams."""


class RunState:
    """Give each message to `update`; `request` is called for streams whose snapshot is needed."""

    def __init__(self, request: RequestSnapshots = lambda *_: None) -> None:
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
        self._refused: dict[tuple[str, int], Refusals] = {}  # of each connector and its process run, the latest
        self._before = (0, 0, 0)  # ticks, skipped, late of the clock's earlier process runs
        self._clock_epoch = 0
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._fill_no: dict[tuple[str, str], int] = {}
        self._request = request
        kinds: tuple[type[Message], ...] = (
            Heartbeat, Health, TickReport, Rules, BookSnapshot, BookDelta, BookStatus, OrderUpdate, Fill,
            OrdersSnapshot, Balances, Stages, Refusals,
        )  # fmt: skip
        self._handlers: dict[type[Message], Callable[[Tapped, Any], None]] = {
            kind: getattr(self, "_" + handler_name(kind)) for kind in kinds
        }

    def update(self, tapped: Tapped) -> None:
        """Applies one message; other types have no effect."""
        handler = self._handlers.get(type(tapped.body))  # type: ignore[arg-type]
        if handler is not None:
            handler(tapped, tapped.body)

    # -- actors and clock -------------------------------------------------------------------------------

    def _actor(self, name: str) -> ActorView:
        found = self.actors.get(name)
        if found is None:
            found = self.actors[name] = ActorView()
            for prefix in (f"md.{name}.", f"ord.{name}.", f"acct.{name}."):
                self._request(name, prefix)
        return found

    def _on_heartbeat(self, tapped: Tapped, beat: Heartbeat) -> None:
        view = self._actor(tapped.sender)
        view.pid, view.ticks, view.lost, view.invalid_frames = beat.pid, beat.ticks, beat.lost, beat.invalid_frames
        view.duplicates, view.loop = beat.duplicates, beat.loop
        view.state, view.detail = beat.state, beat.detail
        view.epoch = tapped.epoch
        view.first_epoch = view.first_epoch or tapped.epoch
        view.received_ns = tapped.recv_ns

    def _on_health(self, tapped: Tapped, health: Health) -> None:
        view = self._actor(tapped.sender)
        view.state, view.detail = health.state, health.detail

    def _on_stages(self, tapped: Tapped, stages: Stages) -> None:
        view = self._actor(tapped.sender)
        view.stages, view.stages_ns = stages, tapped.recv_ns

    def _on_tick_report(self, tapped: Tapped, report: TickReport) -> None:
        if tapped.epoch != self._clock_epoch and self.report is not None:  # the clock has restarted
            self._before = (self.ticks, self.ticks_skipped, self.ticks_late)
        self._clock_epoch = tapped.epoch
        self.report = report
        self.hops_us.extend(us for _, us in report.hops)
        self.tick_us.append(report.took_ns / 1e3)

    @property
    def ticks(self) -> int:
        """Ticks of all process runs of the clock since the watch began."""
        return self._before[0] + (self.report.ticks if self.report else 0)

    @property
    def ticks_skipped(self) -> int:
        """Skipped ticks of all process runs of the clock."""
        return self._before[1] + (self.report.ticks_skipped if self.report else 0)

    @property
    def ticks_late(self) -> int:
        """Late ticks of all process runs of the clock."""
        return self._before[2] + (self.report.ticks_late if self.report else 0)

    # -- markets -----------------------------------------------------------------------------------------

    def _market(self, tapped: Tapped, symbol: str) -> MarketView:
        key = tapped.sender, symbol
        found = self.markets.get(key)
        if found is None:
            found = self.markets[key] = MarketView(*key)
        return found

    def _on_rules(self, tapped: Tapped, rules: Rules) -> None:
        self._market(tapped, rules.symbol).rules = rules

    def _on_book_snapshot(self, tapped: Tapped, snapshot: BookSnapshot) -> None:
        market = self._market(tapped, snapshot.symbol)
        snapshot = market.aligned(snapshot)
        market.book.apply_snapshot(snapshot.bids, snapshot.asks)
        market.epoch, market.seq = tapped.epoch, tapped.seq
        market.trouble = "" if snapshot.state is not StreamState.STALE else "stale"
        self._note_opening(market)

    def _on_book_delta(self, tapped: Tapped, delta: BookDelta) -> None:
        market = self._market(tapped, delta.symbol)
        if tapped.epoch == market.epoch and tapped.seq <= market.seq:
            return  # before the snapshot
        if tapped.epoch != market.epoch or tapped.seq != market.seq + 1:
            if market.trouble != "waiting for a snapshot":
                market.trouble = "waiting for a snapshot"
                self._request(tapped.sender, topics.market_data(tapped.sender, delta.symbol, "book"))
            return
        market.seq = tapped.seq
        delta = market.aligned(delta)
        market.book.apply_delta(delta.bids, delta.asks)

    def _on_book_status(self, tapped: Tapped, status: BookStatus) -> None:
        market = self._market(tapped, status.symbol)
        if tapped.epoch == market.epoch and tapped.seq == market.seq + 1:
            market.seq = tapped.seq
        market.trouble = f"{status.state.name.lower()}: {status.reason}" if status.state is not StreamState.LIVE else ""

    # -- orders and balances -----------------------------------------------------------------------------

    def _on_order_update(self, _: Tapped, order: OrderUpdate) -> None:
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

    def _on_fill(self, tapped: Tapped, fill: Fill) -> None:
        key = tapped.sender, fill.owner
        if fill.fill_no <= self._fill_no.get(key, 0):
            return
        self._fill_no[key] = fill.fill_no
        self.fills_seen += 1
        self.fills.append(fill)

    def _on_orders_snapshot(self, tapped: Tapped, snapshot: OrdersSnapshot) -> None:
        listed = {order.cl_ord_id for order in snapshot.orders}
        for cl_ord_id, order in list(self.open_orders.items()):
            if order.owner == snapshot.owner and cl_ord_id not in listed:
                del self.open_orders[cl_ord_id]
                self._finish(cl_ord_id)
        for order in snapshot.orders:
            self._on_order_update(tapped, order)
        key = tapped.sender, snapshot.owner
        if key not in self._fill_no:  # fills before the watch began do not count
            self._fill_no[key] = snapshot.fill_no
        for fill in snapshot.fills:
            self._on_fill(tapped, fill)

    def _on_balances(self, tapped: Tapped, balances: Balances) -> None:
        rows = {asset: (free, locked) for asset, free, locked in balances.rows}
        self.balances[tapped.sender] = rows
        if tapped.sender not in self.opening:
            self.opening[tapped.sender] = {asset: free + locked for asset, (free, locked) in rows.items()}

    def _on_refusals(self, tapped: Tapped, refusals: Refusals) -> None:
        self._refused[tapped.sender, tapped.epoch] = refusals

    @property
    def refused_by_check(self) -> dict[RefusalCode, int]:
        """Orders that the connectors' own checks have refused since the watch began, by cause."""
        found: dict[RefusalCode, int] = {}
        for message in self._refused.values():
            for _, code, count in message.by_check:
                found[code] = found.get(code, 0) + count
        return found

    @property
    def refused_by_exchange(self) -> dict[RefusalCode, int]:
        """Orders that the exchanges have rejected since the journals began, by cause."""
        latest = {sender: message for (sender, _), message in sorted(self._refused.items())}
        found: dict[RefusalCode, int] = {}
        for message in latest.values():
            for _, code, count in message.by_exchange:
                found[code] = found.get(code, 0) + count
        return found

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
        """The sum of all accounts, free and locked, by asset."""
        sums: dict[str, Decimal] = {}
        for rows in self.balances.values():
            for asset, (free, locked) in rows.items():
                sums[asset] = sums.get(asset, ZERO) + free + locked
        return sums

    def lost(self) -> int:
        """Messages that actors reported as missing."""
        return sum(view.lost for view in self.actors.values())

    def in_doubt(self) -> list[OrderUpdate]:
        """Orders in status UNKNOWN: they may or may not be on the exchange."""
        return [order for order in self.open_orders.values() if order.status is OrdStatus.UNKNOWN]
