"""One price level that follows another market, and how what was cancelled there is shared among its orders here."""

from venue.base.settings import CancelModel


class QueueLevel:
    """What the other market has at a price, and the orders that stand for it in our book, first come first.

    `taken_lots`: of what it has there, what our orders took here. `traded_lots`: what its trades consumed here before
    its book told of them; `traded_at`: how many diffs had come by then.
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
    def wanted_lots(self) -> int:
        """What should stand in our book."""
        return max(0, self.recorded_lots - self.taken_lots - self.traded_lots)

    def record(self, size_lots: int) -> None:
        """The other market has so much here now.

        What it lost is first what trades were known to have consumed. What is left is at least what we took: a
        level that fell below that has lost ours too, and so what comes back later is new.
        """
        lost = max(0, self.recorded_lots - size_lots)
        self.traded_lots = max(0, self.traded_lots - lost)
        self.taken_lots = min(self.taken_lots, size_lots)
        self.recorded_lots = size_lots


def shares(orders: dict[int, int], lots: int, model: CancelModel) -> dict[int, int]:
    """How many of `lots` each order loses, by id; `lots` is at most what is open in all of them.

    Proportional shares are rounded down; the rest comes from the back.
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
