"""Traders: the simulated makers and takers of one market, and the fair price that moves with them."""

from bisect import bisect_right
from heapq import heapify, heappop, heappush
from itertools import accumulate
from random import Random

from market.levels import unpack_levels
from protocol.enums import OrdType, Side, TimeInForce
from venue.base.units import MILLISECOND_NS, NEVER_NS, SECOND_NS
from venue.engine.engine import Engine
from venue.sources.arrivals import OrderSigns
from venue.sources.profiles import Profile, Quantiles
from venue.symbols.symbol import Symbol

BPS = 10_000
MAX_BOOK_FACTOR = 1.5
"""No further limit orders are placed while this multiple of the usual number rests."""
MAX_EXPIRY_FACTOR = 4
"""Nor while this multiple of that number of expiries is queued, most of them of orders that are gone."""
MIN_TICKS = 10
LARGE = 0.4
"""Orders that move the price are among this share of the largest."""
WITHDRAWN_SHARE = 0.8
"""Share of the quotes at the best price that are canceled before the price moves through them."""
FOLLOW_S = 0.02
"""Mean time until quotes that the best price has left behind are canceled."""
MAX_LIFETIME_FACTOR = 10.0
"""Maximum lifetime of small orders at the best price, as a multiple of the average one; large ones live shorter."""
SWEPT_LEVELS = 200
SWEPT_SIZES = 2000
"""Orders of accounts beyond the fair price are traded with, at most this many usual sizes at a time."""
TOUCH = 0
"""The first band of a profile: the best prices."""

Expiry = tuple[int, int, Side, int]
"""The time of the cancel of an order, its id, side and price in ticks."""


