"""Faults of requests, by REST or websocket API: whether they are carried out, and what is answered instead."""

from random import Random
from typing import Annotated, Any, Literal

import msgspec

from venue.base.units import MILLISECOND_NS
from venue.base.wire import CLOSED, Response
from venue.faults.kinds.delays import Delay, Exponential, Fixed, Ms, Uniform, draw_ns
from venue.faults.kinds.fault import Fault

JSON = {"content-type": "application/json;charset=UTF-8"}
HTML = {"content-type": "text/html"}
PAGE = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center></body>\r\n</html>\r\n"
INVALID_BODIES = (b"", b"null", b"[]", b"{}", b'"OK"', b"\x00\xff\xfe\x80garbage", b"[" * 2000, b'{"code":"x","msg":7}')
BUSY = "Server is currently overloaded with other requests. Please try again in a few minutes."
UNEXPECTED = (
    "An unexpected response was received from the message bus. Execution status unknown. OPEN API server find some "
    "exception in execute request. Please report to Customer service."
)
TIMED_OUT = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."


def error(status: int, code: int, msg: str, headers: dict[str, str] | None = None) -> Response:
    return Response(status, {**JSON, **(headers or {})}, msgspec.json.encode({"code": code, "msg": msg}))


class RequestFault(Fault, frozen=True):
    """A fault of requests. `account` and `endpoint` ("POST /api/v3/order", or its path alone) limit it; empty: all.

    `accepted`: whether the request is carried out; None: by chance, one half each. `user_event`: whether the user
    events of a request that is carried out are `sent`, `late` (by `event_delay`) or `lost`.
    """

    account: str = ""
    endpoint: str = ""
    accepted: bool | None = None
    user_event: Literal["sent", "late", "lost"] = "sent"
    event_delay: Delay = Uniform(low_ms=200, high_ms=5_000)

    def matches(self, account: str, method: str, path: str) -> bool:
        if self.account and self.account != account:
            return False
        return not self.endpoint or self.endpoint in (path, f"{method} {path}")

    def is_accepted(self, random: Random) -> bool:
        return random.random() < 0.5 if self.accepted is None else self.accepted

    def event_ns(self, random: Random) -> int:
        """The delay of its user events where they are late."""
        return draw_ns(self.event_delay, random)

    def changed(self, answer: Response | None, random: Random) -> Response:
        """The answer to send; `answer` is the true one, None where the request was not carried out."""
        raise NotImplementedError


class Late(RequestFault, frozen=True, tag="delay"):
    """The true answer is late, by a fixed, uniform, exponential, lognormal or spiky delay."""

    accepted: bool | None = True
    delay: Delay = Exponential(mean_ms=300)

    def changed(self, answer: Response | None, random: Random) -> Response:
        answer = answer or error(503, -1008, BUSY)
        return msgspec.structs.replace(answer, delay_ns=answer.delay_ns + draw_ns(self.delay, random))


class Timeout(RequestFault, frozen=True, tag="timeout"):
    """No answer: the connection hangs for `hold`, then closes; the request was accepted or not."""

    hold: Delay = Fixed(ms=30_000)

    def changed(self, answer: Response | None, random: Random) -> Response:
        return Response(CLOSED, delay_ns=draw_ns(self.hold, random))


class Reset(RequestFault, frozen=True, tag="reset"):
    """The connection is reset instead of an answer."""

    def changed(self, answer: Response | None, random: Random) -> Response:
        return Response(CLOSED)


class ServerError(RequestFault, frozen=True, tag="server_error"):
    """A 5xx with an empty body: whether the request was carried out is unknown."""

    status: Literal[500, 501, 502, 503, 504] = 503

    def changed(self, answer: Response | None, random: Random) -> Response:
        return Response(self.status, dict(JSON))


class UnexpectedResponse(RequestFault, frozen=True, tag="unexpected_response"):
    """-1006 with 500: an unexpected answer inside the exchange; execution status unknown."""

    def changed(self, answer: Response | None, random: Random) -> Response:
        return error(500, -1006, UNEXPECTED)


class BackendTimeout(RequestFault, frozen=True, tag="backend_timeout"):
    """-1007 with 504: the matching engine did not answer in time; execution status unknown."""

    def changed(self, answer: Response | None, random: Random) -> Response:
        return error(504, -1007, TIMED_OUT)


class Overloaded(RequestFault, frozen=True, tag="overloaded"):
    """-1008 with 503: the exchange is overloaded; the request was not carried out."""

    accepted: bool | None = False

    def changed(self, answer: Response | None, random: Random) -> Response:
        return error(503, -1008, BUSY)


