"""An account: balances by asset and positions by instrument, exact, each fill applied once."""

from decimal import Decimal

import msgspec

from market.exact import EXACT, ZERO, decimal
from market.instrument import Instrument
from market.position import Position
from market.recent_ids import SEEN_MAX, News, Seen


class Balance(msgspec.Struct):
    """Of one asset: what is free to use, and what open orders hold."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return EXACT.add(self.free, self.locked)


class Ledger:
    """Balances and positions that follow fills.

    What is wished (`withdraw`, `lock`) is refused with False where the money is not there. What has happened
    (`deposit`, `apply_fill`, `set_balance`) is applied always: a fill is a fact even if it drives a balance
    below 0, which `overdrawn` tells. Trade ids are unique per instrument; the newest `seen_max` of each are
    remembered, and an older one that is not known any more is refused as TOO_OLD: it never counts twice
    (`market.recent_ids`).
    """

    def __init__(self, seen_max: int = SEEN_MAX) -> None:
        self.balances: dict[str, Balance] = {}
        self.positions: dict[str, Position] = {}
        self._seen: dict[str, Seen] = {}
        self._seen_max = seen_max

    def balance(self, asset: str) -> Balance:
        """The balance of an asset (live; zeros if it was never met)."""
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = Balance()
        return found

    def position(self, instrument: Instrument) -> Position:
        """The position in an instrument (live; flat if there never was one)."""
        found = self.positions.get(instrument.symbol)
        if found is None:
            found = self.positions[instrument.symbol] = Position(instrument)
        return found

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Add to what is free."""
        balance = self.balance(asset)
        balance.free = EXACT.add(balance.free, _amount(amount))

    def withdraw(self, asset: str, amount: Decimal) -> bool:
        """Take from what is free; False, and nothing done, if that is less."""
        balance = self.balance(asset)
        if _amount(amount) > balance.free:
            return False
        balance.free = EXACT.subtract(balance.free, amount)
        return True

    def lock(self, asset: str, amount: Decimal) -> bool:
        """Hold an amount for an order; False, and nothing done, if less is free."""
        balance = self.balance(asset)
        if _amount(amount) > balance.free:
            return False
        balance.free = EXACT.subtract(balance.free, amount)
        balance.locked = EXACT.add(balance.locked, amount)
        return True

    def unlock(self, asset: str, amount: Decimal) -> None:
        """Free what an order held; ValueError if not so much is locked, for that is a bug of the caller."""
        balance = self.balance(asset)
        if _amount(amount) > balance.locked:
            raise ValueError(f"{asset}: cannot unlock {amount}, only {balance.locked} is locked")
        balance.free = EXACT.add(balance.free, amount)
        balance.locked = EXACT.subtract(balance.locked, amount)

    def set_balance(self, asset: str, free: Decimal, locked: Decimal = ZERO) -> None:
        """Take the exchange's own news of a balance: it replaces what was computed."""
        balance = self.balance(asset)
        balance.free, balance.locked = decimal(free), decimal(locked)

    def apply_fill(
        self,
        instrument: Instrument,
        side: int,
        price_ticks: int,
        size_lots: int,
        fee: Decimal,
        fee_asset: str,
        liquidity: int,
        trade_id: int | str,
        *,
        ts_ns: int | None = None,
        release: Decimal | None = None,
    ) -> News:
        """Move balances and position by a fill, once: NEW if applied; DUPLICATE or TOO_OLD: nothing is done.

        `fee` is in fee_asset (base, quote or another; negative: a rebate). `liquidity` is
        protocol.Liquidity and moves nothing. A trade_id that is no int needs ts_ns, the exchange's time of
        the trade. `release` is the part of the lock that this fill ends, in the asset that is given away:
        for a buy that locked its limit price, lots at that limit, of which the unspent rest is freed. By
        default as much as is given away, as far as it is locked.
        """
        if side not in (1, 2) or price_ticks < 0 or size_lots < 1:
            raise ValueError(f"no fill: side {side}, price {price_ticks} ticks, size {size_lots} lots")
        fee = decimal(fee)
        seen = self._seen.setdefault(instrument.symbol, Seen(self._seen_max))
        news = seen.add(trade_id, ts_ns if not isinstance(trade_id, int) else None)
        if news is not News.NEW:
            return news
        notional, size = instrument.notional(price_ticks, size_lots), instrument.size(size_lots)
        if side == 1:
            self._exchange(instrument.quote, notional, instrument.base, size, release)
        else:
            self._exchange(instrument.base, size, instrument.quote, notional, release)
        paid = self.balance(fee_asset)
        paid.free = EXACT.subtract(paid.free, fee)
        position = self.position(instrument)
        position.apply(side, price_ticks, size_lots)
        position.add_fee(fee_asset, fee)
        return news

    def equity(self, prices: dict[str, Decimal]) -> Decimal:
        """All balances at these prices per unit, exact; KeyError if an asset is held that has no price."""
        total = ZERO
        for asset, balance in self.balances.items():
            if balance.total:
                total = EXACT.add(total, EXACT.multiply(balance.total, prices[asset]))
        return total

    def overdrawn(self) -> list[str]:
        """Assets of which more is gone than was known to be there: time to ask the exchange."""
        return sorted(asset for asset, b in self.balances.items() if b.free < 0 or b.locked < 0)

    def _exchange(self, give: str, given: Decimal, take: str, taken: Decimal, release: Decimal | None) -> None:
        source, target = self.balance(give), self.balance(take)
        freed = max(min(given if release is None else _amount(release), source.locked), ZERO)
        source.locked = EXACT.subtract(source.locked, freed)
        source.free = EXACT.add(source.free, EXACT.subtract(freed, given))
        target.free = EXACT.add(target.free, taken)


def _amount(amount: Decimal) -> Decimal:
    amount = decimal(amount)
    if amount < 0:
        raise ValueError(f"an amount must not be negative: {amount}")
    return amount
