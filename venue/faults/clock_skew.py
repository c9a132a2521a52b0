"""The exchange's own clock: real time plus the steps and drift that faults add. It never runs backwards."""

MILLION = 1_000_000
SLEW_PPM = 100_000
"""A step back is made up for by running a tenth slower, as server clocks do."""


class ClockSkew:
    """`at(real_ns)` is what the exchange's clock shows; `real_ns(shown_ns)` is when it will show that."""

    def __init__(self) -> None:
        self.now_ns = 0
        """What the clock showed at the last `read`."""
        self._read_ns = 0
        self._real_ns = 0  # where the present stretch of constant speed began, on both clocks
        self._shown_ns = 0
        self._behind_ns = 0  # still to be made up for by running slower
        self._drift_ppm = 0

    @property
    def is_true(self) -> bool:
        """Whether the clock shows real time, unchanged."""
        return self._real_ns == self._shown_ns and not self._behind_ns and not self._drift_ppm

    def read(self, real_ns: int) -> int:
        """Reads the clock at the present moment."""
        self._read_ns = real_ns
        self.now_ns = self.at(real_ns)
        return self.now_ns

    def at(self, real_ns: int) -> int:
        if self.is_true:
            return real_ns
        self._finish_slewing(real_ns)
        return self._shown_ns + self._elapsed(max(0, real_ns - self._real_ns))

    def real_ns(self, shown_ns: int) -> int:
        """The first moment at which `at` returns `shown_ns` or more."""
        if self.is_true:
            return shown_ns
        ahead_ns = shown_ns - self._shown_ns
        if self._behind_ns:
            slew_ns = self._behind_ns * MILLION // SLEW_PPM
            elapsed_ns = self._elapsed(slew_ns)
            if ahead_ns > elapsed_ns:
                rest_ns = ahead_ns - elapsed_ns
                return self._real_ns + slew_ns - (-rest_ns * MILLION // (MILLION + self._drift_ppm))
        return self._real_ns - (-ahead_ns * MILLION // (MILLION + self._ppm))

    def step(self, by_ns: int) -> None:
        """Steps forward by `by_ns` at the time of the last `read`; below zero the clock slews until it is behind."""
        self._rebase(self._read_ns)
        by_ns -= self._behind_ns
        self._behind_ns = max(0, -by_ns)
        self._shown_ns += max(0, by_ns)

    def drift(self, ppm: int) -> None:
        """Runs `ppm` parts per million too fast (below zero: too slow) from the last `read` on."""
        self._rebase(self._read_ns)
        self._drift_ppm = ppm

    @property
    def _ppm(self) -> int:
        return self._drift_ppm - (SLEW_PPM if self._behind_ns else 0)

    def _elapsed(self, passed_ns: int) -> int:
        return passed_ns + passed_ns * self._ppm // MILLION

    def _rebase(self, real_ns: int) -> None:
        if self.is_true:
            self._real_ns = self._shown_ns = real_ns
            return
        shown_ns = self.at(real_ns)
        slewed_ns = max(0, real_ns - self._real_ns) * SLEW_PPM // MILLION
        self._behind_ns = max(0, self._behind_ns - slewed_ns)
        self._real_ns, self._shown_ns = real_ns, shown_ns

    def _finish_slewing(self, real_ns: int) -> None:
        """Ends the slow stretch if the clock is as far behind as it was stepped."""
        if not self._behind_ns:
            return
        slew_ns = self._behind_ns * MILLION // SLEW_PPM
        if real_ns - self._real_ns >= slew_ns:
            self._shown_ns += self._elapsed(slew_ns)
            self._real_ns += slew_ns
            self._behind_ns = 0
