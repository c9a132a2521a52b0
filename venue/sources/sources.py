"""What moves each market: generated order flow, a recording, or a live market that is followed."""

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
"""A trade of the made-up history is worth so many times the least that an order may be."""


class MarketSource(Protocol):
    """`advance` it at `next_ns` (None: nothing is to come by itself)."""

    @property
    def next_ns(self) -> int | None: ...

    def advance(self, now_ns: int, floor_ns: int) -> None: ...


def sources(engine: Engine, settings: VenueSettings, paper: PaperTrading | None, now_ns: int) -> list[MarketSource]:
    """One for each market; for paper one for all. Raises BadVenue."""
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
    """Of a market whose past nobody knows: it ends at the last price."""
    price_ticks, least = symbol.last_ticks, symbol.settings.min_notional
    trade_lots = int(atoms(least * TRADE_NOTIONALS)) // max(1, price_ticks * symbol.notional_atoms)
    return SyntheticHistory(f"{seed}:history", now_ns, price_ticks, trade_lots, symbol.settings.history_days)
