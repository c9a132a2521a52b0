"""Amendments: reductions of open orders that keep their place in the queue."""

from collections.abc import Callable
from typing import Any

import msgspec

from venue.symbols.symbol import Symbol


class Amendment(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One reduction of an open order. Stored as an array: new fields are only appended, with defaults."""

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
    """As in the answer of GET order/amendments."""
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
