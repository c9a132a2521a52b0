"""Faults of what websockets tell, and of the websockets themselves."""

from typing import Any, Literal

from venue.faults.kinds.delays import Delay, Lognormal, Uniform
from venue.faults.kinds.fault import Fault, Seconds


class UserEventFault(Fault, frozen=True):
    """A fault of one user event. `account`, and `event` ("executionReport"), narrow it; empty: all."""

    account: str = ""
    event: str = ""

    def meets(self, account: str, event: str) -> bool:
        return self.account in ("", account) and self.event in ("", event)


class UserEventLost(UserEventFault, frozen=True, tag="user_event_lost"):
    """A user event is never sent."""


class UserEventTwice(UserEventFault, frozen=True, tag="user_event_twice"):
    """A user event is sent twice."""


class UserEventLate(UserEventFault, frozen=True, tag="user_event_late"):
    """A user event comes late, after those that followed it."""

    delay: Delay = Uniform(low_ms=100, high_ms=3_000)


class UserEventReordered(UserEventFault, frozen=True, tag="user_event_reordered"):
    """A user event changes places with the next."""


class FrameFault(Fault, frozen=True):
    """A fault of market frames. `symbol` ("BTC-USDT") and `stream` ("depth", "trade") narrow it; empty: all."""

    symbol: str = ""
    stream: str = ""

    def meets(self, symbol: str, stream: str) -> bool:
        return self.symbol.replace("-", "") in ("", symbol) and self.stream in ("", stream)


class DiffLost(FrameFault, frozen=True, tag="diff_lost"):
    """A diff of the book is never sent: a gap."""

    stream: str = "depth"


class DiffTwice(FrameFault, frozen=True, tag="diff_twice"):
    """A diff of the book is sent twice."""

    stream: str = "depth"


class DiffReordered(FrameFault, frozen=True, tag="diff_reordered"):
    """A diff of the book changes places with the next."""

    stream: str = "depth"


class FrameCorrupt(FrameFault, frozen=True, tag="frame_corrupt"):
    """A market frame comes cut off, as noise, or as JSON of another shape."""


class StreamDelay(FrameFault, frozen=True, tag="stream_delay"):
    """A market frame, and all that follow on its websocket, come late, in their order."""

    delay: Delay = Lognormal(median_ms=150, sigma=0.8)


class SocketFault(Fault, frozen=True):
    """A fault of whole websockets: `kind` is market, user (the websocket API) or all. `chance` is of each of them."""

    kind: Literal["all", "market", "user"] = "all"


class StreamStall(SocketFault, frozen=True, tag="stream_stall"):
    """Streams fall silent for a while, with the connection up and pings going on; of one `stream` alone, if named."""

    for_s: Seconds = 10.0
    stream: str = ""


class HalfOpen(SocketFault, frozen=True, tag="half_open"):
    """Websockets whose peer is gone: nothing comes or is read any more, no close either, until a reset at the end."""

    for_s: Seconds = 10.0


class SocketDropped(SocketFault, frozen=True, tag="socket_dropped"):
    """Websockets are closed: politely, or (`reset`) by a reset of the connection."""

    reset: bool = False
    for_s: Seconds = 0.001


class ConnectionRefused(Fault, frozen=True, tag="connection_refused"):
    """Nobody listens: new connections are refused, and requests on old ones reset. Open websockets stay."""

    for_s: Seconds = 2.0


KINDS: tuple[Any, ...] = (
    UserEventLost, UserEventTwice, UserEventLate, UserEventReordered, DiffLost, DiffTwice, DiffReordered, FrameCorrupt,
    StreamDelay, StreamStall, HalfOpen, SocketDropped, ConnectionRefused,
)  # fmt: skip
