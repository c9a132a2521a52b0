"""The exchange of the fast-path rows: answers as of Binance Spot, without a book or a ledger. No I/O.

Every order is accepted and expires at once (an IOC away from the market). Imports the standard library only.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

RICH = "1000000.00000000"
RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 1},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100, "count": 0},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000, "count": 0},
]
HEADERS = {"x-mbx-used-weight-1m": "1", "x-mbx-order-count-10s": "0", "x-mbx-order-count-1d": "0"}


class ScriptVenue:
    """`names`: the markets ("BTCUSDT"); `snapshot`: the depth answer of each. `now_ms`: the caller's time."""

    def __init__(self, names: list[str], snapshot: bytes) -> None:
        self.orders = 0
        self._snapshot = snapshot
        self._info = json.dumps({"symbols": [_symbol(name) for name in names]}).encode()

    def rest(self, method: str, path: str, query: str, now_ms: int) -> bytes:
        """Returns the body of the answer to a REST request; the status is always 200."""
        what = path.removeprefix("/api/v3/")
        if what == "order" and method == "POST":
            return json.dumps(self.order(dict(parse_qsl(query)), now_ms)).encode()
        if what == "depth":
            return self._snapshot
        if what == "exchangeInfo":
            return self._info
        if what == "time":
            return json.dumps({"serverTime": now_ms}).encode()
        if what == "account":
            balances = [{"asset": asset, "free": RICH, "locked": "0.0"} for asset in ("USDT", "BTC")]
            return json.dumps({"uid": 1, "canTrade": True, "updateTime": now_ms, "balances": balances}).encode()
        return b"[]"  # openOrders, myTrades

    def frame(self, data: bytes, now_ms: int) -> list[bytes]:
        """Returns the answers to a client's frame on a market data connection or on the WebSocket API."""
        request = json.loads(data)
        method, params = request["method"], request.get("params")
        if method == "SUBSCRIBE":
            return [json.dumps({"result": None, "id": request["id"]}).encode()]
        result: Any = {}
        if method == "order.place":
            result = self.order(params, now_ms)
        elif method.startswith("userDataStream.subscribe"):
            result = {"subscriptionId": 0}
        answer = {"id": request["id"], "status": 200, "result": result, "rateLimits": RATE_LIMITS}
        return [json.dumps(answer).encode()]

    def order(self, params: dict[str, Any], now_ms: int) -> dict[str, Any]:
        """Returns the FULL answer to an order."""
        self.orders += 1
        return {
            "symbol": params["symbol"], "orderId": self.orders, "orderListId": -1,
            "clientOrderId": params["newClientOrderId"], "transactTime": now_ms, "price": params["price"],
            "origQty": params["quantity"], "executedQty": "0.00000000", "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": "0.00000000", "status": "EXPIRED", "timeInForce": params["timeInForce"],
            "type": params["type"], "side": params["side"], "workingTime": now_ms, "fills": [],
            "selfTradePreventionMode": "NONE",
        }  # fmt: skip


def is_order(frame: bytes) -> bool:
    """Returns whether a frame of the WebSocket API places an order."""
    return b'"order.place"' in frame[:200]


def execution(order: dict[str, Any]) -> bytes:
    """Returns the report on the user stream for an order that `ScriptVenue.order` has placed."""
    zero = "0.00000000"
    event = {
        "e": "executionReport", "E": order["transactTime"], "s": order["symbol"], "c": order["clientOrderId"],
        "S": order["side"], "o": order["type"], "f": order["timeInForce"], "q": order["origQty"], "p": order["price"],
        "C": "", "x": "EXPIRED", "X": "EXPIRED", "r": "NONE", "i": order["orderId"], "l": zero, "z": zero, "L": zero,
        "n": "0", "N": None, "T": order["transactTime"], "t": -1, "m": False,
    }  # fmt: skip
    return json.dumps({"subscriptionId": 0, "event": event}).encode()


def _symbol(name: str) -> dict[str, Any]:
    return {
        "symbol": name, "status": "TRADING", "baseAsset": name.removesuffix("USDT"), "quoteAsset": "USDT",
        "baseAssetPrecision": 8, "quoteAssetPrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "5.0", "maxNotional": "9000000.0"},
        ],
    }  # fmt: skip
