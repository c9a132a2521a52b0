"""Settings of the order side of a connector."""

from typing import Annotated, Literal

import msgspec

from connectors.net.session import SessionSettings
from connectors.orders.risk_gate import Limits, PositiveInt
from protocol import Settings

Ms = PositiveInt


class OrderSettings(Settings):
    """`limits` has one table for each market that is traded. Times are in ms."""

    markets: Annotated[list[str], msgspec.Meta(min_length=1)]
    limits: dict[str, Limits]
    recv_window_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 5_000  # how long the exchange accepts a request
    request_ms: Ms = 5_000  # maximum time for an answer; then the request has failed
    doubt_ms: Ms = 1_000  # a placement without an answer for this time is UNKNOWN, and its order is queried
    not_placed_margin_ms: Ms = 70_000  # "not found" is evidence only this long after the placement expired
    user_event_ms: Ms = 5_000  # maximum delay of an expected user event; then REST polling stands in
    poll_ms: Ms = 2_000  # interval of REST polling while the user stream is down: of reconciliation
    reconcile_ms: Ms = 30_000  # interval of reconciliation otherwise
    late_trades_ms: Ms = 600_000  # trades older than this are assumed complete in the exchange's history
    refused_per_minute_max: PositiveInt = 60  # orders that the exchange may refuse in a minute; then none is placed
    orders_by: Literal["rest", "websocket"] = "rest"  # "websocket": the order socket; REST while it is down
    owner_silent_s: Annotated[int, msgspec.Meta(ge=0)] = (
        30  # s without a heartbeat; then its orders are cancelled; 0: off
    )
    cancel_on_stop: bool = True  # cancel all open orders before the process ends
    compact_records: PositiveInt = 10_000  # number of journal records after which the journal is compacted
    user_session: SessionSettings = SessionSettings(max_age_ms=82_800_000)
    order_session: SessionSettings = SessionSettings(max_age_ms=82_800_000)  # of the order socket
