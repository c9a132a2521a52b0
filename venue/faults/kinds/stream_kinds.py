"""Faults of the frames that websockets carry, and of the websockets themselves."""

from typing import Any, Literal

from venue.faults.kinds.delays import Delay, Lognormal, Uniform
from venue.faults.kinds.fault import Fault, Seconds


class UserEventFault(Fault, frozen=True):
    """A fault of single user events. `account` and `event` ("executionReport") limit it; empty: all."""

    account: str = ""
    event: str = ""

    def matches(self, account: str, event: str) -> bool:
        return self.account in ("", account) and self.event in ("", event)


class UserEventLost(UserEventFault, frozen=True, tag="user_event_lost"):
    """A user event is never sent."""


class UserEventTwice(UserEventFault, frozen=True, tag="user_event_twice"):
    """A user event is sent twice."""


class UserEventLate(UserEventFault, frozen=True, tag="user_event_late"):
    """A user event is late, after those that followed it."""

    delay: Delay = Uniform(low_ms=100, high_ms=3_000)


class UserEventReordered(UserEventFault, frozen=True, tag="user_event_reordered"):
    """A user event changes places with the next."""


class FrameFault(Fault, frozen=True):
    """A fault of market frames. `symbol` ("BTC-USDT") and `stream` ("depth", "trade") limit it; empty: all."""

    symbol: str = ""
    stream: str = ""

    def matches(self, symbol: str, stream: str) -> bool:
        return self.symbol.replace("-", "") in ("", symbol) and self.stream in ("", stream)


class DeltaLost(FrameFault, frozen=True, tag="delta_lost"):
    """A book delta is never sent: a gap."""

    stream: str = "depth"


class DeltaTwice(FrameFault, frozen=True, tag="delta_twice"):
    """A book delta is sent twice."""

    stream: str = "depth"


class DeltaReordered(FrameFault, frozen=True, tag="delta_reordered"):
    """A book delta changes places with the next."""

    stream: str = "depth"


class FrameCorrupt(FrameFault, frozen=True, tag="frame_corrupt"):
    """A market frame is cut off, is noise, or is JSON of another shape."""


class StreamDelay(FrameFault, frozen=True, tag="stream_delay"):
    """A market frame and all that follow on its websocket are late, in their order."""

    delay: Delay = Lognormal(median_ms=150, sigma=0.8)


class SocketFault(Fault, frozen=True):
    """A fault of whole websockets: `kind` is market, user (the websocket API) or all. `chance` is per websocket."""

    kind: Literal["all", "market", "user"] = "all"


class StreamStall(SocketFault, frozen=True, tag="stream_stall"):
    """Streams send nothing for a while, with the connection up and pings going on; only one `stream`, if named."""

    for_s: Seconds = 10.0
    stream: str = ""


class HalfOpen(SocketFault, frozen=True, tag="half_open"):
    """Websockets whose peer is gone: nothing is sent or read any more, no close either, until a reset at the end."""

    for_s: Seconds = 10.0


class SocketDropped(SocketFault, frozen=True, tag="socket_dropped"):
    """Websockets are closed: by a close frame, or (`reset`) by a reset of the connection."""

    reset: bool = False
    for_s: Seconds = 0.001


class ConnectionRefused(Fault, frozen=True, tag="connection_refused"):
    """No process listens: new connections are refused, and requests on old ones reset. Open websockets stay."""

    for_s: Seconds = 2.0


class Silence(Fault, frozen=True, tag="silence"):
    """No stream of `kind` sends anything, on new websockets too: `silence` of the control endpoint."""

    kind: Literal["market", "user"] = "market"


KINDS: tuple[Any, ...] = (
    UserEventLost, UserEventTwice, UserEventLate, UserEventReordered, DeltaLost, DeltaTwice, DeltaReordered,
    FrameCorrupt, StreamDelay, StreamStall, HalfOpen, SocketDropped, ConnectionRefused,
)  # fmt: skip
"""The kinds that can be added by name; Silence comes from the control endpoint alone."""
