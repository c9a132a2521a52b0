"""ExchangeClient: sends every request to the exchange, within its limits, and classifies every answer once."""

from collections.abc import Callable, Sequence
from functools import partial

from actors.effects import Effects
from actors.net import HttpAnswer, HttpFailure
from connectors.core.order_api import Call, RequestApi, SocketRequest
from connectors.core.reports import Outcome, Trouble, Verdict
from connectors.core.throttle import Limit, Throttle
from connectors.net.ban import Ban
from connectors.net.order_socket import OrderSocket
from connectors.net.server_clock import ServerClock

MS_NS = 1_000_000

Result = HttpAnswer | HttpFailure


class ExchangeClient:
    """The transport of one connector: REST, and the order socket where there is one.

    `on_trouble(verdict)` is called for each answer that matters for more than its own request (verdict.trouble).
    """

    def __init__(
        self,
        fx: Effects,
        api: RequestApi,
        clock: ServerClock,
        order_socket: OrderSocket | None,
        ban: Ban,
        on_trouble: Callable[[Verdict], None],
    ) -> None:
        self.throttle = Throttle(api.rate_limits)
        self.ban = ban
        self.clock = clock
        self.order_socket = order_socket
        self.latest_failure = ""  # for operators; "" after a success that ends it
        self._order_pause_reason = ""
        self._limits: Sequence[Limit] = ()
        self._fx = fx
        self._api = api
        self._on_trouble = on_trouble

    @property
    def now_ns(self) -> int:
        """The exchange's time now, ns UTC."""
        return self._fx.now_ns + self.clock.offset_ns

    @property
    def is_socket_up(self) -> bool:
        """Whether an order request can leave on the order socket now."""
        return self.order_socket is not None and self.order_socket.is_up

    def next_request_id(self) -> int:
        """Returns the id of the next order request: positive for the order socket, 0 for REST while that is down."""
        socket = self.order_socket
        if socket is None or not socket.is_up:
            return 0
        socket.last_id += 1
        return socket.last_id

    def acquire(self, call: Call) -> bool:
        """Whether the call may leave now. If so, `send` or `release` must follow."""
        return self.throttle.acquire(call.costs, self.now_ns, call.urgent)

    def release(self, call: Call) -> None:
        """The call does not leave: return its cost."""
        self.throttle.release(call.costs)

    def send(self, call: Call, then: Callable[[Verdict, Result], None]) -> None:
        """Send a call that `acquire` has allowed; `then` gets the classified answer, and the answer."""
        answered = partial(self._on_answer, call, then)
        if isinstance(call.request, SocketRequest):
            if self.order_socket is None or not self.order_socket.send(call.request, answered):
                self._fx.after(0, answered, HttpFailure(False, "the order socket is down"))
        else:
            self._fx.http(call.request, answered)

    def request(self, call: Call, then: Callable[[Result], None]) -> None:
        """Send one call of the market data side now; it fails if the exchange's limits do not allow it."""
        if self.acquire(call):
            self.send(call, lambda verdict, answer: then(answer))
        else:
            self._fx.after(0, then, HttpFailure(False, "the exchange's rate limit is used up"))

    def set_ban(self, until_ns: int, reason: str) -> None:
        """The exchange has banned our address: no request and no new connection before `until_ns`, its time."""
        self.ban.extend(until_ns)
        self._fx.log.error("banned by the exchange", reason=reason, left_s=self.ban.left_ms() // 1000)
        self.throttle.pause(self.ban.until_ns)

    def adopt_limits(self, limits: Sequence[Limit]) -> None:
        """The exchange has stated its limits."""
        if limits and limits != self._limits:
            self._limits = limits
            self._api.adopt_limits(limits)
            self.throttle.adopt(limits)

    @property
    def order_pause(self) -> str:
        """Why no new order leaves now, by the exchange's own count; "" if one may."""
        left_ns = self.throttle.kind_paused_until_ns("orders") - self.now_ns
        return f"the exchange has paused new orders: {self._order_pause_reason}" if left_ns > 0 else ""

    def _on_answer(self, call: Call, then: Callable[[Verdict, Result], None], answer: Result) -> None:
        used = self._api.used(answer.headers) if isinstance(answer, HttpAnswer) else {}
        self.throttle.on_answer(call.costs, self.now_ns, used)
        verdict = self._api.classify(answer)
        if verdict.outcome is not Outcome.OK:
            self._on_failure(verdict)
        then(verdict, answer)

    def _on_failure(self, verdict: Verdict) -> None:
        self.latest_failure = verdict.reason
        until_ns = max(verdict.until_ns, self.now_ns + verdict.retry_after_ns)
        pause_s = (until_ns - self.now_ns) // 1_000 // MS_NS
        if verdict.trouble is Trouble.TOO_MANY_ORDERS:
            self._order_pause_reason = verdict.reason
            self._fx.log.warning("new orders paused", reason=verdict.reason, pause_s=pause_s)
            self.throttle.pause_kind("orders", until_ns)
        elif verdict.trouble is Trouble.BANNED:
            self.set_ban(until_ns, verdict.reason)
        elif verdict.retry_after_ns:
            self._fx.log.warning("requests paused", reason=verdict.reason, pause_s=pause_s)
            self.throttle.pause(until_ns)
        if verdict.trouble is not Trouble.NONE:
            self._on_trouble(verdict)
