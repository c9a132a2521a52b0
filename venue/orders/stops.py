"""Stop orders and trailing stops of one symbol that wait for the trade that triggers them."""

from bisect import bisect_left, bisect_right, insort
from typing import Protocol

from protocol.enums import Side
from venue.orders.exchange_order import ExchangeOrder

BIPS = 10_000
"""Basis points in the whole price, the unit of trailing deltas."""


class Contingent(Protocol):
    """An order or a new order."""

    @property
    def side(self) -> Side: ...

    @property
    def ord_type(self) -> str: ...

    @property
    def stop_ticks(self) -> int: ...


def waits_for_rise(order: Contingent) -> bool:
    """Whether its stop price is above the market: a stop loss that buys, a take profit that sells."""
    return (order.side is Side.BUY) == order.ord_type.startswith("STOP_LOSS")


def would_trigger(order: Contingent, last_ticks: int) -> bool:
    """Whether the last price already reaches the stop price."""
    if not order.stop_ticks:
        return False
    return last_ticks >= order.stop_ticks if waits_for_rise(order) else last_ticks <= order.stop_ticks


def has_turned(order: ExchangeOrder, price_ticks: int) -> bool:
    """Whether the price has moved back from its extreme by the trailing delta; exact, in integers."""
    if order.side is Side.BUY:
        return price_ticks * BIPS >= order.extreme_ticks * (BIPS + order.trailing_delta)
    return price_ticks * BIPS <= order.extreme_ticks * (BIPS - order.trailing_delta)


class Stops:
    """Orders by stop price on either side of the market, and trailing orders. Falsy when no order waits."""

    __slots__ = ("_above", "_below", "_orders", "_trailing")

    def __init__(self) -> None:
        self._orders: dict[int, ExchangeOrder] = {}
        self._above: list[tuple[int, int]] = []  # (stop_ticks, order_id), ascending
        self._below: list[tuple[int, int]] = []
        self._trailing: dict[int, ExchangeOrder] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: ExchangeOrder) -> None:
        """Adds an order; one with an extreme price continues to trail."""
        self._orders[order.order_id] = order
        if order.extreme_ticks:
            self._trailing[order.order_id] = order
        else:
            assert order.stop_ticks, order
            insort(self._side(order), (order.stop_ticks, order.order_id))

    def discard(self, order: ExchangeOrder) -> None:
        """Removes an order, if it waits."""
        if self._orders.pop(order.order_id, None) is None:
            return
        if self._trailing.pop(order.order_id, None) is None:
            side, row = self._side(order), (order.stop_ticks, order.order_id)
            del side[bisect_left(side, row)]

    def trade(self, price_ticks: int, now_ns: int) -> tuple[list[ExchangeOrder], list[ExchangeOrder]]:
        """Applies a trade; returns (triggered, moved) orders. Triggered ones are removed, oldest first."""
        triggered: list[ExchangeOrder] = []
        moved: list[ExchangeOrder] = []
        for order in self._trailing.values():
            if has_turned(order, price_ticks):
                triggered.append(order)
            elif order.side.sign * (order.extreme_ticks - price_ticks) > 0:
                order.extreme_ticks = price_ticks
                moved.append(order)
        reached = self._reached(price_ticks)
        for order in triggered:
            self.discard(order)
        for order in reached:
            if not order.trailing_delta:
                self.discard(order)
                triggered.append(order)
                continue
            self.discard(order)
            order.extreme_ticks, order.trailing_ns = price_ticks, now_ns
            self.add(order)
            moved.append(order)
        triggered.sort(key=lambda order: order.order_id)
        return triggered, moved

    def _reached(self, price_ticks: int) -> list[ExchangeOrder]:
        """The orders whose stop price a trade at this price reaches."""
        rows: list[tuple[int, int]] = []
        if self._above and self._above[0][0] <= price_ticks:
            rows += self._above[: bisect_right(self._above, price_ticks, key=lambda row: row[0])]
        if self._below and self._below[-1][0] >= price_ticks:
            rows += self._below[bisect_left(self._below, price_ticks, key=lambda row: row[0]) :]
        return [self._orders[order_id] for _, order_id in rows]

    def _side(self, order: ExchangeOrder) -> list[tuple[int, int]]:
        return self._above if waits_for_rise(order) else self._below
