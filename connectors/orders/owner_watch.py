"""OwnerWatch: cancels the orders of an owner that sends no heartbeat any more."""

from actors.effects import Effects
from connectors.orders.order_journal import OrderJournal
from connectors.orders.tracker import OrderTracker

SECOND_NS = 1_000_000_000
STEP_MAX_NS = SECOND_NS  # of silence that one check may add: a connector that was itself stopped has received nothing


class OwnerWatch:
    """`silent`: the owners whose orders are cancelled, with the seconds of silence after which that began.

    An owner is silent once it has had open orders for `silent_s` and sent no heartbeat and no order meanwhile, also if
    it has sent none since this connector started. It stays silent until the next one. `silent_s` 0 switches this off.
    """

    def __init__(self, fx: Effects, tracker: OrderTracker, journal: OrderJournal, silent_s: int) -> None:
        self.silent: dict[str, int] = {}
        self._fx = fx
        self._tracker = tracker
        self._journal = journal
        self._limit_ns = silent_s * SECOND_NS
        self._silent_ns: dict[str, int] = {}
        self._signs: dict[str, tuple[int, int]] = {}  # owner -> its heartbeats, and when its newest order was placed

    @property
    def detail(self) -> str:
        """Returns the text for operators; "" if no owner is silent."""
        return "; ".join(f"{name} is silent: its orders are cancelled" for name in sorted(self.silent))

    def check(self, elapsed_ns: int) -> None:
        """Called on a timer; `elapsed_ns`: time since the last call."""
        if not self._limit_ns:
            return
        step_ns = min(max(0, elapsed_ns), STEP_MAX_NS)
        newest = {}  # owner -> when its newest open order was placed
        for order in self._tracker.open.values():
            if not order.terms.adopted:
                newest[order.terms.owner] = order.terms.ts_ns
        owners = {order.terms.owner for order in self._tracker.open.values()} | self.silent.keys()
        self._silent_ns = {owner: self._silence(owner, step_ns, newest.get(owner, 0)) for owner in owners}
        for owner, silent_ns in self._silent_ns.items():
            if silent_ns >= self._limit_ns:
                self._on_silent(owner, silent_ns // SECOND_NS)

    def _silence(self, owner: str, step_ns: int, placed_ns: int) -> int:
        """Returns the time without a sign of an owner, as far as this connector has observed it."""
        count = self._fx.heartbeats(owner)
        known_count, known_ns = self._signs.get(owner, (0, placed_ns))
        self._signs[owner] = count, max(placed_ns, known_ns)
        if count == known_count and placed_ns <= known_ns:
            return self._silent_ns.get(owner, 0) + step_ns
        if self.silent.pop(owner, None) is not None:
            self._fx.log.info("owner sends heartbeats again", owner=owner)
        return 0

    def _on_silent(self, owner: str, silent_s: int) -> None:
        orders = [order for order in self._tracker.open.values() if order.terms.owner == owner]
        if owner not in self.silent:
            self.silent[owner] = silent_s
            self._fx.log.error("owner is silent", owner=owner, silent_s=silent_s, orders_cancelled=len(orders))
        for order in orders:
            self._journal.commit(self._tracker.decide_cancel(order.cl_ord_id, self._fx.now_ns, "owner is silent"))
