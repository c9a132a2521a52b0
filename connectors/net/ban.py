"""Ban: until when the exchange refuses our address: no request and no new connection before that."""

from actors.effects import Effects
from connectors.net.server_clock import ServerClock

MS_NS = 1_000_000
LONGEST_NS = 4 * 86_400_000 * MS_NS  # a later end is no ban's: the exchange bans for at most 3 days


class Ban:
    """Shared by the parts of one connector that open connections. Times are the exchange's, ns UTC."""

    def __init__(self, fx: Effects, clock: ServerClock) -> None:
        self.until_ns = 0
        self._fx = fx
        self._clock = clock

    def extend(self, until_ns: int) -> None:
        """The exchange has banned this address; a ban never becomes shorter."""
        latest_ns = self._fx.now_ns + self._clock.offset_ns + LONGEST_NS
        self.until_ns = max(self.until_ns, min(until_ns, latest_ns))

    def left_ms(self) -> int:
        """Returns the time until the ban ends, in ms; 0 if there is none."""
        left_ns = self.until_ns - self._fx.now_ns - self._clock.offset_ns
        return max(0, -(-left_ns // MS_NS))
