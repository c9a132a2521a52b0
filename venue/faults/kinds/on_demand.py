"""Faults on demand: answers that are late, wrong or missing, and streams that fall silent."""

from typing import Any, Literal

import msgspec

from protocol.message import Settings
from venue.base.errors import ApiError
from venue.base.wire import Response

MAX_PENDING = 1000


class ErrorNext(Settings, frozen=True):
    """The next `count` requests to `method` `path` get this answer.

    `accepted` says whether the request is carried out all the same. Status 0: the connection closes without
    an answer. Status 200: the true answer, `delay_ms` later. `code`: an error body of that code; else `body`
    as it is.
    """

    method: str
    path: str
    count: int = 1
    status: int = 503
    code: int | None = None
    msg: str = "Fault on demand."
    body: str = ""
    delay_ms: int = 0
    accepted: bool = False

    @property
    def delay_ns(self) -> int:
        return self.delay_ms * 1_000_000

    @property
    def is_carried_out(self) -> bool:
        return self.accepted or not self.replaces

    @property
    def replaces(self) -> bool:
        return self.status != 200

    def response(self) -> Response:
        body = self.body.encode()
        kind = "text/html"
        if self.code is not None:
            kind = "application/json;charset=UTF-8"
            body = msgspec.json.encode({"code": self.code, "msg": self.msg})
        return Response(self.status, {"content-type": kind}, body, self.delay_ns)

    def error(self) -> ApiError:
        """The same, as the websocket API would tell it."""
        return ApiError(self.code if self.code is not None else -1000, self.msg, self.status)


class Silence(Settings, frozen=True):
    """Streams of this kind (`market`, `user` or `all`) send nothing for `seconds`; pings go on."""

    kind: Literal["all", "market", "user"] = "all"
    seconds: float = 10.0


class Faults:
    """What has been asked for and is still to come."""

    def __init__(self) -> None:
        self.errors: list[tuple[ErrorNext, list[int]]] = []
        self.silent_until_ns: dict[str, int] = {}

    def add_error(self, fault: ErrorNext) -> None:
        """Raises ValueError where too many wait."""
        if len(self.errors) >= MAX_PENDING:
            raise ValueError(f"{MAX_PENDING} faults wait already: clear them first")
        self.errors.append((fault, [fault.count]))

    def take(self, method: str, path: str) -> ErrorNext | None:
        """The fault that this request meets, counted off."""
        for row in self.errors:
            fault, left = row
            if fault.method == method and fault.path == path:
                left[0] -= 1
                if left[0] <= 0:
                    self.errors.remove(row)
                return fault
        return None

    def silence(self, fault: Silence, now_ns: int) -> None:
        kinds = ("market", "user") if fault.kind == "all" else (fault.kind,)
        for kind in kinds:
            self.silent_until_ns[kind] = now_ns + int(fault.seconds * 1e9)

    def is_silent(self, kind: str, now_ns: int) -> bool:
        return now_ns < self.silent_until_ns.get(kind, 0)

    def clear(self) -> None:
        self.errors.clear()
        self.silent_until_ns.clear()

    def shown(self) -> dict[str, Any]:
        return {
            "errors": [{"fault": fault, "left": left[0]} for fault, left in self.errors],
            "silent_until_ns": self.silent_until_ns,
        }
