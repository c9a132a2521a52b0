"""ClockSync: reads the exchange's time into a ServerClock."""

from collections.abc import Callable
from functools import partial

from actors.effects import Effects
from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import BadAnswer, OrderApi
from connectors.core.reports import Outcome, Verdict
from connectors.net.client import ExchangeClient
from connectors.net.server_clock import SAMPLES, ServerClock

RETRY_NS = 1_000_000_000


class ClockSync:
    """Takes SAMPLES readings one after another; each failed one is repeated after a second.

    `changed()` is called after the last reading, and after a failure.
    """

    def __init__(
        self, fx: Effects, api: OrderApi, client: ExchangeClient, clock: ServerClock, changed: Callable[[], None]
    ) -> None:
        self._fx = fx
        self._api = api
        self._client = client
        self._clock = clock
        self._changed = changed
        self._is_reading = False

    def read(self) -> None:
        """Begin a series of readings, unless one is under way."""
        if not self._is_reading:
            self._is_reading = True
            self._read_once(SAMPLES)

    def restart(self) -> None:
        """Drop the readings and begin a new series."""
        self._clock.reset()
        self.read()

    def check(self) -> None:
        """Read again if the readings are too old."""
        if self._clock.is_stale(self._fx.now_ns):
            self.read()

    def _read_once(self, left: int) -> None:
        call = self._api.time_request()
        if self._client.acquire(call):
            self._client.send(call, partial(self._on_answer, left, self._fx.now_ns))
        else:
            self._fx.after(RETRY_NS, self._read_once, left)

    def _on_answer(self, left: int, sent_ns: int, verdict: Verdict, answer: HttpAnswer | HttpFailure) -> None:
        try:
            if isinstance(answer, HttpFailure) or verdict.outcome is not Outcome.OK:
                raise BadAnswer(verdict.reason)
            self._clock.add(sent_ns, self._fx.now_ns, self._api.parse_time(answer.body))
        except BadAnswer as error:
            self._client.latest_failure = str(error)
            self._changed()
            self._fx.after(RETRY_NS, self._read_once, left)
            return
        if left > 1:
            self._read_once(left - 1)
        else:
            self._is_reading = False
            self._changed()
