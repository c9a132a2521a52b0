"""The messages of a live market in the ticks and lots of a symbol here."""

from decimal import Decimal

import msgspec

from market.levels import pack_levels, unpack_levels
from market.scale import scale_of_message
from protocol import BookDelta, BookSnapshot, TopOfBook, Trade
from venue.base.numbers import ATOMS
from venue.symbols.symbol import Symbol

Data = BookSnapshot | BookDelta | TopOfBook | Trade


def in_units_of(symbol: Symbol, message: Data) -> Data | None:
    """The message in the units of `symbol`, without a scale of its own; None if its price is between two ticks.

    A live market contains orders from a time with smaller ticks and lots. Levels between two ticks are left out, since
    no order here can have such a price, and sizes are rounded down to lots. A message of an earlier version is in
    these units already.
    """
    scale = scale_of_message(message)
    if scale is None:
        return message
    price, size = scale.tick * ATOMS / symbol.tick_atoms, scale.lot * ATOMS / symbol.lot_atoms
    if price == size == 1:
        return message
    if isinstance(message, (BookSnapshot, BookDelta)):
        return msgspec.structs.replace(
            message,
            bids=_levels(message.bids, price, size),
            asks=_levels(message.asks, price, size),
            price_digits=-1,
            size_digits=-1,
        )
    if isinstance(message, Trade):
        if message.price_ticks * price % 1:
            return None
        return msgspec.structs.replace(
            message,
            price_ticks=int(message.price_ticks * price),
            size_lots=int(message.size_lots * size),
            price_digits=-1,
            size_digits=-1,
        )
    if message.bid_ticks * price % 1 or message.ask_ticks * price % 1:
        return None
    return msgspec.structs.replace(
        message,
        bid_ticks=int(message.bid_ticks * price),
        bid_lots=int(message.bid_lots * size),
        ask_ticks=int(message.ask_ticks * price),
        ask_lots=int(message.ask_lots * size),
        price_digits=-1,
        size_digits=-1,
    )


def _levels(packed: bytes, price: Decimal, size: Decimal) -> bytes:
    return pack_levels(
        (int(price_ticks * price), int(size_lots * size))
        for price_ticks, size_lots in unpack_levels(packed)
        if not price_ticks * price % 1
    )
