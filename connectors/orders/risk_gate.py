"""RiskGate: the last check before an order is signed. It fails closed: what it does not know, it refuses."""

from collections import deque
from decimal import Decimal
from typing import Annotated

import msgspec

from connectors.core.market_api import BookView
from connectors.orders.order_store import Exposure
from market.instrument import Instrument
from protocol import ACCEPTED, OrdType, PlaceOrder, Refusal, RefusalCode, Settings, Side, StreamState

SECOND_NS = 1_000_000_000
BPS = 10_000
DUPLICATES_MAX = 10_000

LIMIT_MAX = 10**12  # of a notional or a position: more is no limit

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
NotNegativeInt = Annotated[int, msgspec.Meta(ge=0)]


class Limits(Settings):
    """Limits of one market. None has a default, so that "unlimited" is never an accident."""

    max_order_notional: Decimal  # largest value of one order, in the quote asset
    max_position: Decimal  # largest position, long or short, if every live order fills; in the base asset
    max_open_orders: PositiveInt  # largest number of orders that may be live
    max_orders_per_s: PositiveInt  # largest number of orders in any second
    price_collar_bps: PositiveInt  # largest distance of a price from the mid price, in hundredths of a percent
    max_book_age_ms: PositiveInt  # largest age of the book; with an older one no order passes
    duplicate_ms: NotNegativeInt  # the same order again within this time is refused as a bug; 0: never

    def __post_init__(self) -> None:
        for name in ("max_order_notional", "max_position"):
            value = getattr(self, name)
            if not (value.is_finite() and 0 < value <= LIMIT_MAX):
                raise ValueError(f"{name} = {value}: a limit is a number above 0, and at most {LIMIT_MAX:,}")


class Caps:
    """The limits and rules of one market as integers."""

    def __init__(self, limits: Limits, instrument: Instrument) -> None:
        self.instrument = instrument
        self.min_price_ticks, self.max_price_ticks = instrument.min_price_ticks, instrument.max_price_ticks
        self.min_size_lots, self.max_size_lots = instrument.min_size_lots, instrument.max_size_lots
        self.price_step, self.size_step = instrument.price_step, instrument.size_step
        self.min_units = instrument.min_units  # in ticks * lots; so are the next two
        self.most_units = instrument.units(limits.max_order_notional)
        self.max_units = min(instrument.max_units, self.most_units) if instrument.max_notional else self.most_units
        self.max_lots = int(limits.max_position.scaleb(instrument.size_digits))
        self.collar_bps = limits.price_collar_bps
        self.max_age_ns = limits.max_book_age_ms * 1_000_000
        self.duplicate_ns = limits.duplicate_ms * 1_000_000
        self.max_open = limits.max_open_orders
        self.max_per_s = limits.max_orders_per_s


