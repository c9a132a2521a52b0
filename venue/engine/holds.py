"""What an open order locks in its account, and what a market order would cost."""

from protocol.enums import Side
from venue.accounts.accounts import ExchangeAccount
from venue.base import api_errors
from venue.orders.exchange_order import ExchangeOrder
from venue.orders.stops import BIPS
from venue.symbols.symbol import Symbol


def hold_of(symbol: Symbol, order: ExchangeOrder) -> int:
    """The atoms that an open order locks: none for a market order, which is paid at once.

    A stop order that buys at market locks its cost at the stop price, or at the price furthest from here that its
    trailing delta allows; its real cost is checked when it triggers.
    """
    if order.ord_type == "MARKET":
        return 0
    if order.is_market and order.side is Side.BUY:
        far_ticks = -(-symbol.last_ticks * (BIPS + order.trailing_delta) // BIPS)
        return (order.stop_ticks or far_ticks) * order.size_lots * symbol.notional_atoms
    return symbol.held_atoms(order, order.size_lots)


def check_market(account: ExchangeAccount, symbol: Symbol, order: ExchangeOrder) -> None:
    """Raises -2010 if the account cannot pay what a market order would take from the book now."""
    if market_cost(account, symbol, order) > account.balance(symbol.held_asset(order)).free:
        raise api_errors.insufficient()


def market_cost(account: ExchangeAccount, symbol: Symbol, order: ExchangeOrder) -> int:
    if order.side is Side.SELL:
        return order.size_lots * symbol.lot_atoms
    if order.stp == "EXPIRE_MAKER":  # it expires its own trade group's sell orders and trades behind them
        return symbol.cost_past(Side.BUY, order.size_lots, account.trader) * symbol.notional_atoms
    return symbol.cost(Side.BUY, order.size_lots) * symbol.notional_atoms
