"""python-binance: markets, book, place, query, cancel, depth stream, user stream. Prints one JSON object."""

import asyncio
import json
import os
import sys

from binance import AsyncClient, BinanceSocketManager
from binance.exceptions import BinanceAPIException

http, ws, key, secret = sys.argv[1:5]
AsyncClient.API_URL = http + "/api"
AsyncClient.MARGIN_API_URL = http + "/sapi"
AsyncClient.WS_API_URL = ws + "/ws-api/v3"
BinanceSocketManager.STREAM_URL = ws + "/"


async def main() -> None:
    client = await AsyncClient.create(key, secret)
    client.WS_API_URL = client.ws_api._url = ws + "/ws-api/v3"
    try:
        info = await client.get_symbol_info("BTCUSDT")
        book = await client.get_order_book(symbol="BTCUSDT", limit=20)
        account = await client.get_account()
        manager = BinanceSocketManager(client)
        diffs = []
        async with manager.multiplex_socket(["btcusdt@depth@100ms", "btcusdt@trade"]) as stream:
            while len(diffs) < 5:
                message = await asyncio.wait_for(stream.recv(), 5)
                if message["stream"].endswith("@depth@100ms"):
                    diffs.append((message["data"]["U"], message["data"]["u"]))
        events = []
        async with manager.user_socket() as user:
            await asyncio.sleep(0.3)
            price = f"{float(book['bids'][0][0]) * 0.9:.2f}"
            placed = await client.order_limit_buy(symbol="BTCUSDT", quantity="0.001", price=price)
            fetched = await client.get_order(symbol="BTCUSDT", orderId=placed["orderId"])
            canceled = await client.cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
            while "CANCELED" not in [event.get("x") for event in events]:
                message = await asyncio.wait_for(user.recv(), 5)
                events.append(message.get("event", message))
        try:
            await client.cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
            code = 0
        except BinanceAPIException as error:
            code = error.code
        print(
            json.dumps(
                {
                    "filters": [row["filterType"] for row in info["filters"]],
                    "levels": [len(book["bids"]), len(book["asks"])],
                    "assets": [row["asset"] for row in account["balances"]],
                    "diffs": diffs,
                    "states": [placed["status"], fetched["status"], canceled["status"]],
                    "events": [[event["e"], event.get("x")] for event in events],
                    "second_cancel": code,
                }
            )
        )
        sys.stdout.flush()
        os._exit(0)  # its own closing waits ten seconds for a read to time out
    finally:
        await client.close_connection()


asyncio.run(asyncio.wait_for(main(), 25))
