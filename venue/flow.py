"""The order flow of a market: a seeded crowd that quotes around a wandering price, cancels, and takes."""

import math
from random import Random

from protocol.enums import OrdType, Side, TimeInForce
from venue.engine import Engine
from venue.settings import FlowSettings
from venue.symbol import Symbol

SECOND_NS = 1_000_000_000
STEP_NS = 100_000_000
"""The fair price moves every so often."""
CLUSTERS = (1, 1, 1, 2, 2, 3, 5, 5, 10, 20, 50)
"""Sizes are the usual size times one of these, over ten, and seldom anything between."""
SWEEP_TICKS = 2
"""Quotes that the fair price has passed by more than this are taken by those who noticed."""
MAX_ACTIONS = 2000
"""In one call of `advance`; what a long pause would have brought beyond it does not happen."""


class Flow:
    """One market's crowd. `next_ns` is when it next wants to act."""

    def __init__(self, engine: Engine, symbol: Symbol, settings: FlowSettings, seed: str, now_ns: int) -> None:
        self.engine = engine
        self.symbol = symbol
        self.settings = settings
        self.random = Random(seed)
        self.home_ticks = float(symbol.ticks(symbol.settings.start_price))
        self.fair_ticks = float(symbol.last_ticks)
        self.heat = 0.0  # logarithm of the volatility over its usual value
        self.resting: list[int] = []
        self.is_still = settings.limit_rate <= 0 and settings.market_rate <= 0
        self.next_step_ns = now_ns + STEP_NS
        self.next_order_ns = now_ns + SECOND_NS
        self.next_take_ns = now_ns + SECOND_NS
        if not self.is_still:
            for _ in range(settings.book_orders):
                self._quote(now_ns, is_patient=True)

    @property
    def next_ns(self) -> int | None:
        return None if self.is_still else min(self.next_step_ns, self.next_order_ns, self.next_take_ns)

    def advance(self, now_ns: int, floor_ns: int) -> None:
        """Do all that is due, each at its own time, but none before `floor_ns`: what others did came first."""
        if self.is_still:
            return
        for _ in range(MAX_ACTIONS):
            due_ns = min(self.next_step_ns, self.next_order_ns, self.next_take_ns)
            if due_ns > now_ns:
                return
            at_ns = max(due_ns, floor_ns)
            if due_ns == self.next_step_ns:
                self.next_step_ns += STEP_NS
                self._step(at_ns)
            elif due_ns == self.next_order_ns:
                self.next_order_ns += self._wait_ns(self.settings.limit_rate * 2)
                self._quote_or_cancel(at_ns)
            else:
                self.next_take_ns += self._wait_ns(self.settings.market_rate)
                self._take(at_ns)
        self.next_step_ns = self.next_order_ns = self.next_take_ns = now_ns + STEP_NS

    def _wait_ns(self, rate: float) -> int:
        if rate <= 0:
            return 3600 * SECOND_NS
        return 1 + int(self.random.expovariate(rate) * SECOND_NS)

    def _step(self, now_ns: int) -> None:
        """Volatility returns to its mean, the price to its start, both slowly; stale quotes are swept."""
        s = self.settings
        self.heat += -s.volatility_reversion * self.heat + self.random.gauss(0.0, 0.12)
        deviation = s.volatility_bps / 10_000 * math.sqrt(STEP_NS / SECOND_NS) * math.exp(min(self.heat, 2.0))
        self.fair_ticks += self.random.gauss(0.0, deviation * self.fair_ticks)
        self.fair_ticks += s.pull * (self.home_ticks - self.fair_ticks)
        self.fair_ticks = max(self.fair_ticks, 10.0)
        fair, matching = int(self.fair_ticks), self.symbol.matching
        if 0 < matching.best_ask_ticks < fair - SWEEP_TICKS:
            self._submit(Side.BUY, TimeInForce.IOC, fair - SWEEP_TICKS, self._size() * 4, now_ns)
        elif matching.best_bid_ticks > fair + SWEEP_TICKS:
            self._submit(Side.SELL, TimeInForce.IOC, fair + SWEEP_TICKS, self._size() * 4, now_ns)

    def _quote_or_cancel(self, now_ns: int) -> None:
        crowded = len(self.resting) / max(1, self.settings.book_orders)
        if self.random.random() < 0.5 * crowded:
            self._cancel(now_ns)
        else:
            self._quote(now_ns, is_patient=False)

    def _quote(self, now_ns: int, is_patient: bool) -> None:
        random, near = self.random, self.settings.near_ticks
        kind = random.random()
        mean = near if kind < 0.6 else near * 6 if kind < 0.9 else near * 40
        distance = 1 + int(random.expovariate(1 / mean))
        side = Side.BUY if random.random() < 0.5 else Side.SELL
        price_ticks = max(1, int(self.fair_ticks) - side.sign * distance)
        ord_type = OrdType.LIMIT_MAKER if is_patient or random.random() < 0.8 else OrdType.LIMIT
        engine, symbol = self.engine, self.symbol
        order_id = engine.submit_flow(symbol, side, ord_type, TimeInForce.GTC, price_ticks, self._size(), now_ns)
        if order_id:
            self.resting.append(order_id)

    def _cancel(self, now_ns: int) -> None:
        """One of the resting orders, at random; those that are gone already are only forgotten."""
        for _ in range(len(self.resting)):
            index = self.random.randrange(len(self.resting))
            order_id = self.resting[index]
            self.resting[index] = self.resting[-1]
            self.resting.pop()
            if self.engine.cancel_flow(self.symbol, order_id, now_ns):
                return

    def _take(self, now_ns: int) -> None:
        side = Side.BUY if self.random.random() < 0.5 else Side.SELL
        engine, size_lots = self.engine, self._size()
        engine.submit_flow(self.symbol, side, OrdType.MARKET, TimeInForce.IOC, 0, size_lots, now_ns)

    def _submit(self, side: Side, tif: TimeInForce, price_ticks: int, size_lots: int, now_ns: int) -> None:
        self.engine.submit_flow(self.symbol, side, OrdType.LIMIT, tif, price_ticks, size_lots, now_ns)

    def _size(self) -> int:
        random = self.random
        size = self.settings.size_lots * random.choice(CLUSTERS) / 10
        if random.random() < 0.4:
            size *= math.exp(random.gauss(0.0, 0.8))
        return max(1, int(size))
