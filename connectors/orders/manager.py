"""OrderManager: the order side of a connector. It builds the parts, starts and stops them, and runs their timer."""

from collections.abc import Callable
from hashlib import blake2b

from actors.effects import Effects
from actors.log.secret import ApiKey
from actors.safe_start import SafeStart
from actors.stages import StageTimer
from connectors.core.market_scales import MarketScales
from connectors.core.order_api import LoginRefused, OrderApi
from connectors.core.records import AccountRecord, EpochRecord
from connectors.core.reports import AccountReport, Trouble, Verdict
from connectors.market_data.feed import MarketFeed
from connectors.net.client import ExchangeClient
from connectors.net.clock_sync import ClockSync
from connectors.net.user_stream import UserStream
from connectors.orders.client_id import journal_tag
from connectors.orders.command_handler import ALL_OWNERS, CommandHandler
from connectors.orders.executor import OrderExecutor
from connectors.orders.halts import Halts
from connectors.orders.issued_ids import IssuedIds
from connectors.orders.key_watch import KeyWatch
from connectors.orders.missing_orders import MissingOrders
from connectors.orders.order_journal import OrderJournal
from connectors.orders.order_settings import OrderSettings
from connectors.orders.owner_watch import OwnerWatch
from connectors.orders.recheck_sender import RecheckSender
from connectors.orders.rechecks import Recheck, Rechecks
from connectors.orders.reconciler import Reconciler
from connectors.orders.refusal_counter import RefusalCounter
from connectors.orders.refusal_limit import RefusalLimit
from connectors.orders.report_handler import ReportHandler
from connectors.orders.risk_gate import RiskGate
from connectors.orders.status import MISSED_POLLS_MAX, ConnectorStatus
from connectors.orders.tracker import OrderTracker
from connectors.orders.traded_markets import TradedMarkets
from protocol import Message, OrdStatus, topics

MS_NS = 1_000_000
SECOND_NS = 1_000_000_000
TIMER_NS = 250 * MS_NS
CANCEL_ALL_LEVEL = 2  # of the kill switch
RULES_NS = 60_000 * MS_NS  # minimum time between two readings of the rules after a rejection
CLOCK_GAP_NS = 3_000 * MS_NS  # a beat this late means that the machine slept: the account must be read again


