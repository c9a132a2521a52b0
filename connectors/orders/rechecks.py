"""Resolver: what has still to be asked of the exchange about each order, and when: until proof, never sooner.

Law 2: "not found" counts only when it was asked for later than the request's own validity plus a margin, and three
times. Law 4: a wanted cancel is sent again and again until the order has ended.
"""

from enum import Enum

import msgspec

from connectors.orders.order import Order

SECOND_NS = 1_000_000_000
NOT_FOUND_NEEDED = 3
FILLS_GRACE_NS = SECOND_NS  # the user stream usually tells a fill within this


class Ask(Enum):
    """What to send for an order."""

    QUERY = "query"
    CANCEL = "cancel"
    FILLS = "fills"


CAP_NS = {Ask.QUERY: 8 * SECOND_NS, Ask.CANCEL: 5 * SECOND_NS, Ask.FILLS: 8 * SECOND_NS}


class Chase(msgspec.Struct):
    """One question that is asked until it is answered: at 1, 2, 4, 8, ... seconds, up to a cap."""

    cl_ord_id: str
    ask: Ask
    next_ns: int
    attempt: int = 0
    in_flight: bool = False


class Resolver:
    """Holds the chases. Told of every change of an order (`follow`), it starts and ends them."""

    def __init__(self, margin_ns: int) -> None:
        self.margin_ns = margin_ns
        self.chases: dict[tuple[str, Ask], Chase] = {}
        self._not_found: dict[str, int] = {}

    def follow(self, order: Order, now_ns: int) -> None:
        """Start what the order's state asks for; end what it has no more need of."""
        state, name = order.state, order.cl_ord_id
        if order.is_final:
            self._drop(name)
            if order.wants_fills:  # the exchange has counted a fill since: it must be found
                self.want(name, Ask.FILLS, now_ns)
            return
        if state.seen:
            self._not_found.pop(name, None)
        elif state.doubted:
            self.want(name, Ask.QUERY, now_ns + SECOND_NS)
        if state.ended is None and state.cancel_wanted and (state.seen or state.doubted):
            self.want(name, Ask.CANCEL, now_ns)
        elif state.ended is not None:
            self.chases.pop((name, Ask.CANCEL), None)
        if order.wants_fills:
            self.want(name, Ask.FILLS, now_ns + FILLS_GRACE_NS)
        else:
            self.chases.pop((name, Ask.FILLS), None)

    def _drop(self, cl_ord_id: str) -> None:
        for ask in Ask:
            self.chases.pop((cl_ord_id, ask), None)
        self._not_found.pop(cl_ord_id, None)

    def want(self, cl_ord_id: str, ask: Ask, at_ns: int) -> None:
        """Ask from `at_ns` on; no effect if it is being asked already."""
        key = (cl_ord_id, ask)
        if key not in self.chases:
            self.chases[key] = Chase(cl_ord_id, ask, at_ns)

    def hasten(self, cl_ord_id: str, ask: Ask, now_ns: int) -> None:
        """Ask now, unless the answer is on its way."""
        self.want(cl_ord_id, ask, now_ns)
        chase = self.chases[cl_ord_id, ask]
        chase.next_ns = min(chase.next_ns, now_ns)

    def due(self, now_ns: int) -> list[Chase]:
        """What to send now, cancels first."""
        found = [chase for chase in self.chases.values() if not chase.in_flight and chase.next_ns <= now_ns]
        return sorted(found, key=lambda chase: chase.ask is not Ask.CANCEL)

    def sent(self, chase: Chase, now_ns: int) -> None:
        """It left: again after a while that doubles."""
        chase.in_flight = True
        chase.next_ns = now_ns + min(SECOND_NS << min(chase.attempt, 10), CAP_NS[chase.ask])
        chase.attempt += 1

    def answered(self, cl_ord_id: str, ask: Ask, is_done: bool) -> None:
        """An answer or a failure came; `is_done`: it told what was asked."""
        chase = self.chases.get((cl_ord_id, ask))
        if chase is None:
            return
        chase.in_flight = False
        if is_done:
            del self.chases[cl_ord_id, ask]

    def not_found(self, order: Order, asked_ns: int) -> str:
        """The exchange does not know the order. The proof that it never will, or "" as long as there is none.

        `asked_ns`: when the question left, by the exchange's clock.
        """
        after_ns = order.intent.valid_until_ns + self.margin_ns
        if order.state.seen or asked_ns <= after_ns:
            return ""
        count = self._not_found[order.cl_ord_id] = self._not_found.get(order.cl_ord_id, 0) + 1
        if count < NOT_FOUND_NEEDED:
            return ""
        late_s = (asked_ns - order.intent.valid_until_ns) // SECOND_NS
        return f"not found {count} times, the last {late_s} s after its request had expired"
