"""RefusalCounter: how many orders were refused, by owner and code, published when it changes."""

from actors.effects import Effects
from connectors.orders.refusal_limit import RefusalLimit
from connectors.orders.tracker import OrderTracker
from protocol import Refusal, RefusalCode, Refusals, topics

SHOWN_BY_THE_STATE = (RefusalCode.LATER, RefusalCode.PAUSED)  # the connector's state has their reason already
RACES = (RefusalCode.UNKNOWN_ORDER,)  # an order that ends while a command about it is under way is no fault


class RefusalCounter:
    """Counts the refusals of this connector's own check; those of the exchange are in the tracker."""

    def __init__(self, fx: Effects, tracker: OrderTracker, limit: RefusalLimit) -> None:
        self._fx = fx
        self._tracker = tracker
        self._limit = limit  # shows the latest ones in the connector's state
        self._by_check: dict[tuple[str, RefusalCode], int] = {}
        self._published = Refusals()

    def count(self, owner: str, refusal: Refusal) -> None:
        """Count an order that the connector does not place."""
        if refusal and refusal.code not in RACES:
            key = owner, refusal.code
            self._by_check[key] = self._by_check.get(key, 0) + 1
            if refusal.code not in SHOWN_BY_THE_STATE:
                self._limit.refused_by_check(refusal.text)

    def publish(self) -> None:
        """Publish the counts if they have changed."""
        message = self._message()
        if message != self._published:
            self._published = message
            self._fx.publish(topics.refusals(self._fx.name), message)

    def _message(self) -> Refusals:
        by_exchange = [
            (owner.name, code, count)
            for owner in self._tracker.owners.values()
            for code, count in sorted(owner.refused.items())
        ]
        return Refusals([(*key, count) for key, count in sorted(self._by_check.items())], by_exchange)
