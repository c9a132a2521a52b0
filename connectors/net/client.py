"""Caller: every request to the exchange goes through here, within its limits, and every answer is judged here once."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import BadAnswer, Call, LineRequest, OrderDialect
from connectors.core.reports import Proof, Trouble, Verdict
from connectors.core.throttle import Throttle
from connectors.net.server_clock import SAMPLES, ExchangeClock

if TYPE_CHECKING:
    from connectors.connector import Connector
    from connectors.net.order_socket import OrderLine

MS_NS = 1_000_000
CLOCK_RETRY_NS = 1_000 * MS_NS

Result = HttpAnswer | HttpFailure


class Caller:
    """The transport of one connector: REST, and the order line where there is one. Also keeps the exchange's clock."""

    def __init__(self, host: "Connector", dialect: OrderDialect) -> None:
        self.host = host
        self.dialect = dialect
        self.throttle = Throttle(dialect.limits)
        self.clock = ExchangeClock()
        self.trouble = ""  # the latest failure, for people
        self._reading_clock = False
        self.line: OrderLine | None = None  # set by the connector

    @property
    def now_ns(self) -> int:
        """The exchange's time now."""
        return self.host.now_ns + self.clock.offset_ns

    @property
    def by_line(self) -> bool:
        """Whether an order request can leave on the order line now."""
        return self.line is not None and self.line.is_up

    # -- calls ----------------------------------------------------------------------------------------

    def take(self, call: Call) -> bool:
        """Whether the call may leave now. If so, `send` or `give_back` must follow."""
        return self.throttle.take(call.costs, self.now_ns, call.urgent)

    def give_back(self, call: Call) -> None:
        """The call does not leave after all."""
        self.throttle.return_unused(call.costs)

    def send(self, call: Call, then: Callable[[Verdict, Result], None]) -> None:
        """Send what `take` has allowed; `then` gets what the answer proves, and the answer."""
        answered = partial(self._answered, call, then)
        if isinstance(call.request, LineRequest):
            if self.line is None or not self.line.send(call.request, answered):
                self.host.after(0, answered, HttpFailure(False, "the order line is down"))
        else:
            self.host.http(call.request, answered)

    def ask(self, call: Call, then: Callable[[Result], None]) -> None:
        """One call of the market data side: sent now, or failed for the limits."""
        if self.take(call):
            self.send(call, lambda verdict, answer: then(answer))
        else:
            self.host.after(0, then, HttpFailure(False, "the exchange's rate limit is used up"))

    def _answered(self, call: Call, then: Callable[[Verdict, Result], None], answer: Result) -> None:
        used = self.dialect.used(answer.headers) if isinstance(answer, HttpAnswer) else {}
        self.throttle.answered(call.costs, self.now_ns, used)
        verdict = self.dialect.judge(answer)
        if verdict.proof is not Proof.PLACED:
            self._heed(verdict)
        then(verdict, answer)

    def _heed(self, verdict: Verdict) -> None:
        """What an answer says about more than its order."""
        self.trouble = verdict.reason
        if verdict.retry_after_ns:
            pause_s = verdict.retry_after_ns // 1_000 // MS_NS
            self.host.log.warning("rate limit", reason=verdict.reason, pause_s=pause_s)
            self.throttle.pause(self.now_ns + verdict.retry_after_ns)
        if verdict.trouble is Trouble.CLOCK_SKEW:
            self.clock.forget()
            self.read_clock()
        elif verdict.trouble is Trouble.RULES:
            self.host.rules_broken()
        elif verdict.trouble is Trouble.BAD_KEY:
            self.host.halt(f"the exchange refuses the key: {verdict.reason}")

    # -- the exchange's clock -------------------------------------------------------------------------

    def read_clock(self) -> None:
        """Take the median of several readings, one after another."""
        if not self._reading_clock:
            self._reading_clock = True
            self._read_once(SAMPLES)

    def _read_once(self, left: int) -> None:
        call = self.dialect.time_request()
        if self.take(call):
            self.send(call, partial(self._read, left, self.host.now_ns))
        else:
            self.host.after(CLOCK_RETRY_NS, self._read_once, left)

    def _read(self, left: int, sent_ns: int, verdict: Verdict, answer: Result) -> None:
        try:
            if isinstance(answer, HttpFailure) or verdict.proof is not Proof.PLACED:
                raise BadAnswer(verdict.reason)
            self.clock.add(sent_ns, self.host.now_ns, self.dialect.parse_time(answer.body))
        except BadAnswer as error:
            self.trouble = str(error)
            self.host.judge()
            self.host.after(CLOCK_RETRY_NS, self._read_once, left)
            return
        if left > 1:
            self._read_once(left - 1)
        else:
            self._reading_clock = False
            self.host.judge()
