"""What a feed knows of one market."""

from connectors.market_data.book_sync import BookSync
from market.instrument import Instrument
from protocol import Rules, TopOfBook, topics

KINDS = ("book", "top", "trade", "rules")


class FeedMarket:
    """One market of a feed: its book, its latest news, and when to ask for what. Times are the actor's, ns."""

    __slots__ = (
        "asking", "attempts", "book_seq", "book_topic", "heard_ns", "instrument", "live_ns", "lost_ns",
        "poll_ns", "probe_ns", "retry_ns", "rules", "rules_topic", "subscribed", "symbol", "sync", "top",
        "top_ahead_ns", "top_topic", "trade_id", "trade_topic",
    )  # fmt: skip

    def __init__(self, connector: str, symbol: str, now_ns: int) -> None:
        self.symbol = symbol
        self.sync = BookSync(symbol)
        self.rules: Rules | None = None
        self.instrument: Instrument | None = None
        self.top: TopOfBook | None = None
        self.top_ahead_ns = 0  # since when best prices are ahead of the book; 0: they are not
        self.trade_id = 0
        self.book_seq = 0  # of the last message on the book's topic
        self.subscribed = False
        self.asking = False  # a snapshot is on its way
        self.attempts = 0
        self.live_ns = 0  # when the book last became right
        self.heard_ns = now_ns  # the book was told of, or confirmed
        self.lost_ns = now_ns  # when its stream was lost, while it is
        self.retry_ns = self.poll_ns = self.probe_ns = 0  # not before
        self.book_topic, self.top_topic, self.trade_topic, self.rules_topic = (
            topics.market_data(connector, symbol, kind) for kind in KINDS
        )

    def topics(self) -> list[tuple[str, str]]:
        """(topic, kind) of each stream of this market."""
        names = self.book_topic, self.top_topic, self.trade_topic, self.rules_topic
        return list(zip(names, KINDS, strict=True))

    def best_id(self) -> int:
        """The update id of the latest best prices; 0 if there are none."""
        return self.top.update_id if self.top is not None else 0

    def stream_lost(self, now_ns: int) -> None:
        """What comes next may be of another numbering; nothing comes twice from here on."""
        if self.subscribed or not self.lost_ns:
            self.lost_ns = now_ns
        self.subscribed = False
        self.top = None
        self.top_ahead_ns = 0
        self.trade_id = 0
        self.attempts = 0
        self.retry_ns = 0

    def stream_back(self, now_ns: int) -> None:
        """The exchange has confirmed the subscription."""
        self.subscribed = True
        self.lost_ns = 0
        self.heard_ns = now_ns
