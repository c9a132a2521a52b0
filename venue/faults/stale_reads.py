"""Replicas: an account as readers far from the matching engine see it: what changed is known to them later."""

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from venue.accounts.accounts import Account, Accounts
from venue.orders.order import Execution, Order

MAX_LOGGED = 100_000
"""Changes that a replica may still have to learn; beyond it learns the oldest at once."""
MAX_ORDERS = 300_000
"""Orders that a replica remembers; with more it begins again from the truth."""


class Change(msgspec.Struct, gc=False):
    """What one call of the engine has changed in one account: whole states, copied."""

    at_ns: int
    orders: list[Order]
    executions: list[Execution]
    balances: list[tuple[str, int, int]]


class Replica:
    """One account, `lag_ns` late. What it shows at a moment is what was true at one earlier moment, all of it."""

    def __init__(self, account: Account, lag_ns: int) -> None:
        self.lag_ns = lag_ns
        self.coming: deque[Change] = deque()
        self.seen = copy_of(account)

    def note(self, change: Change) -> None:
        self.coming.append(change)
        if len(self.coming) > MAX_LOGGED:
            self._learn(self.coming.popleft())

    def account(self, now_ns: int) -> Account:
        """The account as it is shown now."""
        while self.coming and self.coming[0].at_ns + self.lag_ns <= now_ns:
            self._learn(self.coming.popleft())
        return self.seen

    def _learn(self, change: Change) -> None:
        seen = self.seen
        for order in change.orders:
            order = copied(order)
            seen.open_orders.pop(order.order_id, None)
            seen.open_by_client_id.pop((order.symbol, order.client_order_id), None)
            seen.add_order(order)
        for execution in change.executions:
            seen.add_execution(execution, MAX_ORDERS)
        for asset, free, locked in change.balances:
            balance = seen.balance(asset)
            balance.free, balance.locked = free, locked
            seen.update_ns = change.at_ns


class Replicas:
    """Those of one stale fault: one per account and lag, made when first read."""

    def __init__(self, accounts: Accounts, lags_ns: list[int]) -> None:
        self.accounts = accounts
        self.lags_ns = lags_ns
        self.turn = 0
        self.by_account: dict[str, list[Replica]] = {
            name: [Replica(account, lag_ns) for lag_ns in lags_ns] for name, account in accounts.by_name.items()
        }

    def read(self, name: str, now_ns: int) -> Account:
        """The account as the next replica shows it."""
        self.turn += 1
        replicas = self.by_account[name]
        number = self.turn % len(replicas)
        if len(replicas[number].seen.orders) > MAX_ORDERS:
            replicas[number] = Replica(self.accounts.by_name[name], replicas[number].lag_ns)
        return replicas[number].account(now_ns)

    def note(
        self, at_ns: int, orders: Iterable[Order], executions: Iterable[Execution],
        balances: Mapping[tuple[str, str], tuple[int, int]],
    ) -> None:  # fmt: skip
        """What the engine has just changed."""
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


def copied(order: Order) -> Order:
    return msgspec.structs.replace(order)


def copy_of(account: Account) -> Account:
    """Another account that looks the same and changes by itself."""
    made = Account(account.settings, account.uid, account.maker_fee, account.taker_fee)
    for asset, balance in account.balances.items():
        made.balances[asset] = msgspec.structs.replace(balance)
    for order in account.orders.values():
        made.add_order(copied(order))
    for execution in account.executions:
        made.add_execution(execution, MAX_ORDERS)
    made.update_ns = account.update_ns
    return made
