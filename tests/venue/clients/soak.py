"""Trade at random for a while, through whatever errors come; then state what the client's own account holds.

SOAK CLIENT HTTP WS SECONDS SEED KEY SECRET: prints "ready", trades after a line on stdin, prints "traded", and prints
one JSON object after another line.
"""

import asyncio
import collections
import importlib
import json
import random
import sys

CLIENTS = {"ccxt": ("ccxt_client", "Ccxt"), "python-binance": ("python_binance_client", "PythonBinance")}
CALL_S = 15  # maximum time for one call
SETTLE_S = 60  # maximum time for a view without faults


class Soak:
    """Orders, cancels, replacements and order lists of one account, at random."""

    def __init__(self, client, seed):
        self.client = client
        self.random = random.Random(seed)
        self.done = collections.Counter()
        self.errors = collections.Counter()
        self.mid = 60_000.0

    async def run(self, seconds):
        until_s = asyncio.get_running_loop().time() + seconds
        steps = [self.limit] * 5 + [self.cross] * 2 + [self.market] + [self.list] * 3 + [self.cancel] * 3 + [self.look]
        while asyncio.get_running_loop().time() < until_s:
            step = self.random.choice(steps)
            try:
                await asyncio.wait_for(step(), CALL_S)
                self.done[step.__name__] += 1
            except Exception as error:  # noqa: BLE001 - a lost answer, a refusal, a dropped connection: all are expected in a storm
                self.errors[type(error).__name__] += 1
            await asyncio.sleep(0.02)

    def price(self, bps):
        return round(self.mid * (1 + bps / 10_000), 1)

    def size(self):
        return round(self.random.uniform(0.0005, 0.004), 4)

    async def limit(self):
        side, away = self.random.choice(("BUY", "SELL")), self.random.uniform(2, 40)
        await self.client.place(side, self.price(-away if side == "BUY" else away), self.size())

    async def cross(self):
        side = self.random.choice(("BUY", "SELL"))
        await self.client.place(side, self.price(3 if side == "BUY" else -3), self.size())

    async def market(self):
        await self.client.buy_at_market(self.size())

    async def list(self):
        near = self.random.uniform(3, 15)
        await self.client.oco("SELL", self.size(), self.price(near), self.price(-near), self.price(-near - 2))

    async def cancel(self):
        orders = await self.client.open_orders()
        if orders:
            await self.client.cancel(self.random.choice(orders)[0])

    async def look(self):
        bids, asks = await self.client.book()
        self.mid = (bids[0][0] + asks[0][0]) / 2

    async def settle(self):
        """Cancels what is open. Returns the client's own view of its account."""
        for _ in range(200):
            orders = await self.client.open_orders()
            if not orders:
                break
            await asyncio.gather(*(self.client.cancel(one[0]) for one in orders[:20]), return_exceptions=True)
        view = {
            "balances": await self.client.balances(),
            "open_orders": await self.client.open_orders(),
            "trades": sorted(await self.client.trades()),
        }
        return {"done": self.done, "errors": self.errors, "view": view}


async def line_after(word):
    """Prints a word, and waits for a line."""
    print(word, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def main(name, http, ws, seconds, seed, key, secret):
    module, kind = CLIENTS[name]
    client = getattr(importlib.import_module(module), kind)(http, ws, key, secret)
    await client.start()
    soak = Soak(client, int(seed))
    await line_after("ready")
    await soak.run(float(seconds))
    await line_after("traded")
    print(json.dumps(await asyncio.wait_for(soak.settle(), SETTLE_S)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
