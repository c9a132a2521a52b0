"""Faults that requests meet, by REST or websocket API: what is answered in place of the truth, and what is done."""

from random import Random
from typing import Annotated, Any, Literal

import msgspec

from venue.base.wire import CLOSED, Response
from venue.faults.kinds.delays import Delay, Exponential, Fixed, Ms, Uniform, draw_ns
from venue.faults.kinds.fault import Fault

JSON = {"content-type": "application/json;charset=UTF-8"}
HTML = {"content-type": "text/html"}
PAGE = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center></body>\r\n</html>\r\n"
GARBAGE = (b"", b"null", b"[]", b"{}", b'"OK"', b"\x00\xff\xfe\x80garbage", b"[" * 2000, b'{"code":"x","msg":7}')
BUSY = "Server is currently overloaded with other requests. Please try again in a few minutes."
UNEXPECTED = (
    "An unexpected response was received from the message bus. Execution status unknown. OPEN API server find some "
    "exception in execute request. Please report to Customer service."
)
TIMED_OUT = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."


def error(status: int, code: int, msg: str, headers: dict[str, str] | None = None) -> Response:
    return Response(status, {**JSON, **(headers or {})}, msgspec.json.encode({"code": code, "msg": msg}))


class RequestFault(Fault, frozen=True):
    """A fault of requests. `account` and `endpoint` ("POST /api/v3/order", or its path alone) narrow it; empty: all.

    `accepted`: whether the request is carried out all the same; not given: by chance. `user_event`: what becomes of
    the news of it on the user stream: `sent`, `late` (by `event_delay`) or `lost`.
    """

    account: str = ""
    endpoint: str = ""
    accepted: bool | None = None
    user_event: Literal["sent", "late", "lost"] = "sent"
    event_delay: Delay = Uniform(low_ms=200, high_ms=5_000)

    def meets(self, account: str, method: str, path: str) -> bool:
        if self.account and self.account != account:
            return False
        return not self.endpoint or self.endpoint in (path, f"{method} {path}")

    def is_accepted(self, random: Random) -> bool:
        return random.random() < 0.5 if self.accepted is None else self.accepted

    def event_ns(self, random: Random) -> int:
        """How late its user events come, where they come late."""
        return draw_ns(self.event_delay, random)

    def spoil(self, answer: Response | None, random: Random) -> Response:
        """What is answered; `answer` is the truth, None where the request was not carried out."""
        raise NotImplementedError


class Late(RequestFault, frozen=True, tag="delay"):
    """The true answer comes late, by a fixed, uniform, exponential, lognormal or spiky delay."""

    accepted: bool | None = True
    delay: Delay = Exponential(mean_ms=300)

    def spoil(self, answer: Response | None, random: Random) -> Response:
        answer = answer or error(503, -1008, BUSY)
        return msgspec.structs.replace(answer, delay_ns=answer.delay_ns + draw_ns(self.delay, random))


class Timeout(RequestFault, frozen=True, tag="timeout"):
    """No answer at all: the connection hangs for `hold`, then closes; the request was accepted, or not."""

    hold: Delay = Fixed(ms=30_000)

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return Response(CLOSED, delay_ns=draw_ns(self.hold, random))


class Reset(RequestFault, frozen=True, tag="reset"):
    """The connection is reset in place of an answer."""

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return Response(CLOSED)


class ServerError(RequestFault, frozen=True, tag="server_error"):
    """A 5xx with an empty body, which says nothing of what was done."""

    status: Literal[500, 501, 502, 503, 504] = 503

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return Response(self.status, dict(JSON))


class UnexpectedResponse(RequestFault, frozen=True, tag="unexpected_response"):
    """-1006 with 500: an unexpected response inside the exchange; execution status unknown."""

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return error(500, -1006, UNEXPECTED)


class BackendTimeout(RequestFault, frozen=True, tag="backend_timeout"):
    """-1007 with 504: the matching engine did not answer in time; execution status unknown."""

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return error(504, -1007, TIMED_OUT)


class Overloaded(RequestFault, frozen=True, tag="overloaded"):
    """-1008 with 503: the exchange is overloaded, and nothing was done."""

    accepted: bool | None = False

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return error(503, -1008, BUSY)


class HtmlPage(RequestFault, frozen=True, tag="html_page"):
    """An error page of a proxy in place of JSON."""

    status: Literal[403, 500, 502, 503, 504] = 502

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return Response(self.status, dict(HTML), PAGE % (self.status, self.status))


class TruncatedBody(RequestFault, frozen=True, tag="truncated_body"):
    """The connection ends in the middle of the answer's body."""

    def spoil(self, answer: Response | None, random: Random) -> Response:
        answer = answer or error(504, -1007, TIMED_OUT)
        return msgspec.structs.replace(answer, cut_at=random.randrange(max(1, len(answer.body))))


class GarbageBody(RequestFault, frozen=True, tag="garbage_body"):
    """A status of 200 over a body that is empty, noise, half an answer, or JSON of another shape."""

    def spoil(self, answer: Response | None, random: Random) -> Response:
        half = b"" if answer is None else answer.body[: len(answer.body) // 2]
        return Response(200, dict(JSON), random.choice((*GARBAGE, half)))


class RateLimited(RequestFault, frozen=True, tag="rate_limited"):
    """-1003 with 429: too many requests, with a Retry-After or (`retry_after_s` = 0) without."""

    status: Literal[429, 418] = 429
    accepted: bool | None = False
    retry_after_s: Annotated[int, msgspec.Meta(ge=0, le=259_200)] = 2

    def spoil(self, answer: Response | None, random: Random) -> Response:
        headers = {"retry-after": str(self.retry_after_s)} if self.retry_after_s else {}
        return error(self.status, -1003, "Way too many requests; please use the websocket for live updates.", headers)


class Banned(RateLimited, frozen=True, tag="banned"):
    """-1003 with 418: the address is banned, with a Retry-After or (`retry_after_s` = 0) without."""

    status: Literal[429, 418] = 418


class StaleReads(RequestFault, frozen=True, tag="stale_reads"):
    """Reads of an account are answered by replicas that lag: an order is alive, cancelled, missing in turn."""

    accepted: bool | None = True
    lags_ms: Annotated[list[Ms], msgspec.Meta(min_length=1, max_length=8)] = msgspec.field(
        default_factory=lambda: [0.0, 1_500.0, 6_000.0]
    )

    def meets(self, account: str, method: str, path: str) -> bool:
        return method == "GET" and bool(account) and super().meets(account, method, path)

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return answer or error(503, -1008, BUSY)


class RejectAfterAck(RequestFault, frozen=True, tag="reject_after_ack"):
    """An order is acknowledged, and rejected by the matching engine `delay` later; the user stream tells."""

    endpoint: str = "POST /api/v3/order"
    accepted: bool | None = True
    delay: Delay = Uniform(low_ms=0, high_ms=500)

    def spoil(self, answer: Response | None, random: Random) -> Response:
        return answer or error(503, -1008, BUSY)


KINDS: tuple[Any, ...] = (
    Late, Timeout, Reset, ServerError, UnexpectedResponse, BackendTimeout, Overloaded, HtmlPage, TruncatedBody,
    GarbageBody, RateLimited, Banned, StaleReads, RejectAfterAck,
)  # fmt: skip
