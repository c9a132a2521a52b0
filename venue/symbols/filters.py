"""The filters of a symbol: as exchangeInfo lists them, and the checks of a new order (filters.md of the docs)."""

from typing import Any, Protocol

from protocol.enums import Side
from venue.base import api_errors
from venue.base.numbers import ATOMS
from venue.base.units import MINUTE_NS
from venue.base.venue_errors import BadVenue
from venue.symbols.symbol import Symbol, exact


def check_settings(symbol: Symbol) -> None:
    """Raises BadVenue for market settings that contradict each other."""
    s = symbol.settings
    if s.default_stp_mode not in s.stp_modes:
        raise BadVenue(f"market {s.symbol}: default_stp_mode {s.default_stp_mode} is not among stp_modes: add it")
    if (s.multiplier_up is None) != (s.multiplier_down is None):
        raise BadVenue(f"market {s.symbol}: set both multiplier_up and multiplier_down, or neither")
    if s.market_lot_size % s.lot_size:
        raise BadVenue(f"market {s.symbol}: market_lot_size must be a multiple of lot_size, or 0")


def rows(symbol: Symbol) -> list[dict[str, Any]]:
    """The `filters` of exchangeInfo."""
    s = symbol.settings
    listed: list[dict[str, Any]] = [
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
            "minQty": exact(s.market_min_size),
            "maxQty": exact(s.market_max_size),
            "stepSize": exact(s.market_lot_size),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": s.min_trailing_delta,
            "maxTrailingAboveDelta": s.max_trailing_delta,
            "minTrailingBelowDelta": s.min_trailing_delta,
            "maxTrailingBelowDelta": s.max_trailing_delta,
        },
        percent_row(symbol),
        notional_row(symbol),
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": s.max_orders},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": s.max_order_lists},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": s.max_algo_orders},
        {"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": s.max_iceberg_orders},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": s.max_order_amends},
    ]
    if s.max_owned is not None:
        listed.append({"filterType": "MAX_POSITION", "maxPosition": exact(s.max_owned)})
    return listed


def percent_row(symbol: Symbol) -> dict[str, Any]:
    s = symbol.settings
    if s.multiplier_up is not None and s.multiplier_down is not None:
        return {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{s.multiplier_up:.4f}",
            "multiplierDown": f"{s.multiplier_down:.4f}",
            "avgPriceMins": s.average_minutes,
        }
    return {
        "filterType": "PERCENT_PRICE_BY_SIDE",
        "bidMultiplierUp": str(s.bid_multiplier_up),
        "bidMultiplierDown": str(s.bid_multiplier_down),
        "askMultiplierUp": str(s.ask_multiplier_up),
        "askMultiplierDown": str(s.ask_multiplier_down),
        "avgPriceMins": s.average_minutes,
    }


def notional_row(symbol: Symbol) -> dict[str, Any]:
    s = symbol.settings
    if s.notional_filter == "MIN_NOTIONAL":
        return {
            "filterType": "MIN_NOTIONAL",
            "minNotional": exact(s.min_notional),
            "applyToMarket": s.apply_min_to_market,
            "avgPriceMins": s.average_minutes,
        }
    return {
        "filterType": "NOTIONAL",
        "minNotional": exact(s.min_notional),
        "applyMinToMarket": s.apply_min_to_market,
        "maxNotional": exact(s.max_notional),
        "applyMaxToMarket": s.apply_max_to_market,
        "avgPriceMins": s.average_minutes,
    }


def filter_price_atoms(symbol: Symbol, now_ns: int) -> int:
    """The price for filter checks, in atoms: the reference price, else the average over `average_minutes`, else the
    last price."""
    reference = symbol.reference.atoms(now_ns) if symbol.reference is not None else None
    if reference is not None:
        return reference
    minutes = symbol.settings.average_minutes
    volume_lots, quote_volume = symbol.candles.turnover(minutes * MINUTE_NS, now_ns) if minutes else (0, 0)
    if not volume_lots:
        return symbol.last_ticks * symbol.tick_atoms
    return quote_volume * symbol.tick_atoms // volume_lots


def notional_at_filter_price(symbol: Symbol, size_lots: int, now_ns: int) -> int:
    """The notional of an order without a price, in atoms."""
    return filter_price_atoms(symbol, now_ns) * size_lots * symbol.lot_atoms // ATOMS


