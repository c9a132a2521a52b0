"""The parameters of a pegged order (the notes on them at POST /api/v3/order)."""

from venue.api.requests.endpoint import Call
from venue.api.requests.param_names import Leg
from venue.base import errors
from venue.base.params import Params
from venue.engine import pegs
from venue.engine.engine import Intent
from venue.orders.order import WORKS_AS


def bad_price_type() -> errors.ApiError:
    return errors.ApiError(-1210, "Invalid pegPriceType.")


def bad_offset_type() -> errors.ApiError:
    return errors.ApiError(-1211, "Invalid pegOffsetType.")


def read_peg(params: Params, leg: Leg, intent: Intent) -> None:
    """What the price is pegged to. Raises -1210, -1211, -1130; -2010 for an order that may not be pegged so."""
    price_type, offset_type = leg.name["pegPriceType"], leg.name["pegOffsetType"]
    offset_value = leg.name["pegOffsetValue"]
    if price_type not in params:
        for name in (offset_type, offset_value):
            if name in params:
                raise errors.not_required(name)
        return
    intent.peg = params.choice(price_type, pegs.PEG_TYPES, None, bad_price_type)
    if offset_type in params or offset_value in params:
        params.choice(offset_type, pegs.OFFSET_TYPES, None, bad_offset_type)
        intent.peg_offset = params.integer(offset_value)
        if not 1 <= intent.peg_offset <= pegs.DEEPEST:
            raise errors.invalid(offset_value)
    check_kind(intent)


def check_kind(intent: Intent) -> None:
    """Raises -2010 for a symbol, a type or a time in force that goes with no such peg."""
    if not intent.symbol.settings.peg_allowed:
        raise errors.rejected("Pegged orders are not supported for this symbol.")
    if intent.is_market:
        raise errors.rejected("This order type may not use pegged price.")
    if intent.ord_type == "LIMIT_MAKER" and intent.peg == pegs.MARKET:
        raise errors.rejected("This price peg cannot be used with this order type.")
    if intent.ord_type == "LIMIT" and intent.peg == pegs.PRIMARY and intent.time_in_force != "GTC":
        raise errors.rejected("Unsupported order combination")


def read_pegged_price(call: Call, leg: Leg, intent: Intent) -> None:
    """The price of the book; of one that is triggered later, what it is reckoned with until then.

    A `price` that is sent as well must pass the same filters, and is told back; it is no limit.
    """
    symbol, price_atoms = intent.symbol, call.params.optional_atoms(leg.name["price"])
    if price_atoms:
        intent.asked_ticks = symbol.to_ticks(price_atoms)
        pegs.check(symbol, intent, intent.asked_ticks, call.now_ns)
    known_ticks = intent.asked_ticks or intent.stop_ticks
    if intent.ord_type in WORKS_AS and known_ticks:
        intent.price_ticks = known_ticks
        pegs.check(symbol, intent, known_ticks, call.now_ns)
    else:
        pegs.select(symbol, intent, call.now_ns)
