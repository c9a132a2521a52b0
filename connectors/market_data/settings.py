"""Settings of a market feed."""

from connectors.net.session import SessionSettings
from protocol import Settings

MAX_MARKETS = 300  # on one connector: three streams each, of the 1024 that one connection may carry


class FeedSettings(Settings):
    """Limits of a connector's market data; the `feed` table of its settings. Times are in ms."""

    depth_levels: int = 1_000  # levels of a snapshot that deltas continue
    poll_levels: int = 100  # levels of a snapshot that is polled or compared
    silence_ms: int = 4_000  # maximum time without a frame; then books are stale. From half of it on REST is compared
    poll_ms: int = 1_000  # interval of polling one market while its stream is down
    quiet_ms: int = 60_000  # time without an update of one market after which its book is compared with REST
    stall_ms: int = 2_000  # maximum time for which best prices may be ahead of the book; then the stream has stalled
    grace_ms: int = 1_000  # maximum time for which the stream may lag behind a REST snapshot; then it has stalled
    settle_ms: int = 1_000  # time for which two connections deliver side by side at a handover
    retry_ms: int = 100  # delay after a snapshot that did not help or failed; doubles each time
    max_retry_ms: int = 4_000  # longest such delay
    snapshots_max: int = 4  # maximum number of snapshot requests in flight
    subscribe_ms: int = 5_000  # maximum time for the answer to a subscription; then the connection is dropped
    rules_ms: int = 3_600_000  # interval of reading the rules again
    garbage_max: int = 20  # number of invalid frames within garbage_ms that costs the connection
    garbage_ms: int = 60_000
    session: SessionSettings = SessionSettings()
