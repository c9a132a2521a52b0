"""python-binance: REST, its depth cache, and its user stream."""

import asyncio

import story
from binance import AsyncClient, BinanceSocketManager, DepthCacheManager
from binance.exceptions import BinanceAPIException

SYMBOL = "BTCUSDT"


def short(order):
    return [order["orderId"], order["status"], float(order["executedQty"])]


def levels(book):
    return [[[float(number) for number in level] for level in book[side]] for side in ("bids", "asks")]


class PythonBinance:
    """An account on the venue."""

    def __init__(self, http, ws, key, secret):
        AsyncClient.API_URL = http + "/api"
        AsyncClient.MARGIN_API_URL = http + "/sapi"
        AsyncClient.WS_API_URL = ws + "/ws-api/v3"
        BinanceSocketManager.STREAM_URL = ws + "/"
        self.keys = key, secret
        self.watched = []
        self.cache = None
        self.watching = []

    async def start(self):
        self.client = await AsyncClient.create(*self.keys)
        self.client.WS_API_URL = self.client.ws_api._url = AsyncClient.WS_API_URL

    async def market(self):
        info = await self.client.get_symbol_info(SYMBOL)
        rows = {row["filterType"]: row for row in info["filters"]}
        return [float(rows["PRICE_FILTER"]["tickSize"]), float(rows["LOT_SIZE"]["stepSize"])]

    async def book(self):
        return levels(await self.client.get_order_book(symbol=SYMBOL, limit=20))

    async def klines(self):
        rows = await self.client.get_klines(symbol=SYMBOL, interval="1m")
        return [[row[0], float(row[5])] for row in rows]

    async def place(self, side, price, size):
        place = self.client.order_limit_buy if side == "BUY" else self.client.order_limit_sell
        return short(await place(symbol=SYMBOL, quantity=str(size), price=str(price)))

    async def buy_at_market(self, size):
        return short(await self.client.order_market_buy(symbol=SYMBOL, quantity=str(size)))

    async def order(self, order_id):
        return short(await self.client.get_order(symbol=SYMBOL, orderId=order_id))

    async def orders(self, order_ids):
        return [await self.order(order_id) for order_id in order_ids]

    async def replace(self, order_id, side, price, size):
        answer = await self.client.cancel_replace_order(
            symbol=SYMBOL,
            side=side,
            type="LIMIT",
            timeInForce="GTC",
            quantity=str(size),
            price=str(price),
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=order_id,
        )
        return short(answer["newOrderResponse"])

    async def cancel(self, order_id):
        return short(await self.client.cancel_order(symbol=SYMBOL, orderId=order_id))

    async def refusal(self, call):
        try:
            await call
        except BinanceAPIException as error:
            return error.code

    async def oco(self, side, size, above, stop, below):
        answer = await self.client.create_oco_order(
            symbol=SYMBOL,
            side=side,
            quantity=str(size),
            aboveType="LIMIT_MAKER",
            abovePrice=str(above),
            belowType="STOP_LOSS_LIMIT",
            belowStopPrice=str(stop),
            belowPrice=str(below),
            belowTimeInForce="GTC",
        )
        return [answer["orderListId"], [order["orderId"] for order in answer["orders"]]]

    async def cancel_list(self, list_id):
        await self.client.v3_delete_order_list(symbol=SYMBOL, orderListId=list_id)

    async def balances(self):
        rows = (await self.client.get_account())["balances"]
        return {row["asset"]: [float(row["free"]), float(row["locked"])] for row in rows}

    async def open_orders(self):
        orders = await self.client.get_open_orders(symbol=SYMBOL)
        return [[*short(one), float(one["price"]), float(one["origQty"]), one["side"]] for one in orders]

    async def trades(self):
        return [
            [one["id"], one["orderId"], float(one["price"]), float(one["qty"]), float(one["commission"]),
             one["commissionAsset"], one["isBuyer"]]
            for one in await self.client.get_my_trades(symbol=SYMBOL)
        ]  # fmt: skip

    async def watch(self):
        manager = BinanceSocketManager(self.client)
        depth = DepthCacheManager(self.client, SYMBOL, ws_interval=100)
        listening = asyncio.Event()

        async def book():
            async with depth as stream:
                while True:
                    self.cache = await stream.recv() or self.cache

        async def orders():
            async with manager.user_socket() as user:
                listening.set()
                while True:
                    message = await user.recv()
                    event = message.get("event", message)
                    if event.get("e") == "executionReport":
                        self.watched.append([event["i"], event["X"], float(event["z"])])

        self.watching = [asyncio.ensure_future(book()), asyncio.ensure_future(orders())]
        await asyncio.wait_for(listening.wait(), story.PATIENCE_S)

    def watched_book(self):
        if self.cache is None:
            return None
        return [[list(level) for level in side] for side in (self.cache.get_bids(), self.cache.get_asks())]


if __name__ == "__main__":
    story.main(PythonBinance)