class Traders:
    """Makers and takers around a fair price. Calls take the current time; `due_ns` is the time of the next action."""

    def __init__(
        self,
        engine: Engine,
        symbol: Symbol,
        profile: Profile,
        random: Random,
        usual_lots: float,
        book_orders: float,
        lifetimes_s: list[float],
        stretch: float,
        pull: float,
        now_ns: int,
    ) -> None:
        self.engine = engine
        self.symbol = symbol
        self.profile = profile
        self.random = random
        self.usual_lots = usual_lots
        self.most_orders = int(MAX_BOOK_FACTOR * book_orders) + 4
        self.lifetimes_s = lifetimes_s
        self.stretch = stretch
        self.pull = pull
        self.home_ticks = float(symbol.ticks(symbol.settings.start_price))
        self.fair_ticks = symbol.last_ticks + 0.5
        self.pulled_ns = now_ns
        self.touch_ns = NEVER_NS
        self.resting = 0
        self.expiries: list[Expiry] = []  # the orders may be gone already
        self.levels: dict[Side, dict[int, list[int]]] = {Side.BUY: {}, Side.SELL: {}}  # order ids by price
        self.choices = list(accumulate(band.orders_per_s for band in profile.all_bands))
        self.signs = OrderSigns(profile.sign_share, profile.sign_threads, profile.sign_tail, random)
        self.moves_bps, self.wide_ms = Quantiles(profile.moves_bps), Quantiles(profile.wide_ms)
        self.usual_move_bps = self.moves_bps.moment(1) * stretch
        self.largest_move_bps = profile.moves_bps[-1] * max(1.0, stretch / profile.stretch)
        self.market_sizes, self.limit_sizes = Quantiles(profile.market_sizes), Quantiles(profile.limit_sizes)
        self.touch_sizes = Quantiles(profile.touch_sizes)
        self.mean_touch_size = self.touch_sizes.moment(1)
        self._fill_book(book_orders, now_ns)

    def _fill_book(self, book_orders: float, now_ns: int) -> None:
        for index, band in enumerate(self.profile.all_bands):
            for _ in range(round(band.orders / self.profile.book_orders * book_orders)):
                self._place(index, self._any_side(), now_ns)
        self.requote(now_ns)

    @property
    def due_ns(self) -> int:
        """When the next action of `do_next` is due."""
        expires_ns = self.expiries[0][0] if self.expiries else NEVER_NS
        return expires_ns if expires_ns < self.touch_ns else self.touch_ns

    def do_next(self, now_ns: int) -> None:
        """Does the first action that is due: cancels an order, or closes the spread."""
        if self.expiries and self.expiries[0][0] <= self.touch_ns:
            _, order_id, side, price_ticks = heappop(self.expiries)
            self._cancel(order_id, side, price_ticks, now_ns)
            self._schedule_requote(now_ns)
        else:
            self.requote(now_ns)

    def catch_up(self, now_ns: int) -> None:
        """After a long pause: shifts the cancels that were due to start now."""
        late_ns = now_ns - self.expiries[0][0] if self.expiries else 0
        if late_ns > 0:
            self.expiries = [(one[0] + late_ns, one[1], one[2], one[3]) for one in self.expiries]
            heapify(self.expiries)
        self.touch_ns = now_ns + 1

    # Makers

    def limit_order(self, now_ns: int) -> None:
        """Places a limit order in a random band."""
        index = bisect_right(self.choices, self.random.random() * self.choices[-1])
        self._place(min(index, len(self.choices) - 1), self._any_side(), now_ns)

    def requote(self, now_ns: int) -> None:
        """Quotes the best prices if they are missing: the spread is one tick again."""
        self.touch_ns = NEVER_NS
        matching, bid_ticks = self.symbol.matching, int(self.fair_ticks)
        if matching.best_bid_ticks < bid_ticks:
            self._place(TOUCH, Side.BUY, now_ns)
        if not 0 < matching.best_ask_ticks <= bid_ticks + 1:
            self._place(TOUCH, Side.SELL, now_ns)

    def _schedule_requote(self, now_ns: int) -> None:
        """If the best prices are missing, schedules the next requote."""
        matching, bid_ticks = self.symbol.matching, int(self.fair_ticks)
        if self.touch_ns == NEVER_NS and (
            matching.best_bid_ticks < bid_ticks or not 0 < matching.best_ask_ticks <= bid_ticks + 1
        ):
            self.touch_ns = now_ns + 1 + int(self.wide_ms.draw(self.random) * MILLISECOND_NS)

    def cancel_random(self, number: int, now_ns: int) -> None:
        """Cancels `number` random orders at once."""
        for _ in range(min(number, len(self.expiries))):
            _, order_id, side, price_ticks = self.random.choice(self.expiries)
            self._cancel(order_id, side, price_ticks, now_ns)

    def _any_side(self) -> Side:
        return Side.BUY if self.random.random() < 0.5 else Side.SELL

    def _place(self, index: int, side: Side, now_ns: int) -> None:
        if self.resting >= self.most_orders or len(self.expiries) >= MAX_EXPIRY_FACTOR * self.most_orders:
            return
        random, bid_ticks, lifetime_s = self.random, int(self.fair_ticks), self.lifetimes_s[index]
        if index == TOUCH:
            distance, size = 0, self.touch_sizes.draw(random)
            lifetime_s *= min(MAX_LIFETIME_FACTOR, (self.mean_touch_size / size) ** 0.5)
        else:
            band = self.profile.bands[index - 1]
            bps = band.from_bps + (band.to_bps - band.from_bps) * random.random()
            distance = 1 + int(bps * bid_ticks / BPS)
            size = self.limit_sizes.draw(random) * band.size
        price_ticks = bid_ticks - distance if side is Side.BUY else bid_ticks + 1 + distance
        life_ns = int(random.expovariate(1 / lifetime_s) * SECOND_NS)
        if price_ticks < 1:
            return
        lots = max(1, round(size * self.usual_lots))
        order_id = self._submit(side, OrdType.LIMIT_MAKER, TimeInForce.GTC, price_ticks, lots, now_ns)
        if order_id:
            heappush(self.expiries, (now_ns + life_ns, order_id, side, price_ticks))
            self.levels[side].setdefault(price_ticks, []).append(order_id)
            self.resting += 1

    def _cancel(self, order_id: int, side: Side, price_ticks: int, now_ns: int) -> None:
        """Cancels an order and forgets it; it may be filled or canceled already."""
        ids = self.levels[side].get(price_ticks)
        if ids is None or order_id not in ids:
            return
        ids.remove(order_id)
        self.resting -= 1
        if not ids:
            del self.levels[side][price_ticks]
        self.engine.cancel_flow(self.symbol, order_id, now_ns)

    # Takers

    def market_order(self, now_ns: int) -> float:
        """Places a market order; returns how far it moves the price, in usual moves."""
        sign, random = self.signs.draw(), self.random
        before_ticks, moved = int(self.fair_ticks), 0.0
        is_mover = random.random() < self.profile.move_share and self.stretch > 0
        if is_mover:
            moved = self._move(sign, now_ns)
        lots = max(1, round(self.market_sizes.at(self._market_chance(is_mover)) * self.usual_lots))
        after_ticks = int(self.fair_ticks)
        if after_ticks == before_ticks:
            side, price_ticks = (Side.BUY, after_ticks + 1) if sign > 0 else (Side.SELL, after_ticks)
            self._submit(side, OrdType.LIMIT, TimeInForce.IOC, price_ticks, lots, now_ns)
        else:
            self._take_to_new_price(Side.BUY if after_ticks > before_ticks else Side.SELL, before_ticks, lots, now_ns)
        self._sweep(now_ns)
        self._schedule_requote(now_ns)
        return moved

    def _market_chance(self, is_mover: bool) -> float:
        """A random quantile for a market order's size: price movers are among the larger orders."""
        movers, large = self.profile.move_share, max(LARGE, self.profile.move_share)
        if is_mover:
            return 1 - large * self.random.random()
        chance = self.random.random() * (1 - movers)
        if chance < 1 - large:
            return chance
        return min(1.0, 1 - large + (chance - (1 - large)) * large / (large - movers))

    def _move(self, sign: int, now_ns: int) -> float:
        """Moves the fair price with the order, less if its side was expected, and slowly back to the start price."""
        surprise = 1.0 - sign * self.signs.expected
        size_bps = min(self.largest_move_bps, self.moves_bps.draw(self.random) * self.stretch * surprise)
        passed_s = (now_ns - self.pulled_ns) / SECOND_NS
        self.pulled_ns = now_ns
        home = min(1.0, 10 * self.pull * passed_s) * (self.home_ticks - self.fair_ticks)
        self.fair_ticks = max(MIN_TICKS, self.fair_ticks * (1 + sign * size_bps / BPS) + home)
        return size_bps / self.usual_move_bps

    def _take_to_new_price(self, side: Side, before_ticks: int, lots: int, now_ns: int) -> None:
        """A taker of `side` trades through the book to the new price; some quotes are canceled before that."""
        makers, matching = side.opposite, self.symbol.matching
        after_ticks = int(self.fair_ticks)
        limit_ticks = after_ticks if side is Side.BUY else after_ticks + 1
        front_ticks, back_ticks = before_ticks + 1, before_ticks
        if side is Side.SELL:
            front_ticks, back_ticks = back_ticks, front_ticks
        self._cancel_level(makers, front_ticks, WITHDRAWN_SHARE, now_ns)
        self._submit(side, OrdType.LIMIT, TimeInForce.IOC, limit_ticks, lots, now_ns)
        for price_ticks, _ in unpack_levels(matching.depth(makers, SWEPT_LEVELS)):
            if (price_ticks - limit_ticks) * side.sign > 0:
                break
            self._cancel_level(makers, price_ticks, 1.0, now_ns)
        self._schedule_cancels(side, back_ticks, now_ns)

    def _cancel_level(self, side: Side, price_ticks: int, share: float, now_ns: int) -> None:
        for order_id in tuple(self.levels[side].get(price_ticks, ())):
            if share >= 1 or self.random.random() < share:
                self._cancel(order_id, side, price_ticks, now_ns)

    def _schedule_cancels(self, side: Side, price_ticks: int, now_ns: int) -> None:
        """Schedules the cancel of quotes that the best price has left behind."""
        for order_id in self.levels[side].get(price_ticks, ()):
            if self.random.random() < WITHDRAWN_SHARE and len(self.expiries) < MAX_EXPIRY_FACTOR * self.most_orders:
                soon_ns = int(self.random.expovariate(1 / FOLLOW_S) * SECOND_NS)
                heappush(self.expiries, (now_ns + soon_ns, order_id, side, price_ticks))

    def _sweep(self, now_ns: int) -> None:
        """Trades with orders of accounts beyond the fair price."""
        matching, bid_ticks = self.symbol.matching, int(self.fair_ticks)
        if 0 < matching.best_ask_ticks <= bid_ticks:
            side, price_ticks, lots = Side.BUY, bid_ticks, matching.best_ask_lots
        elif matching.best_bid_ticks > bid_ticks:
            side, price_ticks, lots = Side.SELL, bid_ticks + 1, matching.best_bid_lots
        else:
            return
        lots = min(lots, max(1, int(SWEPT_SIZES * self.usual_lots)))
        self._submit(side, OrdType.LIMIT, TimeInForce.IOC, price_ticks, lots, now_ns)

    def _submit(self, side: Side, ord_type: OrdType, tif: TimeInForce, price_ticks: int, lots: int, now_ns: int) -> int:
        return self.engine.submit_flow(self.symbol, side, ord_type, tif, price_ticks, lots, now_ns)
