"""ccxt over websockets: watch the book, trades and own orders while one is placed and canceled. One JSON object."""

import asyncio
import json
import sys

import ccxt.pro

http, ws, key, secret = sys.argv[1:5]


async def main() -> None:
    exchange = ccxt.pro.binance({"apiKey": key, "secret": secret, "enableRateLimit": False})
    exchange.urls["api"] = {
        name: (f"{http}/{url.split('/', 3)[3]}" if isinstance(url, str) and url.count("/") > 2 else url)
        for name, url in exchange.urls["api"].items()
    }
    exchange.urls["api"]["ws"] = {"spot": f"{ws}/ws", "ws-api": {"spot": f"{ws}/ws-api/v3"}}
    exchange.options["fetchMarkets"] = {"types": ["spot"]}
    exchange.options["fetchMargins"] = False
    exchange.options["fetchCurrencies"] = False
    try:
        await exchange.load_markets()
        books = []
        for _ in range(5):
            book = await exchange.watch_order_book("BTC/USDT")
            books.append((book["nonce"], book["bids"][0][0], book["asks"][0][0]))
        trades = await exchange.watch_trades("BTC/USDT")
        seen: list[str] = []

        async def watch() -> None:
            while "canceled" not in seen:
                seen.extend(order["status"] for order in await exchange.watch_orders("BTC/USDT"))

        watching = asyncio.ensure_future(watch())
        await asyncio.sleep(0.5)
        price = exchange.price_to_precision("BTC/USDT", books[-1][1] * 0.9)
        placed = await exchange.create_order("BTC/USDT", "limit", "buy", 0.001, float(price))
        while "open" not in seen:
            await asyncio.sleep(0.05)
        await exchange.cancel_order(placed["id"], "BTC/USDT")
        await watching
        print(json.dumps({"books": books, "trades": len(trades), "orders": seen}))
    finally:
        await exchange.close()


asyncio.run(asyncio.wait_for(main(), 25))
