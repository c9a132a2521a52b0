"""The official SDK: market data and lists over REST, orders over its WebSocket API, its market and user streams."""

import asyncio

import story
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_spot.spot import Spot

SYMBOL = "BTCUSDT"


def short(order):
    return [order.order_id, order.status, float(order.executed_qty)]


def result(answer):
    """What the WebSocket API gave. A refusal comes as a dict; here it is raised."""
    data = answer.data()
    if isinstance(data, dict):
        raise ValueError(data["error"])
    return data.result


def floats(rows):
    return [[float(number) for number in row] for row in rows]


class OfficialSdk:
    """An account on the venue."""

    def __init__(self, http, ws, key, secret):
        keys = {"api_key": key, "api_secret": secret}
        spot = Spot(
            ConfigurationRestAPI(**keys, base_path=http, retries=0),
            ConfigurationWebSocketAPI(**keys, stream_url=ws + "/ws-api/v3"),
            ConfigurationWebSocketStreams(stream_url=ws + "/stream"),
        )
        self.rest, self.api, self.streams = spot.rest_api, spot.websocket_api, spot.websocket_streams
        self.watched = []
        self.reported = None

    async def ask(self, method, *arguments, **named):
        """A call of the REST part, which blocks."""
        return (await asyncio.to_thread(method, *arguments, **named)).data()

    async def start(self):
        await self.api.create_connection()

    async def market(self):
        info = await self.ask(self.rest.exchange_info, symbol=SYMBOL)
        rows = [one.actual_instance or one for one in info.symbols[0].filters]
        tick = next(row.tick_size for row in rows if getattr(row, "tick_size", None))
        step = next(row.step_size for row in rows if row.filter_type == "LOT_SIZE")
        return [float(tick), float(step)]

    async def book(self):
        reported = await self.ask(self.rest.depth, SYMBOL, limit=20)
        return [floats(reported.bids), floats(reported.asks)]

    async def klines(self):
        rows = await self.ask(self.rest.klines, SYMBOL, "1m")
        return [[row[0], float(row[5])] for row in rows]

    async def place(self, side, price, size):
        answer = await self.api.order_place(
            symbol=SYMBOL, side=side, type="LIMIT", time_in_force="GTC", price=price, quantity=size
        )
        return short(result(answer))

    async def buy_at_market(self, size):
        return short(await self.ask(self.rest.new_order, SYMBOL, "BUY", "MARKET", quantity=size))

    async def order(self, order_id):
        return short(result(await self.api.order_status(symbol=SYMBOL, order_id=order_id)))

    async def orders(self, order_ids):
        return [short(await self.ask(self.rest.get_order, SYMBOL, order_id=order_id)) for order_id in order_ids]

    async def replace(self, order_id, side, price, size):
        answer = await self.api.order_cancel_replace(
            symbol=SYMBOL,
            cancel_replace_mode="STOP_ON_FAILURE",
            side=side,
            type="LIMIT",
            time_in_force="GTC",
            price=price,
            quantity=size,
            cancel_order_id=order_id,
        )
        return short(result(answer).new_order_response)

    async def cancel(self, order_id):
        return short(result(await self.api.order_cancel(symbol=SYMBOL, order_id=order_id)))

    async def refusal(self, call):
        try:
            await call
        except ValueError as error:
            return error.args[0]["code"]

    async def oco(self, side, size, above, stop, below):
        answer = await self.ask(
            self.rest.order_list_oco,
            SYMBOL,
            side,
            size,
            "LIMIT_MAKER",
            "STOP_LOSS_LIMIT",
            above_price=above,
            below_stop_price=stop,
            below_price=below,
            below_time_in_force="GTC",
        )
        return [answer.order_list_id, [order.order_id for order in answer.orders]]

    async def cancel_list(self, list_id):
        await self.ask(self.rest.delete_order_list, SYMBOL, order_list_id=list_id)

    async def balances(self):
        rows = (await self.ask(self.rest.get_account)).balances
        return {row.asset: [float(row.free), float(row.locked)] for row in rows}

    async def open_orders(self):
        orders = await self.ask(self.rest.get_open_orders, SYMBOL)
        return [[*short(one), float(one.price), float(one.orig_qty), one.side] for one in orders]

    async def trades(self):
        return [
            [one.id, one.order_id, float(one.price), float(one.qty), float(one.commission), one.commission_asset,
             one.is_buyer]
            for one in await self.ask(self.rest.my_trades, SYMBOL)
        ]  # fmt: skip

    async def watch(self):
        user = await self.api.user_data_stream_subscribe_signature()
        user.stream.on("message", self.hear)
        await self.streams.create_connection()
        book = await self.streams.partial_book_depth(symbol=SYMBOL, levels="5", update_speed="100ms")
        book.on("message", lambda reported: setattr(self, "reported", reported))
        await story.until(lambda: self.reported is not None, "the partial book")

    def hear(self, event):
        event = getattr(event, "actual_instance", event)
        if type(event).__name__ == "ExecutionReport":
            self.watched.append([event.i, event.X, float(event.z)])

    def watched_book(self):
        return [floats(self.reported.bids), floats(self.reported.asks)]


if __name__ == "__main__":
    story.main(OfficialSdk)
