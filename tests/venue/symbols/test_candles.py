"""Candles: the turnover that is cached for a second equals their sum."""

from hypothesis import given
from hypothesis import strategies as st

from venue.base.units import MINUTE_NS
from venue.orders.exchange_order import PublicTrade
from venue.symbols.candles import Candles

START_NS = 1_790_000_000_000_000_000
STEPS = st.lists(
    st.tuples(st.integers(0, 3 * 10**9) | st.integers(0, 40 * MINUTE_NS), st.integers(1, 50), st.integers(1, 9)),
    min_size=1,
    max_size=30,
)


@given(STEPS, st.sampled_from([1, 5, 60, 90]))
def test_the_turnover_is_that_of_one_candle_over_the_span(steps, minutes):
    candles, now_ns = Candles(), START_NS
    for number, (step_ns, price_ticks, size_lots) in enumerate(steps):
        now_ns += step_ns
        over = candles.over(minutes * MINUTE_NS, now_ns)
        expected = (0, 0) if over is None else (over.volume_lots, over.quote_volume)
        assert candles.turnover(minutes * MINUTE_NS, now_ns) == expected
        candles.add(PublicTrade(number, price_ticks, size_lots, now_ns, False))
