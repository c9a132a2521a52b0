"""Stale reads: an account as read replicas that lag behind the matching engine show it."""

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from venue.accounts.accounts import Accounts, ExchangeAccount
from venue.base.units import MILLISECOND_NS
from venue.engine.ledger_records import LedgerRecords
from venue.faults.clock_skew import ClockSkew
from venue.faults.kinds.request_kinds import StaleReads
from venue.orders.exchange_order import ExchangeOrder, Execution

MAX_PENDING = 100_000
"""Changes that a replica may have pending; beyond it the oldest is applied at once."""
MAX_ORDERS = 300_000
"""Orders that a replica keeps; with more it starts again as a copy of the account."""


class Change(msgspec.Struct, gc=False):
    """What one call of the engine changed in one account: copies of whole states."""

    at_ns: int
    orders: list[ExchangeOrder]
    executions: list[Execution]
    balances: list[tuple[str, int, int]]


class ReadReplica:
    """One account, `lag_ns` late. It always shows one earlier state of the account, complete."""

    def __init__(self, account: ExchangeAccount, lag_ns: int) -> None:
        self.lag_ns = lag_ns
        self.pending: deque[Change] = deque()
        self.shown = copy_of(account)

    def note(self, change: Change) -> None:
        self.pending.append(change)
        if len(self.pending) > MAX_PENDING:
            self._apply(self.pending.popleft())

    def account(self, now_ns: int) -> ExchangeAccount:
        """The account as the replica shows it now."""
        while self.pending and self.pending[0].at_ns + self.lag_ns <= now_ns:
            self._apply(self.pending.popleft())
        return self.shown

    def _apply(self, change: Change) -> None:
        shown = self.shown
        for order in change.orders:
            order = copied(order)
            shown.open_orders.pop(order.order_id, None)
            shown.open_by_client_id.pop((order.symbol, order.client_order_id), None)
            shown.add_order(order)
        for execution in change.executions:
            shown.add_execution(execution, MAX_ORDERS)
        for asset, free, locked in change.balances:
            balance = shown.balance(asset)
            balance.free, balance.locked = free, locked
            shown.update_ns = change.at_ns


class ReplicaSet:
    """The replicas of one StaleReads fault: one per account and lag. Reads go to them in turn."""

    def __init__(self, accounts: Accounts, lags_ns: list[int]) -> None:
        self.accounts = accounts
        self.reads = 0
        self.by_account: dict[str, list[ReadReplica]] = {
            name: [ReadReplica(account, lag_ns) for lag_ns in lags_ns] for name, account in accounts.by_name.items()
        }

    def read(self, name: str, now_ns: int) -> ExchangeAccount:
        """The account as the next replica shows it."""
        self.reads += 1
        replicas = self.by_account[name]
        number = self.reads % len(replicas)
        if len(replicas[number].shown.orders) > MAX_ORDERS:
            replicas[number] = ReadReplica(self.accounts.by_name[name], replicas[number].lag_ns)
        return replicas[number].account(now_ns)

    def note(
        self, at_ns: int, orders: Iterable[ExchangeOrder], executions: Iterable[Execution],
        balances: Mapping[tuple[str, str], tuple[int, int]],
    ) -> None:  # fmt: skip
        """Records what the engine has just changed."""
        changes: dict[str, Change] = {}

        def of(name: str) -> Change:
            return changes.setdefault(name, Change(at_ns, [], [], []))

        for order in orders:
            of(order.account).orders.append(copied(order))
        for execution in executions:
            of(execution.account).executions.append(execution)
        for (name, asset), (free, locked) in balances.items():
            of(name).balances.append((asset, free, locked))
        for name, change in changes.items():
            for replica in self.by_account[name]:
                replica.note(change)


class StaleReadFaults:
    """The replica sets of all StaleReads faults whose window is open."""

    def __init__(self, accounts: Accounts, records: LedgerRecords, clock: ClockSkew) -> None:
        self.accounts = accounts
        self.records = records
        self.clock = clock
        self._sets: dict[int, ReplicaSet] = {}

    def begin(self, number: int, fault: StaleReads) -> None:
        """A window opens: from now on the replicas follow the engine's records."""
        self._sets[number] = ReplicaSet(self.accounts, [round(lag * MILLISECOND_NS) for lag in fault.lags_ms])
        self.records.mirror = self._note

    def end(self, number: int) -> None:
        if self._sets.pop(number, None) is not None and not self._sets:
            self.records.mirror = None

    def read(self, number: int, account: str, now_ns: int) -> ExchangeAccount:
        """The account as the next replica of fault `number` shows it."""
        return self._sets[number].read(account, now_ns)

    def _note(
        self,
        orders: Iterable[ExchangeOrder],
        executions: list[Execution],
        balances: Mapping[tuple[str, str], tuple[int, int]],
    ) -> None:
        for replicas in self._sets.values():
            replicas.note(self.clock.now_ns, orders, executions, balances)


def copied(order: ExchangeOrder) -> ExchangeOrder:
    return msgspec.structs.replace(order)


def copy_of(account: ExchangeAccount) -> ExchangeAccount:
    """A copy of the account that changes independently of it."""
    made = ExchangeAccount(account.settings, account.uid, account.maker_fee, account.taker_fee)
    for asset, balance in account.balances.items():
        made.balances[asset] = msgspec.structs.replace(balance)
    for order in account.orders.values():
        made.add_order(copied(order))
    for execution in account.executions:
        made.add_execution(execution, MAX_ORDERS)
    made.update_ns = account.update_ns
    return made
