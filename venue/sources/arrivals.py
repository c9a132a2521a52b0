"""Arrival times and sides of generated orders: bursts, and the long memory of order sides."""

import math
from random import Random

from venue.base.units import NEVER_NS, SECOND_NS
from venue.sources.profiles import Kernel

MAX_RATE_FACTOR = 60.0
"""Upper limit of the arrival rate, as a multiple of the usual rate."""
LONGEST_RUN = 2_000
EXPECTATION = 0.15
"""Weight of one sign in the expected sign of the next order."""


class ArrivalProcess:
    """Arrivals that excite further arrivals: a Hawkes process with exponential kernels, drawn by thinning."""

    def __init__(self, base_rate: float, kernels: list[Kernel], usual_rate: float, random: Random, now_ns: int) -> None:
        self.base_rate = base_rate
        self.decays = [kernel.decay_s for kernel in kernels]
        self.children = sum(kernel.children for kernel in kernels)
        self.jumps = [kernel.children / kernel.decay_s for kernel in kernels]
        self.excess = [0.0 for _ in kernels]  # arrivals per second above the base rate, by kernel
        self.ceiling = MAX_RATE_FACTOR * usual_rate
        self.random = random
        self.at_ns = now_ns

    def excite(self, now_ns: int, times: float = 1.0) -> None:
        """Adds the excitement of an event, `times` that of the kernels."""
        passed_s = (now_ns - self.at_ns) / SECOND_NS
        self.at_ns = now_ns
        excess = self.excess
        for index, decay_s in enumerate(self.decays):
            raised = excess[index] * math.exp(-passed_s / decay_s) + times * self.jumps[index]
            excess[index] = raised if raised < self.ceiling else self.ceiling

    def next_ns(self, now_ns: int) -> int:
        """The time of the next arrival, without further excitement until then."""
        passed_s = (now_ns - self.at_ns) / SECOND_NS
        decays, draw = self.decays, self.random
        excess = [one * math.exp(-passed_s / decay_s) for one, decay_s in zip(self.excess, decays, strict=True)]
        wait_s = 0.0
        while True:
            rate = self.base_rate + sum(excess)
            if rate < 1e-6:
                return NEVER_NS
            step_s = draw.expovariate(rate)
            wait_s += step_s
            excess = [one * math.exp(-step_s / decay_s) for one, decay_s in zip(excess, decays, strict=True)]
            if draw.random() * rate <= self.base_rate + sum(excess):
                return now_ns + 1 + int(wait_s * SECOND_NS)


class OrderSigns:
    """Signs of orders: +1 buys, -1 sells. Large orders are split into parts, so equal signs follow each other."""

    def __init__(self, share: float, threads: int, tail: float, random: Random) -> None:
        self.share = share
        self.tail = tail
        self.random = random
        self.threads = [(1, 0)] * threads  # sign, parts left
        self.expected = 0.0

    def draw(self) -> int:
        """The sign of the next order."""
        random = self.random
        sign = 1 if random.random() < 0.5 else -1
        if random.random() < self.share:
            index = random.randrange(len(self.threads))
            of_thread, left = self.threads[index]
            if left:
                sign, left = of_thread, left - 1
            else:
                left = min(LONGEST_RUN, int(random.paretovariate(self.tail)))
            self.threads[index] = (sign, left)
        self.expected += EXPECTATION * (sign - self.expected)
        return sign
