"""Accounts: their free and locked balances, orders, executions and API keys."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from venue.accounts.amendments import Amendment
from venue.accounts.prevented_matches import PreventedMatches
from venue.accounts.security import AccountKey, load_key
from venue.base import api_errors
from venue.base.numbers import atoms
from venue.base.settings import AccountSettings
from venue.base.venue_errors import BadVenue
from venue.orders.exchange_order import ExchangeOrder, Execution


class AssetBalance(msgspec.Struct, gc=False):
    """The balance of one asset, in atoms."""

    free: int = 0
    locked: int = 0


class ExchangeAccount:
    """One account: balances by asset, orders, and executions (oldest first)."""

    def __init__(self, settings: AccountSettings, uid: int, maker_fee: Decimal, taker_fee: Decimal) -> None:
        self.settings = settings
        self.name = settings.name
        self.uid = uid
        self.maker_fee = maker_fee
        self.taker_fee = taker_fee
        self.maker_fee_atoms = atoms(maker_fee)
        self.taker_fee_atoms = atoms(taker_fee)
        self.balances: dict[str, AssetBalance] = {}
        self.orders: dict[int, ExchangeOrder] = {}
        self.open_orders: dict[int, ExchangeOrder] = {}
        self.open_by_client_id: dict[tuple[str, str], ExchangeOrder] = {}
        self.latest_by_client_id: dict[tuple[str, str], ExchangeOrder] = {}
        self.executions: list[Execution] = []
        self.executions_by_order: dict[int, list[Execution]] = {}
        self.amendments: dict[int, list[Amendment]] = {}
        self.prevented = PreventedMatches()
        self.update_ns = 0
        group = settings.trade_group_id
        self.trade_group_id = -1 if group is None else group
        self.trader = uid if group is None else -1 - group  # the number that self-trade prevention compares in matching

    def balance(self, asset: str) -> AssetBalance:
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = AssetBalance()
        return found

    def lock(self, asset: str, amount_atoms: int) -> None:
        """Moves an amount from free to locked. Raises -2010 if the free balance is too small."""
        balance = self.balance(asset)
        if amount_atoms > balance.free:
            raise api_errors.insufficient()
        balance.free -= amount_atoms
        balance.locked += amount_atoms

    def unlock(self, asset: str, amount_atoms: int) -> None:
        balance = self.balance(asset)
        assert 0 <= amount_atoms <= balance.locked
        balance.locked -= amount_atoms
        balance.free += amount_atoms

    def add_order(self, order: ExchangeOrder) -> None:
        self.orders[order.order_id] = order
        key = (order.symbol, order.client_order_id)
        self.latest_by_client_id[key] = order
        if order.is_open:
            self.open_orders[order.order_id] = order
            self.open_by_client_id[key] = order

    def end_order(self, order: ExchangeOrder) -> None:
        """Removes an order that is no longer open from the open ones."""
        self.open_orders.pop(order.order_id, None)
        key = (order.symbol, order.client_order_id)
        if self.open_by_client_id.get(key) is order:
            del self.open_by_client_id[key]

    def forget_order(self, order_id: int) -> None:
        """Drops a finished order from memory."""
        order = self.orders.pop(order_id)
        self.amendments.pop(order_id, None)
        key = (order.symbol, order.client_order_id)
        if self.latest_by_client_id.get(key) is order:
            del self.latest_by_client_id[key]

    def rename_order(self, order: ExchangeOrder, client_order_id: str) -> None:
        """Sets another client order id of an open order."""
        key = (order.symbol, order.client_order_id)
        for ids in (self.open_by_client_id, self.latest_by_client_id):
            if ids.get(key) is order:
                del ids[key]
        order.client_order_id = client_order_id
        key = (order.symbol, client_order_id)
        self.open_by_client_id[key] = self.latest_by_client_id[key] = order

    def add_execution(self, execution: Execution, kept: int) -> None:
        """Adds an execution; beyond `kept` the oldest tenth is dropped."""
        self.executions.append(execution)
        self.executions_by_order.setdefault(execution.order_id, []).append(execution)
        if len(self.executions) > kept:
            tenth = kept // 10 + 1
            for old in self.executions[:tenth]:
                self.executions_by_order.pop(old.order_id, None)
            del self.executions[:tenth]

    def find(self, symbol: str, order_id: int | None, client_order_id: str | None) -> ExchangeOrder | None:
        """Finds an order by id, else by client id (open ones first, then the latest). Raises -2039 if both disagree."""
        if order_id is None:
            key = (symbol, client_order_id or "")
            return self.open_by_client_id.get(key) or self.latest_by_client_id.get(key)
        order = self.orders.get(order_id)
        if order is None or order.symbol != symbol:
            return None
        if client_order_id is not None and order.client_order_id != client_order_id:
            raise api_errors.ApiError(-2039, "Client order ID is not correct for this order ID.")
        return order


class Accounts:
    """All accounts and keys. Raises BadVenue for duplicate account names or API keys."""

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
        self.finished: deque[tuple[ExchangeAccount, int]] = deque()
        self.by_name: dict[str, ExchangeAccount] = {}
        self.keys: dict[str, AccountKey] = {}
        self.opening: dict[str, dict[str, int]] = {}
        for number, one in enumerate(settings, start=1):
            if one.name in self.by_name:
                raise BadVenue(f"two accounts are named {one.name}: rename one")
            if one.trade_group_id is not None and not 0 <= one.trade_group_id < 2**62:
                raise BadVenue(f"account {one.name}: trade_group_id must be from 0 to 2**62")
            self.by_name[one.name] = ExchangeAccount(
                one,
                number,
                maker_fee if one.maker_fee is None else one.maker_fee,
                taker_fee if one.taker_fee is None else one.taker_fee,
            )
            self.opening[one.name] = {asset: atoms(amount) for asset, amount in one.balances.items()}
            for key in one.keys:
                if key.api_key in self.keys:
                    raise BadVenue(f"account {one.name}: its key {key.api_key[:8]}... is used twice")
                self.keys[key.api_key] = load_key(key, one.name)

    def keep_finished(self, account: ExchangeAccount, order: ExchangeOrder) -> None:
        """Keeps a finished order; beyond `orders_kept` the oldest is dropped."""
        self.finished.append((account, order.order_id))
        while len(self.finished) > self.orders_kept:
            oldest, order_id = self.finished.popleft()
            oldest.forget_order(order_id)

    def of_key(self, key: AccountKey) -> ExchangeAccount:
        return self.by_name[key.account]

    def key(self, api_key: str) -> AccountKey:
        """The key. Raises -2015 for an unknown one."""
        found = self.keys.get(api_key)
        if found is None:
            raise api_errors.bad_key()
        return found
