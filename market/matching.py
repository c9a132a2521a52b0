"""A matching engine for one instrument, with price-time priority. `Matching` is the implementation in use."""

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING

from market.codes import (
    ACCEPTED,
    BAD_FIELD,
    BAD_PRICE,
    BAD_SIZE,
    CANCELED,
    DUPLICATE_ID,
    EVENT_NAMES,
    EXPIRED,
    FOK_UNFILLABLE,
    NO_LIQUIDITY,
    OP_CANCEL,
    OP_REDUCE,
    OP_SUBMIT,
    ORDER_ID_MAX,
    PREVENTED,
    REASON_NAMES,
    REDUCED,
    REJECTED,
    ROW_BYTES,
    ROW_INTS,
    STP,
    TRADE,
    WOULD_TAKE,
)
from market.implementation import FORCE_PLAIN
from market.levels import MAX_INT
from market.resting import RestingOrder, RestingOrders

__all__ = [
    "ACCEPTED",
    "BAD_FIELD",
    "BAD_PRICE",
    "BAD_SIZE",
    "CANCELED",
    "DUPLICATE_ID",
    "EVENT_NAMES",
    "EXPIRED",
    "FOK_UNFILLABLE",
    "IMPLEMENTATION",
    "NO_LIQUIDITY",
    "OP_CANCEL",
    "OP_REDUCE",
    "OP_SUBMIT",
    "ORDER_ID_MAX",
    "PREVENTED",
    "REASON_NAMES",
    "REDUCED",
    "REJECTED",
    "ROW_BYTES",
    "ROW_INTS",
    "STP",
    "TRADE",
    "WOULD_TAKE",
    "FastMatching",
    "Matching",
    "PlainMatching",
]

BUY, SELL = 1, 2  # these, and the next lines: protocol.enums
MARKET, LIMIT, LIMIT_MAKER = 1, 2, 101
GTC, IOC, FOK = 1, 3, 4
NONE, EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH, DECREMENT, TRANSFER = range(6)

Event = tuple[int, ...]


