"""CommandHandler: carries out each order command. A method returns why it refuses, or ACCEPTED."""

from actors.effects import Effects
from actors.stages import StageTimer
from connectors.core.records import ResumedRecord
from connectors.core.stages import CHECK
from connectors.market_data.feed import MarketFeed
from connectors.orders.executor import OrderExecutor
from connectors.orders.halts import Halts
from connectors.orders.issued_ids import IssuedIds
from connectors.orders.missing_orders import MissingOrders
from connectors.orders.order_journal import OrderJournal
from connectors.orders.owners import TAGS_MAX
from connectors.orders.refusal_counter import RefusalCounter
from connectors.orders.risk_gate import RiskGate
from connectors.orders.status import ConnectorStatus
from connectors.orders.tracked_order import TrackedOrder
from connectors.orders.tracker import OrderTracker
from connectors.orders.traded_markets import TradedMarkets
from market.scale import exactly_in_scale
from protocol import ACCEPTED, CancelOrder, Control, PlaceOrder, Refusal, RefusalCode, ReleaseTag, ReplaceOrder

ALL_OWNERS = ""
TAG_MAX = 64
TEXT_MAX = 500


class CommandHandler:
    """Commands of strategies and operators; `owner` is the strategy that sent one."""

    def __init__(
        self,
        fx: Effects,
        status: ConnectorStatus,
        gate: RiskGate,
        tracker: OrderTracker,
        ids: IssuedIds,
        journal: OrderJournal,
        executor: OrderExecutor,
        markets: TradedMarkets,
        feed: MarketFeed,
        halts: Halts,
        missing: MissingOrders,
        refusals: RefusalCounter,
        stages: StageTimer,
    ) -> None:
        self._fx = fx
        self._status = status
        self._gate = gate
        self._tracker = tracker
        self._ids = ids
        self._journal = journal
        self._executor = executor
        self._markets = markets
        self._feed = feed
        self._halts = halts
        self._refusals = refusals
        self._missing = missing
        self._stages = stages

    def place(self, command: PlaceOrder, owner: str) -> Refusal:
        """Through the risk check, into the journal, out to the exchange."""
        rules = self._markets.instruments.get(command.symbol)
        if rules and (command.price_digits != rules.price_digits or command.size_digits != rules.size_digits):
            try:
                command = exactly_in_scale(command, rules.scale)
            except ValueError as error:
                return self._refused(owner, Refusal(f"{command.symbol}: {error}", RefusalCode.NEVER))
        refusal = self._refusal(command, owner)
        if not refusal:
            self._stages.lap(CHECK)
            if owner not in self._ids.owners:
                self._ids.add_owner(owner)
            refusal = self._executor.place(command, owner)
        if not refusal:
            self._gate.record_passed(command, owner, self._fx.now_ns)
            return ACCEPTED
        return self._refused(owner, refusal)

    def replace(self, command: ReplaceOrder, owner: str) -> Refusal:
        """Cancel one order and place another. Both count in the risk check: the old one may be filled meanwhile."""
        old = self._tracker.by_order_ref(owner, command.order_ref)
        if old is None or old.is_final:
            return Refusal(f"order {command.order_ref} is not open: it cannot be replaced", RefusalCode.UNKNOWN_ORDER)
        if old.state.cancel_wanted:
            return Refusal(f"order {command.order_ref} is being cancelled", RefusalCode.UNKNOWN_ORDER)
        terms = old.terms
        rules = self._markets.instruments.get(terms.symbol)
        try:
            command = command if rules is None else exactly_in_scale(command, rules.scale)
        except ValueError as error:
            return self._refused(owner, Refusal(f"{terms.symbol}: {error}", RefusalCode.NEVER))
        order = PlaceOrder(
            command.cmd_id, command.deadline_ns, terms.symbol, terms.side, command.price_ticks, command.size_lots,
            terms.ord_type, terms.time_in_force, terms.stp, tag=terms.tag,
        )  # fmt: skip
        refusal = self._refusal(order, owner)
        if not refusal:
            refusal = self._executor.replace(order, owner, old)
        if not refusal:
            self._gate.record_passed(order, owner, self._fx.now_ns)
            return ACCEPTED
        return self._refused(owner, refusal)

    def _refused(self, owner: str, refusal: Refusal) -> Refusal:
        self._refusals.count(owner, refusal)
        return refusal

    def _refusal(self, order: PlaceOrder, owner: str) -> Refusal:
        if self._tracker.by_order_ref(owner, order.cmd_id) is not None:
            return Refusal(f"order {order.cmd_id} is placed already", RefusalCode.REPEATED)
        if len(order.tag) > TAG_MAX or not order.tag.isprintable():
            return Refusal(
                f"tag {order.tag[:TAG_MAX]!r}: use at most {TAG_MAX} printable characters", RefusalCode.NEVER
            )
        if order.tag and not self._tracker.owner(owner).has_room(order.symbol, order.tag):
            return Refusal(f"{owner} has {TAGS_MAX} tags: release those that are done", RefusalCode.LIMIT)
        symbol = order.symbol
        return self._status.why_not(symbol) or self._gate.refusal(
            order, owner, self._markets.instruments.get(symbol), self._feed.book(symbol),
            self._tracker.exposure(symbol), self._fx.now_ns,
        )  # fmt: skip

    def cancel(self, command: CancelOrder, owner: str) -> Refusal:
        """Request a cancel; order updates report its end. Cancelling a closed order is accepted, and does nothing."""
        order = self._tracker.by_order_ref(owner, command.order_ref)
        if order is None:
            return Refusal(f"{owner} has no order {command.order_ref} here", RefusalCode.UNKNOWN_ORDER)
        self._cancel(order, owner)
        return ACCEPTED

    def cancel_all(self, symbol: str, owner: str, tag: str = "") -> Refusal:
        """Cancel the open orders of one owner (or ALL_OWNERS), in one market or all (""), with one tag or any ("")."""
        for order in list(self._tracker.open.values()):
            terms = order.terms
            is_meant = symbol in ("", terms.symbol) and owner in (ALL_OWNERS, terms.owner) and tag in ("", terms.tag)
            if is_meant:
                self._cancel(order, owner or "control")
        return ACCEPTED

    def release(self, command: ReleaseTag, owner: str) -> Refusal:
        """Drop the ledger of a tag. Releasing an unknown tag is accepted, and does nothing."""
        symbol, tag = command.symbol, command.tag
        for order in self._tracker.open.values():
            if (order.terms.owner, order.terms.symbol, order.terms.tag) == (owner, symbol, tag):
                return Refusal(
                    f"order {order.terms.order_ref} with tag {tag!r} may be live: cancel it first", RefusalCode.LATER
                )
        self._journal.commit(self._tracker.decide_release(owner, symbol, tag, self._fx.now_ns))
        return ACCEPTED

    def _cancel(self, order: TrackedOrder, by: str) -> None:
        self._journal.commit(self._tracker.decide_cancel(order.cl_ord_id, self._fx.now_ns, by))

    def control(self, command: Control) -> Refusal:
        """pause: no new orders; resume: also after a halt; cancel_all: all orders of this bot, in market `argument`;
        forget: the order `argument`, unless the exchange still has it."""
        if command.command == "pause":
            self._halts.pause(command.argument or "paused")
        elif command.command == "resume":
            self._halts.resume()
            if self._tracker.halts:
                self._journal.commit([ResumedRecord(self._fx.now_ns)])
        elif command.command == "cancel_all":
            return self._cancel_market(command.argument)
        elif command.command == "forget":
            return self._forget(command.argument)
        return ACCEPTED

    def _cancel_market(self, symbol: str) -> Refusal:
        """A mistyped market is refused: it would leave all orders open, unnoticed."""
        if symbol and symbol not in self._markets.symbols():
            names = ", ".join(self._markets.symbols())
            text = f"no market {symbol!r} here, nothing is cancelled: the markets are {names}"
            return Refusal(text[:TEXT_MAX], RefusalCode.NEVER)
        return self.cancel_all(symbol, ALL_OWNERS)

    def _forget(self, name: str) -> Refusal:
        """`name`: a client order id of ours, or the exchange's id, of an order that may be live."""
        live = self._tracker.open.values()
        found = [order for order in live if name and name in (order.cl_ord_id, order.alias, order.order_id)]
        if len(found) != 1:
            names = ", ".join(order.cl_ord_id for order in live) or "none"
            which = "several orders have" if found else "no order that may be live has"
            return Refusal(f"{which} the id {name!r}; those that may be live: {names[:500]}", RefusalCode.UNKNOWN_ORDER)
        self._missing.forget(found[0], "an operator")
        return ACCEPTED
