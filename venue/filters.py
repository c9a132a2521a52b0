"""The filters of a symbol: as exchangeInfo tells them, and as a new order meets them."""

from typing import Any, Protocol

from protocol.enums import Side
from venue import errors
from venue.numbers import atoms
from venue.symbol import AVERAGE_MINUTES, Symbol, exact


def rows(symbol: Symbol) -> list[dict[str, Any]]:
    """The `filters` of exchangeInfo."""
    s = symbol.settings
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": exact(s.min_price),
            "maxPrice": exact(s.max_price),
            "tickSize": exact(s.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": exact(s.min_size),
            "maxQty": exact(s.max_size),
            "stepSize": exact(s.lot_size),
        },
        {"filterType": "ICEBERG_PARTS", "limit": s.iceberg_parts},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": exact(s.market_max_size),
            "stepSize": "0.00000000",
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": s.min_trailing_delta,
            "maxTrailingAboveDelta": s.max_trailing_delta,
            "minTrailingBelowDelta": s.min_trailing_delta,
            "maxTrailingBelowDelta": s.max_trailing_delta,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": str(s.bid_multiplier_up),
            "bidMultiplierDown": str(s.ask_multiplier_down),
            "askMultiplierUp": str(s.bid_multiplier_up),
            "askMultiplierDown": str(s.ask_multiplier_down),
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": exact(s.min_notional),
            "applyMinToMarket": True,
            "maxNotional": exact(s.max_notional),
            "applyMaxToMarket": False,
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": s.max_orders},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": s.max_order_lists},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": s.max_algo_orders},
        {"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": s.max_iceberg_orders},
    ]


def check_price_range(symbol: Symbol, price_ticks: int) -> None:
    """Raises -1013 for a price or stop price out of range."""
    if not atoms(symbol.settings.min_price) <= price_ticks * symbol.tick_atoms <= atoms(symbol.settings.max_price):
        raise errors.filter_failure("PRICE_FILTER")


def check_trailing_delta(symbol: Symbol, delta: int) -> None:
    """Raises -1013 for a trailing delta out of range; the range is one for both sides of the market."""
    if not symbol.settings.min_trailing_delta <= delta <= symbol.settings.max_trailing_delta:
        raise errors.filter_failure("TRAILING_DELTA")


def check_price(symbol: Symbol, side: Side, price_ticks: int, now_ns: int) -> None:
    """Raises -1013 for a price out of range, or too far from the average price."""
    check_price_range(symbol, price_ticks)
    s = symbol.settings
    price_atoms = price_ticks * symbol.tick_atoms
    average_atoms = symbol.average_ticks(now_ns) * symbol.tick_atoms
    if not average_atoms * s.ask_multiplier_down <= price_atoms <= average_atoms * s.bid_multiplier_up:
        raise errors.filter_failure("PERCENT_PRICE_BY_SIDE")


def check_size(symbol: Symbol, size_lots: int, is_market: bool) -> None:
    """Raises -1013 for a quantity out of range."""
    s = symbol.settings
    size_atoms = size_lots * symbol.lot_atoms
    if not atoms(s.min_size) <= size_atoms <= atoms(s.max_size):
        raise errors.filter_failure("LOT_SIZE")
    if is_market and size_atoms > atoms(s.market_max_size):
        raise errors.filter_failure("MARKET_LOT_SIZE")


def check_iceberg(symbol: Symbol, order: "Sized") -> None:
    """Raises -2010 for an iceberg that shows more than there is, -1013 for one of too many parts."""
    if order.iceberg_lots > order.size_lots:
        raise errors.rejected("IcebergQty exceeds QTY.")
    if order.iceberg_lots and -(-order.size_lots // order.iceberg_lots) > symbol.settings.iceberg_parts:
        raise errors.filter_failure("ICEBERG_PARTS")


class Sized(Protocol):
    """An order, or the intent to place one."""

    @property
    def is_market(self) -> bool: ...

    @property
    def price_ticks(self) -> int: ...

    @property
    def size_lots(self) -> int: ...

    @property
    def iceberg_lots(self) -> int: ...


def check_worth(symbol: Symbol, order: Sized, now_ns: int) -> None:
    """Raises -1013 for a size or worth out of range; without a price an order is worth the average price."""
    check_size(symbol, order.size_lots, order.is_market)
    price_ticks = symbol.average_ticks(now_ns) if order.is_market else order.price_ticks
    check_notional(symbol, price_ticks * order.size_lots * symbol.notional_atoms, order.is_market)


def check_notional(symbol: Symbol, notional_atoms: int, is_market: bool) -> None:
    """Raises -1013 for an order that is worth too little, or (limit orders) too much."""
    s = symbol.settings
    if notional_atoms < atoms(s.min_notional) or (not is_market and notional_atoms > atoms(s.max_notional)):
        raise errors.filter_failure("NOTIONAL")