class HtmlPage(RequestFault, frozen=True, tag="html_page"):
    """An HTML error page of a proxy instead of JSON."""

    status: Literal[403, 500, 502, 503, 504] = 502

    def changed(self, answer: Response | None, random: Random) -> Response:
        return Response(self.status, dict(HTML), PAGE % (self.status, self.status))


class TruncatedBody(RequestFault, frozen=True, tag="truncated_body"):
    """The connection closes in the middle of the answer's body."""

    def changed(self, answer: Response | None, random: Random) -> Response:
        answer = answer or error(504, -1007, TIMED_OUT)
        return msgspec.structs.replace(answer, cut_at=random.randrange(max(1, len(answer.body))))


class InvalidBody(RequestFault, frozen=True, tag="invalid_body"):
    """Status 200 with a body that is empty, noise, half an answer, or JSON of another shape."""

    def changed(self, answer: Response | None, random: Random) -> Response:
        half = b"" if answer is None else answer.body[: len(answer.body) // 2]
        return Response(200, dict(JSON), random.choice((*INVALID_BODIES, half)))


class RateLimited(RequestFault, frozen=True, tag="rate_limited"):
    """-1003 with 429: too many requests, with a Retry-After header or (`retry_after_s` = 0) without."""

    status: Literal[429, 418] = 429
    accepted: bool | None = False
    retry_after_s: Annotated[int, msgspec.Meta(ge=0, le=259_200)] = 2

    def changed(self, answer: Response | None, random: Random) -> Response:
        headers = {"retry-after": str(self.retry_after_s)} if self.retry_after_s else {}
        return error(self.status, -1003, "Way too many requests; please use the websocket for live updates.", headers)


class Banned(RateLimited, frozen=True, tag="banned"):
    """-1003 with 418: the address is banned, with a Retry-After header or (`retry_after_s` = 0) without."""

    status: Literal[429, 418] = 418


class StaleReads(RequestFault, frozen=True, tag="stale_reads"):
    """Reads of an account are answered by replicas that lag: an order is open, canceled, missing in turn."""

    accepted: bool | None = True
    lags_ms: Annotated[list[Ms], msgspec.Meta(min_length=1, max_length=8)] = msgspec.field(
        default_factory=lambda: [0.0, 1_500.0, 6_000.0]
    )

    def matches(self, account: str, method: str, path: str) -> bool:
        return method == "GET" and bool(account) and super().matches(account, method, path)

    def changed(self, answer: Response | None, random: Random) -> Response:
        return answer or error(503, -1008, BUSY)


class RejectAfterAck(RequestFault, frozen=True, tag="reject_after_ack"):
    """An order is acknowledged, and rejected by the matching engine `delay` later; the user stream reports it."""

    endpoint: str = "POST /api/v3/order"
    accepted: bool | None = True
    delay: Delay = Uniform(low_ms=0, high_ms=500)

    def changed(self, answer: Response | None, random: Random) -> Response:
        return answer or error(503, -1008, BUSY)


class PresetAnswer(RequestFault, frozen=True, tag="error_next"):
    """The next `count` requests of an endpoint get this answer: `error_next` of the control endpoint.

    Status 0: the connection closes without an answer. Status 200: the true answer, `delay_ms` later. Otherwise an
    error body with `code` and `msg` or, without a code, `body` as it is; the request is carried out if `accepted`.
    """

    status: int = 503
    code: int | None = None
    msg: str = ""
    body: str = ""
    delay_ms: int = 0

    def is_accepted(self, random: Random) -> bool:
        return bool(self.accepted) or self.status == 200

    def changed(self, answer: Response | None, random: Random) -> Response:
        delay_ns = self.delay_ms * MILLISECOND_NS
        if self.status == 200:
            assert answer is not None
            return msgspec.structs.replace(answer, delay_ns=delay_ns)
        if self.code is not None:
            return msgspec.structs.replace(error(self.status, self.code, self.msg), delay_ns=delay_ns)
        return Response(self.status, dict(HTML), self.body.encode(), delay_ns)

    def shown(self) -> dict[str, Any]:
        """As the control endpoint shows it."""
        method, _, path = self.endpoint.partition(" ")
        return {
            "method": method, "path": path, "count": self.count, "status": self.status, "code": self.code,
            "msg": self.msg, "body": self.body, "delay_ms": self.delay_ms, "accepted": self.accepted,
        }  # fmt: skip


KINDS: tuple[Any, ...] = (
    Late, Timeout, Reset, ServerError, UnexpectedResponse, BackendTimeout, Overloaded, HtmlPage, TruncatedBody,
    InvalidBody, RateLimited, Banned, StaleReads, RejectAfterAck,
)  # fmt: skip
"""The kinds that can be added by name; PresetAnswer comes from the control endpoint alone."""
