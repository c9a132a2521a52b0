"""Settings that every connector has."""

from typing import Annotated, Literal

import msgspec

from connectors.market_data.settings import FeedSettings
from connectors.net.session import SessionSettings
from connectors.orders.risk_gate import Limits
from protocol import Settings

Ms = Annotated[int, msgspec.Meta(ge=1)]


class ConnectorSettings(Settings):
    """`limits` has one table for each market that is traded; a market without one only gives data."""

    markets: Annotated[list[str], msgspec.Meta(min_length=1)]
    limits: dict[str, Limits]
    recv_window_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 5_000  # how long a request stays valid
    request_ms: Ms = 5_000  # then an answer does not come any more
    doubt_ms: Ms = 1_000  # a placement without an answer for so long is UNKNOWN, and asked about
    not_placed_margin_ms: Ms = 70_000  # "not found" counts only so long after a placement expired
    silence_ms: Ms = 5_000  # the user stream may owe us news for so long; then REST polling stands in
    poll_ms: Ms = 2_000  # between two readings of the account while it does
    reconcile_ms: Ms = 30_000  # between two readings of the account otherwise
    settle_ms: Ms = 600_000  # trades older than this are told by every reading of the exchange's history
    orders_by: Literal["rest", "websocket"] = "rest"  # "websocket": the exchange's order line; REST while it is down
    cancel_on_stop: bool = True
    compact_records: Ms = 10_000  # the order journal is rewritten when it holds more
    feed: FeedSettings = FeedSettings()
    user_session: SessionSettings = SessionSettings(life_ms=82_800_000)
    line_session: SessionSettings = SessionSettings(life_ms=82_800_000)
