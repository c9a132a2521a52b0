"""What every client does on the venue, in its own words; and its own view of the account at the end, as JSON.

A client is a class with the methods used here. Orders are reported as [id, Binance's status, filled size], books as
[bids, asks] of [price, size], trades as [id, order id, price, size, fee, fee's asset, bought?].
"""

import asyncio
import json
import os
import sys
import traceback

PATIENCE_S = 20
STEP_S = 0.05


async def until(condition, what):
    """Wait until it holds."""
    for _ in range(int(PATIENCE_S / STEP_S)):
        if condition():
            return
        await asyncio.sleep(STEP_S)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


async def trade(maker, external):
    """A partial fill, a replacement and a cancel; refusals in passing."""
    placed = await maker.place("BUY", 60000, 0.01)
    await external.place("SELL", 60000, 0.004)
    partly = await maker.order(placed[0])
    replaced = await maker.replace(placed[0], "BUY", 59950, 0.008)
    old = await maker.order(placed[0])
    refused = await maker.refusal(maker.place("BUY", 50000, 100))
    canceled = await maker.cancel(replaced[0])
    gone = await maker.refusal(maker.cancel(replaced[0]))
    reported = [placed, partly, old, replaced, canceled]
    return {
        "states": [state for _, state, _ in reported],
        "filled": [size for *_, size in reported],
        "refused": [refused, gone],
    }


async def lists(maker, external):
    """An OCO that is canceled, and one whose limit order fills."""
    first = await maker.oco("SELL", 0.003, above=60500, stop=59000, below=58990)
    both = await maker.orders(first[1])
    await maker.cancel_list(first[0])
    ended = await maker.orders(first[1])
    second = await maker.oco("SELL", 0.003, above=60050, stop=59000, below=58990)
    await external.place("BUY", 60050, 0.003)
    filled = await maker.orders(second[1])
    return {"states": [sorted(state for _, state, _ in reported) for reported in (both, ended, filled)]}


async def play(maker, external, has_lists):
    """All of it, on a still market at 60,000."""
    await maker.start()
    await external.start()
    reported = {"market": await maker.market()}
    await external.place("SELL", 60100, 0.5)
    await external.place("BUY", 59900, 0.5)
    await maker.watch()
    reported["book"] = await maker.book()
    reported["trade"] = await trade(maker, external)
    reported["lists"] = await lists(maker, external) if has_lists else None
    reported["bought"] = (await maker.buy_at_market(0.002))[1:]
    left = await maker.place("BUY", 59000, 0.003)
    reported["klines"] = sum(volume for _, volume in await maker.klines())
    reported["last_book"] = await maker.book()
    await until(lambda: maker.watched_book() == reported["last_book"], f"the watched book {maker.watched_book()}")
    await until(lambda: left[:2] in [one[:2] for one in maker.watched], f"order {left} among {maker.watched}")
    reported["watched"] = sorted({state for _, state, _ in maker.watched})
    reported["view"] = {
        "balances": await maker.balances(),
        "open_orders": sorted(await maker.open_orders()),
        "trades": sorted(await maker.trades()),
    }
    return reported


def main(client_class):
    """HTTP WS HAS_LISTS KEY SECRET KEY SECRET: the keys are those of the accounts `maker` and `external`."""
    http, ws, has_lists, *keys = sys.argv[1:]
    maker, external = client_class(http, ws, *keys[:2]), client_class(http, ws, *keys[2:])
    asyncio.run(report(play(maker, external, has_lists == "lists")))


async def report(story):
    """Print what came of it, and end at once: some clients take ten seconds to close a websocket."""
    ended = await asyncio.gather(asyncio.wait_for(story, 3 * PATIENCE_S), return_exceptions=True)
    if isinstance(ended[0], BaseException):
        traceback.print_exception(ended[0])
        os._exit(1)
    print(json.dumps(ended[0]), flush=True)
    os._exit(0)