class RiskGate:
    """Checks orders against limits, book and exposure. Counts the orders that passed, by time."""

    def __init__(self, limits: dict[str, Limits]) -> None:
        self.limits = limits
        self.refused = 0
        self._passed: dict[str, deque[int]] = {symbol: deque() for symbol in limits}
        self._latest: dict[tuple[str, str, bool, int, int], int] = {}
        self._caps: dict[str, Caps] = {}

    def refusal(
        self,
        order: PlaceOrder,
        owner: str,
        instrument: Instrument | None,
        book: BookView | None,
        exposure: Exposure,
        now_ns: int,
    ) -> Refusal:
        """Returns why this order may not leave; ACCEPTED if it may."""
        limits = self.limits.get(order.symbol)
        if limits is None or instrument is None:
            return Refusal(
                f"no limits or rules for {order.symbol}: add it to `markets` and `limits`", RefusalCode.NEVER
            )
        caps = self._cap(instrument, limits)
        if book is not None and self._passes(order, owner, caps, book, exposure, now_ns):
            return ACCEPTED
        reason = (
            _wrong_numbers(order)
            or _wrong_book(order, book, limits)
            or self._wrong_size(order, instrument, book, limits)
            or self._wrong_exposure(order, instrument, exposure, limits)
            or self._wrong_pace(order, owner, limits, now_ns)
        )
        self.refused += bool(reason)
        return reason

    def _passes(
        self, order: PlaceOrder, owner: str, caps: Caps, book: BookView, exposure: Exposure, now_ns: int
    ) -> bool:
        """Whether a limit order meets every rule below: most orders do. If not, the rules return the reason."""
        if order.ord_type is OrdType.MARKET or book.state is StreamState.STALE:
            return False
        if not caps.min_price_ticks <= order.price_ticks <= caps.max_price_ticks:
            return False
        if not caps.min_size_lots <= order.size_lots <= caps.max_size_lots:
            return False
        if order.price_ticks % caps.price_step or order.size_lots % caps.size_step:
            return False
        if book.age_ns > caps.max_age_ns or order.book_age_ns > caps.max_age_ns or exposure.count >= caps.max_open:
            return False
        price_ticks, size_lots = order.price_ticks, order.size_lots
        bid_ticks, ask_ticks = book.bid_ticks, book.ask_ticks
        twice_mid = bid_ticks + ask_ticks
        if order.side is Side.BUY:
            held = exposure.held_lots + exposure.buy_lots
        else:
            held = exposure.sell_lots - exposure.held_lots
        if not (
            0 < bid_ticks < ask_ticks
            and price_ticks > 0
            and size_lots > 0
            and abs(2 * price_ticks - twice_mid) * BPS <= twice_mid * caps.collar_bps
            and caps.min_units <= price_ticks * size_lots <= caps.max_units
            and held + size_lots <= caps.max_lots
        ):
            return False
        passed = self._passed[order.symbol]
        if len(passed) >= caps.max_per_s:
            return False  # unless they are old: `_wrong_pace` checks that
        return not caps.duplicate_ns or _key(order, owner) not in self._latest

    def record_passed(self, order: PlaceOrder, owner: str, now_ns: int) -> None:
        """Count an order that leaves."""
        passed = self._passed[order.symbol]
        passed.append(now_ns)
        while passed[0] <= now_ns - SECOND_NS:
            passed.popleft()
        if len(self._latest) >= DUPLICATES_MAX:
            newest = sorted(self._latest.items(), key=lambda row: row[1])[DUPLICATES_MAX // 2 :]
            self._latest = dict(newest)
        self._latest[_key(order, owner)] = now_ns

    def _wrong_size(self, order: PlaceOrder, instrument: Instrument, book: BookView | None, limits: Limits) -> Refusal:
        assert book is not None
        is_market = order.ord_type is OrdType.MARKET
        touch = book.ask_ticks if order.side is Side.BUY else book.bid_ticks
        price_ticks = touch if is_market else order.price_ticks
        problems = instrument.check(price_ticks, order.size_lots, market=is_market)
        if problems:
            return Refusal(problems[0], RefusalCode.NEVER)
        worst_ticks = touch * (BPS + limits.price_collar_bps) // BPS if is_market else price_ticks
        if worst_ticks * order.size_lots > self._cap(instrument, limits).most_units:
            notional = instrument.notional(worst_ticks, order.size_lots)
            return Refusal(
                f"notional {notional} {instrument.quote} is over max_order_notional {limits.max_order_notional}",
                RefusalCode.LIMIT,
            )
        return ACCEPTED

    def _wrong_exposure(self, order: PlaceOrder, instrument: Instrument, exposure: Exposure, limits: Limits) -> Refusal:
        if exposure.count >= limits.max_open_orders:
            return Refusal(
                f"{exposure.count} orders may be live: max_open_orders is {limits.max_open_orders}", RefusalCode.LIMIT
            )
        if order.side is Side.BUY:
            worst = exposure.held_lots + exposure.buy_lots + order.size_lots
        else:
            worst = -(exposure.held_lots - exposure.sell_lots - order.size_lots)
        if worst > self._cap(instrument, limits).max_lots:
            side = "long" if order.side is Side.BUY else "short"
            return Refusal(
                f"could become {instrument.size(worst)} {side}: max_position is {limits.max_position}",
                RefusalCode.LIMIT,
            )
        return ACCEPTED

    def _cap(self, instrument: Instrument, limits: Limits) -> Caps:
        caps = self._caps.get(instrument.symbol)
        if caps is None or caps.instrument is not instrument:
            if caps is not None and caps.instrument.scale != instrument.scale:
                self._rescale_latest(instrument.symbol, *caps.instrument.scale.factors_to(instrument.scale))
            caps = self._caps[instrument.symbol] = Caps(limits, instrument)
        return caps

    def _rescale_latest(self, symbol: str, price_factor: int, size_factor: int) -> None:
        """An order is a duplicate of an earlier one also if the scale has become finer since."""
        self._latest = {
            (*key[:3], key[3] * price_factor, key[4] * size_factor) if key[1] == symbol else key: at_ns
            for key, at_ns in self._latest.items()
        }

    def _wrong_pace(self, order: PlaceOrder, owner: str, limits: Limits, now_ns: int) -> Refusal:
        passed = self._passed[order.symbol]
        while passed and passed[0] <= now_ns - SECOND_NS:
            passed.popleft()
        if len(passed) >= limits.max_orders_per_s:
            return Refusal(
                f"{len(passed)} orders in a second: max_orders_per_s is {limits.max_orders_per_s}", RefusalCode.LATER
            )
        before_ns = self._latest.get(_key(order, owner))
        if before_ns is not None and now_ns - before_ns < limits.duplicate_ms * 1_000_000:
            ago_ms = (now_ns - before_ns) // 1_000_000
            return Refusal(
                f"the same order as {ago_ms} ms ago: duplicate_ms is {limits.duplicate_ms}", RefusalCode.REPEATED
            )
        return ACCEPTED


def _key(order: PlaceOrder, owner: str) -> tuple[str, str, bool, int, int]:
    return owner, order.symbol, order.side is Side.BUY, order.price_ticks, order.size_lots


def _wrong_numbers(order: PlaceOrder) -> Refusal:
    if order.size_lots <= 0:
        return Refusal(f"size_lots {order.size_lots}: give 1 or more", RefusalCode.NEVER)
    if order.price_ticks <= 0 and order.ord_type is not OrdType.MARKET:
        return Refusal(f"price_ticks {order.price_ticks}: give 1 or more", RefusalCode.NEVER)
    return ACCEPTED


def _wrong_book(order: PlaceOrder, book: BookView | None, limits: Limits) -> Refusal:
    """Check the book now, and the one that the decision was made on."""
    if book is None or book.state is StreamState.STALE:
        return Refusal(f"the book of {order.symbol} is stale or unknown", RefusalCode.LATER)
    if not 0 < book.bid_ticks < book.ask_ticks:
        return Refusal(f"the book of {order.symbol} is empty on one side or crossed", RefusalCode.LATER)
    age_ns = max(book.age_ns, order.book_age_ns)
    if age_ns > limits.max_book_age_ms * 1_000_000:
        return Refusal(
            f"the book is {age_ns // 1_000_000} ms old: max_book_age_ms is {limits.max_book_age_ms}", RefusalCode.LATER
        )
    if order.ord_type is not OrdType.MARKET:
        twice_mid = book.bid_ticks + book.ask_ticks
        if abs(2 * order.price_ticks - twice_mid) * BPS > twice_mid * limits.price_collar_bps:
            return Refusal(
                f"price {order.price_ticks} ticks is more than {limits.price_collar_bps} bps "
                f"from the mid price ({twice_mid / 2:g})",
                RefusalCode.LIMIT,
            )
    return ACCEPTED
