"""ccxt: REST, and its websockets for the book and the orders."""

import asyncio

import ccxt.pro
import story

SYMBOL = "BTC/USDT"
STATES = {"closed": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED"}


def short(order):
    """Its unified order; "open" is two of Binance's states."""
    filled = order["filled"] or 0
    state = STATES.get(order["status"]) or ("PARTIALLY_FILLED" if filled else "NEW")
    return [int(order["id"]), state, filled]


def levels(book):
    return [[list(level[:2]) for level in side] for side in (book["bids"], book["asks"])]


class Ccxt:
    """An account on the venue."""

    def __init__(self, http, ws, key, secret):
        self.exchange = ccxt.pro.binance({"apiKey": key, "secret": secret, "enableRateLimit": False})
        api = self.exchange.urls["api"]
        for name, url in api.items():
            if isinstance(url, str) and url.count("/") > 2:
                api[name] = f"{http}/{url.split('/', 3)[3]}"
        api["ws"] = {"spot": f"{ws}/ws", "ws-api": {"spot": f"{ws}/ws-api/v3"}}
        options = self.exchange.options
        options["fetchMarkets"] = {"types": ["spot"]}
        options["fetchMargins"] = options["fetchCurrencies"] = False
        self.watched = []
        self.watching = []

    async def start(self):
        await self.exchange.load_markets()

    async def market(self):
        precision = self.exchange.market(SYMBOL)["precision"]
        return [precision["price"], precision["amount"]]

    async def book(self):
        return levels(await self.exchange.fetch_order_book(SYMBOL, 20))

    async def klines(self):
        return [[row[0], row[5]] for row in await self.exchange.fetch_ohlcv(SYMBOL, "1m")]

    async def place(self, side, price, size):
        return short(await self.exchange.create_order(SYMBOL, "limit", side.lower(), size, price))

    async def buy_at_market(self, size):
        return short(await self.exchange.create_order(SYMBOL, "market", "buy", size))

    async def order(self, order_id):
        return short(await self.exchange.fetch_order(str(order_id), SYMBOL))

    async def orders(self, order_ids):
        return [await self.order(order_id) for order_id in order_ids]

    async def replace(self, order_id, side, price, size):
        return short(await self.exchange.edit_order(str(order_id), SYMBOL, "limit", side.lower(), size, price))

    async def cancel(self, order_id):
        return short(await self.exchange.cancel_order(str(order_id), SYMBOL))

    async def refusal(self, call):
        try:
            await call
        except (ccxt.InsufficientFunds, ccxt.OrderNotFound) as error:
            return -2010 if isinstance(error, ccxt.InsufficientFunds) else -2011

    async def oco(self, side, size, above, stop, below):
        answer = await self.exchange.private_post_orderlist_oco(
            {
                "symbol": "BTCUSDT",
                "side": side,
                "quantity": size,
                "aboveType": "LIMIT_MAKER",
                "abovePrice": above,
                "belowType": "STOP_LOSS_LIMIT",
                "belowStopPrice": stop,
                "belowPrice": below,
                "belowTimeInForce": "GTC",
            }
        )
        return [int(answer["orderListId"]), [int(order["orderId"]) for order in answer["orders"]]]

    async def cancel_list(self, list_id):
        await self.exchange.private_delete_orderlist({"symbol": "BTCUSDT", "orderListId": list_id})

    async def balances(self):
        reported = await self.exchange.fetch_balance()
        return {asset: [reported["free"][asset], reported["used"][asset]] for asset in reported["free"]}

    async def open_orders(self):
        orders = await self.exchange.fetch_open_orders(SYMBOL)
        return [[*short(order), order["price"], order["amount"], order["side"].upper()] for order in orders]

    async def trades(self):
        return [
            [int(one["id"]), int(one["order"]), one["price"], one["amount"], one["fee"]["cost"],
             one["fee"]["currency"], one["side"] == "buy"]
            for one in await self.exchange.fetch_my_trades(SYMBOL)
        ]  # fmt: skip

    async def watch(self):
        async def book():
            while True:
                await self.exchange.watch_order_book(SYMBOL)

        async def orders():
            while True:
                self.watched += [short(order) for order in await self.exchange.watch_orders(SYMBOL)]

        self.watching = [asyncio.ensure_future(book()), asyncio.ensure_future(orders())]
        await story.until(lambda: SYMBOL in self.exchange.orderbooks, "the book of the websocket")
        await story.until(
            lambda: any(one.subscriptions for one in self.exchange.clients.values() if "ws-api" in one.url),
            "the orders' subscription",
        )

    def watched_book(self):
        return levels(self.exchange.orderbooks[SYMBOL])


if __name__ == "__main__":
    story.main(Ccxt)
