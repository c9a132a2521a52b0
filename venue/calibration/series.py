"""Statistics of plain lists: quantiles, counts by window, correlations, moments."""

import math
from collections.abc import Sequence


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def variance(values: Sequence[float]) -> float:
    middle = mean(values)
    return mean([(value - middle) ** 2 for value in values])


def quantiles(values: Sequence[float], chances: Sequence[float]) -> list[float]:
    """Quantiles, interpolated linearly between the sorted values; zeros for an empty list."""
    ordered = sorted(values)
    if not ordered:
        return [0.0 for _ in chances]
    found = []
    for chance in chances:
        place = chance * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        found.append(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
    return found


def counts(times_s: Sequence[float], window_s: float, length_s: float) -> list[int]:
    """How many of the times (seconds from 0) are in each whole window."""
    found = [0] * max(1, int(length_s / window_s))
    for time_s in times_s:
        index = int(time_s / window_s)
        if 0 <= index < len(found):
            found[index] += 1
    return found


def fano(numbers: Sequence[int]) -> float:
    """Variance over mean; 1 for independent arrivals."""
    return variance(numbers) / mean(numbers) if any(numbers) else 0.0


def correlation(one: Sequence[float], other: Sequence[float]) -> float:
    spread = math.sqrt(variance(one) * variance(other))
    return covariance(one, other) / spread if spread else 0.0


def covariance(one: Sequence[float], other: Sequence[float]) -> float:
    a, b = mean(one), mean(other)
    return mean([(x - a) * (y - b) for x, y in zip(one, other, strict=True)])


def autocorrelation(values: Sequence[float], lag: int) -> float:
    return correlation(values[lag:], values[:-lag]) if len(values) > lag + 1 else 0.0


def kurtosis(values: Sequence[float]) -> float:
    """Kurtosis; 3 for a normal distribution."""
    middle, second = mean(values), variance(values)
    return mean([(value - middle) ** 4 for value in values]) / second**2 if second else 0.0
