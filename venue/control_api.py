"""ControlApi: endpoints for tests and operators, on loopback only: the true state, deposits, fault injection."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import msgspec

from protocol.message import Settings
from venue.accounts.accounts import ExchangeAccount
from venue.base.api_errors import ApiError
from venue.base.demo import account_name
from venue.base.numbers import atoms, fixed8
from venue.base.params import Params, split_pairs
from venue.base.units import MILLISECOND_NS
from venue.base.wire import Request, Response
from venue.engine.engine import Engine
from venue.faults.injector import FaultInjector
from venue.faults.kinds.catalogue import read_faults
from venue.faults.kinds.profiles import profile
from venue.faults.kinds.request_kinds import PresetAnswer
from venue.render import order_json
from venue.streams.connections import MARKET, USER, Connections
from venue.streams.user_data_stream import UserDataStream

PREFIX = "/control/"
JSON = {"content-type": "application/json"}


class Drop(Settings, frozen=True):
    """Closes websockets: `market` streams, `user` (websocket API) connections, or all."""

    kind: Literal["all", "market", "user"] = "all"


class Deposit(Settings, frozen=True):
    """A deposit (below zero: a withdrawal)."""

    account: str
    asset: str
    amount: Decimal


class ErrorNext(Settings, frozen=True):
    """The next `count` requests to `method` `path` get this answer.

    Status 0: the connection closes without an answer. Status 200: the true answer, `delay_ms` later. Otherwise an
    error body with `code` and `msg` or, without a code, `body` as it is; the request is carried out if `accepted`.
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

    def fault(self) -> PresetAnswer:
        return PresetAnswer(
            endpoint=f"{self.method} {self.path}", count=max(1, self.count), status=self.status, code=self.code,
            msg=self.msg, body=self.body, delay_ms=self.delay_ms, accepted=self.accepted,
        )  # fmt: skip


class SilenceRequest(Settings, frozen=True):
    """Streams of this kind (`market`, `user` or `all`) send nothing for `seconds`; pings go on."""

    kind: Literal["all", "market", "user"] = "all"
    seconds: float = 10.0


class FaultRequest(Settings, frozen=True):
    """The body of POST /control/faults. `clear` is applied first; `remove` has the numbers of active faults.

    `add`: faults by name (docs/venue.md); `profile`: the faults of a named profile.
    """

    error_next: ErrorNext | None = None
    silence: SilenceRequest | None = None
    clear: bool = False
    remove: list[int] = []
    add: list[dict[str, Any]] = []
    profile: str = "none"


class BadControl(Exception):
    """A control request that cannot be carried out; the text has the reason."""


def is_loopback(remote: str) -> bool:
    return remote.startswith("127.") or remote in ("::1", "localhost", "::ffff:127.0.0.1")


