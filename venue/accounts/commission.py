"""Commissions: standard, special and tax, and the discount for payment in another asset."""

from decimal import Decimal
from typing import Any

import msgspec

from venue.accounts.accounts import ExchangeAccount
from venue.base.numbers import ATOMS, atoms, fixed8
from venue.base.settings import CommissionSettings, RateSettings, VenueSettings
from venue.base.venue_errors import BadVenue
from venue.symbols.symbol import Symbol


class Rates(msgspec.Struct, frozen=True, gc=False):
    """One kind of commission, in atoms of the received amount."""

    maker: int = 0
    taker: int = 0
    buyer: int = 0
    seller: int = 0

    def of(self, is_maker: bool, is_buy: bool) -> int:
        """The rate for a role plus the rate for a side."""
        return (self.maker if is_maker else self.taker) + (self.buyer if is_buy else self.seller)

    def shown(self) -> dict[str, str]:
        return {name: fixed8(rate) for name, rate in msgspec.structs.asdict(self).items()}

    def for_side(self, is_buy: bool) -> dict[str, str]:
        """As in the answer to a test order."""
        return {"maker": fixed8(self.of(True, is_buy)), "taker": fixed8(self.of(False, is_buy))}


NONE = Rates()


class Commission(msgspec.Struct, frozen=True, gc=False):
    """The commissions of one account on one symbol."""

    standard: Rates
    special: Rates
    tax: Rates

    @property
    def has_others(self) -> bool:
        """Whether there is a special or tax commission."""
        return self.special is not NONE or self.tax is not NONE


class Commissions:
    """All commissions of a venue. Raises BadVenue for invalid rates.

    Each kind is rounded half up to the eight decimals of an asset, as in the worked example of Binance's commission
    FAQ; in the discount asset only their sum is rounded.
    """

    def __init__(self, settings: VenueSettings, symbols: dict[str, Symbol]) -> None:
        self.symbols = symbols
        self.asset = settings.discount_asset
        self.discount = _share("discount", settings.discount)
        self.prices = {asset: atoms(price) for asset, price in settings.discount_prices.items()}
        self._found: dict[tuple[str, str], Commission] = {}
        for asset, price in self.prices.items():
            if price <= 0:
                raise BadVenue(f"discount_prices.{asset} must be above zero")

    def check(self, account: ExchangeAccount) -> None:
        """Raises BadVenue if an account's commissions name an unknown market, or exceed the received amount."""
        known = {symbol.settings.symbol for symbol in self.symbols.values()}
        for market in account.settings.commissions:
            if market not in known:
                names = ", ".join(sorted(known))
                raise BadVenue(f"account {account.name}: commissions.{market}: unknown market; there are {names}")
        for symbol in self.symbols.values():
            found = self.of(account, symbol)
            parts = (found.standard, found.special, found.tax)
            if max(sum(part.of(m, b) for part in parts) for m in (True, False) for b in (True, False)) > ATOMS:
                raise BadVenue(f"account {account.name}: commissions of {symbol.settings.symbol} sum up to more than 1")

    def of(self, account: ExchangeAccount, symbol: Symbol) -> Commission:
        """The account's commissions for the symbol, else the market's, else the account's general rates."""
        key = (account.name, symbol.name)
        found = self._found.get(key)
        if found is None:
            own = account.settings.commissions.get(symbol.settings.symbol, CommissionSettings())
            market = symbol.settings.commission
            general = Rates(account.maker_fee_atoms, account.taker_fee_atoms)
            found = self._found[key] = Commission(
                _first(own.standard, market.standard, general),
                _first(own.special, market.special, NONE),
                _first(own.tax, market.tax, NONE),
            )
        return found

    def charge(
        self, account: ExchangeAccount, symbol: Symbol, asset: str, got_atoms: int, is_buy: bool, is_maker: bool
    ) -> tuple[int, str]:
        """(atoms, asset) of the commission on `got_atoms` of `asset`; in the discount asset if its balance suffices."""
        rates = self.of(account, symbol)
        standard = _half_up(got_atoms * rates.standard.of(is_maker, is_buy), ATOMS)
        others = 0
        if rates.has_others:
            others = _half_up(got_atoms * rates.special.of(is_maker, is_buy), ATOMS)
            others += _half_up(got_atoms * rates.tax.of(is_maker, is_buy), ATOMS)
        if account.settings.has_discount and symbol.settings.has_discount:
            rate = self._rate(symbol, asset)
            if rate is not None:
                value = standard * self.discount + others * ATOMS
                amount = _half_up(value * rate[0], ATOMS * rate[1])
                if amount <= account.balance(self.asset).free:
                    return amount, self.asset
        return standard + others, asset

    def shown_discount(self, account: ExchangeAccount, symbol: Symbol) -> dict[str, Any]:
        return {
            "enabledForAccount": account.settings.has_discount,
            "enabledForSymbol": symbol.settings.has_discount,
            "discountAsset": self.asset,
            "discount": fixed8(self.discount),
        }

    def _rate(self, symbol: Symbol, asset: str) -> tuple[int, int] | None:
        """The price of one `asset` in the discount asset as a fraction: direct, or through the symbol's quote asset."""
        direct = self._direct(asset)
        if direct is not None or asset != symbol.base:
            return direct
        through = self._direct(symbol.quote)
        if through is None:
            return None
        return through[0] * symbol.last_ticks * symbol.tick_atoms, through[1] * ATOMS

    def _direct(self, asset: str) -> tuple[int, int] | None:
        if asset == self.asset:
            return 1, 1
        price = self.prices.get(asset)
        if price is not None:
            return ATOMS, price
        market = self.symbols.get(self.asset + asset)
        if market is not None and market.last_ticks:
            return ATOMS, market.last_ticks * market.tick_atoms
        market = self.symbols.get(asset + self.asset)
        if market is not None and market.last_ticks:
            return market.last_ticks * market.tick_atoms, ATOMS
        return None


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _share(name: str, value: Decimal) -> int:
    """A share from 0 to 1 in atoms. Raises BadVenue for other values."""
    try:
        share = atoms(value)
    except ValueError as error:
        raise BadVenue(f"{name}: {error}") from None
    if not 0 <= share <= ATOMS:
        raise BadVenue(f"{name} must be from 0 to 1, not {value}")
    return share


def _first(own: RateSettings | None, market: RateSettings | None, general: Rates) -> Rates:
    chosen = own if own is not None else market
    if chosen is None:
        return general
    return Rates(*(_share("a commission rate", rate) for rate in msgspec.structs.astuple(chosen)))
