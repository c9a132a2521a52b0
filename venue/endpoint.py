"""An endpoint: how it is reached by HTTP and websocket, what it weighs, whom it serves; one call of it."""

from collections.abc import Callable
from typing import Any

import msgspec

from venue.accounts import Account
from venue.engine import Engine
from venue.limits import Limits
from venue.params import Params
from venue.symbol import Symbol

MILLISECOND_NS = 1_000_000
MICROSECOND_NS = 1_000

PUBLIC = "NONE"
USER_DATA = "USER_DATA"
TRADE = "TRADE"


class Call(msgspec.Struct):
    """One call: who calls, with what, when. Times in answers are in the unit the caller asked for."""

    engine: Engine
    limits: Limits
    params: Params
    now_ns: int
    remote: str
    unit_ns: int = MILLISECOND_NS
    caller: Account | None = None
    charged: int = 0

    def ms(self, time_ns: int) -> int:
        """A time in the caller's unit: milliseconds, if not microseconds."""
        return time_ns // self.unit_ns

    @property
    def account(self) -> Account:
        assert self.caller is not None
        return self.caller

    def symbol(self) -> Symbol:
        """The mandatory parameter `symbol`. Raises -1102, -1121."""
        return self.engine.symbol(self.params.text("symbol"))

    def symbols(self) -> list[Symbol]:
        """By `symbol`, or `symbols`, or all. Raises -1121, -1128 for both at once."""
        one, several = self.params.optional("symbol"), self.params.strings("symbols")
        return select(self.engine, one, several)

    def time_ns(self, name: str) -> int | None:
        """A time parameter, which may come in milliseconds or microseconds."""
        value = self.params.optional_integer(name)
        if value is None:
            return None
        return value * MICROSECOND_NS if value >= 10**14 else value * MILLISECOND_NS


def select(engine: Engine, one: str | None, several: list[str] | None) -> list[Symbol]:
    if one is not None:
        return [engine.symbol(one)]
    if several is not None:
        return [engine.symbol(name) for name in several]
    return list(engine.symbols.values())


class Endpoint(msgspec.Struct, frozen=True):
    """`handler(call)` gives what is answered as JSON, or raises ApiError."""

    method: str
    path: str
    handler: Callable[[Call], Any]
    weight: int | Callable[[Params], int] = 1
    security: str = PUBLIC
    ws_method: str | None = None
    is_free: bool = False  # weighs nothing where it succeeds: placing and canceling

    def weight_of(self, params: Params) -> int:
        return self.weight if isinstance(self.weight, int) else self.weight(params)
