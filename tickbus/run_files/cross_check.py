"""Mistakes between the tables of a run file: markets that no connector serves, accounts that the exchange lacks."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from actors.run.run_file import Run
from actors.run.toml_check import did_you_mean
from connectors.connector import Connector
from connectors.settings import ConnectorSettings
from protocol.errors import BadRunFile
from strategies.strategy import Strategy
from venue.base.demo import account_name
from venue.run_table import VENUE, venue_accounts

SHOWN_MAX = 10  # names in one line


class Parts(NamedTuple):
    """The actors of a run whose class and settings are valid, by name."""

    connectors: dict[str, ConnectorSettings]
    strategies: dict[str, tuple[type[Strategy], Any]]


def cross_problems(run: Run) -> list[str]:
    """Returns the mistakes that no table shows alone; one text each. The tables themselves have to be valid."""
    parts = parts_of(run)
    found = _unknown_accounts(run)
    for name, (kind, settings) in parts.strategies.items():
        found += _market_problems(run, parts, name, settings)
        found += _size_problems(parts.connectors, name, kind, settings)
    return found


def markets_of(settings: Any) -> dict[str, str]:
    """Returns the markets in a strategy's settings, by the name of the setting."""
    names = {"market": getattr(settings, "market", "")}
    listed = getattr(settings, "markets", [])  # a user's own strategy may have a setting of this name and another type
    names |= {f"markets[{n}]": one for n, one in enumerate(listed if isinstance(listed, list) else [])}
    return {key: one for key, one in names.items() if isinstance(one, str) and one}


def parts_of(run: Run) -> Parts:
    """Returns the connectors and strategies of a run; those with mistakes in their tables are left out."""
    parts = Parts({}, {})
    for name in run.actors:
        try:
            kind, settings = run.actor_class(name), run.actor_settings(name)
        except BadRunFile:  # reported by the check of the table
            continue
        if issubclass(kind, Connector) and isinstance(settings, ConnectorSettings):
            parts.connectors[name] = settings
        elif issubclass(kind, Strategy):
            parts.strategies[name] = kind, settings
    return parts


def _market_problems(run: Run, parts: Parts, name: str, settings: Any) -> list[str]:
    found = []
    for key, market in markets_of(settings).items():
        at = f"at `$.actors.{name}.settings.{key}`"
        connector, colon, symbol = market.partition(":")
        if not (connector and colon and symbol):
            found.append(f"market must be connector:symbol, as in binance:BTC-USDT, not {market!r} - {at}")
        elif connector not in run.actors:
            hint = did_you_mean(connector, run.actors)
            found.append(f"`{market}`: there is no actor `{connector}`{hint} - {at}")
        elif connector not in run.actor(name).follows:
            text = f'`{name}` trades on `{connector}` and does not follow it: add follows = ["{connector}"]'
            found.append(f"{text} - at `$.actors.{name}.follows`")
        elif connector in parts.connectors and symbol not in parts.connectors[connector].markets:
            served = parts.connectors[connector].markets
            shown = ", ".join(served[:SHOWN_MAX]) + (" ..." if len(served) > SHOWN_MAX else "")
            found.append(f"`{connector}` does not serve {symbol}: its `markets` are {shown} - {at}")
    return found


def _size_problems(
    connectors: Mapping[str, ConnectorSettings], name: str, kind: type[Strategy], settings: Any
) -> list[str]:
    found = []
    for market, size in kind.order_sizes(settings).items():
        connector, _, symbol = market.partition(":")
        if connector not in connectors or symbol not in connectors[connector].markets:
            continue
        limits = connectors[connector].limits.get(symbol)
        if limits is None:
            text = f"`{name}` trades {symbol}, and `{connector}` has no limits for it: every order would be refused"
            found.append(f"{text} - at `$.actors.{connector}.settings.limits`")
        elif size > limits.max_position:
            text = f"`{name}` orders {_plain(size)} of {symbol}, and the limit max_position is {limits.max_position}"
            found.append(f"{text}: no such order can pass - at `$.actors.{connector}.settings.limits.{symbol}`")
    return found


def _unknown_accounts(run: Run) -> list[str]:
    """Keys of the local exchange that name none of its accounts."""
    if run.venue is None:
        return []
    try:
        known = [one.name for one in venue_accounts(run)]
    except (BadRunFile, OSError, ValueError, msgspec.ValidationError):  # reported by the check of the table
        return []
    found = []
    for name, one in run.actors.items():
        account = account_name(one.keys.removeprefix(VENUE), known)
        if one.keys.startswith(VENUE) and account not in known:
            text = f"the local exchange has no account `{account}`{did_you_mean(account, known)}"
            found.append(f"{text} - at `$.actors.{name}.keys`")
    return found


def _plain(value: Decimal) -> str:
    return f"{value:f}"
