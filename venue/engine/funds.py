"""Funds: moves the accounts' balances as orders trade and end, and counts what leaves the accounts."""

from protocol.enums import Side
from venue.accounts.accounts import Accounts, ExchangeAccount
from venue.accounts.commission import Commissions
from venue.engine.ledger_records import LedgerRecords
from venue.orders.exchange_order import ExchangeOrder, PublicTrade
from venue.symbols.symbol import Symbol


class Funds:
    """All amounts are in atoms. Every change of a balance is noted for the ledger."""

    def __init__(self, accounts: Accounts, commissions: Commissions, records: LedgerRecords) -> None:
        self.accounts = accounts
        self.commissions = commissions
        self.records = records
        self.outside: dict[str, int] = {}
        """By asset: what left the accounts, to the order flow and as commission; below zero where more came in."""
        self.deposited: dict[str, int] = {}
        """By asset: opening balances and deposits. The sum of all balances and `outside`, less this, is zero."""

    def deposit(self, account: ExchangeAccount, asset: str, amount_atoms: int, now_ns: int) -> None:
        """Adds to the free balance; below zero, withdraws."""
        account.balance(asset).free += amount_atoms
        total = self.deposited[asset] = self.deposited.get(asset, 0) + amount_atoms
        self.records.deposited(asset, total)
        self.changed(account, (asset,), now_ns)

    def changed(self, account: ExchangeAccount, assets: tuple[str, ...], now_ns: int) -> None:
        """Notes the balances of these assets for the ledger."""
        account.update_ns = now_ns
        note, name = self.records.balance, account.name
        for asset in assets:
            balance = account.balance(asset)
            note(name, asset, balance.free, balance.locked)

    def release(self, symbol: Symbol, order: ExchangeOrder, amount_atoms: int, now_ns: int) -> None:
        """Unlocks up to `amount_atoms` of what an order holds; a market order holds nothing."""
        amount_atoms = min(amount_atoms, order.locked_atoms)
        account = self.accounts.by_name[order.account]
        account.unlock(symbol.held_asset(order), amount_atoms)
        order.locked_atoms -= amount_atoms
        self.changed(account, (symbol.held_asset(order),), now_ns)

    def release_all(self, symbol: Symbol, order: ExchangeOrder, now_ns: int) -> None:
        """Unlocks everything that an order holds."""
        if order.locked_atoms:
            self.release(symbol, order, order.locked_atoms, now_ns)

    def exchange(
        self, account: ExchangeAccount, symbol: Symbol, order: ExchangeOrder, price_ticks: int, lots: int
    ) -> tuple[str, int]:
        """The order's owner pays for `lots` at this price and receives them; returns the received (asset, atoms)."""
        base_atoms, quote_atoms = lots * symbol.lot_atoms, price_ticks * lots * symbol.notional_atoms
        is_buy = order.side is Side.BUY
        paid, got = (quote_atoms, base_atoms) if is_buy else (base_atoms, quote_atoms)
        paid_asset, got_asset = (symbol.quote, symbol.base) if is_buy else (symbol.base, symbol.quote)
        if not order.is_market:
            held = symbol.held_atoms(order, lots)
            account.unlock(paid_asset, held)
            order.locked_atoms -= held
        account.balance(paid_asset).free -= paid
        account.balance(got_asset).free += got
        return got_asset, got

    def charge_commission(
        self, account: ExchangeAccount, symbol: Symbol, asset: str, got_atoms: int, is_buy: bool, is_maker: bool
    ) -> tuple[int, str]:
        """Takes the commission of a trade that brought `got_atoms` of `asset`; returns its (atoms, asset)."""
        fee_atoms, fee_asset = self.commissions.charge(account, symbol, asset, got_atoms, is_buy, is_maker)
        account.balance(fee_asset).free -= fee_atoms
        self._leave(fee_asset, fee_atoms)
        return fee_atoms, fee_asset

    def trade_with_flow(self, symbol: Symbol, is_buy: bool, trade: PublicTrade) -> None:
        """Counts the side of a trade that belongs to the order flow, which bought or sold."""
        sign = 1 if is_buy else -1
        base_atoms = sign * trade.size_lots * symbol.lot_atoms
        quote_atoms = sign * trade.price_ticks * trade.size_lots * symbol.notional_atoms
        self._leave(symbol.base, base_atoms)
        self._leave(symbol.quote, -quote_atoms)

    def _leave(self, asset: str, amount_atoms: int) -> None:
        total = self.outside[asset] = self.outside.get(asset, 0) + amount_atoms
        self.records.outside(asset, total)
