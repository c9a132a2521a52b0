"""Reads the parameters of a pegged order (notes at POST /api/v3/order in Binance's docs)."""

from venue.api.requests.endpoint import ApiCall
from venue.api.requests.param_names import Leg
from venue.base import api_errors
from venue.base.params import Params
from venue.engine import pegs
from venue.engine.engine import NewOrder
from venue.orders.exchange_order import WORKS_AS


def bad_price_type() -> api_errors.ApiError:
    return api_errors.ApiError(-1210, "Invalid pegPriceType.")


def bad_offset_type() -> api_errors.ApiError:
    return api_errors.ApiError(-1211, "Invalid pegOffsetType.")


def read_peg(params: Params, leg: Leg, new_order: NewOrder) -> None:
    """Reads the peg. Raises -1210, -1211, -1130 for bad values, -2010 for an order that cannot be pegged this way."""
    price_type, offset_type = leg.name["pegPriceType"], leg.name["pegOffsetType"]
    offset_value = leg.name["pegOffsetValue"]
    if price_type not in params:
        for name in (offset_type, offset_value):
            if name in params:
                raise api_errors.not_required(name)
        return
    new_order.peg = params.choice(price_type, pegs.PEG_TYPES, None, bad_price_type)
    if offset_type in params or offset_value in params:
        params.choice(offset_type, pegs.OFFSET_TYPES, None, bad_offset_type)
        new_order.peg_offset = params.integer(offset_value)
        if not 1 <= new_order.peg_offset <= pegs.MAX_OFFSET:
            raise api_errors.invalid(offset_value)
    check_kind(new_order)


def check_kind(new_order: NewOrder) -> None:
    """Raises -2010 for a symbol, type or time in force that this peg does not allow."""
    if not new_order.symbol.settings.peg_allowed:
        raise api_errors.rejected("Pegged orders are not supported for this symbol.")
    if new_order.is_market:
        raise api_errors.rejected("This order type may not use pegged price.")
    if new_order.ord_type == "LIMIT_MAKER" and new_order.peg == pegs.MARKET:
        raise api_errors.rejected("This price peg cannot be used with this order type.")
    if new_order.ord_type == "LIMIT" and new_order.peg == pegs.PRIMARY and new_order.time_in_force != "GTC":
        raise api_errors.rejected("Unsupported order combination")


def read_pegged_price(call: ApiCall, leg: Leg, new_order: NewOrder) -> None:
    """Sets the price from the book; for an order that triggers later, a provisional price.

    An additional `price` must pass the same filters and is shown in answers; it is not a limit.
    """
    symbol, price_atoms = new_order.symbol, call.params.optional_atoms(leg.name["price"])
    if price_atoms:
        new_order.asked_ticks = symbol.to_ticks(price_atoms)
        pegs.check(symbol, new_order, new_order.asked_ticks, call.now_ns)
    known_ticks = new_order.asked_ticks or new_order.stop_ticks
    if new_order.ord_type in WORKS_AS and known_ticks:
        new_order.price_ticks = known_ticks
        pegs.check(symbol, new_order, known_ticks, call.now_ns)
    else:
        pegs.select(symbol, new_order, call.now_ns)