class ControlApi:
    """Handlers by method and path."""

    def __init__(
        self, engine: Engine, connections: Connections, user_stream: UserDataStream, faults: FaultInjector
    ) -> None:
        self.engine = engine
        self.connections = connections
        self.user_stream = user_stream
        self.faults = faults
        self.routes: dict[tuple[str, str], Callable[[Request, int], Any]] = {
            ("GET", "/control/ledger"): self._ledger,
            ("GET", "/control/accounts"): self._accounts,
            ("GET", "/control/status"): self._status,
            ("POST", "/control/drop"): self._drop,
            ("POST", "/control/deposit"): self._deposit,
            ("POST", "/control/faults"): self._faults,
            ("GET", "/control/faults"): lambda request, now_ns: self.faults.shown(),
        }

    def handle(self, request: Request, now_ns: int) -> Response:
        """Answers a control request: 403 for other machines and for web pages."""
        if not is_loopback(request.remote) or "origin" in request.headers:
            return self._answer(403, {"error": "control endpoints accept requests of this machine only"})
        handler = self.routes.get((request.method, request.path))
        if handler is None:
            known = ", ".join(f"{method} {path}" for method, path in self.routes)
            return self._answer(404, {"error": f"unknown control endpoint; known are {known}"})
        try:
            return self._answer(200, handler(request, now_ns))
        except (msgspec.MsgspecError, ApiError, BadControl, ValueError) as error:
            return self._answer(400, {"error": str(error)})

    def _answer(self, status: int, body: Any) -> Response:
        return Response(status, dict(JSON), msgspec.json.encode(body))

    def _account(self, name: str | None) -> ExchangeAccount:
        accounts = self.engine.accounts.by_name
        found = accounts.get(account_name(name or next(iter(accounts)), accounts))
        if found is None:
            raise BadControl(f"no account {name}; there are {', '.join(accounts)}")
        return found

    def _ledger(self, request: Request, now_ns: int) -> dict[str, Any]:
        """?account=NAME (default: the first): the true balances, orders and trades, of any age."""
        account = self._account(Params(split_pairs(request.query)).optional("account"))
        symbols = self.engine.symbols

        def ms(time_ns: int) -> int:
            return time_ns // MILLISECOND_NS

        return {
            "account": account.name,
            "time": ms(now_ns),
            "balances": {
                asset: {"free": fixed8(balance.free), "locked": fixed8(balance.locked)}
                for asset, balance in account.balances.items()
            },
            "opening": {asset: fixed8(amount) for asset, amount in self.engine.accounts.opening[account.name].items()},
            "open_orders": [order_json.status(symbols[o.symbol], o, ms) for o in account.open_orders.values()],
            "orders": [order_json.status(symbols[o.symbol], o, ms) for o in account.orders.values()],
            "trades": [
                {**order_json.execution(symbols[one.symbol], one, ms), "side": one.side.name}
                for one in account.executions
            ],
        }

    def _accounts(self, request: Request, now_ns: int) -> dict[str, Any]:
        """Amounts by asset, to check that nothing is made or lost: all balances + outside - deposited is zero."""
        funds = self.engine.settlement.funds
        return {
            "accounts": list(self.engine.accounts.by_name),
            "outside": {asset: fixed8(amount) for asset, amount in funds.outside.items()},
            "deposited": {asset: fixed8(amount) for asset, amount in funds.deposited.items()},
        }

    def _status(self, request: Request, now_ns: int) -> dict[str, Any]:
        kinds = [connection.kind for connection in self.connections.by_id.values()]
        return {
            "time_ns": now_ns,
            "connections": {kind: kinds.count(kind) for kind in ("market", "user")},
            "symbols": {
                symbol.name: {
                    "update_id": symbol.update_id,
                    "last_price": symbol.price(symbol.last_ticks),
                    "closed": symbol.closed,
                    "open_orders": len(symbol.matching),
                    "trades": symbol.trades[-1].trade_id if symbol.trades else 0,
                }
                for symbol in self.engine.symbols.values()
            },
        }

    def _drop(self, request: Request, now_ns: int) -> dict[str, Any]:
        drop = msgspec.json.decode(request.body or b"{}", type=Drop)
        dropped = [connection.conn_id for connection in self.connections.of_kind(drop.kind)]
        for conn_id in dropped:
            self.connections.request_close(conn_id)
        return {"dropped": len(dropped)}

    def _deposit(self, request: Request, now_ns: int) -> dict[str, Any]:
        deposit = msgspec.json.decode(request.body, type=Deposit)
        account, amount = self._account(deposit.account), atoms(deposit.amount)
        self.engine.deposit(account, deposit.asset, amount, now_ns)
        self.user_stream.deposited(account, deposit.asset, amount, now_ns)
        self.user_stream.position(account, (deposit.asset,), now_ns)
        return {"free": fixed8(account.balance(deposit.asset).free)}

    def _faults(self, request: Request, now_ns: int) -> dict[str, Any]:
        body = msgspec.json.decode(request.body, type=FaultRequest)
        named = [*read_faults(body.add, "$.add"), *profile(body.profile)]
        if body.clear:
            self.faults.clear(now_ns)
        self.faults.remove(body.remove, now_ns)
        self.faults.add(named, now_ns)
        if body.error_next is not None:
            self.faults.add([body.error_next.fault()], now_ns)
        if body.silence is not None:
            for kind in (MARKET, USER) if body.silence.kind == "all" else (body.silence.kind,):
                self.faults.silence(kind, body.silence.seconds, now_ns)
        return self.faults.shown()
