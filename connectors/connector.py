"""Connector: the broker in the bot. Market data out; orders in, tracked and journaled until their proven end."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, ClassVar

from actors.actor import Actor
from actors.log.secret import ApiKey
from actors.stages import stages_of
from connectors.core.order_api import OrderDialect, UserRefused
from connectors.core.records import Account, AnyRecord, Epoch, Scale, decode_record
from connectors.core.reports import AccountReport
from connectors.core.stages import COMMAND, PUBLISH, SEND, STAGES
from connectors.market_data.feed import MarketFeed
from connectors.net.client import Caller
from connectors.net.order_socket import OrderLine
from connectors.net.user_stream import UserStream
from connectors.orders import command_handler as commands
from connectors.orders.client_id import journal_tag
from connectors.orders.executor import Desk
from connectors.orders.external_orders import OWNER
from connectors.orders.order_journal import Keeper
from connectors.orders.rechecks import Resolver
from connectors.orders.reconciler import Reconciler
from connectors.orders.report_handler import Intake
from connectors.orders.risk_gate import Gate
from connectors.orders.status import Condition
from connectors.orders.tracker import OrderTracker
from connectors.settings import ConnectorSettings
from market.instrument import Instrument
from protocol import (
    Answer,
    AnswerCode,
    CancelAll,
    CancelOrder,
    Control,
    Message,
    OrdStatus,
    PlaceOrder,
    ReplaceOrder,
    topics,
)

MS_NS = 1_000_000
BEAT_NS = 250 * MS_NS
CANCEL_ALL = 2  # kill level
RULES_NS = 60_000 * MS_NS
CLOCK_GAP_NS = 3_000 * MS_NS  # a beat so late means that we slept: nothing that was known is sure


class Connector(Actor):
    """The base of every exchange's connector: give `make_dialect` and `make_feed`.

    Nothing is placed before the first reconciliation; nothing is over before its proof. See DESIGN, "the laws".
    """

    network: ClassVar[bool] = True
    journals: ClassVar[tuple[str, ...]] = ("orders",)
    JOURNAL: ClassVar[str] = "orders"

    class Settings(ConnectorSettings):
        """See ConnectorSettings."""

    keys: ApiKey | None = None  # set before on_start

    def __init__(self, name: str, settings: ConnectorSettings, runtime: Any) -> None:
        super().__init__(name, settings, runtime)
        self.markets: list[str] = settings.markets
        self.tracker = OrderTracker()
        self.instruments: dict[str, Instrument] = {}
        self.scale_troubles: dict[str, str] = {}  # by market, after its tick or lot has changed
        self.gate = Gate(settings.limits)
        self.condition = Condition(self)
        self.keeper = Keeper(self)
        self.resolver = Resolver(settings.not_placed_margin_ms * MS_NS)
        self.intake = Intake(self)
        self.desk = Desk(self)
        self.reconciler = Reconciler(self, settings.settle_ms * MS_NS)
        self.dialect: OrderDialect
        self.caller: Caller
        self.user: UserStream
        self.feed: MarketFeed
        self.stages = stages_of(self, STAGES)
        self._beat_ns = 0
        self._rules_ns = 0

    def make_dialect(self, keys: ApiKey | None) -> OrderDialect:
        """The exchange's order side; without keys nothing of it is used that needs a signature."""
        raise NotImplementedError

    def make_feed(self) -> MarketFeed:
        """The exchange's market data; it asks through `self.caller.ask`, and tells changes to `self.judge`."""
        raise NotImplementedError

    # -- life -----------------------------------------------------------------------------------------

    def on_journal(self, journal: str, records: list[bytes]) -> None:
        for record in records:
            self.tracker.apply(decode_record(record))

    def on_start(self) -> None:
        self.dialect = self.make_dialect(self.keys)
        self.caller = Caller(self, self.dialect)
        self.user = UserStream(self, self.settings.user_session, self.settings.silence_ms)
        self.feed = self.make_feed()
        if self.keys is not None:
            self._start_orders(self.keys)
        self.feed.start()
        self._beat_ns = self.now_ns
        self.after(BEAT_NS, self._beat)
        self.judge()

    def _start_orders(self, keys: ApiKey) -> None:
        tracker = self.tracker
        tracker.forget(self.now_ns)
        fingerprint = blake2b(keys.key.encode(), digest_size=8).hexdigest()
        tag = tracker.tag or journal_tag(self.name, fingerprint, self.now_ns)
        self.commit([Epoch(self.epoch, tag, self.now_ns)])
        self.commit(tracker.doubt_all(self.now_ns))
        for order in tracker.open.values():
            self.resolver.follow(order, self.now_ns)
        left = {order.intent.symbol for order in tracker.open.values()} - set(self.markets)
        if left:
            self.halt(f"the journal has open orders in {', '.join(sorted(left))}: put it back into `markets`")
        for owner in tracker.owners:
            self.publish(topics.orders(self.name, owner), tracker.snapshot(owner, 0))
        self.keeper.compact(tracker.records > 1)
        self.caller.read_clock()

    def on_stop(self) -> None:
        self.condition.stopping = True
        if self.keys is not None and self.settings.cancel_on_stop:
            for order in list(self.tracker.open.values()):
                self.commit(self.tracker.wish(order.cl_ord_id, self.now_ns, "stop"))
        self.judge()

    def may_stop(self) -> bool:
        if self.keys is not None and self.settings.cancel_on_stop and self.tracker.open:
            return False
        self.user.stop()
        if self.caller.line is not None:
            self.caller.line.stop()
        self.feed.stop()
        self.reconciler.stop()
        return True

    # -- commands (see connectors.orders.command_handler) -------------------------------------------------------------

    def on_place_order(self, command: PlaceOrder) -> Answer | None:
        self.stages.begin(self.now_ns)
        self.stages.record(COMMAND, self.now_ns - self.envelope.ts_ns)
        return _answer(command.cmd_id, commands.place(self, command, self.envelope.sender))

    def on_replace_order(self, command: ReplaceOrder) -> Answer | None:
        return _answer(command.cmd_id, commands.replace(self, command, self.envelope.sender))

    def on_cancel_order(self, command: CancelOrder) -> Answer | None:
        return _answer(command.cmd_id, commands.cancel(self, command, self.envelope.sender))

    def on_cancel_all(self, command: CancelAll) -> Answer | None:
        return _answer(command.cmd_id, commands.cancel_all(self, command.symbol, self.envelope.sender))

    def on_control(self, command: Control) -> Answer | None:
        return _answer(command.cmd_id, commands.control(self, command))

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        if topic == topics.account(self.name):
            return self.intake.balances.message() if self.intake.balances.reconciled else None
        owner = topic.removeprefix(f"ord.{self.name}.").removesuffix(".")
        if owner and "." not in owner and topic == topics.orders(self.name, owner):
            return self.intake.foreign.snapshot() if owner == OWNER else self.tracker.snapshot(owner, cursor)
        return self.feed.snapshot(topic, cursor)

    def published(self) -> None:
        """A diff of the book has been queued for the bus: note when it has left."""
        self.queue(self.stages.mark, PUBLISH)

    def requested(self) -> None:
        """An order has been queued for the network: note when it has left."""
        if self.caller.by_line:
            self.stages.mark(SEND)
        else:
            self.queue(self.stages.mark, SEND)

    def commit(self, records: Sequence[AnyRecord], then: Callable[[str], None] | None = None) -> None:
        """Journal, apply, publish (see Keeper)."""
        self.keeper.commit(records, then)

    # -- reconciliation and the user stream ---------------------------------------------------------------

    def reconciled(self, started_ns: int) -> None:
        """A whole pass is done."""
        self.caller.trouble = ""
        self.judge()

    def rules_broken(self) -> None:
        """The exchange says that an order broke a rule: ours may be out of date. They are read again, not too often."""
        if self.now_ns - self._rules_ns > RULES_NS:
            self._rules_ns = self.now_ns
            self.feed.rules.ask(self.markets)

    def reconcile_failed(self, reason: str) -> None:
        self.log.warning("reconcile", failed=reason)
        self.caller.trouble = reason
        self.judge()

    def account_read(self, report: AccountReport) -> None:
        """The whole account: whose it is, what it may do, what it pays, what it has."""
        if report.account_id and not self.tracker.account_id:
            self.commit([Account(report.account_id)])
        if report.account_id and report.account_id != self.tracker.account_id:
            self.halt(
                f"the key is of account {report.account_id}, and this journal of {self.tracker.account_id}: "
                "use the old key, or move the journal away"
            )
        elif not report.can_trade:
            self.halt("the exchange says that this account may not trade")
        if report.maker_fee is not None and report.taker_fee is not None:
            self.feed.listing.set_fees(report.maker_fee, report.taker_fee)
        self.intake.account(report)

    def keep_foreign(self, symbol: str, order_ids: set[str]) -> None:
        """Of others' orders in `symbol` only these are open."""
        if self.intake.foreign.keep(symbol, order_ids):
            self.publish(topics.orders(self.name, OWNER), self.intake.foreign.snapshot())

    def user_live(self) -> None:
        """The user stream tells everything from now on: look at what it has not told."""
        self.reconciler.start("user stream is up")
        self.judge()

    def user_trusted(self) -> None:
        """The user stream, silent about something before, tells again."""
        self.reconciler.start("user stream tells again")
        self.judge()

    def user_down(self, reason: str) -> None:
        self.log.warning("user stream down", reason=reason)
        self.reconciler.start("user stream is down")
        self.judge()

    def user_refused(self, refused: UserRefused) -> None:
        if refused.is_final:
            self.halt(f"the exchange refuses the key: {refused.reason}")
        self.caller.trouble = refused.reason
        self.judge()

    # -- state --------------------------------------------------------------------------------------------

    def halt(self, why: str) -> None:
        """Nothing new until a person resumes; cancels and tracking go on."""
        if not self.condition.halted:
            self.log.error("halted", why=why)
        self.condition.halted = why
        self.judge()

    def judge(self) -> None:
        """Look again at what state this is, and tell it if it changed."""
        self._learn()
        self.health(*self.condition.state())

    def _learn(self) -> None:
        """Take over rules from the feed; when all are known, begin with the account."""
        for symbol in self.markets:
            instrument = self.feed.instrument(symbol)
            if instrument is None:
                continue
            if self.instruments.get(symbol) != instrument:
                self.instruments[symbol] = instrument
                self.dialect.learn(instrument)
            if self.keys is not None:
                self._scale(instrument)
                self.scale_troubles[symbol] = self._scale_trouble(symbol)
        if self.keys is not None and self.condition.is_ready and not self.user.is_started:
            self.user.start()
            if self.settings.orders_by == "websocket" and self.dialect.line_url():
                self.caller.line = OrderLine(self, self.settings.line_session)
                self.caller.line.start()
            self.reconciler.start("start")

    def _scale(self, instrument: Instrument) -> None:
        """Ticks and lots of the journal follow the exchange's, once nothing that they count depends on them."""
        symbol = instrument.symbol
        scale, known = Scale(symbol, instrument.tick_size, instrument.lot_size), self.tracker.scales.get(symbol)
        if scale == known:
            return
        orders = any(order.intent.symbol == symbol for order in self.tracker.open.values())
        if known is None or (known.lot_size == scale.lot_size and not orders):
            self.commit([scale])

    def _scale_trouble(self, symbol: str) -> str:
        known, now = self.tracker.scales.get(symbol), self.instruments[symbol]
        if known is None or (known.tick_size, known.lot_size) == (now.tick_size, now.lot_size):
            return ""
        return (
            f"tick {known.tick_size} and lot {known.lot_size} have become {now.tick_size} and {now.lot_size}: a new "
            "tick is taken over once no order is open; for a new lot move the journal away"
        )

    # -- the beat -----------------------------------------------------------------------------------------

    def _beat(self) -> None:
        """Four times a second: doubts, chases, polls, housekeeping."""
        self.after(BEAT_NS, self._beat)
        now_ns, slept_ns, tracker = self.now_ns, self.now_ns - self._beat_ns, self.tracker
        self._beat_ns = now_ns
        if self.keys is None or not self.user.is_started:
            return
        if slept_ns > CLOCK_GAP_NS or slept_ns < 0:
            self.log.warning("clock gap", gap_ms=slept_ns // MS_NS)
            self.caller.read_clock()
            self.reconciler.start("we slept")
        elif self.caller.clock.is_stale(now_ns):
            self.caller.read_clock()
        self._doubt(now_ns)
        if self.kill_switch() >= CANCEL_ALL:
            commands.cancel_all(self, "", commands.EVERYBODY)
        self.user.check()
        if self.caller.line is not None:
            self.caller.line.check()
        self.desk.pump()
        every_ms = self.settings.reconcile_ms if self.user.is_reliable else self.settings.poll_ms
        if not self.reconciler.running and now_ns - self.reconciler.done_ns >= every_ms * MS_NS:
            self.reconciler.start("timer")
        self.keeper.compact(tracker.records > self.settings.compact_records)
        tracker.forget(now_ns)
        self.judge()

    def _doubt(self, now_ns: int) -> None:
        """Placements that wait too long for their answer."""
        limit_ns = now_ns - self.settings.doubt_ms * MS_NS
        for order in list(self.tracker.open.values()):
            if order.status is OrdStatus.PENDING_NEW and order.intent.ts_ns <= limit_ns:
                waited = f"no answer for {self.settings.doubt_ms} ms"
                self.commit(self.tracker.resolve(order.cl_ord_id, OrdStatus.UNKNOWN, waited, now_ns))


def _answer(cmd_id: int, refusal: str) -> Answer | None:
    return Answer(cmd_id, AnswerCode.REFUSED, refusal) if refusal else None
