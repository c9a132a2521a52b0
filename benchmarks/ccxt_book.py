"""A measuring process in the clients' environment: ccxt's websocket order book on recorded frames."""

import asyncio
import json
import sys
import time
from typing import Any

import ccxt.pro  # type: ignore[import-not-found]

from benchmarks.frames import recorded_frames
from benchmarks.worker import serve

URL = "wss://stream.binance.com:9443/stream"
SYMBOL = "BTC/USDT"
MARKET = {
    "id": "BTCUSDT", "lowercaseId": "btcusdt", "symbol": SYMBOL, "active": True,
    "base": "BTC", "baseId": "BTC", "quote": "USDT", "quoteId": "USDT",
    "type": "spot", "spot": True, "contract": False,
    "precision": {"amount": 0.00001, "price": 0.01}, "limits": {},
}  # fmt: skip


def measure(exchange: Any, client: Any, snapshot: dict[str, Any], frames: list[str]) -> dict[str, Any]:
    """Sets the book to the snapshot, then passes all deltas to the client's own function for a text frame.

    Returns updates per second of processor time, so that other processes on the core do not count.
    """
    exchange.orderbooks[SYMBOL] = exchange.order_book({}, 1000)
    exchange.orderbooks[SYMBOL].reset(exchange.parse_order_book(snapshot, SYMBOL))
    exchange.orderbooks[SYMBOL]["nonce"] = snapshot["lastUpdateId"]
    receive = client.handle_text_or_binary_message
    start_ns = time.process_time_ns()
    for frame in frames:
        receive(frame)
    took_ns = time.process_time_ns() - start_ns
    book = exchange.orderbooks[SYMBOL]
    best = [*book["bids"][0][:2], *book["asks"][0][:2]]
    detail = {"outcome": [book["nonce"], best]}
    return {"updates_per_s": len(frames) / took_ns * 1e9, "detail": detail}


async def main(path: str) -> None:
    snapshot, frames = recorded_frames(path)
    exchange = ccxt.pro.binance()
    exchange.set_markets([MARKET])
    client = exchange.client(URL)
    texts = [frame.decode() for frame in frames]
    serve(lambda: measure(exchange, client, json.loads(snapshot), texts))
    await exchange.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
