"""The state of one actor and of one market, as a watcher receives it."""

from decimal import Decimal
from typing import TypeVar

from market.book import Book
from market.scale import Scale, in_scale, rescale_levels, scale_of_message
from protocol import Message, Rules, Stages

T = TypeVar("T", bound=Message)


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
        self.scale: Scale | None = None  # of the book: as fine as every message so far
        self.book = Book()
        self.epoch = self.seq = 0
        self.trouble = "no book yet"

    @property
    def mid(self) -> Decimal | None:
        """The mid price in quote; None without a book with both sides, or without rules."""
        if self.rules is None or self.book.is_empty:
            return None
        return self.book.mid_x2_ticks * self.tick / 2

    @property
    def tick(self) -> Decimal:
        """The price of one tick; messages of an earlier version count the exchange's tick."""
        return self.scale.tick if self.scale is not None else self.rules.tick_size if self.rules else Decimal(1)

    @property
    def lot(self) -> Decimal:
        """The size of one lot."""
        return self.scale.lot if self.scale is not None else self.rules.lot_size if self.rules else Decimal(1)

    def aligned(self, message: T) -> T:
        """The message in the scale of the book, which first becomes as fine as the message's."""
        own = scale_of_message(message)
        if own is None or own == self.scale:
            return message
        scale = own if self.scale is None else self.scale.join(own)
        if self.scale is not None and scale != self.scale:
            factors = self.scale.factors_to(scale)
            self.book.apply_snapshot(*(rescale_levels(side, *factors) for side in self.book.snapshot()))
        self.scale = scale
        return in_scale(message, scale)
