"""Settings of a market feed."""

from connectors.net.session import SessionSettings
from protocol import Settings

MAX_MARKETS = 300  # on one connector: three streams each, of the 1024 that one connection may carry


class FeedSettings(Settings):
    """Bounds and patience of a connector's market data; the `feed` table of its settings."""

    depth_levels: int = 1_000  # of a snapshot that diffs go on from
    poll_levels: int = 100  # of one that is polled, or only compared
    silence_ms: int = 4_000  # without any frame: the books are stale; from half of it on the exchange is asked
    poll_ms: int = 1_000  # between two polls of one market while its stream is down
    quiet_ms: int = 60_000  # without news of one market, while others have some: ask whether that is right
    stall_ms: int = 2_000  # best prices move and the book does not: its stream has stalled
    grace_ms: int = 1_000  # REST may be so far ahead of the streams
    settle_ms: int = 1_000  # how long two connections deliver side by side at a handover
    retry_ms: int = 100  # after a snapshot that did not join, or failed; doubles each time
    max_retry_ms: int = 4_000
    snapshots_max: int = 4  # under way at once
    subscribe_ms: int = 5_000  # for the answer to a subscription
    rules_ms: int = 3_600_000  # how often the rules are read again
    garbage_max: int = 20  # bad frames within garbage_ms; then the connection is given up
    garbage_ms: int = 60_000
    session: SessionSettings = SessionSettings()
