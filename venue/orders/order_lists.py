"""Order lists of the accounts (OCO, OTO, OTOCO, OPO, OPOCO), as they are kept, logged and found."""

from collections import deque

import msgspec

from venue.base import errors


class OrderList(msgspec.Struct, array_like=True, gc=False):
    """Orders that depend on each other. Logged as an array: fields are only ever appended, with defaults.

    An OCO has two orders. An OTO has a working order and one pending order, or two that form an OCO (then it is an
    OTOCO). `is_paid`: what the working order brings is the size of the pending ones (OPO, OPOCO).
    """

    list_id: int
    symbol: str
    account: str
    client_id: str
    contingency: str  # OCO or OTO, also where the pending orders of an OTO are an OCO
    orders: list[tuple[int, str]]  # id and client id; of an OTO the working order is the first
    time_ns: int
    update_ns: int
    is_waiting: bool = False  # an OTO whose working order has not filled yet
    is_paid: bool = False
    held_atoms: int = 0  # what the working order has brought, locked for the pending ones
    is_done: bool = False

    @property
    def working_id(self) -> int:
        """The working order of an OTO; 0 for an OCO."""
        return self.orders[0][0] if self.contingency == "OTO" else 0

    def rename(self, order_id: int, client_order_id: str) -> None:
        """One of its orders has another client id now."""
        self.orders = [(known, client_order_id if known == order_id else name) for known, name in self.orders]

    @property
    def pair(self) -> tuple[int, ...]:
        """The two orders of which one cancels the other, if there are such."""
        legs = self.orders if self.contingency == "OCO" else self.orders[1:]
        return tuple(order_id for order_id, _ in legs) if len(legs) == 2 else ()


class OrderLists:
    """All lists, by account and id; of those that are done as many as `kept`."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.by_account: dict[str, dict[int, OrderList]] = {}
        self.open: dict[int, OrderList] = {}
        self._open_by_client_id: dict[tuple[str, str], OrderList] = {}
        self._done: deque[OrderList] = deque()

    def add(self, one: OrderList) -> None:
        self.by_account.setdefault(one.account, {})[one.list_id] = one
        if one.is_done:
            self._keep(one)
            return
        self.open[one.list_id] = one
        self._open_by_client_id[one.account, one.client_id] = one

    def end(self, one: OrderList) -> None:
        """It is done; the oldest are forgotten where there are too many."""
        one.is_done = True
        del self.open[one.list_id]
        self._open_by_client_id.pop((one.account, one.client_id), None)
        self._keep(one)

    def is_open(self, account: str, client_id: str | None) -> bool:
        return client_id is not None and (account, client_id) in self._open_by_client_id

    def open_on(self, account: str, symbol: str) -> int:
        """How many lists the account has open on a symbol."""
        return sum(one.account == account and one.symbol == symbol for one in self.open.values())

    def open_of(self, account: str) -> int:
        """How many it has open on all symbols."""
        return sum(one.account == account for one in self.open.values())

    def find(self, account: str, list_id: int | None, client_id: str | None) -> OrderList | None:
        """By id, else by client id: an open one first, then the latest. Raises -2011 where both disagree."""
        known = self.by_account.get(account, {})
        if list_id is not None:
            found = known.get(list_id)
            if found is not None and client_id is not None and found.client_id != client_id:
                raise errors.unknown_order()
            return found
        opened = self._open_by_client_id.get((account, client_id or ""))
        if opened is not None:
            return opened
        return next((one for one in reversed(known.values()) if one.client_id == client_id), None)

    def _keep(self, one: OrderList) -> None:
        self._done.append(one)
        while len(self._done) > self.kept:
            oldest = self._done.popleft()
            del self.by_account[oldest.account][oldest.list_id]
