"""The filters of a symbol: as exchangeInfo tells them, and as a new order meets them (filters.md of the docs)."""

from decimal import Decimal
from typing import Any

from protocol.enums import Side
from venue import errors
from venue.intervals import MINUTE_NS
from venue.numbers import ATOMS, atoms
from venue.symbol import Symbol, exact


def check_settings(symbol: Symbol) -> None:
    """Raises BadVenue for rules of a market that contradict each other."""
    s = symbol.settings
    if s.default_stp_mode not in s.stp_modes:
        raise errors.BadVenue(
            f"market {s.symbol}: default_stp_mode {s.default_stp_mode} is not among stp_modes: add it"
        )
    if (s.multiplier_up is None) != (s.multiplier_down is None):
        raise errors.BadVenue(f"market {s.symbol}: give both of multiplier_up and multiplier_down, or none")
    if s.market_lot_size % s.lot_size:
        raise errors.BadVenue(f"market {s.symbol}: market_lot_size must be a multiple of lot_size, or 0")


def rows(symbol: Symbol) -> list[dict[str, Any]]:
    """The `filters` of exchangeInfo."""
    s = symbol.settings
    told: list[dict[str, Any]] = [
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
        {"filterType": "ICEBERG_PARTS", "limit": 100},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": exact(s.market_min_size),
            "maxQty": exact(s.market_max_size),
            "stepSize": exact(s.market_lot_size),
        },
        percent_row(symbol),
        notional_row(symbol),
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": s.max_orders},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": s.max_order_amends},
    ]
    if s.max_position is not None:
        told.append({"filterType": "MAX_POSITION", "maxPosition": exact(s.max_position)})
    return told


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


def weighing_atoms(symbol: Symbol, now_ns: int) -> int:
    """The price that orders are measured with: the reference price, else the average over `average_minutes`, else the
    last one."""
    reference = symbol.reference.atoms(now_ns) if symbol.reference is not None else None
    if reference is not None:
        return reference
    minutes = symbol.settings.average_minutes
    recent = symbol.candles.over(minutes * MINUTE_NS, now_ns) if minutes else None
    if recent is None or not recent.volume_lots:
        return symbol.last_ticks * symbol.tick_atoms
    return recent.quote_volume * symbol.tick_atoms // recent.volume_lots


def worth_atoms(symbol: Symbol, size_lots: int, now_ns: int) -> int:
    """The notional of an order without a price."""
    return weighing_atoms(symbol, now_ns) * size_lots * symbol.lot_atoms // ATOMS


def check_price(symbol: Symbol, side: Side, price_ticks: int, now_ns: int) -> None:
    """Raises -1013 for a price out of range, or too far from the average price."""
    s = symbol.settings
    price_atoms = price_ticks * symbol.tick_atoms
    if (s.min_price and price_atoms < atoms(s.min_price)) or (s.max_price and price_atoms > atoms(s.max_price)):
        raise errors.filter_failure("PRICE_FILTER")
    if not price_atoms:
        raise errors.ApiError(-1013, "Price * QTY is zero or less.")
    up, down, name = band(symbol, side)
    average_atoms = weighing_atoms(symbol, now_ns)
    if not average_atoms * down <= price_atoms <= average_atoms * up:
        raise errors.filter_failure(name)


def band(symbol: Symbol, side: Side) -> tuple[Decimal, Decimal, str]:
    """How far up and down from the average a price may be, and the filter that says so."""
    s = symbol.settings
    if s.multiplier_up is not None and s.multiplier_down is not None:
        return s.multiplier_up, s.multiplier_down, "PERCENT_PRICE"
    if side is Side.BUY:
        return s.bid_multiplier_up, s.bid_multiplier_down, "PERCENT_PRICE_BY_SIDE"
    return s.ask_multiplier_up, s.ask_multiplier_down, "PERCENT_PRICE_BY_SIDE"


def check_size(symbol: Symbol, size_lots: int, is_market: bool) -> None:
    """Raises -1013 for a quantity out of range."""
    s = symbol.settings
    size_atoms = size_lots * symbol.lot_atoms
    if not atoms(s.min_size) <= size_atoms <= atoms(s.max_size):
        raise errors.filter_failure("LOT_SIZE")
    if not is_market:
        return
    is_within = atoms(s.market_min_size) <= size_atoms <= atoms(s.market_max_size)
    if not is_within or (s.market_lot_size and size_atoms % atoms(s.market_lot_size)):
        raise errors.filter_failure("MARKET_LOT_SIZE")


def market_lots(symbol: Symbol, lots: int) -> int:
    """What of so many lots a market order by quote quantity takes. Raises -2010 where the book has too few."""
    s = symbol.settings
    if not lots:
        raise errors.rejected("Order book liquidity is less than symbol minimum quantity.")
    if lots * symbol.lot_atoms < atoms(s.min_size):
        raise errors.rejected("Order book liquidity is less than `LOT_SIZE` filter minimum quantity.")
    step_lots = atoms(s.market_lot_size) // symbol.lot_atoms
    if step_lots > 1:
        lots -= lots % step_lots
    if not lots or lots * symbol.lot_atoms < atoms(s.market_min_size):
        raise errors.rejected("Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity.")
    return lots


def check_notional(symbol: Symbol, notional_atoms: int, is_market: bool) -> None:
    """Raises -1013 for an order that is worth too little or too much."""
    s = symbol.settings
    if notional_atoms < atoms(s.min_notional) and (s.apply_min_to_market or not is_market):
        raise errors.filter_failure(s.notional_filter)
    if s.notional_filter == "MIN_NOTIONAL":
        return
    if notional_atoms > atoms(s.max_notional) and (s.apply_max_to_market or not is_market):
        raise errors.filter_failure("NOTIONAL")
