"""The servers of the REST row: the venue, and the yardstick, which sends one answer of the venue each time."""

import asyncio
import sys
import time

import uvloop
from aiohttp import web

from benchmarks.order_requests import query_of, settings
from venue.base.wire import Request, Response
from venue.exchange import Exchange
from venue.server import main as venue


def one_answer() -> Response:
    """Returns the venue's answer to an order that fills."""
    now_ns = time.time_ns()
    exchange = Exchange(settings(None), now_ns)
    for number in (0, 1):
        key, query = query_of(number, now_ns // 1_000_000)
        answer = exchange.handle(Request("POST", "/api/v3/order", query, {"x-mbx-apikey": key}), now_ns)
    assert answer.status == 200, answer.body
    return answer


async def serve_constant() -> None:
    """Serves one path with one answer: the least that aiohttp can do."""
    answer = one_answer()

    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=200, headers=answer.headers, body=answer.body)

    app = web.Application()
    app.router.add_post("/api/v3/order", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"constant listens on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "venue":
        sys.exit(venue.run(settings(sys.argv[2])))
    uvloop.run(serve_constant())
