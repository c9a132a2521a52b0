"""Order lists of the accounts (OCO, OTO, OTOCO, OPO, OPOCO) and their lookup."""

from collections import deque

import msgspec

from venue.base import api_errors


class OrderList(msgspec.Struct, array_like=True, gc=False):
    """Orders that depend on each other. Stored as an array: new fields are only appended, with defaults.

    An OCO has two orders. An OTO has a working order and one pending order, or two pending orders that form an OCO
    (OTOCO). `is_paid`: the pending orders' size is what the working order receives (OPO, OPOCO).
    """

    list_id: int
    symbol: str
    account: str
    client_id: str
    contingency: str  # OCO or OTO; an OTOCO is an OTO
    orders: list[tuple[int, str]]  # (order id, client order id); the working order of an OTO comes first
    time_ns: int
    update_ns: int
    is_waiting: bool = False  # an OTO whose working order is not filled yet
    is_paid: bool = False
    held_atoms: int = 0  # received by the working order, locked for the pending ones
    is_done: bool = False

    @property
    def working_id(self) -> int:
        """The order id of the working order of an OTO; 0 for an OCO."""
        return self.orders[0][0] if self.contingency == "OTO" else 0

    def rename(self, order_id: int, client_order_id: str) -> None:
        """Sets the client order id of one of its orders."""
        self.orders = [(known, client_order_id if known == order_id else name) for known, name in self.orders]

    @property
    def pair(self) -> tuple[int, ...]:
        """The ids of the two orders of which one cancels the other; empty without such a pair."""
        legs = self.orders if self.contingency == "OCO" else self.orders[1:]
        return tuple(order_id for order_id, _ in legs) if len(legs) == 2 else ()


class OrderLists:
    """All lists, by account and id; of finished lists the latest `kept`."""

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
        """Marks a list as done; drops the oldest finished lists beyond `kept`."""
        one.is_done = True
        del self.open[one.list_id]
        self._open_by_client_id.pop((one.account, one.client_id), None)
        self._keep(one)

    def is_open(self, account: str, client_id: str | None) -> bool:
        return client_id is not None and (account, client_id) in self._open_by_client_id

    def open_on(self, account: str, symbol: str) -> int:
        """Number of open lists of the account on a symbol."""
        return sum(one.account == account and one.symbol == symbol for one in self.open.values())

    def open_of(self, account: str) -> int:
        """Number of open lists of the account on all symbols."""
        return sum(one.account == account for one in self.open.values())

    def find(self, account: str, list_id: int | None, client_id: str | None) -> OrderList | None:
        """Finds a list by id, else by client id (an open one first, then the latest). Raises -2011 if both disagree."""
        known = self.by_account.get(account, {})
        if list_id is not None:
            found = known.get(list_id)
            if found is not None and client_id is not None and found.client_id != client_id:
                raise api_errors.unknown_order()
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
