"""Filters over all that an account has open or owns: counts of orders, positions, assets (filters.md of the docs)."""

from typing import Any

from protocol.enums import Side
from venue import errors, filters
from venue.accounts import Account
from venue.engine import Engine, Intent
from venue.numbers import atoms
from venue.symbol import Symbol, exact


def exchange_rows(engine: Engine) -> list[dict[str, Any]]:
    """The `exchangeFilters` of exchangeInfo."""
    if engine.max_orders is None:
        return []
    return [{"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": engine.max_orders}]


def symbol_rows(symbol: Symbol) -> list[dict[str, Any]]:
    """Those of the symbol's filters that look at an account, and not at one order alone."""
    return [row for row in filters.rows(symbol) if row["filterType"].startswith("MAX_")]


def asset_rows(account: Account, symbol: Symbol) -> list[dict[str, Any]]:
    limits = account.settings.max_asset
    return [
        {"filterType": "MAX_ASSET", "asset": asset, "limit": exact(limits[asset])}
        for asset in (symbol.base, symbol.quote)
        if asset in limits
    ]


def check(engine: Engine, account: Account, intent: Intent, now_ns: int) -> None:
    """Raises -1013 where the account may have no such order besides what it has."""
    symbol = intent.symbol
    open_here = sum(order.symbol == symbol.name for order in account.open_orders.values())
    if open_here >= symbol.settings.max_orders:
        raise errors.filter_failure("MAX_NUM_ORDERS")
    if engine.max_orders is not None and len(account.open_orders) >= engine.max_orders:
        raise errors.filter_failure("EXCHANGE_MAX_NUM_ORDERS")
    if account.settings.max_asset:
        check_assets(account, intent, now_ns)
    if symbol.settings.max_position is not None and intent.side is Side.BUY:
        check_position(account, symbol, intent.size_lots)


def check_position(account: Account, symbol: Symbol, size_lots: int) -> None:
    """Raises -1013 where the base asset owned, and all that is being bought, would be above MAX_POSITION."""
    limit = symbol.settings.max_position
    assert limit is not None
    balance = account.balance(symbol.base)
    buying = (order for order in account.open_orders.values() if order.side is Side.BUY and order.symbol == symbol.name)
    lots = size_lots + sum(order.open_lots for order in buying)
    if balance.free + balance.locked + lots * symbol.lot_atoms > atoms(limit):
        raise errors.filter_failure("MAX_POSITION")


def check_assets(account: Account, intent: Intent, now_ns: int) -> None:
    """Raises -1013 for an order that moves more of an asset than MAX_ASSET lets the account."""
    symbol, limits = intent.symbol, account.settings.max_asset
    most_base, most_quote = limits.get(symbol.base), limits.get(symbol.quote)
    if most_base is not None and intent.size_lots * symbol.lot_atoms > atoms(most_base):
        raise errors.filter_failure("MAX_ASSET")
    notional_atoms = intent.quote_order_atoms or intent.price_ticks * intent.size_lots * symbol.notional_atoms
    if not notional_atoms:
        notional_atoms = filters.worth_atoms(symbol, intent.size_lots, now_ns)
    if most_quote is not None and notional_atoms > atoms(most_quote):
        raise errors.filter_failure("MAX_ASSET")
