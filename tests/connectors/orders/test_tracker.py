"""The tracker against every order of events: reports lost, doubled, late, and a kill at any record."""

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.core.market_scales import MarketScales
from connectors.core.records import EpochRecord, NewOrderRecord, ScaleRecord, encode_record
from connectors.core.reports import OrderReport, TradeReport
from connectors.orders.client_id import encode_id
from connectors.orders.issued_ids import IssuedIds
from connectors.orders.order_store import KEEP_NS
from connectors.orders.rechecks import Rechecks
from connectors.orders.report_handler import ReportHandler
from connectors.orders.tracker import OrderTracker
from protocol import (
    Fill,
    Liquidity,
    OrderUpdate,
    OrdStatus,
    OrdType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.connectors.parts import RULES, SYMBOL, TAG, FakeEffects, replayed

FINAL = (OrdStatus.FILLED, OrdStatus.CANCELED)


class Host:
    """A report handler over a tracker, with the journal in memory."""

    def __init__(self, journal: list[bytes]) -> None:
        self.fx = FakeEffects()
        self.journal = journal
        self.published: list[object] = []
        self.tracker = replayed(journal)
        rechecks = Rechecks(self.fx, 0, lambda recheck: True)
        ids = IssuedIds(self.fx, self.tracker)
        scales = MarketScales(self.fx.log, self.record_scale)
        scales.load(self.tracker.scales)
        self.reports = ReportHandler(self.fx, self.tracker, self, rechecks, ids, scales)

    def record_scale(self, symbol, scale) -> None:
        self.commit([ScaleRecord(symbol, scale.tick, scale.lot)])

    def commit(self, records) -> None:
        for record in records:
            self.journal.append(encode_record(record))
            self.published += self.tracker.apply(record)


class TrueOrder:
    """An order as the exchange has it, and every report that it has sent about it."""

    def __init__(self, name: str, side: Side, size: int, order_id: str) -> None:
        self.name, self.side, self.size, self.order_id = name, side, size, order_id
        self.cum, self.status = 0, OrdStatus.NEW
        self.trades: list[TradeReport] = []
        self.reports: list[OrderReport] = []
        self.tell()

    def tell(self) -> None:
        self.reports.append(
            OrderReport(
                SYMBOL, self.name, self.order_id, self.side, OrdType.LIMIT, self.status, Decimal(100),
                RULES.size(self.size), RULES.size(self.cum), len(self.reports),
            )
        )  # fmt: skip


class Tracked(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.host = Host([])
        self.host.commit([EpochRecord(1, TAG, 1), ScaleRecord(SYMBOL, Decimal(1), Decimal("0.1"))])
        self.true: dict[str, TrueOrder] = {}
        self.sent = 0
        self.trades = 0
        self.names: list[str] = []

    # -- what we and the exchange do ------------------------------------------------------------------

    @rule(side=st.sampled_from(Side), size=st.integers(1, 6), arrives=st.booleans(), owner=st.sampled_from("ab"))
    def place(self, side, size, arrives, owner):
        self.sent = max(self.sent, self.host.tracker.counter) + 1
        name = encode_id(TAG, owner, 1, self.sent)
        self.names.append(name)
        self.host.commit(
            [
                NewOrderRecord(
                    self.sent, name, owner, self.sent, SYMBOL, side, OrdType.LIMIT, TimeInForce.GTC,
                    SelfTradePrevention.NONE, 100, size, 0, 0,
                )
            ]
        )  # fmt: skip
        if arrives:
            self.true[name] = TrueOrder(name, side, size, f"x{self.sent}")

    @precondition(lambda self: self.true)
    @rule(data=st.data(), lots=st.integers(1, 4))
    def trade(self, data, lots):
        order = self.true[data.draw(st.sampled_from(sorted(self.true)))]
        lots = min(lots, order.size - order.cum)
        if order.status in FINAL or not lots:
            return
        self.trades += 1
        order.cum += lots
        order.status = OrdStatus.FILLED if order.cum == order.size else OrdStatus.PARTIALLY_FILLED
        order.trades.append(
            TradeReport(
                SYMBOL, self.trades, order.order_id, order.side, Decimal(100), RULES.size(lots), Decimal("0.1"), "USDT",
                Liquidity.MAKER, self.trades, order.name,
            )
        )  # fmt: skip
        order.tell()

    @precondition(lambda self: self.true)
    @rule(data=st.data())
    def end(self, data):
        order = self.true[data.draw(st.sampled_from(sorted(self.true)))]
        if order.status not in FINAL:
            order.status = OrdStatus.CANCELED
            order.tell()

    @precondition(lambda self: self.host.tracker.open)
    @rule(data=st.data())
    def wish(self, data):
        name = data.draw(st.sampled_from(sorted(self.host.tracker.open)))
        self.host.commit(self.host.tracker.decide_cancel(name, self.host.fx.now_ns, "test"))

    @precondition(lambda self: self.host.tracker.open)
    @rule(data=st.data(), status=st.sampled_from([OrdStatus.UNKNOWN, OrdStatus.NOT_PLACED]))
    def doubt_or_prove(self, data, status):
        name = data.draw(st.sampled_from(sorted(self.host.tracker.open)))
        self.host.commit(self.host.tracker.decide_status(name, OrdStatus.UNKNOWN, "test", self.host.fx.now_ns))
        if name not in self.true:
            self.host.commit(self.host.tracker.decide_status(name, status, "test", self.host.fx.now_ns))

    # -- what comes of it, in whatever order ------------------------------------------------------------

    @precondition(lambda self: self.true)
    @rule(data=st.data(), times=st.integers(1, 3))
    def hear_of_order(self, data, times):
        order = self.true[data.draw(st.sampled_from(sorted(self.true)))]
        report = data.draw(st.sampled_from(order.reports))
        for _ in range(times):
            self.host.reports.order(report, "test")

    @precondition(lambda self: any(order.trades for order in self.true.values()))
    @rule(data=st.data(), times=st.integers(1, 3))
    def hear_of_trade(self, data, times):
        trades = [trade for name in sorted(self.true) for trade in self.true[name].trades]
        trade = data.draw(st.sampled_from(trades))
        for _ in range(times):
            self.host.reports.trade(trade, "test")

    @rule(lost=st.integers(0, 6))
    def die(self, lost):
        """kill -9, or a power cut that takes the last records with it."""
        journal = self.host.journal[: max(2, len(self.host.journal) - lost)]
        now_ns = self.host.fx.now_ns
        self.host = Host(list(journal))
        self.host.fx.now_ns = now_ns

    @rule()
    def compact(self):
        record = self.host.tracker.compaction()
        self.host.journal[:] = [encode_record(record), encode_record(EpochRecord(1, TAG, 1))]

    @rule()
    def forget(self):
        self.host.fx.now_ns += KEEP_NS + 1
        self.reconcile()
        self.host.fx.now_ns += KEEP_NS + 1
        self.host.tracker.drop_old(self.host.fx.now_ns)

    def reconcile(self) -> None:
        """Everything that the exchange can report."""
        for order in self.true.values():
            if self.host.reports.order(order.reports[-1], "reconcile") is not None:
                for trade in order.trades:
                    self.host.reports.trade(trade, "reconcile")

    # -- what must hold ---------------------------------------------------------------------------------

    @invariant()
    def replay_gives_the_same(self):
        again = Host(list(self.host.journal)).tracker
        again.drop_old(self.host.fx.now_ns)
        ours = Host([encode_record(self.host.tracker.compaction())]).tracker
        ours.drop_old(self.host.fx.now_ns)
        assert _content(again) == _content(ours)

    @invariant()
    def exposure_is_the_sum_of_what_is_open(self):
        tracker = self.host.tracker
        exposure = tracker.exposure(SYMBOL)
        rows = list(tracker.open.values())
        assert exposure.count == len(rows)
        for side, lots in ((Side.BUY, exposure.buy_lots), (Side.SELL, exposure.sell_lots)):
            assert lots == sum(one.state.open_lots for one in rows if one.terms.side is side)
        held = sum(one.held for owner in tracker.owners.values() for one in owner.positions.values())
        assert exposure.held_lots == int(held / RULES.lot_size)

    @invariant()
    def a_live_order_that_we_know_is_not_given_up(self):
        for name, order in self.true.items():
            known = self.host.tracker.orders.get(name)
            if known is not None and known.is_final:
                assert order.status in FINAL or known.status in (OrdStatus.NOT_PLACED, OrdStatus.REJECTED)

    def teardown(self):
        self.reconcile()
        tracker = self.host.tracker
        for side in Side:
            sold = side is Side.SELL
            true = sum(order.cum for order in self.true.values() if order.side is side)
            rows = [one for owner in tracker.owners.values() for one in owner.positions.values()]
            assert sum(one.sold_lots if sold else one.bought_lots for one in rows) == true
        for name, order in self.true.items():
            known = tracker.orders.get(name)
            if known is None:
                assert order.status in FINAL
            elif order.status in FINAL:
                assert (known.status, known.state.filled_lots) == (order.status, order.cum)
            else:
                assert name in tracker.open
        before = len(self.host.journal)
        self.reconcile()
        assert len(self.host.journal) == before, "a second pass changes nothing"


def _content(tracker: OrderTracker) -> object:
    row = tracker.compaction()
    return (
        sorted(row.orders, key=lambda one: one.terms.counter), sorted(row.owners, key=lambda one: one.owner),
        sorted(row.trades), row.counter, row.tag, row.scanned,
    )  # fmt: skip


TestTracked = Tracked.TestCase
TestTracked.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_fill_and_the_end_are_published_in_order_to_the_owner_alone():
    host = Host([])
    host.commit([EpochRecord(1, TAG, 1), ScaleRecord(SYMBOL, Decimal(1), Decimal("0.1"))])
    name = encode_id(TAG, "a", 1, 1)
    host.commit(
        [
            NewOrderRecord(
                1, name, "a", 77, SYMBOL, Side.SELL, OrdType.LIMIT, TimeInForce.GTC, SelfTradePrevention.NONE, 100, 5,
                0, 0,
            )
        ]
    )  # fmt: skip
    order = TrueOrder(name, Side.SELL, 5, "9")
    trade = TradeReport(
        SYMBOL, 4, "9", Side.SELL, Decimal(99), Decimal("0.5"), Decimal("0.05"), "USDT", Liquidity.TAKER, 3, name
    )
    host.reports.order(order.reports[0], "test")
    host.reports.trade(trade, "test")
    shown = [(type(one).__name__, one.owner, one.order_ref) for one in host.published]
    assert shown == [(kind, "a", 77) for kind in ("OrderUpdate", "OrderUpdate", "Fill", "OrderUpdate")]
    fill, update = host.published[2:]
    assert isinstance(fill, Fill)
    assert isinstance(update, OrderUpdate)
    assert (fill.last_ticks, fill.last_lots, fill.cum_lots, fill.fill_no) == (99, 5, 5, 1)
    assert update.status is OrdStatus.FILLED
    row = host.tracker.snapshot("a", 0).positions[0]
    assert (row.sold_lots, row.sold_notional, row.fees) == (5, Decimal("49.5"), [("USDT", Decimal("0.05"))])
    assert host.tracker.snapshot("a", 1).fills == []
    assert host.tracker.snapshot("b", 0).orders == []
