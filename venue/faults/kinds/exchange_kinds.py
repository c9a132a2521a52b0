"""Faults of the exchange as a whole: its clock, its markets and rules, and external activity in an account."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from venue.faults.kinds.fault import Fault, Seconds

MAX_STEP_MS = 30_000
MAX_DRIFT_PPM = 100_000


class ClockStep(Fault, frozen=True, tag="clock_step"):
    """The exchange's clock steps forward by `ms`, or (below zero) is slowed until it is that much behind."""

    for_s: Seconds = 20.0
    ms: Annotated[int, msgspec.Meta(ge=-MAX_STEP_MS, le=MAX_STEP_MS)] = 2_000


class ClockDrift(Fault, frozen=True, tag="clock_drift"):
    """The exchange's clock runs fast, or (below zero) slow, by `ppm` parts per million."""

    for_s: Seconds = 20.0
    ppm: Annotated[int, msgspec.Meta(ge=-MAX_DRIFT_PPM, le=MAX_DRIFT_PPM)] = 10_000


class Maintenance(Fault, frozen=True, tag="maintenance"):
    """Every request gets an error page, and all websockets are closed and refused; resting orders stay as they are."""

    for_s: Seconds = 30.0
    status: Literal[403, 502, 503, 504] = 503


class MarketFault(Fault, frozen=True):
    """A fault of one market: `symbol` ("BTC-USDT"), or the first."""

    symbol: str = ""


class SymbolHalt(MarketFault, frozen=True, tag="symbol_halt"):
    """A market is halted (`status` BREAK or HALT): orders are rejected with -1013, cancel requests are accepted."""

    for_s: Seconds = 10.0
    status: Literal["BREAK", "HALT"] = "BREAK"


class Delisted(MarketFault, frozen=True, tag="delisted"):
    """A market is delisted: its open orders expire, and requests for it get -1121; at the end it is listed again."""

    for_s: Seconds = 10.0


class FiltersChanged(MarketFault, frozen=True, tag="filters_changed"):
    """A market's filters change while it trades, and change back: tick, lot, minimum size or notional.

    New ticks and lots must be multiples of the market's units: those that it was opened with, or `price_digits` and
    `size_digits` of its settings.
    """

    for_s: Seconds = 30.0
    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    min_size: Decimal | None = None
    min_notional: Decimal | None = None


class AccountFault(Fault, frozen=True):
    """External activity in the account `account`, or in the first."""

    account: str = ""


class BalanceMoved(AccountFault, frozen=True, tag="balance_moved"):
    """A transfer of `amount` of `asset` into the account, or (below zero) out of it, at most what is free."""

    for_s: Seconds = 0.001
    asset: str = "USDT"
    amount: Decimal = Decimal(100)


class ExternalOrder(AccountFault, frozen=True, tag="external_order"):
    """An external order rests in the bot's account, `away_bps` from the last price; it is canceled at the end."""

    for_s: Seconds = 10.0
    symbol: str = ""
    side: Literal["BUY", "SELL", ""] = ""
    away_bps: Annotated[int, msgspec.Meta(ge=0, le=5_000)] = 300
    notional: Decimal = Decimal(50)


class ExternalCancel(AccountFault, frozen=True, tag="external_cancel"):
    """One of the bot's open orders is canceled externally."""

    for_s: Seconds = 0.001
    symbol: str = ""


KINDS: tuple[Any, ...] = (
    ClockStep, ClockDrift, Maintenance, SymbolHalt, Delisted, FiltersChanged, BalanceMoved, ExternalOrder,
    ExternalCancel,
)  # fmt: skip
