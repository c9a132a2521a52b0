"""KeyWatch: what to do while the exchange refuses the key: try again at growing intervals, and halt in the end."""

from actors.effects import Effects
from connectors.orders.halts import Halts

SECOND_NS = 1_000_000_000
FIRST_NS = SECOND_NS
LONGEST_NS = 60 * SECOND_NS  # between two attempts
PATIENCE_NS = 600 * SECOND_NS  # after this time only an operator's `resume` ends it


class KeyWatch:
    """`reason`: why the exchange refuses the key, "" while it accepts it. Meanwhile no new order is placed.

    Exchanges refuse valid keys for minutes. The first refusal stops placements at once; attempts follow after 1, 2, 4
    ... 60 s, and an accepted one ends it. Refused for PATIENCE_NS, the connector halts until an operator resumes.
    """

    def __init__(self, fx: Effects, halts: Halts) -> None:
        self.reason = ""
        self._fx = fx
        self._halts = halts
        self._since_ns = self._next_ns = 0
        self._pause_ns = FIRST_NS
        self._has_halted = False

    @property
    def wait_ns(self) -> int:
        """How long to wait before the next signed request; 0 if one may leave."""
        return max(0, self._next_ns - self._fx.now_ns) if self.reason else 0

    def refused(self, reason: str) -> None:
        """The exchange has refused the key; answers to requests that left before the last one count once."""
        now_ns = self._fx.now_ns
        if not self.reason:
            self._since_ns, self._next_ns, self._pause_ns = now_ns, 0, FIRST_NS
            self._fx.log.error("key refused", reason=reason)
        self.reason = reason
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, LONGEST_NS)
        if now_ns - self._since_ns < PATIENCE_NS or self._halts.halted:
            return
        if self._has_halted:  # an operator has resumed since
            self._has_halted, self._since_ns = False, now_ns
        else:
            self._has_halted = True
            self._halts.halt(f"the exchange refuses the key: {reason}")

    def accepted(self) -> None:
        """The exchange has answered a signed request."""
        if self.reason:
            self._fx.log.info("key accepted again")
            self.reason = ""
            self._has_halted = False
