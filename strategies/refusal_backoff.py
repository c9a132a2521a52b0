"""RefusalBackoff: growing pauses of a strategy whose orders are refused."""

from protocol import OrdStatus, RefusalCode
from strategies.order import Order

MS_NS = 1_000_000
REFUSED = (OrdStatus.REJECTED, OrdStatus.NOT_PLACED)
RACES = (RefusalCode.WOULD_TAKE, RefusalCode.UNKNOWN_ORDER)  # the market moved meanwhile: no reason to wait longer


class RefusalBackoff:
    """Pauses of 1, 2, 4 ... s after orders that were refused, up to a cap; an accepted order ends them.

    Call `note` in `order_changed`, and place orders only while `wait_ns(now_ns)` is 0. `reason` is of the latest
    refusal, "" while there is none. `first_ms`: the first pause, ms; `cap_ms`: the longest one.
    """

    def __init__(self, first_ms: int = 1_000, cap_ms: int = 300_000) -> None:
        self.reason = ""
        self._first_ns = first_ms * MS_NS
        self._cap_ns = cap_ms * MS_NS
        self._pause_ns = self._first_ns
        self._until_ns = 0

    def note(self, order: Order, now_ns: int) -> None:
        """An order has changed. Orders that are refused within one pause lengthen it once."""
        if order.status in REFUSED and order.refusal in RACES:
            self._until_ns = max(self._until_ns, now_ns + self._first_ns)
        elif order.status in REFUSED:
            self.reason = order.reason or order.status.name
            if now_ns >= self._until_ns:
                self._until_ns = now_ns + self._pause_ns
                self._pause_ns = min(2 * self._pause_ns, self._cap_ns)
        elif order.reported and not order.is_in_flight:
            self.reason = ""
            self._pause_ns, self._until_ns = self._first_ns, 0

    def wait_ns(self, now_ns: int) -> int:
        """Returns the time until orders may be placed again, in ns; 0 if they may be now."""
        return max(0, self._until_ns - now_ns)
