"""The options of an order beyond its price and its size."""

from typing import TypedDict

from protocol import OrdType, SelfTradePrevention, TimeInForce


class OrderOptions(TypedDict, total=False):
    """The keyword arguments of `Strategy.buy` and `sell` beyond price and size."""

    ord_type: OrdType  # default LIMIT; for MARKET, price_ticks is 0
    post_only: bool  # default False; True: the order is LIMIT_MAKER, rejected if it would trade at once
    time_in_force: TimeInForce  # default GTC
    stp: SelfTradePrevention  # default NONE: the mode that is the exchange's default
    allow_stale: bool  # default False; True: send the order also while the market is not ready
    tag: str  # default ""; at most 64 characters: the orders with this tag have a ledger of their own
