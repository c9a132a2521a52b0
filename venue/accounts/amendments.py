"""Orders made smaller in their place in the queue: what is remembered of it, and what is told."""

from collections.abc import Callable
from typing import Any

import msgspec

from venue.symbols.symbol import Symbol


class Amendment(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One change of an open order. Logged as an array: fields are only ever appended, with defaults."""

    symbol: str
    order_id: int
    account: str
    execution_id: int
    old_client_order_id: str
    new_client_order_id: str
    old_lots: int
    new_lots: int
    time_ns: int


def shown(symbol: Symbol, one: Amendment, ms: Callable[[int], int]) -> dict[str, Any]:
    """As order/amendments lists it."""
    return {
        "symbol": symbol.name,
        "orderId": one.order_id,
        "executionId": one.execution_id,
        "origClientOrderId": one.old_client_order_id,
        "newClientOrderId": one.new_client_order_id,
        "origQty": symbol.size(one.old_lots),
        "newQty": symbol.size(one.new_lots),
        "time": ms(one.time_ns),
    }
