"""Filters over all that an account has open or owns: counts of orders, positions, assets (filters.md of the docs)."""

from typing import Any

from protocol.enums import Side
from venue.accounts.accounts import Account
from venue.base import errors
from venue.base.numbers import atoms
from venue.engine.count_filters import check_counts
from venue.engine.engine import Engine, Intent
from venue.orders.order import WORKS_AS
from venue.symbols import filters
from venue.symbols.symbol import Symbol, exact


def exchange_rows(engine: Engine) -> list[dict[str, Any]]:
    """The `exchangeFilters` of exchangeInfo."""
    limits = (
        ("EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders", engine.max_orders),
        ("EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", engine.max_algo_orders),
        ("EXCHANGE_MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", engine.max_iceberg_orders),
        ("EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists", engine.max_order_lists),
    )
    return [{"filterType": name, key: limit} for name, key, limit in limits if limit is not None]


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


def check(engine: Engine, account: Account, intents: list[Intent], now_ns: int) -> None:
    """Raises -1013 where the account may have no such orders, all of one symbol, besides what it has."""
    check_counts(account, intents)
    if engine.max_orders is not None and len(account.open_orders) + len(intents) > engine.max_orders:
        raise errors.filter_failure("EXCHANGE_MAX_NUM_ORDERS")
    check_kinds(engine, account, intents)
    symbol = intents[0].symbol
    for intent in intents if account.settings.max_asset else ():
        check_assets(account, intent, now_ns)
    if symbol.settings.max_position is not None:
        check_position(account, symbol, max(one.size_lots if one.side is Side.BUY else 0 for one in intents))


def check_kinds(engine: Engine, account: Account, intents: list[Intent]) -> None:
    """Raises -1013 for too many contingent orders, or icebergs, of an account on the whole exchange."""
    known = account.open_orders.values()
    if (most := engine.max_algo_orders) is not None:
        number = sum(intent.ord_type in WORKS_AS for intent in intents)
        if number and number + sum(order.is_contingent for order in known) > most:
            raise errors.filter_failure("EXCHANGE_MAX_NUM_ALGO_ORDERS")
    if (most := engine.max_iceberg_orders) is not None:
        number = sum(intent.iceberg_lots > 0 for intent in intents)
        if number and number + sum(order.iceberg_lots > 0 for order in known) > most:
            raise errors.filter_failure("EXCHANGE_MAX_NUM_ICEBERG_ORDERS")


def check_position(account: Account, symbol: Symbol, size_lots: int) -> None:
    """Raises -1013 where the base asset owned, and all that is being bought, would be above MAX_POSITION."""
    limit = symbol.settings.max_position
    assert limit is not None
    balance = account.balance(symbol.base)
    buying = (order for order in account.open_orders.values() if order.side is Side.BUY and order.symbol == symbol.name)
    lots = size_lots + sum(order.open_lots for order in buying)
    if size_lots and balance.free + balance.locked + lots * symbol.lot_atoms > atoms(limit):
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
