"""Codes of matching events and their reasons. An event is a tuple of ints; the first one is its code."""

# Events, with the fields that follow the code.
ACCEPTED = 1  # order_id, resting_lots: lots that rest in the book after the call
TRADE = 2  # maker_id, taker_id, price_ticks, lots, maker_leaves, taker_leaves, maker_account, taker_account
CANCELED = 3  # order_id, leaves: lots that were open
EXPIRED = 4  # order_id, leaves: lots that were open, reason
REJECTED = 5  # order_id, reason: the book is unchanged
# maker_id, taker_id, price_ticks, maker_prevented, taker_prevented, maker_leaves, taker_leaves, stp
PREVENTED = 6
REDUCED = 7  # order_id, leaves: lots that stay open, at the same place in the queue

EVENT_NAMES = {
    ACCEPTED: "ACCEPTED",
    TRADE: "TRADE",
    CANCELED: "CANCELED",
    EXPIRED: "EXPIRED",
    REJECTED: "REJECTED",
    PREVENTED: "PREVENTED",
    REDUCED: "REDUCED",
}

# Reasons of EXPIRED and REJECTED.
WOULD_TAKE = 1  # a LIMIT_MAKER order that would match at once
NO_LIQUIDITY = 2  # the rest of a MARKET or IOC order: no more liquidity within its limit
FOK_UNFILLABLE = 3  # a FOK order that cannot be filled completely
STP = 4  # ended by self-trade prevention
DUPLICATE_ID = 5  # an open order has this id, or it is not in 1..ORDER_ID_MAX
BAD_SIZE = 6
BAD_PRICE = 7
BAD_FIELD = 8  # a side, order type, time in force, prevention mode or operation that does not exist

REASON_NAMES = {
    WOULD_TAKE: "WOULD_TAKE",
    NO_LIQUIDITY: "NO_LIQUIDITY",
    FOK_UNFILLABLE: "FOK_UNFILLABLE",
    STP: "STP",
    DUPLICATE_ID: "DUPLICATE_ID",
    BAD_SIZE: "BAD_SIZE",
    BAD_PRICE: "BAD_PRICE",
    BAD_FIELD: "BAD_FIELD",
}

# Operations of the rows that `submit_many` takes: nine int64 a row,
# (op, order_id, account, side, ord_type, tif, price_ticks, size_lots, stp).
OP_SUBMIT = 0
OP_CANCEL = 1  # only order_id is used
OP_REDUCE = 2  # order_id, and size_lots as the new size

ORDER_ID_MAX = 2**62 - 1

ROW_INTS = 9  # int64s of a row in, and of a row out (an event, padded with zeros)
ROW_BYTES = 8 * ROW_INTS
