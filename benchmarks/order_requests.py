"""The orders of the REST row: signed requests as bytes, of two accounts that fill each other."""

import hashlib
import hmac
import time
from decimal import Decimal
from urllib.parse import urlencode

import msgspec

from venue.base import demo
from venue.base.settings import FlowSettings, LimitSettings, MarketSettings, VenueSettings

ORDERS = 4_000
KEYS = ((demo.MAKER_KEY, demo.MAKER_SECRET), (demo.EXTERNAL_KEY, demo.EXTERNAL_SECRET))
RICH = {"BTC": Decimal(10**6), "USDT": Decimal(10**10)}


def settings(ledger_file: str | None) -> VenueSettings:
    """Returns settings of a market without order flow, with two rich accounts and without rate limits."""
    accounts = [msgspec.structs.replace(one, balances=RICH) for one in demo.accounts()]
    still = MarketSettings(flow=FlowSettings(limit_rate=0, market_rate=0), max_orders=10_000)
    none = LimitSettings(weight_1m=10**9, orders_10s=10**9, orders_1d=10**9, raw_requests_5m=10**9)
    return VenueSettings(accounts=accounts, markets=[still], rate_limits=none, ledger_file=ledger_file)


def query_of(number: int, time_ms: int) -> tuple[str, str]:
    """Returns (API key, signed query) of an order: bids and asks alternate at one price, so that half of them fill."""
    key, secret = KEYS[number % 2]
    params = {
        "symbol": "BTCUSDT",
        "side": ("BUY", "SELL")[number % 2],
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.00250",
        "price": "60000.25",
        "newClientOrderId": f"bench-{time_ms % 10**8}-{number}",
        "recvWindow": 60000,
        "timestamp": time_ms,
    }
    query = urlencode(params)
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return key, f"{query}&signature={signature}"


def requests(count: int = ORDERS) -> list[bytes]:
    """Returns HTTP requests that a venue accepts within the next minute."""
    time_ms = time.time_ns() // 1_000_000
    made = []
    for number in range(count):
        key, query = query_of(number, time_ms)
        head = f"POST /api/v3/order?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-MBX-APIKEY: {key}\r\nAccept: */*\r\n\r\n"
        made.append(head.encode())
    return made
