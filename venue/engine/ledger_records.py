"""What the exchange must remember over its own death: one record per change."""

from collections.abc import Callable, Iterable

import msgspec

from venue.accounts.amendments import Amendment
from venue.accounts.prevented_matches import PreventedMatch
from venue.base.venue_errors import LedgerDamaged
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.orders.order_lists import OrderList

Balances = dict[tuple[str, str], tuple[int, int]]
"""(account, asset) -> (free, locked), in atoms."""
BLOCKS = {
    "order": 10_000,
    "trade": 10_000,
    "agg": 10_000,
    "book": 100_000,
    "prevented": 1000,
    "execution": 10_000,
    "list": 1000,
}
"""Number of ids of each kind reserved at a time; ids that a killed process had reserved but not used are skipped."""


class LedgerBatch(msgspec.Struct, array_like=True, gc=False):
    """One atomic change. Orders and balances are whole states, not differences.

    New fields are only appended, with defaults.
    """

    orders: list[ExchangeOrder] = []
    executions: list[Execution] = []
    balances: list[tuple[str, str, int, int]] = []  # account, asset, free, locked
    prices: dict[str, int] = {}  # the last price of a symbol, in ticks
    reserved: dict[str, int] = {}  # ids below this value may be in use
    lists: list[OrderList] = []
    prevented: list[PreventedMatch] = []
    amendments: list[Amendment] = []
    outside: dict[str, int] = {}  # by asset: see Funds; so is the next
    deposited: dict[str, int] = {}
    units: dict[str, tuple[int, int]] = {}  # by symbol: what one tick and one lot of this ledger are, in atoms


class IdCounter:
    """Ids of one kind, from 1; they always increase, also over a restart."""

    __slots__ = ("block", "name", "next", "records", "reserved")

    def __init__(self, name: str, records: "LedgerRecords") -> None:
        self.name = name
        self.block = BLOCKS[name.partition(":")[0]]
        self.next = 1
        self.reserved = 1
        self.records = records

    def next_id(self) -> int:
        number = self.next
        self.next = number + 1
        if number >= self.reserved:
            self.reserved = number + self.block
            self.records.reserve(self.name, self.reserved)
        return number

    def skip_to(self, number: int) -> None:
        """Makes the next id at least `number`."""
        self.next = max(self.next, number)


class LedgerRecords:
    """Collects changes; `commit` makes one record of them. If not `enabled`, it only counts ids.

    `mirror` receives every change, if set (venue/faults/stale_reads.py sets it).
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self.pending: list[bytes] = []
        self.mirror: Callable[[Iterable[ExchangeOrder], list[Execution], Balances], None] | None = None
        self.counters: dict[str, IdCounter] = {}
        self._orders: dict[int, ExchangeOrder] = {}
        self._executions: list[Execution] = []
        self._balances: Balances = {}
        self._prices: dict[str, int] = {}
        self._reserved: dict[str, int] = {}
        self._lists: dict[int, OrderList] = {}
        self._prevented: list[PreventedMatch] = []
        self._amendments: list[Amendment] = []
        self._outside: dict[str, int] = {}
        self._deposited: dict[str, int] = {}
        self._units: dict[str, tuple[int, int]] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(LedgerBatch)

    def counter(self, name: str) -> IdCounter:
        found = self.counters.get(name)
        if found is None:
            found = self.counters[name] = IdCounter(name, self)
        return found

    def order(self, order: ExchangeOrder) -> None:
        self._orders[order.order_id] = order

    def order_list(self, order_list: OrderList) -> None:
        self._lists[order_list.list_id] = order_list

    def execution(self, execution: Execution) -> None:
        self._executions.append(execution)

    def prevented(self, match: PreventedMatch) -> None:
        self._prevented.append(match)

    def amendment(self, amendment: Amendment) -> None:
        self._amendments.append(amendment)

    def balance(self, account: str, asset: str, free_atoms: int, locked_atoms: int) -> None:
        self._balances[account, asset] = (free_atoms, locked_atoms)

    def outside(self, asset: str, atoms: int) -> None:
        self._outside[asset] = atoms

    def deposited(self, asset: str, atoms: int) -> None:
        self._deposited[asset] = atoms

    def unit(self, symbol: str, tick_atoms: int, lot_atoms: int) -> None:
        self._units[symbol] = (tick_atoms, lot_atoms)

    def price(self, symbol: str, price_ticks: int) -> None:
        self._prices[symbol] = price_ticks

    def reserve(self, name: str, below: int) -> None:
        self._reserved[name] = below

    def commit(self) -> None:
        """Queues one record of all changes since the last one, if there are any."""
        if not (self._orders or self._balances or self._reserved or self._executions or self._prices or self._units):
            return
        if self.mirror is not None:
            self.mirror(self._orders.values(), self._executions, self._balances)
        if self.enabled:
            batch = LedgerBatch(
                list(self._orders.values()),
                self._executions,
                [(account, asset, *both) for (account, asset), both in self._balances.items()],
                self._prices,
                self._reserved,
                list(self._lists.values()),
                self._prevented,
                self._amendments,
                self._outside,
                self._deposited,
                self._units,
            )
            self.pending.append(self.encode(batch))
        self._orders = {}
        self._executions = []
        self._balances = {}
        self._prices = {}
        self._reserved = {}
        self._lists = {}
        self._prevented = []
        self._amendments = []
        self._outside = {}
        self._deposited = {}
        self._units = {}

    def encode(self, batch: LedgerBatch) -> bytes:
        return self._encoder.encode(batch)

    def decode(self, record: bytes) -> LedgerBatch:
        """Raises LogDamaged for a record of another kind or version."""
        try:
            return self._decoder.decode(record)
        except msgspec.MsgspecError as error:
            raise LedgerDamaged(f"the venue's log holds a record that this version cannot read: {error}") from None
