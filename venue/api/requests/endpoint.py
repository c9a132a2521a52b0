"""Endpoint: its routes by HTTP and websocket, weight and security; and ApiCall, one call of it."""

from collections.abc import Callable
from typing import Any

import msgspec

from venue.accounts.accounts import ExchangeAccount
from venue.accounts.rate_limits import RateLimits
from venue.base import api_errors
from venue.base.params import Params
from venue.base.units import MICROSECOND_NS, MILLISECOND_NS
from venue.engine.engine import Engine
from venue.symbols.symbol import Symbol

PUBLIC = "NONE"
SYMBOL_STATUSES = ("TRADING", "HALT", "BREAK")
USER_DATA = "USER_DATA"
TRADE = "TRADE"


class ApiCall(msgspec.Struct):
    """One call of an endpoint. Times in answers are in the requested unit."""

    engine: Engine
    limits: RateLimits
    params: Params
    now_ns: int
    remote: str
    unit_ns: int = MILLISECOND_NS
    caller: ExchangeAccount | None = None
    is_websocket: bool = False

    def ms(self, time_ns: int) -> int:
        """A time in the requested unit: milliseconds or microseconds."""
        return time_ns // self.unit_ns

    @property
    def account(self) -> ExchangeAccount:
        assert self.caller is not None
        return self.caller

    def symbol(self) -> Symbol:
        """The mandatory parameter `symbol`. Raises -1102, -1121; -1122, -1220 by `symbolStatus`."""
        found = self.engine.symbol(self.params.symbol())
        if "symbolStatus" in self.params.values and self.requested_status() != found.status:
            raise api_errors.other_symbol_status()
        return found

    def symbols(self, is_required: bool = False, maximum: int | None = None) -> list[Symbol]:
        """The symbols of `symbol`, or of `symbols`, or all; of several only those with `symbolStatus`.

        Raises -1128 for both parameters, -1102 for neither if one is required.
        """
        if "symbol" in self.params and "symbols" in self.params:
            raise api_errors.bad_combination()
        if "symbol" in self.params:
            return [self.symbol()]
        if is_required and "symbols" not in self.params:
            raise api_errors.one_of("symbol", "symbols")
        status = self.requested_status()
        return [one for one in self.listed_symbols(maximum) if status in (None, one.status)]

    def listed_symbols(self, maximum: int | None = None) -> list[Symbol]:
        """The symbols of `symbols`, else all. Raises -1151 for a duplicate, -1130 for more than `maximum`."""
        names = self.params.strings("symbols")
        if names is None:
            return [symbol for symbol in self.engine.symbols.values() if symbol.is_listed]
        if len(set(names)) < len(names):
            raise api_errors.ApiError(-1151, "Symbol is present multiple times in the list.")
        if maximum is not None and len(names) > maximum:
            raise api_errors.invalid("symbols")
        return [self.engine.symbol(name) for name in names]

    def requested_status(self) -> str | None:
        """The parameter `symbolStatus`. Raises -1122."""
        if "symbolStatus" not in self.params:
            return None
        return self.params.choice("symbolStatus", SYMBOL_STATUSES, None, api_errors.bad_symbol_status)

    def time_ns(self, name: str) -> int | None:
        """A time parameter in milliseconds or microseconds, converted to nanoseconds."""
        value = self.params.optional_integer(name)
        if value is None:
            return None
        return value * MICROSECOND_NS if value >= 10**14 else value * MILLISECOND_NS


class Endpoint(msgspec.Struct, frozen=True):
    """`handler(call)` returns the answer, to be encoded as JSON, or raises ApiError."""

    method: str
    path: str
    handler: Callable[[ApiCall], Any]
    weight: int | Callable[[Params], int] = 1
    security: str = PUBLIC
    ws_method: str | None = None
    is_free: bool = False  # a successful call has no weight: placing and canceling

    @property
    def places_orders(self) -> bool:
        """Whether its answers include the caller's order counts."""
        return self.method == "POST" and self.security == TRADE

    def weight_of(self, params: Params) -> int:
        return self.weight if isinstance(self.weight, int) else self.weight(params)
