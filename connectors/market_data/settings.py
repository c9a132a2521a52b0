"""Settings of a market feed."""

from typing import Annotated

import msgspec

from connectors.net.session import SessionSettings
from protocol import Settings

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]

MAX_MARKETS = 300  # on one connector: three streams each, of the 1024 that one connection may carry


class FeedSettings(Settings):
    """Limits of a connector's market data; the `feed` table of its settings. Times are in ms."""

    depth_levels: PositiveInt = 1_000  # levels of a snapshot that deltas continue
    poll_levels: PositiveInt = 100  # levels of a snapshot that is polled or compared
    # maximum time without a frame; then books are stale. From half of it on REST is compared
    silence_ms: PositiveInt = 4_000
    poll_ms: PositiveInt = 1_000  # interval of REST polling of one market while its stream is down
    quiet_ms: PositiveInt = 60_000  # time without an update of one market after which its book is compared with REST
    # maximum time for which best prices may be ahead of the book; then the stream has stalled
    stall_ms: PositiveInt = 2_000
    # maximum time for which the stream may lag behind a REST snapshot; then it has stalled
    grace_ms: PositiveInt = 1_000
    overlap_ms: PositiveInt = 1_000  # time for which two connections deliver side by side at a handover
    retry_ms: PositiveInt = 100  # delay after a snapshot that did not help or failed; doubles each time
    max_retry_ms: PositiveInt = 4_000  # longest such delay
    snapshots_max: PositiveInt = 4  # maximum number of snapshot requests in flight
    subscribe_ms: PositiveInt = 5_000  # maximum time for the answer to a subscription; then the connection is dropped
    rules_ms: PositiveInt = 3_600_000  # interval of reading the rules again
    invalid_frames_max: PositiveInt = 20  # number of invalid frames in the window at which the connection is replaced
    invalid_frames_window_ms: PositiveInt = 60_000  # window of invalid_frames_max
    session: SessionSettings = SessionSettings()
