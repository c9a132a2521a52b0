"""QueueLevel: one price level of an external market, and the distribution of its cancels over the orders here."""

from venue.base.settings import CancelModel


class QueueLevel:
    """The external market's size at a price, and the orders that represent it in our book, in time priority.

    `taken_lots`: the part of its size that our orders have traded here. `traded_lots`: what its trades consumed here
    before its book showed them; `traded_at`: the number of deltas received by then.
    """

    __slots__ = ("orders", "recorded_lots", "taken_lots", "traded_at", "traded_lots")

    def __init__(self) -> None:
        self.recorded_lots = 0
        self.taken_lots = 0
        self.traded_lots = 0
        self.traded_at = 0
        self.orders: dict[int, int] = {}  # order id -> open lots

    @property
    def standing_lots(self) -> int:
        return sum(self.orders.values())

    @property
    def target_lots(self) -> int:
        """The size that our book should have."""
        return max(0, self.recorded_lots - self.taken_lots - self.traded_lots)

    def record(self, size_lots: int) -> None:
        """The external market now has `size_lots` here.

        A decrease is first attributed to the trades that are known. If the level falls below what our orders have
        traded, that size is gone too, and size that returns later is new.
        """
        lost = max(0, self.recorded_lots - size_lots)
        self.traded_lots = max(0, self.traded_lots - lost)
        self.taken_lots = min(self.taken_lots, size_lots)
        self.recorded_lots = size_lots


def shares(orders: dict[int, int], lots: int, model: CancelModel) -> dict[int, int]:
    """How many of `lots` each order loses, by id; `lots` is at most the sum of the open lots.

    Proportional shares are rounded down; the rest is taken from the back of the queue.
    """
    total = sum(orders.values())
    assert 0 <= lots <= total, (orders, lots)
    found = dict.fromkeys(orders, 0)
    left = lots
    if model == "proportional":
        for order_id, leaves in orders.items():
            found[order_id] = lots * leaves // total if total else 0
        left -= sum(found.values())
    for order_id in orders if model == "front" else reversed(orders):
        more = min(left, orders[order_id] - found[order_id])
        found[order_id] += more
        left -= more
    assert not left
    return found
