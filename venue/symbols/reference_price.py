"""The reference price of a market: an average of its trades."""

from collections import deque

import msgspec

from venue.base.numbers import fixed8
from venue.base.settings import ReferenceSettings
from venue.base.units import MILLISECOND_NS

COUNT_SCALE = 10_000
"""Trade counts and price sums have four more decimals, because the oldest bucket counts in part."""


class Bucket(msgspec.Struct, gc=False):
    """The trades of one time bucket: their number and the sum of their prices, both times COUNT_SCALE."""

    open_ns: int
    count: int = 0
    sum_atoms: int = 0


class ReferencePrice:
    """A moving average of trade prices over time buckets (price_range_execution_rules.md of the docs)."""

    def __init__(self, settings: ReferenceSettings) -> None:
        self.settings = settings
        self.width_ns = settings.bucket_width_ms * MILLISECOND_NS
        self.span_ns = settings.bucket_count * self.width_ns
        self.buckets: deque[Bucket] = deque(maxlen=settings.bucket_count + 1)
        self.is_set = False

    def add(self, price_atoms: int, now_ns: int) -> None:
        """Adds one trade."""
        self.is_set = True
        open_ns = now_ns - now_ns % self.width_ns
        if not self.buckets or self.buckets[-1].open_ns < open_ns:
            self.buckets.append(Bucket(open_ns))
        self.buckets[-1].count += COUNT_SCALE
        self.buckets[-1].sum_atoms += price_atoms * COUNT_SCALE

    def atoms(self, now_ns: int) -> int | None:
        """The price in atoms; None without a trade in the window."""
        cutoff_ns = now_ns - self.span_ns
        count = total = 0
        for bucket in self.buckets:
            expired_ns = max(0, cutoff_ns - bucket.open_ns)
            if expired_ns < self.width_ns:
                count += bucket.count - bucket.count * expired_ns // self.width_ns
                total += bucket.sum_atoms - bucket.sum_atoms * expired_ns // self.width_ns
        return total // count if count else None

    def text(self, now_ns: int) -> str | None:
        """The price as a decimal string; None without a trade in the window."""
        price_atoms = self.atoms(now_ns)
        return None if price_atoms is None else fixed8(price_atoms)
