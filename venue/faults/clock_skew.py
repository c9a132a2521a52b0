"""The exchange's own clock: the world's time, plus what steps and drifts have done to it. It never runs backwards."""

MILLION = 1_000_000
SLEW_PPM = 100_000
"""A step back is walked off at a tenth of the speed of time, as clocks of servers are."""


class Skew:
    """`at(world_ns)` is what the exchange's clock shows; `world_ns(shown)` is when it will show it."""

    def __init__(self) -> None:
        self._world_ns = 0  # where the present stretch of constant speed began, on both clocks
        self._shown_ns = 0
        self._owed_ns = 0  # still to be walked off
        self._drift_ppm = 0

    @property
    def is_true(self) -> bool:
        """Whether it is the world's time, unchanged."""
        return self._world_ns == self._shown_ns and not self._owed_ns and not self._drift_ppm

    def at(self, world_ns: int) -> int:
        if self.is_true:
            return world_ns
        self._pass(world_ns)
        return self._shown_ns + self._moved(max(0, world_ns - self._world_ns))

    def world_ns(self, shown_ns: int) -> int:
        """The first moment at which `at` gives `shown_ns` or more."""
        if self.is_true:
            return shown_ns
        ahead_ns = shown_ns - self._shown_ns
        if self._owed_ns:
            whole_ns = self._owed_ns * MILLION // SLEW_PPM
            moved_ns = self._moved(whole_ns)
            if ahead_ns > moved_ns:
                rest_ns = ahead_ns - moved_ns
                return self._world_ns + whole_ns - (-rest_ns * MILLION // (MILLION + self._drift_ppm))
        return self._world_ns - (-ahead_ns * MILLION // (MILLION + self._ppm))

    def step(self, by_ns: int, world_ns: int) -> None:
        """Jump forward; or owe so much, where `by_ns` is below zero."""
        self._rebase(world_ns)
        by_ns -= self._owed_ns
        self._owed_ns = max(0, -by_ns)
        self._shown_ns += max(0, by_ns)

    def drift(self, ppm: int, world_ns: int) -> None:
        """Run so many parts of a million too fast from now on."""
        self._rebase(world_ns)
        self._drift_ppm = ppm

    @property
    def _ppm(self) -> int:
        return self._drift_ppm - (SLEW_PPM if self._owed_ns else 0)

    def _moved(self, passed_ns: int) -> int:
        return passed_ns + passed_ns * self._ppm // MILLION

    def _rebase(self, world_ns: int) -> None:
        if self.is_true:
            self._world_ns = self._shown_ns = world_ns
            return
        shown_ns = self.at(world_ns)
        walked_ns = max(0, world_ns - self._world_ns) * SLEW_PPM // MILLION
        self._owed_ns = max(0, self._owed_ns - walked_ns)
        self._world_ns, self._shown_ns = world_ns, shown_ns

    def _pass(self, world_ns: int) -> None:
        """What was owed is walked off by now?"""
        if not self._owed_ns:
            return
        whole_ns = self._owed_ns * MILLION // SLEW_PPM
        if world_ns - self._world_ns >= whole_ns:
            self._shown_ns += self._moved(whole_ns)
            self._world_ns += whole_ns
            self._owed_ns = 0
