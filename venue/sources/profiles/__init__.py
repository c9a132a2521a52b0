"""Profiles of order flow, measured on recordings: one TOML file each."""

import math
from bisect import bisect_right
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec

from actors.run.former_names import current
from protocol.message import Settings
from venue.base.venue_errors import BadVenue

FOLDER = Path(__file__).parent
PROBABILITIES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)
"""The probabilities of all lists of quantiles in a profile."""
MAX_EXCITEMENT = 0.95
"""Maximum mean number of further arrivals that one arrival causes; below one they die out."""


class Kernel(Settings, frozen=True):
    """How an arrival excites others: their mean number, and the decay time."""

    children: float
    decay_s: float


class Band(Settings, frozen=True):
    """Limit orders between two distances from the best price of their side; rates are of both sides."""

    from_bps: float
    to_bps: float
    orders_per_s: float
    orders: float  # resting orders, on both sides
    lifetime_s: float  # mean lifetime without trades and price moves
    size: float = 1.0  # factor on `limit_sizes`


class Profile(Settings, frozen=True):
    """The statistics of a market's orders. Sizes are multiples of the median market order; lists are quantiles."""

    source: str
    median_notional: float  # of a market order, in the quote asset
    market_rate: float  # market orders per second
    bursts: list[Kernel]  # market orders that market orders excite
    reaction: Kernel  # limit orders that a usual move excites; as many are canceled
    sign_share: float  # share of market orders that are parts of larger orders
    sign_threads: int  # number of larger orders in progress at a time
    sign_tail: float  # Pareto exponent of their numbers of parts
    move_share: float  # share of market orders that move the price
    moves_bps: list[float]
    volatility_bps: float  # of the mid price, over one second
    stretch: float  # factor on the moves that gives this volatility
    wide_ms: list[float]  # how long the spread stays wide after a move
    touch: Band  # at the best price
    bands: list[Band]
    market_sizes: list[float]
    limit_sizes: list[float]
    touch_sizes: list[float]

    def __post_init__(self) -> None:
        for name in ("moves_bps", "wide_ms", "market_sizes", "limit_sizes", "touch_sizes"):
            values = getattr(self, name)
            if len(values) != len(PROBABILITIES) or min(values) <= 0 or sorted(values) != values:
                raise ValueError(f"{name}: {len(PROBABILITIES)} quantiles above zero in ascending order are required")
        if sum(kernel.children for kernel in self.bursts) > MAX_EXCITEMENT:
            raise ValueError(f"bursts: more than {MAX_EXCITEMENT} children in sum: arrivals would not die out")
        if not 0 <= self.move_share * self.market_rate * self.reaction.children <= MAX_EXCITEMENT * self.limit_rate:
            raise ValueError("reaction: excites more limit orders than the profile has")
        lasting = [*self.bursts, self.reaction]
        if not all(kernel.decay_s > 0 for kernel in lasting) or not all(one.lifetime_s > 0 for one in self.all_bands):
            raise ValueError("decay_s and lifetime_s must be above zero")

    @property
    def all_bands(self) -> list[Band]:
        return [self.touch, *self.bands]

    @property
    def limit_rate(self) -> float:
        """Limit orders per second."""
        return sum(band.orders_per_s for band in self.all_bands)

    @property
    def book_orders(self) -> float:
        """Approximate number of resting orders."""
        return sum(band.orders for band in self.all_bands)


class Quantiles:
    """A positive distribution by its quantiles at PROBABILITIES, linear in the logarithm between them."""

    def __init__(self, values: list[float]) -> None:
        self.logs = [math.log(value) for value in values]

    def moment(self, power: int) -> float:
        """The mean of the values raised to `power`."""
        total = 0.0
        for (low, high), (start, end) in zip(pairwise(PROBABILITIES), pairwise(self.logs), strict=True):
            start, end = power * start, power * end
            run = math.exp(start) if end - start < 1e-9 else (math.exp(end) - math.exp(start)) / (end - start)
            total += (high - low) * run
        return total

    def draw(self, random: Random) -> float:
        """A random value."""
        return self.at(random.random())

    def at(self, chance: float) -> float:
        """The quantile at probability `chance`."""
        index = min(bisect_right(PROBABILITIES, chance), len(PROBABILITIES) - 1)
        low, high = PROBABILITIES[index - 1], PROBABILITIES[index]
        start = self.logs[index - 1]
        return math.exp(start + (self.logs[index] - start) * (chance - low) / (high - low))


def names() -> list[str]:
    """The names of the included profiles."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> Profile:
    """An included profile, or the one of a path that ends in `.toml`. Raises BadVenue."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        return msgspec.convert(current(msgspec.toml.decode(path.read_bytes()), Profile), Profile)
    except OSError as error:
        raise BadVenue(f"flow profile {name}: {error.strerror}; there are {', '.join(names())}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise BadVenue(f"flow profile {name}: {error}") from None


def text_of(profile: Profile) -> str:
    """The profile as TOML, which `load` reads."""
    lines = []
    for name, value in msgspec.to_builtins(profile).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = "".join(f"    {_toml(row)},\n" for row in value)
            lines.append(f"{name} = [\n{rows}]")
        else:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
