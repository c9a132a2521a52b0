"""The sources of market activity: generated order flow, a recording, or a live market."""

from typing import Protocol

from venue.base.numbers import atoms
from venue.base.settings import VenueSettings
from venue.engine.engine import Engine
from venue.sources import profiles
from venue.sources.order_flow import OrderFlow
from venue.sources.paper import PaperTrading
from venue.sources.replay import Replay, recorded_symbol
from venue.symbols.symbol import Symbol
from venue.symbols.synthetic_history import SyntheticHistory

TRADE_NOTIONALS = 100
"""Notional of a trade in the synthetic history, as a multiple of the minimum notional."""


class MarketSource(Protocol):
    """Call `advance` at `next_ns` (None: nothing is scheduled)."""

    @property
    def next_ns(self) -> int | None: ...

    def advance(self, now_ns: int, floor_ns: int) -> None: ...


def sources(engine: Engine, settings: VenueSettings, paper: PaperTrading | None, now_ns: int) -> list[MarketSource]:
    """One source for each market; in paper trading one for all. Raises BadVenue."""
    if paper is not None:
        return [paper]
    symbols = list(engine.symbols.values())
    played = recorded_symbol(settings.replay, symbols) if settings.replay is not None else None
    found: list[MarketSource] = []
    for symbol in symbols:
        if settings.replay is not None and symbol is played:
            found.append(Replay(engine, symbol, settings.replay, now_ns))
        else:
            flow = symbol.settings.flow
            seed = f"{settings.seed}:{symbol.name}"
            found.append(OrderFlow(engine, symbol, flow, profiles.load(flow.profile), seed, now_ns))
            if symbol.settings.history_days:
                symbol.history = history(symbol, seed, now_ns)
    return found


def history(symbol: Symbol, seed: str, now_ns: int) -> SyntheticHistory:
    """A synthetic history for a market, which ends at its last price."""
    price_ticks, least = symbol.last_ticks, symbol.settings.min_notional
    trade_lots = int(atoms(least * TRADE_NOTIONALS)) // max(1, price_ticks * symbol.notional_atoms)
    return SyntheticHistory(f"{seed}:history", now_ns, price_ticks, trade_lots, symbol.settings.history_days)
