"""The state of one actor and of one market, as a watcher receives it."""

from decimal import Decimal

from market.book import Book
from protocol import Rules, Stages


class ActorView:
    """One actor, by its heartbeats and health reports."""

    def __init__(self) -> None:
        self.pid = self.ticks = self.lost = self.invalid_frames = self.duplicates = 0
        self.epoch = self.first_epoch = 0
        self.state = self.detail = self.loop = ""
        self.stages: Stages | None = None
        self.stages_ns = 0
        self.received_ns = 0


class MarketView:
    """One market of one connector: its rules and its book."""

    def __init__(self, connector: str, symbol: str) -> None:
        self.connector = connector
        self.symbol = symbol
        self.rules: Rules | None = None
        self.book = Book()
        self.epoch = self.seq = 0
        self.trouble = "no book yet"

    @property
    def mid(self) -> Decimal | None:
        """The mid price in quote; None without a book with both sides, or without rules."""
        if self.rules is None or self.book.is_empty:
            return None
        return self.book.mid_x2_ticks * self.rules.tick_size / 2
