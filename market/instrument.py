"""An instrument's rules: its scale and steps, valid orders, and conversion between Decimal and integers."""

from decimal import Decimal
from enum import Enum

import msgspec

from market.exact import EXACT, ZERO, decimal, scale_of
from market.levels import MAX_DIGITS, MAX_INT, parse_decimal
from market.scale import FinerValue, Scale, digits_of

BUY, SELL = 1, 2  # protocol.Side
POWERS = tuple(10**digits for digits in range(MAX_DIGITS + 1))


class Rounding(Enum):
    """How a price or size that is off its step is rounded."""

    EXACT = "exact"  # raise OffTick
    DOWN = "down"
    UP = "up"
    NEAREST = "nearest"  # a half goes to the even step
    PASSIVE = "passive"  # prices only: away from the market (a buy down, a sell up)
    AGGRESSIVE = "aggressive"  # prices only: towards it


class OffTick(ValueError):
    """A price or size is not a multiple of its step; the text has the nearest valid values."""


class Instrument(msgspec.Struct, frozen=True):
    """Rules of one market. Immutable. Prices are integers in ticks and sizes in lots; Decimal is for settings and APIs.

    One tick is 10**-price_digits of quote, one lot 10**-size_digits of base (the market's scale; default: the digits
    of tick_size and lot_size). The price of an order must be a multiple of `price_step` ticks, which is the exchange's
    tick_size, and its size a multiple of `size_step` lots, which is its lot_size.

    A limit of 0 (max_notional, market_max_size_lots) means no limit. The steps and the fields after size_step are
    computed: tick_size == price_step * 10**-price_digits.
    """

    symbol: str  # "BTC-USDT"
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_price_ticks: int = 1
    max_price_ticks: int = MAX_INT
    min_size_lots: int = 1
    max_size_lots: int = MAX_INT
    market_max_size_lots: int = 0
    min_notional: Decimal = ZERO
    max_notional: Decimal = ZERO
    base_precision: int = 8  # digits of balances and fees
    quote_precision: int = 8
    price_digits: int = -1
    price_step: int = 1
    size_digits: int = -1
    size_step: int = 1
    notional_unit: Decimal = ZERO  # quote for one lot at one tick
    min_units: int = 0  # min_notional and max_notional in whole notional_units; 0: none
    max_units: int = 0

    def __post_init__(self) -> None:
        for name, digits_name, step_name in (
            ("tick_size", "price_digits", "price_step"),
            ("lot_size", "size_digits", "size_step"),
        ):
            given = decimal(getattr(self, name))
            if given <= 0:
                raise ValueError(f"{self.symbol}: {name} must be above 0, not {given}")
            least, step = scale_of(given)
            digits = least if getattr(self, digits_name) < 0 else getattr(self, digits_name)
            if max(digits, least) > MAX_DIGITS or step > MAX_INT:
                raise ValueError(f"{self.symbol}: {name} {given} needs more than {MAX_DIGITS} digits")
            if digits < least:
                raise ValueError(f"{self.symbol}: {digits_name} {digits} is too coarse for {name} {given}")
            msgspec.structs.force_setattr(self, digits_name, digits)
            msgspec.structs.force_setattr(self, step_name, step * 10 ** (digits - least))
            msgspec.structs.force_setattr(self, name, Decimal(step).scaleb(-least, EXACT))
        unit = self.scale.tick_lot
        msgspec.structs.force_setattr(self, "notional_unit", unit)
        for name in ("min_notional", "max_notional"):
            msgspec.structs.force_setattr(self, name, decimal(getattr(self, name)))
        above, below = _integers(self.min_notional, unit)
        msgspec.structs.force_setattr(self, "min_units", -(-above // below))
        msgspec.structs.force_setattr(self, "max_units", self.units(self.max_notional))

    @property
    def scale(self) -> Scale:
        """The scale of the integers of this market."""
        return Scale(self.price_digits, self.size_digits)

    def price_ticks(self, price: Decimal | int | str, rounding: Rounding = Rounding.EXACT, side: int = 0) -> int:
        """A price in ticks, a multiple of price_step; PASSIVE and AGGRESSIVE need the side.

        Raises OffTick if the price is not a multiple of tick_size with Rounding.EXACT.
        """
        if rounding in (Rounding.PASSIVE, Rounding.AGGRESSIVE):
            if side not in (BUY, SELL):
                raise ValueError(f"{rounding}: side {side!r}: give protocol.Side, 1 to buy or 2 to sell")
            down = (side == BUY) == (rounding is Rounding.PASSIVE)
            rounding = Rounding.DOWN if down else Rounding.UP
        return self._steps("price", decimal(price), self.price_digits, self.price_step, rounding)

    def passive_ticks(self, price_ticks: int, side: int) -> int:
        """A price in ticks, rounded to a multiple of price_step away from the market: a buy down, a sell up."""
        if side == BUY:
            return price_ticks - price_ticks % self.price_step
        return price_ticks + -price_ticks % self.price_step

    def valid_lots(self, size_lots: int) -> int:
        """A size in lots, rounded down to a multiple of size_step."""
        return size_lots - size_lots % self.size_step

    def size_lots(self, size: Decimal | int | str, rounding: Rounding = Rounding.EXACT) -> int:
        """A size of base in lots, a multiple of size_step. Raises OffTick if it is not one with Rounding.EXACT."""
        if rounding in (Rounding.PASSIVE, Rounding.AGGRESSIVE):
            raise ValueError(f"{rounding} is for prices: round a size DOWN, UP or NEAREST")
        return self._steps("size", decimal(size), self.size_digits, self.size_step, rounding)

    def parse_ticks(self, text: str | bytes) -> int:
        """An exchange's decimal text ("61737.63000000") in ticks, exact and fast. Raises FinerValue or ValueError."""
        try:
            return parse_decimal(text, self.price_digits)
        except ValueError as error:
            digits = _digits_of_text(text)
            if digits is None or digits <= self.price_digits:
                raise
            raise FinerValue(f"{self.symbol}: price: {error}", price_digits=digits) from None

    def parse_lots(self, text: str | bytes) -> int:
        """An exchange's decimal text in lots, exact and fast. Raises FinerValue or ValueError."""
        try:
            return parse_decimal(text, self.size_digits)
        except ValueError as error:
            digits = _digits_of_text(text)
            if digits is None or digits <= self.size_digits:
                raise
            raise FinerValue(f"{self.symbol}: size: {error}", size_digits=digits) from None

    def price(self, ticks: int) -> Decimal:
        """Ticks as a price in quote, with price_digits places."""
        return Decimal(ticks).scaleb(-self.price_digits, EXACT)

    def size(self, lots: int) -> Decimal:
        """Lots as a size in base, with size_digits places."""
        return Decimal(lots).scaleb(-self.size_digits, EXACT)

    def price_text(self, ticks: int) -> str:
        """A price as text for an exchange: digits, never an exponent, and no more places than tick_size if possible."""
        return _plain(ticks, self.price_digits, self.tick_size)

    def size_text(self, lots: int) -> str:
        """A size as text for an exchange: digits, never an exponent, and no more places than lot_size if possible."""
        return _plain(lots, self.size_digits, self.lot_size)

    def notional(self, price_ticks: int, size_lots: int) -> Decimal:
        """The cost of size_lots at price_ticks, in quote, exact."""
        return EXACT.multiply(Decimal(price_ticks * size_lots), self.notional_unit)

    def units(self, notional: Decimal) -> int:
        """A notional in whole ticks * lots, rounded down: for comparisons without Decimal."""
        above, below = _integers(notional, self.notional_unit)
        return above // below

    def value(self, ticks_lots: int) -> Decimal:
        """A sum of ticks * lots (as `Book.cost` gives it) in quote, exact."""
        return EXACT.multiply(Decimal(ticks_lots), self.notional_unit)

    def check(self, price_ticks: int, size_lots: int, *, market: bool = False) -> list[str]:
        """The problems of an order, each with what to do; empty if it is valid.

        A MARKET order (`market`) has no price: price_ticks is then the expected price, for the check of the
        notional, or 0 to skip that check.
        """
        problems = []
        if not market and not self.min_price_ticks <= price_ticks <= self.max_price_ticks:
            limits = f"{self.price(self.min_price_ticks)}..{self.price(self.max_price_ticks)} {self.quote}"
            problems.append(f"PRICE: {self.price(price_ticks)} is outside {limits}: move the price")
        if not market and price_ticks % self.price_step:
            problems.append(f"PRICE: {self.price(price_ticks)} is not a multiple of the tick size {self.tick_size}")
        if size_lots < self.min_size_lots:
            least = self.size(self.min_size_lots)
            problems.append(f"SIZE: {self.size(size_lots)} {self.base} is too small: give {least} or more")
        limit = self.max_size_lots
        if market and self.market_max_size_lots:
            limit = min(limit, self.market_max_size_lots)
        if size_lots > limit:
            most = self.size(limit)
            problems.append(f"SIZE: {self.size(size_lots)} {self.base} is too large: give {most} or less")
        if size_lots % self.size_step:
            problems.append(f"SIZE: {self.size(size_lots)} is not a multiple of the lot size {self.lot_size}")
        units = price_ticks * size_lots
        if (units < self.min_units or (self.max_notional and units > self.max_units)) and price_ticks > 0 < size_lots:
            problems += self._check_notional(price_ticks, size_lots)
        return problems

    def min_lots_at(self, price_ticks: int) -> int:
        """The smallest valid size at a price, in lots, by min_size_lots and min_notional."""
        unit = self.notional(max(price_ticks, 1), 1)
        above, below = _integers(self.min_notional, unit)
        least = max(self.min_size_lots, -(-above // below))
        return -(-least // self.size_step) * self.size_step

    def _check_notional(self, price_ticks: int, size_lots: int) -> list[str]:
        notional = self.notional(price_ticks, size_lots)
        if notional < self.min_notional:
            least = self.size(self.min_lots_at(price_ticks))
            return [
                f"NOTIONAL: {notional} is below {self.min_notional} {self.quote}: "
                f"at {self.price(price_ticks)} give {least} {self.base} or more"
            ]
        if self.max_notional and notional > self.max_notional:
            return [f"NOTIONAL: {notional} is above {self.max_notional} {self.quote}: give a smaller size"]
        return []

    def _steps(self, what: str, value: Decimal, digits: int, step: int, rounding: Rounding) -> int:
        above, below = _integers(value, Decimal(step).scaleb(-digits, EXACT))
        steps, rest = divmod(above, below)
        if rest:
            if rounding is Rounding.EXACT:
                raise self._off(what, str(value), steps * step, step)
            if rounding is Rounding.UP:
                steps += 1
            elif rounding is Rounding.NEAREST:
                steps += 2 * rest > below or (2 * rest == below and steps % 2)
        return steps * step

    def _off(self, what: str, value: str, below: int, step: int) -> OffTick:
        to_decimal = self.price if what == "price" else self.size
        near = f"{to_decimal(below)} or {to_decimal(below + step)}"
        unit = f"tick size {self.tick_size}" if what == "price" else f"lot size {self.lot_size}"
        text = f"{self.symbol}: {what} {value} is not a multiple of the {unit}"
        return OffTick(f"{text}: use {near}, or give a rounding")


def _plain(units: int, digits: int, step: Decimal) -> str:
    """units * 10**-digits with the places of `step`, or with `digits` places if it needs more."""
    places = -int(step.as_tuple().exponent)
    if places < digits:
        shorter, rest = divmod(units, POWERS[digits - places])
        if not rest:
            units, digits = shorter, places
    if not digits:
        return str(units)
    if units < 0:
        return f"-{_plain(-units, digits, step)}"
    scale = POWERS[digits]
    return f"{units // scale}.{units % scale:0{digits}d}"


def _digits_of_text(text: str | bytes) -> int | None:
    """The places that a decimal text needs; None if it is not a number that any scale can represent."""
    try:
        digits = digits_of(decimal(text if isinstance(text, str) else text.decode("ascii")))
    except ValueError:
        return None
    return digits if digits <= MAX_DIGITS else None


def _integers(a: Decimal, b: Decimal) -> tuple[int, int]:
    """Two integers in the ratio of a and b, for exact division."""
    (a_above, a_below), (b_above, b_below) = a.as_integer_ratio(), b.as_integer_ratio()
    return a_above * b_below, b_above * a_below
