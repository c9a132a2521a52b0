"""Rechecks: the open questions about each order, and when to send them to the exchange, until they are answered.

Law 2: "not found" is evidence only when it was requested later than the placement's own validity plus a margin, and
three times. Law 4: a cancel request is resent until the order has ended.
"""

from collections.abc import Callable
from enum import Enum

import msgspec

from actors.effects import Effects
from connectors.core.reports import Outcome
from connectors.orders.tracked_order import TrackedOrder

SECOND_NS = 1_000_000_000
NOT_FOUND_NEEDED = 3
FILLS_GRACE_NS = SECOND_NS  # the user stream usually reports a fill within this time


class RecheckKind(Enum):
    """The request that a recheck sends."""

    QUERY = "query"  # the status of the order
    CANCEL = "cancel"  # its cancel request, once more
    FILLS = "fills"  # its trades


CAP_NS = {
    RecheckKind.QUERY: 8 * SECOND_NS,
    RecheckKind.CANCEL: 5 * SECOND_NS,
    RecheckKind.FILLS: 8 * SECOND_NS,
}  # longest interval between two requests


class Recheck(msgspec.Struct):
    """One request that is repeated until it is answered: after 1, 2, 4, 8, ... seconds, up to a cap."""

    cl_ord_id: str
    kind: RecheckKind
    next_ns: int
    attempt: int = 0
    in_flight: bool = False


class Rechecks:
    """The pending rechecks. `follow`, called for each change of an order, starts and ends them.

    `send(recheck)` sends one request; it returns False where no more may leave now. `absence_counts`: whether an order
    that the exchange does not know is evidence; not before the key's account is known to be the journal's.
    """

    def __init__(self, fx: Effects, margin_ns: int, send: Callable[[Recheck], bool]) -> None:
        self.pending: dict[tuple[str, RecheckKind], Recheck] = {}
        self.is_waking = False
        self.absence_counts = True
        self._fx = fx
        self._margin_ns = margin_ns
        self._send = send
        self._not_found: dict[str, int] = {}  # by client order id: late answers "not found"

    # -- sending ----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Send what is due right after the event in hand."""
        if not self.is_waking:
            self.is_waking = True
            self._fx.after(0, self._on_timer)

    def _on_timer(self) -> None:
        self.is_waking = False
        self.send_due()

    def send_due(self) -> None:
        """Send what is due, as far as limits allow; called on a timer too."""
        for recheck in self.due(self._fx.now_ns):
            if not self._send(recheck):
                return

    def due(self, now_ns: int) -> list[Recheck]:
        """Returns the rechecks to send now, cancels first."""
        found = [one for one in self.pending.values() if not one.in_flight and one.next_ns <= now_ns]
        return sorted(found, key=lambda one: one.kind is not RecheckKind.CANCEL)

    # -- starting and ending ----------------------------------------------------------------------------------

    def follow(self, order: TrackedOrder, now_ns: int) -> None:
        """Start the rechecks that the order's state requires, and end those that it no longer needs."""
        state, name = order.state, order.cl_ord_id
        if order.is_final:
            self._drop(name)
            if order.misses_fills:  # the exchange has counted a fill since: it must be found
                self.schedule(name, RecheckKind.FILLS, now_ns)
            return
        if state.seen:
            self._not_found.pop(name, None)
        elif state.doubted:
            self.schedule(name, RecheckKind.QUERY, now_ns + SECOND_NS)
        if state.ended is None and state.cancel_wanted and (state.seen or state.doubted):
            self.schedule(name, RecheckKind.CANCEL, now_ns)
        elif state.ended is not None:
            self.pending.pop((name, RecheckKind.CANCEL), None)
        if order.misses_fills:
            self.schedule(name, RecheckKind.FILLS, now_ns + FILLS_GRACE_NS)
        else:
            self.pending.pop((name, RecheckKind.FILLS), None)

    def _drop(self, cl_ord_id: str) -> None:
        for kind in RecheckKind:
            self.pending.pop((cl_ord_id, kind), None)
        self._not_found.pop(cl_ord_id, None)

    def schedule(self, cl_ord_id: str, kind: RecheckKind, at_ns: int) -> None:
        """Send from `at_ns` on; no effect if this recheck is pending already."""
        key = (cl_ord_id, kind)
        if key not in self.pending:
            self.pending[key] = Recheck(cl_ord_id, kind, at_ns)

    def recheck_now(self, cl_ord_id: str, kind: RecheckKind, now_ns: int) -> None:
        """Send now, unless an answer is on its way."""
        self.schedule(cl_ord_id, kind, now_ns)
        recheck = self.pending[cl_ord_id, kind]
        recheck.next_ns = min(recheck.next_ns, now_ns)

    # -- what happened to a request ---------------------------------------------------------------------------

    def on_sent(self, recheck: Recheck, now_ns: int) -> None:
        """The request left: the next one follows after an interval that doubles."""
        recheck.in_flight = True
        recheck.next_ns = now_ns + min(SECOND_NS << min(recheck.attempt, 10), CAP_NS[recheck.kind])
        recheck.attempt += 1

    def on_answer(self, cl_ord_id: str, kind: RecheckKind, is_done: bool) -> None:
        """An answer or a failure came; `is_done`: it answers the question, and the recheck ends."""
        recheck = self.pending.get((cl_ord_id, kind))
        if recheck is None:
            return
        recheck.in_flight = False
        if is_done:
            del self.pending[cl_ord_id, kind]

    def cancel_sent(self, cl_ord_id: str, now_ns: int) -> None:
        """A cancel request leaves as part of a replacement: it is resent if its answer is no confirmation."""
        self.schedule(cl_ord_id, RecheckKind.CANCEL, now_ns)
        self.on_sent(self.pending[cl_ord_id, RecheckKind.CANCEL], now_ns)

    def on_cancel_answer(self, cl_ord_id: str, order: TrackedOrder | None, outcome: Outcome) -> None:
        """A cancel request was answered; `order` if it is still open.

        "Unknown order" alone ends nothing: the cancel may have overtaken the placement, or the order has ended by
        itself. A query shows which.
        """
        self.on_answer(cl_ord_id, RecheckKind.CANCEL, False)
        if order is not None and outcome is Outcome.NOT_FOUND and order.state.seen:
            self.recheck_now(cl_ord_id, RecheckKind.QUERY, self._fx.now_ns)

    def not_found(self, order: TrackedOrder, requested_ns: int) -> str:
        """The exchange does not know the order. Returns the evidence that it never will, or "" while there is none.

        `requested_ns`: when the query left, by the exchange's clock. For an order that the exchange has shown, it must
        be later than the last report of it, too.
        """
        known_ns = max(order.terms.valid_until_ns, order.updated_ns if order.state.seen else 0)
        if not self.absence_counts or requested_ns <= known_ns + self._margin_ns:
            return ""
        count = self._not_found[order.cl_ord_id] = self._not_found.get(order.cl_ord_id, 0) + 1
        if count < NOT_FOUND_NEEDED:
            return ""
        late_s = (requested_ns - known_ns) // SECOND_NS
        since = "the last report of it" if order.state.seen else "its request had expired"
        return f"not found {count} times, the last {late_s} s after {since}"
