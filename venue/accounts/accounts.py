"""Accounts: what each owns, free and locked, and the API keys that speak for it."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from venue.accounts.amendments import Amendment
from venue.accounts.prevented_matches import PreventedMatches
from venue.accounts.security import ApiKey, load_key
from venue.base import errors
from venue.base.numbers import atoms
from venue.base.settings import AccountSettings
from venue.orders.order import Execution, Order


class Balance(msgspec.Struct, gc=False):
    """Of one asset, in atoms."""

    free: int = 0
    locked: int = 0


class Account:
    """One account: balances by asset, its orders and its executions, oldest first."""

    def __init__(self, settings: AccountSettings, uid: int, maker_fee: Decimal, taker_fee: Decimal) -> None:
        self.settings = settings
        self.name = settings.name
        self.uid = uid
        self.maker_fee = maker_fee
        self.taker_fee = taker_fee
        self.maker_fee_atoms = atoms(maker_fee)
        self.taker_fee_atoms = atoms(taker_fee)
        self.balances: dict[str, Balance] = {}
        self.orders: dict[int, Order] = {}
        self.open_orders: dict[int, Order] = {}
        self.open_by_client_id: dict[tuple[str, str], Order] = {}
        self.latest_by_client_id: dict[tuple[str, str], Order] = {}
        self.executions: list[Execution] = []
        self.executions_by_order: dict[int, list[Execution]] = {}
        self.amendments: dict[int, list[Amendment]] = {}
        self.prevented = PreventedMatches()
        self.update_ns = 0
        group = settings.trade_group_id
        self.trade_group_id = -1 if group is None else group
        self.trader = uid if group is None else -1 - group  # whom matching compares to prevent self-trades

    def balance(self, asset: str) -> Balance:
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = Balance()
        return found

    def lock(self, asset: str, amount_atoms: int) -> None:
        """Move from free to locked. Raises -2010 where there is not enough."""
        balance = self.balance(asset)
        if amount_atoms > balance.free:
            raise errors.insufficient()
        balance.free -= amount_atoms
        balance.locked += amount_atoms

    def unlock(self, asset: str, amount_atoms: int) -> None:
        balance = self.balance(asset)
        assert 0 <= amount_atoms <= balance.locked
        balance.locked -= amount_atoms
        balance.free += amount_atoms

    def add_order(self, order: Order) -> None:
        self.orders[order.order_id] = order
        key = (order.symbol, order.client_order_id)
        self.latest_by_client_id[key] = order
        if order.is_open:
            self.open_orders[order.order_id] = order
            self.open_by_client_id[key] = order

    def end_order(self, order: Order) -> None:
        """Take an order that is no longer open out of the open ones."""
        self.open_orders.pop(order.order_id, None)
        key = (order.symbol, order.client_order_id)
        if self.open_by_client_id.get(key) is order:
            del self.open_by_client_id[key]

    def forget_order(self, order_id: int) -> None:
        """Drop a finished order from memory."""
        order = self.orders.pop(order_id)
        self.amendments.pop(order_id, None)
        key = (order.symbol, order.client_order_id)
        if self.latest_by_client_id.get(key) is order:
            del self.latest_by_client_id[key]

    def rename_order(self, order: Order, client_order_id: str) -> None:
        """Give an open order another client order id."""
        key = (order.symbol, order.client_order_id)
        for ids in (self.open_by_client_id, self.latest_by_client_id):
            if ids.get(key) is order:
                del ids[key]
        order.client_order_id = client_order_id
        key = (order.symbol, client_order_id)
        self.open_by_client_id[key] = self.latest_by_client_id[key] = order

    def add_execution(self, execution: Execution, kept: int) -> None:
        """Remember a trade, and forget the oldest tenth where there are more than `kept`."""
        self.executions.append(execution)
        self.executions_by_order.setdefault(execution.order_id, []).append(execution)
        if len(self.executions) > kept:
            tenth = kept // 10 + 1
            for old in self.executions[:tenth]:
                self.executions_by_order.pop(old.order_id, None)
            del self.executions[:tenth]

    def find(self, symbol: str, order_id: int | None, client_order_id: str | None) -> Order | None:
        """By id, else by client id (open ones first, then the latest). Raises -2039 where both disagree."""
        if order_id is None:
            key = (symbol, client_order_id or "")
            return self.open_by_client_id.get(key) or self.latest_by_client_id.get(key)
        order = self.orders.get(order_id)
        if order is None or order.symbol != symbol:
            return None
        if client_order_id is not None and order.client_order_id != client_order_id:
            raise errors.ApiError(-2039, "Client order ID is not correct for this order ID.")
        return order


class Accounts:
    """All accounts and keys. Raises BadVenue for two accounts or two keys of one name."""

    def __init__(
        self,
        settings: Iterable[AccountSettings],
        maker_fee: Decimal,
        taker_fee: Decimal,
        orders_kept: int,
        trades_kept: int,
    ) -> None:
        self.orders_kept = orders_kept
        self.trades_kept = trades_kept
        self.finished: deque[tuple[Account, int]] = deque()
        self.by_name: dict[str, Account] = {}
        self.keys: dict[str, ApiKey] = {}
        self.opening: dict[str, dict[str, int]] = {}
        for number, one in enumerate(settings, start=1):
            if one.name in self.by_name:
                raise errors.BadVenue(f"two accounts are named {one.name}: rename one")
            if one.trade_group_id is not None and not 0 <= one.trade_group_id < 2**62:
                raise errors.BadVenue(f"account {one.name}: trade_group_id must be from 0 to 2**62")
            self.by_name[one.name] = Account(
                one,
                number,
                maker_fee if one.maker_fee is None else one.maker_fee,
                taker_fee if one.taker_fee is None else one.taker_fee,
            )
            self.opening[one.name] = {asset: atoms(amount) for asset, amount in one.balances.items()}
            for key in one.keys:
                if key.api_key in self.keys:
                    raise errors.BadVenue(f"account {one.name}: its key {key.api_key[:8]}... is used twice")
                self.keys[key.api_key] = load_key(key, one.name)

    def keep_finished(self, account: Account, order: Order) -> None:
        """Remember a finished order, and forget the oldest where there are too many."""
        self.finished.append((account, order.order_id))
        while len(self.finished) > self.orders_kept:
            oldest, order_id = self.finished.popleft()
            oldest.forget_order(order_id)

    def of_key(self, key: ApiKey) -> Account:
        return self.by_name[key.account]

    def key(self, api_key: str) -> ApiKey:
        """Raises -2015 for an unknown key."""
        found = self.keys.get(api_key)
        if found is None:
            raise errors.bad_key()
        return found
