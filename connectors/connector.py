"""Connector: the broker in the bot. Market data out; orders in, tracked and journaled until their proven end."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, ClassVar

from actors.actor import Actor
from actors.net import HttpAnswer, HttpFailure
from actors.secret import ApiKey
from connectors import commands
from connectors.client_id import journal_tag
from connectors.desk import Desk
from connectors.dialect import BadAnswer, Call, OrderDialect, UserRefused
from connectors.exchange_clock import SAMPLES, ExchangeClock
from connectors.feed import MarketFeed
from connectors.foreign import OWNER
from connectors.gate import Gate
from connectors.intake import Intake
from connectors.reconcile import Reconciler
from connectors.records import (
    Account,
    AnyRecord,
    CancelWish,
    Epoch,
    FillRecord,
    Finding,
    Intent,
    Report,
    Resolved,
    Scale,
    decode_record,
    encode_record,
)
from connectors.reports import AccountReport, Proof, Trouble, Verdict
from connectors.resolver import Resolver
from connectors.settings import ConnectorSettings
from connectors.throttle import Throttle
from connectors.tracker import OrderTracker
from connectors.user_stream import UserStream
from market.instrument import Instrument
from market.lattice import CONTRADICTED, LATE_FILL
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
CLOCK_GAP_NS = 3_000 * MS_NS  # a beat so late means that we slept: nothing that was known is sure
CLOCK_RETRY_NS = 1_000 * MS_NS
STALE_POLLS = 5  # polls missed in a row, after which nothing new is placed

Then = Callable[[HttpAnswer | HttpFailure], None]
_ABOUT_ORDERS = (Intent, Report, FillRecord, CancelWish, Resolved)


class Connector(Actor):
    """The base of every exchange's connector: give `make_dialect` and `make_feed`.

    States: CONNECTING, RECONCILING, TRADING, DEGRADED (REST polling stands in for the user stream), HALTED,
    STOPPING; DATA without keys. Nothing is placed before the first reconciliation.
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
        self.gate = Gate(settings.limits)
        self.clock = ExchangeClock()
        self.resolver = Resolver(settings.not_placed_margin_ms * MS_NS)
        self.intake = Intake(self)  # type: ignore[arg-type]
        self.desk = Desk(self)
        self.reconciler = Reconciler(self, settings.settle_ms * MS_NS)
        self.dialect: OrderDialect
        self.throttle = Throttle([])
        self.user: UserStream
        self.feed: MarketFeed
        self.halted = ""  # why nothing new is placed until a person resumes
        self.paused = ""
        self.halted_symbols: dict[str, str] = {}
        self.journal_trouble = ""
        self.stopping = False
        self._trouble = ""  # the latest failure, for people
        self._reading_clock = False
        self._beat_ns = 0
        self._pump_timer = 0

    def make_dialect(self, keys: ApiKey) -> OrderDialect:
        """The exchange's order side."""
        raise NotImplementedError

    def make_feed(self) -> MarketFeed:
        """The exchange's market data; it asks through `self.ask`, and tells changes to `self.judge`."""
        raise NotImplementedError

    # -- life -----------------------------------------------------------------------------------------

    def on_journal(self, journal: str, records: list[bytes]) -> None:
        for record in records:
            self.tracker.apply(decode_record(record))

    def on_start(self) -> None:
        self.feed = self.make_feed()
        if self.keys is not None:
            self._start_orders(self.keys)
        self.feed.start()
        self._beat_ns = self.now_ns
        self.after(BEAT_NS, self._beat)
        self.judge()

    def _start_orders(self, keys: ApiKey) -> None:
        tracker = self.tracker
        self.dialect = self.make_dialect(keys)
        self.throttle = Throttle(self.dialect.limits)
        self.user = UserStream(self, self.settings.user_session, self.settings.silence_ms)
        tracker.forget(self.now_ns)
        fingerprint = blake2b(keys.key.encode(), digest_size=8).hexdigest()
        tag = tracker.tag or journal_tag(self.name, fingerprint, self.now_ns)
        self.commit([Epoch(self.runtime.epoch, tag, self.now_ns)])
        self.commit(tracker.doubt_all(self.now_ns))
        for order in tracker.open.values():
            self.resolver.follow(order, self.now_ns)
        for owner in tracker.owners:
            self.publish(topics.orders(self.name, owner), tracker.snapshot(owner, 0))
        self._compact(tracker.records > 1)
        self._read_clock()

    def on_stop(self) -> None:
        self.stopping = True
        if self.keys is not None and self.settings.cancel_on_stop:
            for order in list(self.tracker.open.values()):
                self.commit(self.tracker.wish(order.cl_ord_id, self.now_ns, "stop"))
        self.judge()

    def may_stop(self) -> bool:
        if self.keys is not None and self.settings.cancel_on_stop and self.tracker.open:
            return False
        return True

    # -- commands (see connectors.commands) -------------------------------------------------------------

    def on_place_order(self, command: PlaceOrder) -> Answer | None:
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
        if topic.startswith(f"ord.{self.name}."):
            owner = topic.split(".")[2]
            return self.intake.foreign.snapshot() if owner == OWNER else self.tracker.snapshot(owner, cursor)
        return self.feed.snapshot(topic, cursor)

    # -- the journal ------------------------------------------------------------------------------------

    def commit(self, records: Sequence[AnyRecord], then: Callable[[str], None] | None = None) -> None:
        """Journal, apply, publish. `then` runs once the last record is written, or cannot be."""
        for number, record in enumerate(records, start=1):
            last = then if number == len(records) else None
            self.append(self.JOURNAL, encode_record(record), partial(self._written, last))
            for message in self.tracker.apply(record):
                self.publish(topics.orders(self.name, message.owner), message)  # type: ignore[attr-defined]
            if isinstance(record, _ABOUT_ORDERS):
                self.resolver.follow(self.tracker.orders[record.cl_ord_id], self.now_ns)
            elif isinstance(record, Finding):
                self._found(record)
        if not self._pump_timer and self.resolver.next_ns() is not None:
            self._pump_timer = self.after(0, self._pump)

    def _written(self, then: Callable[[str], None] | None, trouble: str) -> None:
        if trouble and not self.journal_trouble:
            self.journal_trouble = trouble
            self.judge()
        if then is not None:
            then(trouble)

    def _pump(self) -> None:
        self._pump_timer = 0
        self.desk.pump()

    def _found(self, record: Finding) -> None:
        """What cannot be is shown to people; and of what cannot be believed no more is done in that market."""
        self.log.error("finding", cl_ord_id=record.cl_ord_id, what=record.what)
        order = self.tracker.orders.get(record.cl_ord_id)
        if record.what not in (CONTRADICTED, LATE_FILL) and order is not None:
            self.halted_symbols[order.intent.symbol] = record.what
            self.judge()

    def _compact(self, needed: bool) -> None:
        if needed:
            self.tracker.forget(self.now_ns)
            self.tracker.records = 0
            self.rewrite(self.JOURNAL, [encode_record(self.tracker.compaction())])

    # -- requests ---------------------------------------------------------------------------------------

    @property
    def exchange_ns(self) -> int:
        """The exchange's time now."""
        return self.clock.now_ns(self.now_ns)

    def ask(self, call: Call, then: Then) -> None:
        """One call of the market data side, within the exchange's limits."""
        if self.throttle.take(call.costs, self.exchange_ns, call.urgent):
            self.http(call.request, partial(self._asked, call, then))
        else:
            self.after(0, then, HttpFailure(False, "the exchange's rate limit is used up"))

    def _asked(self, call: Call, then: Then, answer: HttpAnswer | HttpFailure) -> None:
        if self.keys is not None:
            self.answered(call, answer)
        then(answer)

    def answered(self, call: Call, answer: HttpAnswer | HttpFailure) -> Verdict:
        """Count what a call has used, and heed what its answer says about more than its order."""
        used = self.dialect.used(answer.headers) if isinstance(answer, HttpAnswer) else {}
        self.throttle.answered(call.costs, self.exchange_ns, used)
        verdict = self.dialect.judge(answer)
        if verdict.proof is Proof.PLACED:
            return verdict
        self._trouble = verdict.reason
        if verdict.retry_after_ns:
            self.log.warning("rate limit", reason=verdict.reason, pause_s=verdict.retry_after_ns // 1_000 // MS_NS)
            self.throttle.pause(self.exchange_ns + verdict.retry_after_ns)
        if verdict.trouble is Trouble.CLOCK_SKEW:
            self.clock.forget()
            self._read_clock()
        elif verdict.trouble is Trouble.BAD_KEY:
            self.halt(f"the exchange refuses the key: {verdict.reason}")
        return verdict

    # -- the exchange's clock -----------------------------------------------------------------------------

    def _read_clock(self) -> None:
        if not self._reading_clock:
            self._reading_clock = True
            self._read_clock_once(SAMPLES)

    def _read_clock_once(self, left: int) -> None:
        call = self.dialect.time_request()
        if not self.throttle.take(call.costs, self.exchange_ns):
            self.after(CLOCK_RETRY_NS, self._read_clock_once, left)
            return
        self.http(call.request, partial(self._clock_read, call, left, self.now_ns))

    def _clock_read(self, call: Call, left: int, sent_ns: int, answer: HttpAnswer | HttpFailure) -> None:
        verdict = self.answered(call, answer)
        if verdict.proof is not Proof.PLACED:
            self.judge()
            self.after(CLOCK_RETRY_NS, self._read_clock_once, left)
            return
        assert isinstance(answer, HttpAnswer)
        try:
            self.clock.add(sent_ns, self.now_ns, self.dialect.parse_time(answer.body))
        except BadAnswer as error:
            self._trouble = str(error)
            self.after(CLOCK_RETRY_NS, self._read_clock_once, left)
            return
        if left > 1:
            self._read_clock_once(left - 1)
            return
        self._reading_clock = False
        self.judge()

    # -- reconciliation and the user stream ---------------------------------------------------------------

    def reconciled(self, started_ns: int) -> None:
        """A whole pass is done."""
        self._trouble = ""
        self.judge()

    def reconcile_failed(self, reason: str) -> None:
        self.log.warning("reconcile", failed=reason)
        self._trouble = reason
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
            self.feed.set_fees(report.maker_fee, report.taker_fee)
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
        self._trouble = refused.reason
        self.judge()

    # -- state --------------------------------------------------------------------------------------------

    def halt(self, why: str) -> None:
        """Nothing new until a person resumes; cancels and tracking go on."""
        if not self.halted:
            self.log.error("halted", why=why)
        self.halted = why
        self.judge()

    def judge(self) -> None:
        """Look again at what state this is, and tell it if it changed."""
        self._learn()
        self.health(*self._state())

    def _learn(self) -> None:
        """Take over rules from the feed; when all are known, begin with the account."""
        for symbol in self.markets:
            instrument = self.feed.instrument(symbol)
            if instrument is not None and self.instruments.get(symbol) != instrument:
                self._learn_one(instrument)
        ready = self.keys is not None and len(self.instruments) == len(self.markets) and self.clock.is_known
        if ready and not self.user.is_started:
            self.user.start()
            self.reconciler.start("start")

    def _learn_one(self, instrument: Instrument) -> None:
        symbol = instrument.symbol
        self.instruments[symbol] = instrument
        if self.keys is None:
            return
        self.dialect.learn(instrument)
        scale = Scale(symbol, instrument.tick_size, instrument.lot_size)
        known = self.tracker.scales.get(symbol)
        if known is None:
            self.commit([scale])
        elif known != scale:
            self.halted_symbols[symbol] = (
                f"tick {known.tick_size}, lot {known.lot_size} in the journal; the exchange has now "
                f"{scale.tick_size}, {scale.lot_size}: move the journal away when no order is open"
            )

    def _state(self) -> tuple[str, str]:
        if self.stopping:
            return "STOPPING", f"{len(self.tracker.open)} orders may be live" if self.tracker.open else ""
        if self.feed.unknown:
            return "HALTED", self.feed.detail
        if self.keys is None:
            return ("DATA", "no keys: market data alone") if self.feed.state != "STARTING" else self._connecting()
        if len(self.instruments) < len(self.markets) or not self.clock.is_known:
            return ("HALTED", self.halted) if self.halted else self._connecting()
        if not self.reconciler.passes:
            return ("HALTED", self.halted) if self.halted else ("RECONCILING", self._trouble)
        if reason := self.halted or self.journal_trouble or self.paused:
            return "HALTED", reason
        if self.user.is_reliable:
            return "TRADING", "; ".join(f"{symbol}: {why}" for symbol, why in self.halted_symbols.items())
        return "DEGRADED", "user stream down: polling" if not self.user.is_live else "user stream silent: polling"

    def _connecting(self) -> tuple[str, str]:
        return "CONNECTING", self._trouble or self.feed.detail

    def why_not_new(self, symbol: str) -> str:
        """Why nothing new is placed in a market; "" if something may be."""
        state, detail = self.runtime.state, self.runtime.detail
        if state not in ("TRADING", "DEGRADED"):
            return f"{self.name} is {state}: {detail}"
        if symbol in self.halted_symbols:
            return f"{symbol} is halted: {self.halted_symbols[symbol]}"
        if self.throttle.is_paused(self.exchange_ns):
            return "the exchange has asked for silence"
        patience_ns = max(self.settings.poll_ms * STALE_POLLS, self.settings.request_ms * 2) * MS_NS
        if state == "DEGRADED" and self.now_ns - self.reconciler.done_ns > patience_ns:
            return f"the account was last read {(self.now_ns - self.reconciler.done_ns) // MS_NS} ms ago"
        return ""

    # -- the beat -----------------------------------------------------------------------------------------

    def _beat(self) -> None:
        """Four times a second: doubts, chases, polls, housekeeping."""
        self.after(BEAT_NS, self._beat)
        now_ns, slept_ns = self.now_ns, self.now_ns - self._beat_ns
        self._beat_ns = now_ns
        if self.keys is None or not self.user.is_started:
            return
        if slept_ns > CLOCK_GAP_NS or slept_ns < 0:
            self.log.warning("clock gap", gap_ms=slept_ns // MS_NS)
            self._read_clock()
            self.reconciler.start("we slept")
        elif self.clock.is_stale(now_ns):
            self._read_clock()
        self._doubt(now_ns)
        self.user.check()
        self.desk.pump()
        every_ms = self.settings.reconcile_ms if self.user.is_reliable else self.settings.poll_ms
        if not self.reconciler.running and now_ns - self.reconciler.done_ns >= every_ms * MS_NS:
            self.reconciler.start("timer")
        self._compact(self.tracker.records > self.settings.compact_records)
        self.tracker.forget(now_ns)
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