class PlainMatching(RestingOrders):
    """Orders in, events out; ints only. Wrong orders get a REJECTED event, never an exception.

    The rules (events and reasons: `market.codes`):

    - Best price first, then the earliest order; a trade has the maker's price. Ids must be unique among *open*
      orders only: ids of ended orders are not kept.
    - Checks, in this order: BAD_FIELD, DUPLICATE_ID, BAD_SIZE, BAD_PRICE, WOULD_TAKE. A rejected order changes nothing.
    - A valid order is ACCEPTED first, with the lots that rest after the call, and then trades. So a
      LIMIT GTC order that fills whole gives ACCEPTED(id, 0), TRADE...; a FOK order that fails ACCEPTED(id,
      0), EXPIRED(id, size, FOK_UNFILLABLE).
    - MARKET ignores its price, and never rests: FOK is honoured, GTC means IOC. LIMIT_MAKER ignores its
      time in force; any opposite order within its price, its own account's too, rejects it.
    - Self-trade prevention uses the taker's mode; the mode of resting orders is not kept. `account` is the number that
      it compares: one number for all accounts of a trade group. If maker and taker have one account, the event is
      PREVENTED instead of TRADE, then EXPIRED(.., STP) of the maker and of the taker, if they end: EXPIRE_TAKER,
      EXPIRE_MAKER and EXPIRE_BOTH end all open lots of the named orders; DECREMENT takes the smaller open size off
      both, and so does TRANSFER, whose owners settle the prevented lots between themselves. The taker goes on with
      the lots that it has left. Prevented lots are not traded.
    - A FOK order with prevention fills only if orders of other accounts can fill it completely: EXPIRE_MAKER skips
      orders of its own account (they expire when it reaches them), the other modes stop at the first of them.
    - `reduce` sets a smaller total size and keeps the place in the queue. A size that is not smaller, or that
      leaves no open lots, is REJECTED(id, BAD_SIZE).
    - An iceberg (`peak_lots` above 0 and below its resting lots) shows `peak_lots` at a time. Once these are traded it
      shows the next part, at the end of its price's queue. Hidden lots are traded last at their price, and are not
      part of levels. Reductions and prevention take hidden lots first. `shown_lots`: lots that an order which is
      restored still shows of its part.
    - Every int must fit an int64. Ids are 1..2**62-1; prices are 1..2**53-1, and so is the sum of all open sizes on
      the order's side (else BAD_SIZE); accounts are any int64.
    """

    def submit(
        self,
        order_id: int,
        account: int,
        side: int,
        ord_type: int,
        tif: int,
        price_ticks: int,
        size_lots: int,
        stp: int = NONE,
        peak_lots: int = 0,
        shown_lots: int = 0,
    ) -> list[Event]:
        """Matches a new order and rests the remaining lots; returns the events, in order."""
        reason = self._reason_to_reject(order_id, side, ord_type, tif, price_ticks, size_lots, stp)
        if not reason and (peak_lots < 0 or shown_lots < 0):
            reason = BAD_SIZE
        if reason:
            return [(REJECTED, order_id, reason)]
        index = side - 1
        # The least key of the other side that this order may take: see RestingOrder.key.
        limit = -MAX_INT if ord_type == MARKET else (-price_ticks if index == 0 else price_ticks)
        whole = tif == FOK and ord_type != LIMIT_MAKER
        if whole and not self._can_fill(account, index, limit, size_lots, stp):
            return [(ACCEPTED, order_id, 0), (EXPIRED, order_id, size_lots, FOK_UNFILLABLE)]
        events: list[Event] = [()]
        leaves, alive = self._match(events, order_id, account, index, limit, size_lots, stp)
        resting = 0
        if leaves and alive:
            if ord_type == LIMIT_MAKER or (ord_type == LIMIT and tif == GTC):
                self._rest(order_id, account, index, price_ticks, size_lots, leaves, peak_lots, shown_lots)
                resting = leaves
            else:
                events.append((EXPIRED, order_id, leaves, NO_LIQUIDITY))
        events[0] = (ACCEPTED, order_id, resting)
        return events

    def cancel(self, order_id: int) -> list[Event]:
        """Ends an open order; no event if there is none with this id."""
        order = self._orders.get(order_id)
        if order is None:
            return []
        leaves = order.leaves
        self._lower(order, leaves)
        return [(CANCELED, order_id, leaves)]

    def cancel_all(self, account: int) -> list[Event]:
        """Ends all open orders of an account, oldest first."""
        return [event for order in self._orders_of(account) for event in self.cancel(order.order_id)]

    def reduce(self, order_id: int, new_size_lots: int) -> list[Event]:
        """Makes an open order smaller in its place; new_size_lots is its total size, filled lots included."""
        order = self._orders.get(order_id)
        if order is None:
            return []
        leaves = new_size_lots - (order.size_lots - order.leaves)
        if leaves < 1 or leaves >= order.leaves:
            return [(REJECTED, order_id, BAD_SIZE)]
        order.size_lots = new_size_lots
        self._lower(order, order.leaves - leaves)
        return [(REDUCED, order_id, leaves)]

    def submit_many(self, rows: bytes) -> bytes:
        """Executes many commands: rows of nine int64 in, events as rows of nine int64 out (`market.codes`).

        Raises ValueError, with the book unchanged, if the length is not a multiple of a row's.
        """
        if len(rows) % ROW_BYTES:
            raise ValueError(f"matching: {len(rows)} bytes are not rows of {ROW_BYTES}")
        packed = []
        for op, order_id, *fields in struct.iter_unpack(f"<{ROW_INTS}q", rows):
            if op == OP_SUBMIT:
                events = self.submit(order_id, *fields)
            elif op == OP_CANCEL:
                events = self.cancel(order_id)
            elif op == OP_REDUCE:
                events = self.reduce(order_id, fields[5])
            else:
                events = [(REJECTED, order_id, BAD_FIELD)]
            packed += [struct.pack(f"<{len(e)}q", *e).ljust(ROW_BYTES, b"\0") for e in events]
        return b"".join(packed)

    def clear(self) -> None:
        """Ends all orders, without events; `changes` reports their levels as removed."""
        for index in (0, 1):
            for key in self._keys[index]:
                self._note_change(index, key)
            self._keys[index].clear()
            self._queues[index].clear()
            self._lots[index].clear()
            self._hidden[index].clear()
            self._open_lots[index] = 0
        self._orders.clear()

    def _reason_to_reject(
        self, order_id: int, side: int, ord_type: int, tif: int, price_ticks: int, size_lots: int, stp: int
    ) -> int:
        known = side in (BUY, SELL) and ord_type in (MARKET, LIMIT, LIMIT_MAKER) and tif in (GTC, IOC, FOK)
        if not (known and NONE <= stp <= TRANSFER):
            return BAD_FIELD
        if not 1 <= order_id <= ORDER_ID_MAX or order_id in self._orders:
            return DUPLICATE_ID
        if not 1 <= size_lots <= MAX_INT - self._open_lots[side - 1]:
            return BAD_SIZE
        if ord_type != MARKET and not 1 <= price_ticks <= MAX_INT:
            return BAD_PRICE
        if ord_type == LIMIT_MAKER and self.would_match(side, price_ticks):
            return WOULD_TAKE
        return 0

    def _can_fill(self, account: int, index: int, limit: int, lots: int, stp: int) -> bool:
        keys = self._keys[1 - index]
        for key in reversed(keys[bisect_left(keys, limit) :]):
            shown = leaves = 0
            for maker in self._queues[1 - index][key].values():
                if stp == NONE or maker.account != account:
                    shown += maker.shown
                    leaves += maker.leaves
                elif stp != EXPIRE_MAKER:
                    return lots <= shown  # an iceberg's next part stands behind the own order
            lots -= leaves
            if lots <= 0:
                return True
        return False

    def _match(
        self, events: list[Event], taker_id: int, account: int, index: int, limit: int, leaves: int, stp: int
    ) -> tuple[int, bool]:
        """Matches against the other side; (lots left, whether the taker is still open)."""
        keys, queues = self._keys[1 - index], self._queues[1 - index]
        while leaves and keys and keys[-1] >= limit:
            price_ticks = abs(keys[-1])
            maker = next(iter(queues[keys[-1]].values()))
            maker_id = maker.order_id
            if stp != NONE and maker.account == account:
                leaves, alive = self._prevent(events, maker, taker_id, price_ticks, leaves, stp)
                if not alive:
                    return leaves, False
                continue
            lots = min(leaves, maker.shown)
            leaves -= lots
            self._fill(maker, lots)
            events.append((TRADE, maker_id, taker_id, price_ticks, lots, maker.leaves, leaves, maker.account, account))
        return leaves, True

    def _prevent(
        self, events: list[Event], maker: RestingOrder, taker_id: int, price_ticks: int, leaves: int, stp: int
    ) -> tuple[int, bool]:
        """Prevents a self-trade; (lots left of the taker, whether it is still open)."""
        least = min(maker.leaves, leaves) if stp in (DECREMENT, TRANSFER) else 0
        maker_lots = maker.leaves if stp in (EXPIRE_MAKER, EXPIRE_BOTH) else least
        taker_lots = leaves if stp in (EXPIRE_TAKER, EXPIRE_BOTH) else least
        if maker_lots:
            self._lower(maker, maker_lots)
        left = leaves - taker_lots
        maker_id = maker.order_id
        lots = (maker_lots, taker_lots, maker.leaves, left)
        events.append((PREVENTED, maker_id, taker_id, price_ticks, *lots, stp))
        if not maker.leaves:
            events.append((EXPIRED, maker_id, maker_lots, STP))
        if not left:
            events.append((EXPIRED, taker_id, taker_lots, STP))
        return left, left > 0


try:
    from market._matching import FastMatching
except ImportError:
    FastMatching = None  # type: ignore[assignment,misc]

if TYPE_CHECKING or FastMatching is None or FORCE_PLAIN:
    IMPLEMENTATION = "plain"
    Matching = PlainMatching
else:
    IMPLEMENTATION = "cython"
    Matching = FastMatching