class OrderManager:
    """The one thing of the order side that Connector calls; without keys there is none.

    `changed()` is called when `status` may have changed. `kill_switch()` returns 0, 1 (nothing new) or 2 (cancel all).
    """

    def __init__(
        self,
        fx: Effects,
        settings: OrderSettings,
        keys: ApiKey,
        tracker: OrderTracker,
        ids: IssuedIds,
        api: OrderApi,
        client: ExchangeClient,
        feed: MarketFeed,
        scales: MarketScales,
        stages: StageTimer,
        kill_switch: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self._fx, self._settings, self._changed = fx, settings, changed
        self._fingerprint = blake2b(keys.key.encode(), digest_size=8).hexdigest()
        self._client, self._feed, self._kill_switch = client, feed, kill_switch
        self.tracker = tracker
        self._ids = ids
        self.halts = Halts(fx.log, changed)
        self.key_watch = KeyWatch(fx, self.halts)
        self.refusal_limit = refusal_limit = RefusalLimit(fx, settings.refused_per_minute_max)
        self.rechecks = Rechecks(fx, settings.not_placed_margin_ms * MS_NS, self._send_recheck)
        self.journal = journal = OrderJournal(fx, tracker, self.rechecks, self.halts)
        self.markets = TradedMarkets(settings.markets, feed, api, tracker, journal)
        self.reports = reports = ReportHandler(fx, tracker, journal, self.rechecks, ids, scales)
        self.clock_sync = ClockSync(fx, api, client, client.clock, changed)
        self.user_stream = user_stream = UserStream(
            fx, api, client.clock, settings.user_session, settings.user_event_ms, reports, self,
            self._hold_ms,
        )  # fmt: skip
        self.missing = missing = MissingOrders(fx, api, client, tracker, journal, reports)
        self.recheck_sender = RecheckSender(
            fx, api, client, tracker, journal, reports, self.rechecks, missing, user_stream.expect
        )  # fmt: skip
        self.executor = OrderExecutor(
            fx, api, client, tracker, journal, reports, self.rechecks, refusal_limit, stages,
            user_stream.expect,
        )  # fmt: skip
        self.reconciler = Reconciler(
            fx, self.markets.symbols, api, client, tracker, journal, reports, self.rechecks,
            settings.late_trades_ms * MS_NS, self,
        )  # fmt: skip
        self.owner_watch = owner_watch = OwnerWatch(fx, tracker, journal, settings.owner_silent_s)
        stale_ms = max(settings.poll_ms * MISSED_POLLS_MAX, settings.request_ms * 2)
        self.status = ConnectorStatus(
            fx, self.halts, tracker, self.markets, feed, client, user_stream, self.reconciler, owner_watch,
            reports.unreadable, self.key_watch, refusal_limit, kill_switch, stale_ms * MS_NS,
        )  # fmt: skip
        self.refusals = RefusalCounter(fx, tracker, refusal_limit)
        self.commands = CommandHandler(
            fx, self.status, RiskGate(settings.limits), tracker, ids, journal, self.executor, self.markets, feed,
            self.halts, missing, self.refusals, stages,
        )  # fmt: skip
        self._timer_ns = self._rules_ns = 0

    def _hold_ms(self) -> int:
        """How long the user stream does not try to connect: a ban lasts, or the key was refused."""
        return max(self._client.ban.left_ms(), self.key_watch.wait_ns // MS_NS)

    def _send_recheck(self, recheck: Recheck) -> bool:
        return not self.key_watch.wait_ns and self.recheck_sender.send(recheck)

    # -- start, refresh, stop ---------------------------------------------------------------------------------

    def start(self, epoch: int) -> None:
        """Begin process run `epoch` in the journal: every order that was on its way is in doubt, and is rechecked."""
        fx, tracker, now_ns = self._fx, self.tracker, self._fx.now_ns
        tracker.drop_old(now_ns)
        self.markets.start()
        if self.markets.unlisted:
            fx.log.error("open orders in markets that are not in `markets`", markets=self.markets.unlisted)
        if not tracker.tag and self._ids.tags:
            self._on_missing_journal()
        tag = tracker.tag or journal_tag(fx.name, self._fingerprint, now_ns)
        self._ids.add_tag(tag)
        self.rechecks.absence_counts = not tracker.account_id  # else once the account is known to be the journal's
        self.journal.commit([EpochRecord(epoch, tag, now_ns)])
        self.journal.commit(tracker.decide_restart(now_ns))
        for symbol, reason in tracker.halts.items():
            self.halts.halt_symbol(symbol, reason)
        for order in tracker.open.values():
            order.updated_ns = now_ns  # the journal does not contain when the exchange last reported it
            self.rechecks.follow(order, now_ns)
        for owner in tracker.owners:
            fx.publish(topics.orders(fx.name, owner), tracker.snapshot(owner, 0))
        self.journal.compact(tracker.records > 1)
        self.clock_sync.read()
        self._timer_ns = now_ns
        fx.after(TIMER_NS, self._on_timer)

    def start_safe(self, start: SafeStart) -> None:
        """Place no new order for the time of `start`; reconcile and cancel as always."""
        reason = f"safe start for {start.seconds:.1f} s: {start.reason}"
        self.halts.start_safe(reason)
        self._fx.after(round(start.seconds * SECOND_NS), self.halts.end_safe)

    def _on_missing_journal(self) -> None:
        """This connector has given out ids before, and its order journal is empty: report it, here and in the status.

        The first reconciliation adopts and cancels the open orders with these ids, before a new order may be placed.
        """
        self.halts.notice = "the order journal of earlier process runs is missing: positions begin at zero"
        self._fx.log.error("order journal is missing", reason=self.halts.notice, tags=list(self._ids.tags))

    def refresh(self) -> None:
        """Take over rules from the feed; once the exchange's time is known, begin with the account."""
        self.markets.refresh()
        if self._client.clock.is_known and not self.user_stream.is_started:
            self.user_stream.start()
            if self._client.order_socket is not None:
                self._client.order_socket.start()
            self.reconciler.start("start")

    def begin_stop(self) -> None:
        """Place nothing more; cancel all open orders if the settings require it."""
        self.halts.stopping = True
        if self._settings.cancel_on_stop:
            for order in list(self.tracker.open.values()):
                self.journal.commit(self.tracker.decide_cancel(order.cl_ord_id, self._fx.now_ns, "stop"))

    def may_stop(self) -> bool:
        """Whether no order is left that has to be cancelled before the process ends."""
        return not (self._settings.cancel_on_stop and self.tracker.open)

    def stop(self) -> None:
        """Close the connections, and publish the last counts."""
        self.refusals.publish()
        self.user_stream.stop()
        if self._client.order_socket is not None:
            self._client.order_socket.stop()
        self.reconciler.stop()

    def snapshot_orders(self, owner: str, fill_no: int) -> Message:
        """Returns the orders and positions of one owner, and its fills after `fill_no`."""
        if owner != topics.EXTERNAL:
            self._ids.add_owner(owner)
        return self.reports.external.snapshot() if owner == topics.EXTERNAL else self.tracker.snapshot(owner, fill_no)

    def snapshot_account(self) -> Message | None:
        """Returns the balances; None before the first reconciliation."""
        return self.reports.balances.message() if self.reports.balances.reconciled else None

    def on_suspended(self, reason: str) -> None:
        """The machine was suspended: nothing is placed before the account has been read again."""
        if not self.user_stream.is_started:
            return
        self.clock_sync.restart()
        self.reconciler.restart(reason)
        self.user_stream.recycle(reason)
        if self._client.order_socket is not None:
            self._client.order_socket.session.recycle(reason)
        self._changed()

    # -- the timer --------------------------------------------------------------------------------------------

    def _on_timer(self) -> None:
        """Four times a second: overdue answers, rechecks, reconciliation, compaction."""
        fx, client, tracker, user_stream = self._fx, self._client, self.tracker, self.user_stream
        fx.after(TIMER_NS, self._on_timer)
        now_ns, elapsed_ns = fx.now_ns, fx.now_ns - self._timer_ns
        self._timer_ns = now_ns
        self.refusals.publish()
        self._doubt_late_answers(now_ns)
        if self._kill_switch() >= CANCEL_ALL_LEVEL:
            self.commands.cancel_all("", ALL_OWNERS)
        self.owner_watch.check(elapsed_ns)
        self.rechecks.send_due()  # cancel requests need the journal, the key and the network, and nothing below
        self.journal.compact(tracker.records > self._settings.compact_records)
        if not user_stream.is_started:
            self._changed()
            return
        if elapsed_ns > CLOCK_GAP_NS or elapsed_ns < 0:
            fx.log.warning("clock gap", gap_ms=elapsed_ns // MS_NS)
            self.clock_sync.read()
            self.reconciler.start("the clock has a gap")
        else:
            self.clock_sync.check()
        user_stream.check()
        if client.order_socket is not None:
            client.order_socket.check()
        every_ms = self._settings.reconcile_ms if user_stream.is_reliable else self._settings.poll_ms
        if not self.reconciler.is_running and now_ns - self.reconciler.done_ns >= every_ms * MS_NS:
            self.reconciler.start("timer")
        self.reconciler.retry()
        tracker.drop_old(now_ns)
        self._changed()

    def _doubt_late_answers(self, now_ns: int) -> None:
        """Placements without an answer for `doubt_ms` are UNKNOWN."""
        doubt_ms = self._settings.doubt_ms
        for order in list(self.tracker.open.values()):
            if order.status is OrdStatus.PENDING_NEW and order.terms.ts_ns <= now_ns - doubt_ms * MS_NS:
                evidence = f"no answer for {doubt_ms} ms"
                self.journal.commit(self.tracker.decide_status(order.cl_ord_id, OrdStatus.UNKNOWN, evidence, now_ns))

    # -- listener of the client -------------------------------------------------------------------------------

    def on_trouble(self, verdict: Verdict) -> None:
        """An answer matters for more than its own request."""
        if verdict.trouble is Trouble.CLOCK_SKEW:
            self.clock_sync.restart()
        elif verdict.trouble is Trouble.BAD_KEY:
            self.key_watch.refused(verdict.reason)
            self._changed()
        elif verdict.trouble in (Trouble.RULES, Trouble.NO_MARKET) and self._fx.now_ns - self._rules_ns > RULES_NS:
            self._rules_ns = self._fx.now_ns
            self._feed.rules.request(self._settings.markets)

    # -- ReconcilerListener -----------------------------------------------------------------------------------

    def reconciled(self) -> None:
        """A pass is done."""
        self._client.latest_failure = ""
        self._changed()

    def reconcile_failed(self, reason: str) -> None:
        """A pass has to begin again."""
        self._fx.log.warning("reconciliation failed", reason=reason)
        self._client.latest_failure = reason
        self._changed()

    def account_read(self, report: AccountReport) -> None:
        """Check the account's identity and permission, adopt its fees and balances."""
        self.key_watch.accepted()
        tracker = self.tracker
        if report.account_id and not tracker.account_id:
            self.journal.commit([AccountRecord(report.account_id)])
        if report.account_id and report.account_id != tracker.account_id:
            self.rechecks.absence_counts = False
            self.reconciler.stop()  # what this account lacks is no evidence about the journal's orders
            self.halts.halt(
                f"the key belongs to account {report.account_id}, this journal to account {tracker.account_id}: "
                "use the old key, or move the journal away"
            )
            return
        self.rechecks.absence_counts = True
        if not report.can_trade:
            self.halts.halt("the exchange does not allow this account to trade")
        if report.maker_fee is not None and report.taker_fee is not None:
            self._feed.instruments.set_fees(report.maker_fee, report.taker_fee)
        self.reports.account(report)

    # -- UserStreamListener -----------------------------------------------------------------------------------

    def user_stream_live(self) -> None:
        """Earlier events may have been missed."""
        self.reconciler.start("user stream is up")
        self._changed()

    def user_stream_trusted(self) -> None:
        """The stream delivers again."""
        self.reconciler.start("user stream delivers again")
        self._changed()

    def user_stream_down(self, reason: str) -> None:
        """REST polling stands in."""
        self._fx.log.warning("user stream down", reason=reason)
        self.reconciler.start("user stream is down")
        self._changed()

    def user_stream_refused(self, refused: LoginRefused) -> None:
        """A refused key halts; any other refusal is tried again."""
        if refused.until_ns:
            self._client.set_ban(refused.until_ns, refused.reason)
        if refused.is_final:
            self.key_watch.refused(refused.reason)
        self._client.latest_failure = refused.reason
        self._changed()
