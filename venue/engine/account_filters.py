"""Filters over an account's open orders and balances: counts, positions, assets (filters.md of Binance's docs)."""

from typing import Any

from protocol.enums import Side
from venue.accounts.accounts import ExchangeAccount
from venue.base import api_errors
from venue.base.numbers import atoms
from venue.engine.count_filters import check_counts
from venue.engine.engine import Engine, NewOrder
from venue.orders.exchange_order import WORKS_AS
from venue.symbols import filters
from venue.symbols.symbol import Symbol, exact


def exchange_rows(engine: Engine) -> list[dict[str, Any]]:
    """The `exchangeFilters` of exchangeInfo."""
    limits = (
        ("EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders", engine.order_limits.max_orders),
        ("EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", engine.order_limits.max_algo_orders),
        ("EXCHANGE_MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", engine.order_limits.max_iceberg_orders),
        ("EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists", engine.order_limits.max_order_lists),
    )
    return [{"filterType": name, key: limit} for name, key, limit in limits if limit is not None]


def symbol_rows(symbol: Symbol) -> list[dict[str, Any]]:
    """The symbol's filters that concern an account, not a single order."""
    return [row for row in filters.rows(symbol) if row["filterType"].startswith("MAX_")]


def asset_rows(account: ExchangeAccount, symbol: Symbol) -> list[dict[str, Any]]:
    limits = account.settings.max_asset
    return [
        {"filterType": "MAX_ASSET", "asset": asset, "limit": exact(limits[asset])}
        for asset in (symbol.base, symbol.quote)
        if asset in limits
    ]


def check(engine: Engine, account: ExchangeAccount, new_orders: list[NewOrder], now_ns: int) -> None:
    """Raises -1013 if the new orders, all of one symbol, exceed a limit of the account."""
    check_counts(account, new_orders)
    most = engine.order_limits.max_orders
    if most is not None and len(account.open_orders) + len(new_orders) > most:
        raise api_errors.filter_failure("EXCHANGE_MAX_NUM_ORDERS")
    check_kinds(engine, account, new_orders)
    symbol = new_orders[0].symbol
    for new_order in new_orders if account.settings.max_asset else ():
        check_assets(account, new_order, now_ns)
    if symbol.settings.max_owned is not None:
        check_position(account, symbol, max(one.size_lots if one.side is Side.BUY else 0 for one in new_orders))


def check_kinds(engine: Engine, account: ExchangeAccount, new_orders: list[NewOrder]) -> None:
    """Raises -1013 for too many contingent orders or icebergs of the account on the whole exchange."""
    known = account.open_orders.values()
    if (most := engine.order_limits.max_algo_orders) is not None:
        number = sum(new_order.ord_type in WORKS_AS for new_order in new_orders)
        if number and number + sum(order.is_contingent for order in known) > most:
            raise api_errors.filter_failure("EXCHANGE_MAX_NUM_ALGO_ORDERS")
    if (most := engine.order_limits.max_iceberg_orders) is not None:
        number = sum(new_order.iceberg_lots > 0 for new_order in new_orders)
        if number and number + sum(order.iceberg_lots > 0 for order in known) > most:
            raise api_errors.filter_failure("EXCHANGE_MAX_NUM_ICEBERG_ORDERS")


def check_position(account: ExchangeAccount, symbol: Symbol, size_lots: int) -> None:
    """Raises -1013 if the owned base asset plus all open buy orders would exceed MAX_POSITION."""
    limit = symbol.settings.max_owned
    assert limit is not None
    balance = account.balance(symbol.base)
    buying = (order for order in account.open_orders.values() if order.side is Side.BUY and order.symbol == symbol.name)
    lots = size_lots + sum(order.open_lots for order in buying)
    if size_lots and balance.free + balance.locked + lots * symbol.lot_atoms > atoms(limit):
        raise api_errors.filter_failure("MAX_POSITION")


def check_assets(account: ExchangeAccount, new_order: NewOrder, now_ns: int) -> None:
    """Raises -1013 for an order that moves more of an asset than MAX_ASSET allows the account."""
    symbol, limits = new_order.symbol, account.settings.max_asset
    most_base, most_quote = limits.get(symbol.base), limits.get(symbol.quote)
    if most_base is not None and new_order.size_lots * symbol.lot_atoms > atoms(most_base):
        raise api_errors.filter_failure("MAX_ASSET")
    notional_atoms = new_order.quote_order_atoms or new_order.price_ticks * new_order.size_lots * symbol.notional_atoms
    if not notional_atoms:
        notional_atoms = filters.notional_at_filter_price(symbol, new_order.size_lots, now_ns)
    if most_quote is not None and notional_atoms > atoms(most_quote):
        raise api_errors.filter_failure("MAX_ASSET")