def check_price_range(symbol: Symbol, price_ticks: int) -> None:
    """Raises -1013 for a price or stop price out of range."""
    bounds, price_atoms = symbol.bounds, price_ticks * symbol.tick_atoms
    if price_atoms < bounds.min_price or (bounds.max_price and price_atoms > bounds.max_price):
        raise api_errors.filter_failure("PRICE_FILTER")


def check_trailing_delta(symbol: Symbol, delta: int) -> None:
    """Raises -1013 for a trailing delta out of range; the range is the same on both sides of the market."""
    if not symbol.settings.min_trailing_delta <= delta <= symbol.settings.max_trailing_delta:
        raise api_errors.filter_failure("TRAILING_DELTA")


def check_price(symbol: Symbol, side: Side, price_ticks: int, now_ns: int) -> None:
    """Raises -1013 for a price out of range, or too far from the filter price."""
    check_price_range(symbol, price_ticks)
    price_atoms = price_ticks * symbol.tick_atoms
    if not price_atoms:
        raise api_errors.ApiError(-1013, "Price * QTY is zero or less.")
    band = symbol.bounds.bands[side]
    if not band.holds(price_atoms, filter_price_atoms(symbol, now_ns)):
        raise api_errors.filter_failure(band.name)


def check_size(symbol: Symbol, size_lots: int, is_market: bool) -> None:
    """Raises -1013 for a quantity out of range."""
    bounds, size_atoms = symbol.bounds, size_lots * symbol.lot_atoms
    if not bounds.min_size <= size_atoms <= bounds.max_size:
        raise api_errors.filter_failure("LOT_SIZE")
    if not is_market:
        return
    is_within = bounds.market_min_size <= size_atoms <= bounds.market_max_size
    if not is_within or (bounds.market_lot_size and size_atoms % bounds.market_lot_size):
        raise api_errors.filter_failure("MARKET_LOT_SIZE")


def check_iceberg(symbol: Symbol, order: "Sized") -> None:
    """Raises -2010 for an iceberg quantity above the order's, -1013 for too many parts."""
    if order.iceberg_lots > order.size_lots:
        raise api_errors.rejected("IcebergQty exceeds QTY.")
    if order.iceberg_lots and -(-order.size_lots // order.iceberg_lots) > symbol.settings.iceberg_parts:
        raise api_errors.filter_failure("ICEBERG_PARTS")


class Sized(Protocol):
    """An order or a new order."""

    @property
    def is_market(self) -> bool: ...

    @property
    def price_ticks(self) -> int: ...

    @property
    def size_lots(self) -> int: ...

    @property
    def iceberg_lots(self) -> int: ...


def check_size_and_notional(symbol: Symbol, order: Sized, now_ns: int) -> None:
    """Raises -1013 for a size or notional out of range; a market order counts at the filter price."""
    is_market = order.is_market
    check_size(symbol, order.size_lots, is_market)
    notional_atoms = order.price_ticks * order.size_lots * symbol.notional_atoms
    if is_market:
        notional_atoms = notional_at_filter_price(symbol, order.size_lots, now_ns)
    check_notional(symbol, notional_atoms, is_market)


def market_lots(symbol: Symbol, lots: int) -> int:
    """The lots that a market order by quote quantity takes, rounded to the step. Raises -2010 if too few."""
    bounds = symbol.bounds
    if not lots:
        raise api_errors.rejected("Order book liquidity is less than symbol minimum quantity.")
    if lots * symbol.lot_atoms < bounds.min_size:
        raise api_errors.rejected("Order book liquidity is less than `LOT_SIZE` filter minimum quantity.")
    step_lots = bounds.market_lot_size // symbol.lot_atoms
    if step_lots > 1:
        lots -= lots % step_lots
    if not lots or lots * symbol.lot_atoms < bounds.market_min_size:
        raise api_errors.rejected("Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity.")
    return lots


def check_notional(symbol: Symbol, notional_atoms: int, is_market: bool) -> None:
    """Raises -1013 for a notional that is too small or too large."""
    s, bounds = symbol.settings, symbol.bounds
    if notional_atoms < bounds.min_notional and (s.apply_min_to_market or not is_market):
        raise api_errors.filter_failure(s.notional_filter)
    if s.notional_filter == "MIN_NOTIONAL":
        return
    if notional_atoms > bounds.max_notional and (s.apply_max_to_market or not is_market):
        raise api_errors.filter_failure("NOTIONAL")
