"""When market orders come, and which way they go: bursts, and the long memory of their signs."""

import math
from random import Random

from venue.base.units import NEVER_NS, SECOND_NS
from venue.sources.profiles import Kernel

MOST_EXCITED = 60.0
"""However excited, arrivals come at most so many times as fast as usual."""
LONGEST_RUN = 2_000
EXPECTATION = 0.15
"""How much one sign changes what the market expects of the next."""


class ArrivalProcess:
    """Arrivals that bring others: a Hawkes process with exponential kernels, drawn by thinning."""

    def __init__(self, base_rate: float, kernels: list[Kernel], usual_rate: float, random: Random, now_ns: int) -> None:
        self.base_rate = base_rate
        self.decays = [kernel.decay_s for kernel in kernels]
        self.children = sum(kernel.children for kernel in kernels)
        self.jumps = [kernel.children / kernel.decay_s for kernel in kernels]
        self.heat = [0.0 for _ in kernels]  # arrivals a second above the base, by kernel
        self.ceiling = MOST_EXCITED * usual_rate
        self.random = random
        self.at_ns = now_ns

    def excite(self, now_ns: int, times: float = 1.0) -> None:
        """Something happened that brings arrivals, so many times those of the kernels."""
        passed_s = (now_ns - self.at_ns) / SECOND_NS
        self.at_ns = now_ns
        heat = self.heat
        for index, decay_s in enumerate(self.decays):
            raised = heat[index] * math.exp(-passed_s / decay_s) + times * self.jumps[index]
            heat[index] = raised if raised < self.ceiling else self.ceiling

    def next_ns(self, now_ns: int) -> int:
        """When the next one comes if nothing excites them before."""
        passed_s = (now_ns - self.at_ns) / SECOND_NS
        decays, draw = self.decays, self.random
        heat = [one * math.exp(-passed_s / decay_s) for one, decay_s in zip(self.heat, decays, strict=True)]
        wait_s = 0.0
        while True:
            rate = self.base_rate + sum(heat)
            if rate < 1e-6:
                return NEVER_NS
            step_s = draw.expovariate(rate)
            wait_s += step_s
            heat = [one * math.exp(-step_s / decay_s) for one, decay_s in zip(heat, decays, strict=True)]
            if draw.random() * rate <= self.base_rate + sum(heat):
                return now_ns + 1 + int(wait_s * SECOND_NS)


class OrderSigns:
    """+1 buys, -1 sells. Large orders are worked off in pieces, some side by side, so signs follow signs."""

    def __init__(self, share: float, threads: int, tail: float, random: Random) -> None:
        self.share = share
        self.tail = tail
        self.random = random
        self.threads = [(1, 0)] * threads  # sign, pieces left
        self.expected = 0.0

    def draw(self) -> int:
        """The next one."""
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
