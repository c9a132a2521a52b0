"""Replay: plays a recording into a market instead of generated order flow, in real time or faster."""

from itertools import chain
from pathlib import Path

from market.levels import unpack_levels
from protocol import BookSnapshot
from venue.base.settings import ReplaySettings
from venue.base.units import MILLISECOND_NS
from venue.base.venue_errors import BadVenue
from venue.engine.engine import Engine
from venue.sources.queue_market import QueueMarket
from venue.sources.replay_file import Timed, messages, symbol_name, trades_first
from venue.symbols.symbol import Symbol

LOOP_PAUSE_NS = 1_000 * MILLISECOND_NS
"""Pause between the last message and the first of the next turn."""
MAX_MESSAGES = 20_000
"""Maximum number of messages in one call of `advance`; after a long pause the rest follows in the next calls."""


class Replay:
    """A MarketSource: messages are played at their receive time, shifted to the exchange's time.

    `is_over`: the recording has ended, and by the settings the exchange ends with it.
    """

    def __init__(self, engine: Engine, symbol: Symbol, settings: ReplaySettings, now_ns: int) -> None:
        """Raises BadVenue if the recording cannot be played."""
        assert settings.speed > 0
        self.settings = settings
        self.symbol = symbol
        self.market = QueueMarket(engine, symbol, settings.cancels)
        self.turns = 0
        self.played = 0
        self.is_over = False
        self._next: Timed | None = None
        self._begin(now_ns)
        assert self._next is not None
        self.market.on_message(self._next[1], now_ns)  # the first book, available before the first request
        self._step()

    @property
    def next_ns(self) -> int | None:
        """When the next message is due; None at the end."""
        return None if self._next is None else self._due_ns(self._next[0])

    def advance(self, now_ns: int, floor_ns: int) -> None:
        """Plays all that is due, each at its own time but not before `floor_ns`."""
        for _ in range(MAX_MESSAGES):
            due_ns = self.next_ns
            if self._next is None or due_ns is None or due_ns > now_ns:
                return
            self.market.on_message(self._next[1], max(due_ns, floor_ns))
            self._step()
            if self._next is None:
                self._end(max(due_ns, floor_ns))

    def _due_ns(self, received_ns: int) -> int:
        return self._began_ns + int((received_ns - self._first_ns) / self.settings.speed)

    def _step(self) -> None:
        self.played += 1
        self._next = next(self._rest, None)

    def _begin(self, at_ns: int) -> None:
        path = Path(self.settings.file)
        timed = messages(path, self.symbol)
        first = next(timed)
        assert isinstance(first[1], BookSnapshot)
        if not (unpack_levels(first[1].bids) and unpack_levels(first[1].asks)):
            raise BadVenue(f"replay {path}: its first book has an empty side")
        self._began_ns, self._first_ns = at_ns, first[0]
        self._rest = chain([first], trades_first(timed, self.settings.book_delay_ms * MILLISECOND_NS))
        self._next = next(self._rest)
        self.turns += 1

    def _end(self, now_ns: int) -> None:
        if self.settings.at_end == "loop":
            self._begin(now_ns + LOOP_PAUSE_NS)
        elif self.settings.at_end == "stop":
            self.is_over = True


def recorded_symbol(settings: ReplaySettings, symbols: list[Symbol]) -> Symbol:
    """The market that the recording is played into. Raises BadVenue if there is none of its name."""
    name = symbol_name(Path(settings.file))
    found = next((symbol for symbol in symbols if symbol.name == name), None)
    if found is None:
        there = ", ".join(symbol.name for symbol in symbols)
        raise BadVenue(
            f"replay {settings.file} is a recording of {name}, but the markets are {there}: add it to [[venue.markets]]"
        )
    return found
