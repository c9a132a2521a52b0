"""OrderFlow: the generated orders of a market, from a seed and a profile measured on a real market."""

import math
from random import Random

from venue.base.settings import FlowSettings
from venue.base.units import NEVER_NS
from venue.engine.engine import Engine
from venue.sources.arrivals import ArrivalProcess
from venue.sources.profiles import Kernel, Profile
from venue.sources.traders import Traders
from venue.symbols.symbol import Symbol

WAKE_NS = 10_000_000
"""Minimum time between two calls of `advance`; actions due in between are done then, each at its own time."""
MAX_ACTIONS = 4000
"""Maximum number of actions in one call of `advance`; after a long pause the rest is skipped."""
MIN_RATE = 1e-6
"""Orders per second; a lower rate counts as zero."""
MAX_STRETCH = 4.0
"""Maximum factor on price moves; moves are larger with fewer market orders, to keep the volatility."""


class OrderFlow:
    """One market's order flow. `due_ns`: when its next action is due; `next_ns`: when to call `advance`."""

    def __init__(
        self, engine: Engine, symbol: Symbol, settings: FlowSettings, profile: Profile, seed: str, now_ns: int
    ) -> None:
        limit_rate = _rate(settings.limit_rate, profile.limit_rate * settings.scale)
        market_rate = _rate(settings.market_rate, profile.market_rate * settings.scale)
        book_orders = _or(settings.book_orders, profile.book_orders)
        self.is_still = limit_rate <= 0 and market_rate <= 0
        self.next_market_ns = self.next_limit_ns = NEVER_NS
        self.advanced_ns = now_ns
        if self.is_still:
            return
        random = Random(seed)
        self.traders = Traders(
            engine,
            symbol,
            profile,
            random,
            usual_lots=_usual_lots(symbol, settings, profile),
            book_orders=book_orders if limit_rate > 0 else 0.0,
            lifetimes_s=_lifetimes(profile, limit_rate, book_orders),
            stretch=_stretch(profile, settings, market_rate),
            pull=settings.pull,
            now_ns=now_ns,
        )
        self.market_arrivals, self.limit_arrivals = _arrivals(profile, limit_rate, market_rate, random, now_ns)
        self.next_market_ns = self.market_arrivals.next_ns(now_ns)
        self.next_limit_ns = self.limit_arrivals.next_ns(now_ns)

    @property
    def due_ns(self) -> int:
        """When the next action is due."""
        return NEVER_NS if self.is_still else min(self.next_market_ns, self.next_limit_ns, self.traders.due_ns)

    @property
    def next_ns(self) -> int | None:
        """When `advance` must be called; None for never."""
        return None if self.is_still else max(self.due_ns, self.advanced_ns + WAKE_NS)

    def advance(self, now_ns: int, floor_ns: int) -> None:
        """Does all that is due, each at its own time but not before `floor_ns`, the time of the last other change."""
        if self.is_still:
            return
        self.advanced_ns = now_ns
        traders = self.traders
        for _ in range(MAX_ACTIONS):
            due_ns = self.due_ns
            if due_ns > now_ns:
                return
            at_ns = max(due_ns, floor_ns)
            if due_ns == self.next_market_ns:
                moved = traders.market_order(at_ns)
                self.market_arrivals.excite(due_ns)
                self.next_market_ns = self.market_arrivals.next_ns(due_ns)
                if moved:
                    self._react(moved, at_ns, due_ns)
            elif due_ns == self.next_limit_ns:
                traders.limit_order(at_ns)
                self.next_limit_ns = self.limit_arrivals.next_ns(due_ns)
            else:
                traders.do_next(at_ns)
        self.next_market_ns = self.market_arrivals.next_ns(now_ns)
        self.next_limit_ns = self.limit_arrivals.next_ns(now_ns)
        traders.catch_up(now_ns)

    def _react(self, moved: float, at_ns: int, due_ns: int) -> None:
        """After a move of the price many orders are canceled and placed again."""
        self.traders.cancel_random(round(moved * self.limit_arrivals.children), at_ns)
        self.limit_arrivals.excite(due_ns, moved)
        self.next_limit_ns = self.limit_arrivals.next_ns(due_ns)


def _rate(own: float | None, usual: float) -> float:
    rate = _or(own, usual)
    return rate if rate >= MIN_RATE else 0.0


def _or(own: float | None, usual: float) -> float:
    return usual if own is None else own


def _usual_lots(symbol: Symbol, settings: FlowSettings, profile: Profile) -> float:
    """The median market order, with the same notional as in the profile."""
    market = symbol.settings
    return _or(settings.size_lots, profile.median_notional / float(market.start_price * market.lot_size))


def _lifetimes(profile: Profile, limit_rate: float, book_orders: float) -> list[float]:
    """The mean lifetime of orders in each band, in seconds, that gives `book_orders` at this rate."""
    factor = 1.0
    if limit_rate > 0:
        factor = max(book_orders, 1.0) / profile.book_orders * profile.limit_rate / limit_rate
    return [band.lifetime_s * factor for band in profile.all_bands]


def _stretch(profile: Profile, settings: FlowSettings, market_rate: float) -> float:
    """The factor on the price moves of the profile."""
    volatility_factor = _or(settings.volatility_bps, profile.volatility_bps) / profile.volatility_bps
    rate_factor = math.sqrt(profile.market_rate / market_rate) if market_rate > 0 else 1.0
    return profile.stretch * volatility_factor * min(MAX_STRETCH, rate_factor)


def _arrivals(
    profile: Profile, limit_rate: float, market_rate: float, random: Random, now_ns: int
) -> tuple[ArrivalProcess, ArrivalProcess]:
    """Market orders, which excite market orders; and limit orders, some of which price moves excite."""
    own = 1 - sum(kernel.children for kernel in profile.bursts)
    market_arrivals = ArrivalProcess(market_rate * own, profile.bursts, market_rate, random, now_ns)
    if market_rate <= 0 or profile.move_share <= 0:
        return market_arrivals, ArrivalProcess(limit_rate, [], limit_rate, random, now_ns)
    brought = profile.reaction.children * profile.market_rate * profile.move_share / profile.limit_rate
    reaction = Kernel(brought * limit_rate / (market_rate * profile.move_share), profile.reaction.decay_s)
    return market_arrivals, ArrivalProcess(limit_rate * (1 - brought), [reaction], limit_rate, random, now_ns)
