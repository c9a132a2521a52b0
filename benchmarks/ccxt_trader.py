"""The yardstick bot in the clients' environment: ccxt's websocket book and REST orders in one process, on uvloop.

`python -m benchmarks.ccxt_trader PORT trade` sends an order after each book update, as benchmarks.fast_actors does.
`python -m benchmarks.ccxt_trader PORT count LAST_ID` receives updates up to LAST_ID, then prints the time.
"""

import asyncio
import json
import sys
import time
from typing import Any

import ccxt.pro  # type: ignore[import-not-found]
import uvloop

from benchmarks.ccxt_book import MARKET, SYMBOL

AMOUNT = 0.01
NOT_FOR_SPOT = dict.fromkeys(("swap", "future", "option", "margin", "linear", "inverse", "settle", "contractSize"))


def exchange_at(port: str) -> Any:
    """Returns ccxt's Binance client, connected to the feeder."""
    exchange = ccxt.pro.binance({"apiKey": "bench", "secret": "bench", "enableRateLimit": False, "newUpdates": True})
    exchange.set_markets([{**MARKET, **NOT_FOR_SPOT, "info": {"orderTypes": ["LIMIT"]}}])
    base = f"http://127.0.0.1:{port}/api/v3"
    exchange.urls["api"].update(dict.fromkeys(("public", "private", "v1", "sapi"), base))
    exchange.urls["api"]["ws"]["spot"] = f"ws://127.0.0.1:{port}/ws"
    return exchange


async def trade(exchange: Any) -> None:
    while True:
        book = await exchange.watch_order_book(SYMBOL)
        price = round(book["bids"][0][0] * 0.99, 2)
        await exchange.create_order(SYMBOL, "limit", "buy", AMOUNT, price, {"timeInForce": "IOC"})


async def count(exchange: Any, last_id: int) -> None:
    """Waits for the book's update id: ccxt delivers several updates at once, so that counting them would miss some."""
    while True:
        book = await exchange.watch_order_book(SYMBOL)
        if book["nonce"] >= last_id:
            best = [round(book[side][0][0] * 100) for side in ("bids", "asks")]
            print(json.dumps({"end_ns": time.monotonic_ns(), "best": best}), flush=True)
            await asyncio.sleep(3600)


async def main(port: str, what: str, last_id: str = "0") -> None:
    exchange = exchange_at(port)
    await (trade(exchange) if what == "trade" else count(exchange, int(last_id)))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
